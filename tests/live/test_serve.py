# SPDX-License-Identifier: MIT
"""fireglass serve: what it answers."""

import gzip
import json
import os
import re
import signal
import stat

import harness
import pytest
import serving

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def busy(python, start):
    return start(python, "-c", serving.BUSY)


@pytest.fixture
def server(busy, tmp_path):
    with serving.Server("--dir", tmp_path, "-r", "1khz", pid=busy.pid) as running:
        running.wait_samples(1000)
        yield running


def test_every_interpreter(interp, start):
    target = start(interp, "-c", serving.BUSY)
    with serving.Server(pid=target.pid) as server:
        server.wait_samples()
        times = serving.self_times(server.get("/api/v1/profile", seconds="1", format="folded"))
        assert times.get("spin_one", 0) > 10 and times.get("spin_two", 0) > 10, times
        assert times.get("doze", 0) + times.get("sleep", 0) > 30, times
        assert server.status()["target"]["python"].startswith("%d.%d" % interp.minor)


def test_curl_drives_it(server, tmp_path):
    base, head = "http://" + server.authority, ["-H", "Authorization: Bearer " + server.token]

    def post(path):
        return json.loads(serving.curl("-X", "POST", *head, base + path).stdout)

    assert post("/api/v1/stop")["state"] == "stopped"
    server.soon(lambda: server.status()["ticks"] == server.status()["ticks"], "a stop")
    before = server.status()["samples"]
    assert server.status()["samples"] == before
    assert post("/api/v1/start")["state"] == "sampling"
    server.soon(lambda: server.status()["samples"] > before, "samples again")
    saved = post("/api/v1/captures?seconds=5&name=mine")
    assert saved["name"] == "mine.fgc"
    out = tmp_path / "fetched"
    serving.curl(*head, "-o", str(out), base + "/api/v1/captures/mine.fgc")
    assert out.stat().st_size == saved["bytes"]
    table = harness.fireglass("export", out, "-f", "text").stdout
    assert "spin_one" in table and "doze" in table


def test_go_tool_pprof(server, tmp_path):
    harness.need_tool("go")
    done = serving.go_tool_pprof(
        "http://%s/debug/pprof/profile?seconds=2&token=%s" % (server.authority, server.token),
        "-top", "-sample_index=wall", directory=tmp_path)
    assert done.returncode == 0, done.stdout
    rows = re.findall(r"^\s*(\d+(?:\.\d+)?)(\w+)\s+.* (spin_one|spin_two)$", done.stdout, re.M)
    assert {name for _, _, name in rows} == {"spin_one", "spin_two"}, done.stdout
    for number, unit, _ in rows:
        seconds = float(number) * {"s": 1, "ms": 1e-3}[unit]
        assert 0.5 < seconds < 1.5, done.stdout


def test_go_tool_pprof_without_token(busy, tmp_path):
    harness.need_tool("go")
    with serving.Server("--no-token", pid=busy.pid) as server:
        assert server.token is None
        done = serving.go_tool_pprof("http://%s/debug/pprof/profile?seconds=1" % server.authority,
                                     "-top", directory=tmp_path)
        assert "spin_one" in done.stdout


FORMATS = {
    "svg": b"<svg", "folded": b"spin_one", "text": b"spin_one", "html": b"<!doctype html>",
    "chrome": b"spin_one", "cpuprofile": b"spin_one", "pstats": b"spin_one",
    "callgrind": b"spin_one", "perfscript": b"spin_one", "jsonl": b"spin_one",
    "speedscope": b"spin_one", "flamechart": b"spin_one",
}  # fmt: skip


@pytest.mark.parametrize("format", [*FORMATS, "pprof", "firefox", "fgc"])
def test_formats(server, format):
    status, headers, body = server.ask("/api/v1/profile?seconds=2&last=1&format=" + format)
    assert status == 200, body
    assert int(headers["Content-Length"]) == len(body)
    assert headers["X-Content-Type-Options"] == "nosniff"
    if format == "pprof" or body[:2] == b"\x1f\x8b":
        body = gzip.decompress(body)
    assert FORMATS.get(format, b"spin_one" if format != "fgc" else b"") in body
    if headers["Content-Type"] == "application/json":
        json.loads(body)


def test_selection(server):
    def get(**more):
        return serving.folded(server.get("/api/v1/profile", seconds=2, last=1, format="folded", **more))

    assert {names[-1] for names in get(focus="spin_one")} == {"spin_one"}
    assert not any("spin_one" in names for names in get(ignore=["spin_one", "nothing like it"]))
    on_cpu = get(mode="cpu")
    dozing = sum(count for names, count in on_cpu.items() if "doze" in names)
    assert dozing < 0.1 * sum(on_cpu.values())  # it runs for a moment now and then
    assert all("hread" in names[0] for names in get(threads=1))
    assert any("hread" not in names[0] for names in get(threads=0))


@pytest.mark.parametrize("query", [
    "seconds=0", "seconds=-1", "seconds=x", "seconds=11m", "seconds=1e99", "last=2", "format=nothing",
    "mode=x", "unknown=1", "focus=(", "focus=" + "a" * 201, "focus=a{1,250}", r"focus=(a)\1", "focus=",
    "rows=0", "rows=x", "threads=maybe", "min-percent=101", "format=fgc&mode=cpu",
    "focus=a%00b", "focus=a%0ab", "&".join("focus=a" for _ in range(17)),
    "&".join("a%d=1" % i for i in range(65)),
])  # fmt: skip
def test_bad_parameters(server, query):
    status, _, body = server.ask("/api/v1/profile?" + query)
    assert status == 400, body


def test_next_seconds_are_from_now_on(server):
    status = server.status()
    body = server.get("/api/v1/profile", seconds=1, format="jsonl").decode().splitlines()
    times = [json.loads(line) for line in body]
    assert server.status()["now_ns"] - status["now_ns"] >= 1e9
    assert len(times) > 200


def test_folded_reset_gives_each_sample_once(busy):
    with serving.Server("-r", "1khz", pid=busy.pid) as server:
        server.wait_samples(1000)
        total = 0
        for _ in range(8):
            total += sum(serving.folded(server.get("/folded", reset=1)).values())
        server.ask("/api/v1/stop", "POST")
        last = -1
        while True:
            got = sum(serving.folded(server.get("/folded", reset=1)).values())
            total += got
            if got == 0 and last == 0:
                break
            last = got
        assert total == server.status()["samples"]
        kept = sum(serving.folded(server.get("/api/v1/profile", seconds=600, last=1,
                                             format="folded")).values())
        assert kept == total


def test_stream(server):
    start, pieces, connection = server.pieces()
    at, counted = start, 0
    for number, piece in enumerate(pieces):
        data = gzip.decompress(piece)
        assert data[:8] == b"fgpage1\n"
        page = json.loads(data[12 : 12 + int.from_bytes(data[8:12], "little")])
        facts = dict(page["facts"])
        assert int(facts["live_from_ns"]) == at
        at = int(facts["live_to_ns"])
        rows = sum(thread[-1] for thread in page["threads"])
        if rows:
            assert int(page["start_ns"]) >= int(facts["live_from_ns"])
            assert int(page["start_ns"]) + page["duration_ns"] <= at + page["period_ns"] * 2
        counted += rows
        if number == 3:
            break
    connection.close()
    exact = serving.folded(server.get("/api/v1/profile", seconds=600, last=1, format="folded"))
    assert 0 < counted <= sum(exact.values())
    # it goes on where that ended
    again, pieces, connection = server.pieces(at)
    assert again == at
    next(pieces)
    connection.close()


def test_page(server):
    status, headers, body = server.ask("/?token=" + server.token, token=False)
    text = body.decode()
    assert status == 200 and headers["Content-Type"].startswith("text/html")
    assert "connect-src 'self'" in text and 'id="capture"' not in text.split("<script>")[0]
    live = json.loads(re.search(r'<script type="application/json" id="live">(.*?)</script>', text)[1])
    assert live == {"base": "/", "keep_ns": 600 * 10**9, "token": server.token}


def test_metrics(server):
    text = server.get("/metrics").decode()
    names = re.findall(r"^# TYPE (\w+) (counter|gauge)$", text, re.M)
    assert len(names) == len(set(names)) > 20
    for name, kind in names:
        assert re.search(r"^%s(\{.*\})? \d+(\.\d+)?$" % name, text, re.M), name
        assert kind != "counter" or name.endswith("_total")
    assert re.search(r"^fireglass_sampling 1$", text, re.M)


def test_captures(server, tmp_path):
    def ask(method, path):
        return server.ask("/api/v1/captures" + path, method)

    status, headers, body = ask("POST", "?name=a&seconds=1")
    assert status == 201 and headers["Location"] == "/api/v1/captures/a.fgc"
    assert ask("POST", "?name=a")[0] == 409
    for name in ["../a", "a/b", ".a", "-a", "", "a b", "a%00", "x" * 117]:
        assert ask("POST", "?name=" + name.replace(" ", "%20"))[0] == 400, name
    assert [c["name"] for c in json.loads(ask("GET", "")[2])["captures"]] == ["a.fgc"]
    assert b"spin_one" in ask("GET", "/a.fgc?format=folded")[2]
    assert sorted(os.listdir(tmp_path)) == ["a.fgc"]
    assert stat.S_IMODE(os.stat(tmp_path / "a.fgc").st_mode) == 0o600
    assert ask("DELETE", "/a.fgc")[0] == 204
    assert ask("DELETE", "/a.fgc")[0] == ask("GET", "/a.fgc")[0] == 404


def test_disk_limit(busy, tmp_path):
    with serving.Server("--dir", tmp_path, "--max-disk", "9k", pid=busy.pid) as server:
        server.wait_samples()
        statuses = [server.ask("/api/v1/captures?name=n%d" % i, "POST")[0] for i in range(9)]
        assert 201 in statuses and statuses[-1] == 507
        assert sum(os.stat(tmp_path / n).st_size for n in os.listdir(tmp_path)) <= 9 * 1024


def test_unix_socket(busy, tmp_path):
    path = tmp_path / "socket"
    with serving.Server(pid=busy.pid, listen="unix:%s" % path) as server:
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        server.wait_samples()
        done = serving.curl("--unix-socket", str(path), "http://localhost/api/v1/status")
        assert json.loads(done.stdout)["target"]["pid"] == busy.pid
        other = harness.fireglass("serve", "-l", "unix:%s" % path, "-p", busy.pid)
        assert other.returncode == 1 and "in use" in other.stderr
        server.process.kill()  # leaves its socket behind, for the next one to take
        server.process.wait()
    with serving.Server(pid=busy.pid, listen="unix:%s" % path) as server:
        server.wait_samples()
    assert not path.exists()


def test_command_passes_its_status_on(python):
    command = python.argv + ["-c", "import sys; print('out'); sys.exit(3)"]
    with serving.Server(command=command) as server:
        server.process.wait(harness.DEADLINE)
        out, _ = server.end()
    assert server.process.returncode == 3
    assert out == b"out\n"


def test_stay(python, start):
    target = start(python, "-c", serving.BUSY)
    with serving.Server("--stay", pid=target.pid) as server:
        server.wait_samples(10)
        target.process.kill()
        server.soon(lambda: server.status()["state"] == "ended", "the end")
        assert b"spin_" in server.get("/folded")
        assert server.ask("/api/v1/start", "POST")[0] == 409
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(harness.DEADLINE) == 0


def test_ends_with_the_program_and_answers_before(python, start):
    target = start(python, "-c", serving.BUSY)
    with serving.Server(pid=target.pid) as server:
        server.wait_samples(10)
        with server.connect() as waiting:
            waiting.sendall(b"GET /api/v1/profile?seconds=60&format=folded HTTP/1.0\r\nHost: localhost"
                            b"\r\nAuthorization: Bearer %s\r\n\r\n" % server.token.encode())
            before = server.status()["samples"]
            server.soon(lambda: server.status()["samples"] > before + 200, "samples of its time")
            target.process.kill()
            got = b""
            while piece := waiting.recv(65536):
                got += piece
        assert got.startswith(b"HTTP/1.") and b" 200 " in got.split(b"\r\n")[0] and b"spin_" in got
        assert server.process.wait(harness.DEADLINE) == 0
