# SPDX-License-Identifier: MIT
"""SIGUSR1 writes what there is, SIGUSR2 pauses, --every cuts a recording into files."""

import json
import os
import re
import signal
import subprocess
import time

import pytest
from harness import (
    DEADLINE,
    Lines,
    clean_env,
    command,
    fireglass,
    start_fireglass,
    wait_catches,
    wait_sampling,
    wait_until,
)
from oracle import summary
from test_children import Capture


def rows(path):
    result = fireglass("export", path, "-f", "jsonl")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""  # it is whole
    return [json.loads(line) for line in result.stdout.split("\n") if line]


def samples(path):
    return [r for r in rows(path) if r["type"] == "sample"]


class Recording:
    """fireglass record in the background, sampling; its standard error as lines."""

    def __init__(self, *options, **more):
        self.process = start_fireglass("record", *options, **more)
        self.said = Lines(self.process.stderr.fileno(), "fireglass")
        self.pid = self.process.pid
        wait_catches(self.pid, signal.SIGUSR1)
        wait_sampling(self.process)

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        """Ends it as Ctrl-C does; what else it says."""
        if self.process.poll() is None:
            self.signal(signal.SIGINT)
        rest = self.said.rest + self.process.stderr.read()
        assert self.process.wait(DEADLINE) == 0, rest
        return rest.decode()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.communicate()


# ---- SIGUSR1 -------------------------------------------------------------------------------------


def test_writes_what_there_is(interp, start, tmp_path):
    target = start(interp, "mixed.py")
    out = tmp_path / "out.fgc"
    with Recording("-p", target.pid, "-o", out) as recording:
        for n in (1, 2):
            recording.signal(signal.SIGUSR1)
            assert recording.said.next() == "fireglass: wrote %s/out-%d.fgc" % (tmp_path, n)
            wait_sampling(recording.process)
        recording.end()
    first, second, whole = (samples(tmp_path / f) for f in ("out-1.fgc", "out-2.fgc", "out.fgc"))
    assert 0 < len(first) < len(second) < len(whole)
    # each is what the recording was until then
    for copy in (first, second):
        assert [s["time_ns"] for s in copy] == [s["time_ns"] for s in whole[: len(copy)]]
    facts = rows(tmp_path / "out-1.fgc")[0]["facts"]
    assert int(facts["start_ns"]) < int(facts["end_ns"]) < int(rows(out)[0]["facts"]["end_ns"])


def test_writes_each_output(python, start, tmp_path):
    target = start(python, "mixed.py")
    names = ["a.html", "b.folded", "c.fgc"]
    options = [x for name in names for x in ("-o", tmp_path / name)]
    with Recording("-p", target.pid, *options) as recording:
        recording.signal(signal.SIGUSR1)
        said = [recording.said.next() for _ in names]
        assert sorted(os.listdir(tmp_path)) == sorted(
            ["a-1.html", "b-1.folded", "c-1.fgc", "c.fgc"]
            + [n for n in os.listdir(tmp_path) if n.startswith(("a.html", "b.folded"))]
        )
        recording.end()
    assert all(line.startswith("fireglass: wrote ") for line in said)
    folded = (tmp_path / "b-1.folded").read_text(encoding="utf-8").splitlines()
    assert sum(int(x.rsplit(" ", 1)[1]) for x in folded) == len(samples(tmp_path / "c-1.fgc"))
    assert "<!doctype html>" in (tmp_path / "a-1.html").read_text(encoding="utf-8")[:200]


def test_writes_without_a_capture(python, start, tmp_path):
    """Then the samples are in a file without a name."""
    target = start(python, "mixed.py")
    with Recording("-p", target.pid, "-o", tmp_path / "a.folded") as recording:
        recording.signal(signal.SIGUSR1)
        assert recording.said.next().endswith("a-1.folded")
        recording.end()
    assert (tmp_path / "a-1.folded").stat().st_size
    assert not list(tmp_path.glob("*.fgc"))


def test_standard_output_gets_nothing_before_the_end(python, start):
    target = start(python, "mixed.py")
    with Recording("-p", target.pid, "-f", "folded", "-o", "-") as recording:
        recording.signal(signal.SIGUSR1)
        assert "with -o FILE SIGUSR1" in recording.said.next()
        recording.end()
        assert recording.process.stdout.read()


def test_cannot_be_written(python, start, tmp_path):
    """It is said, and the recording goes on."""
    target = start(python, "mixed.py")
    (tmp_path / "out-1.fgc").mkdir()
    with Recording("-p", target.pid, "-o", tmp_path / "out.fgc") as recording:
        recording.signal(signal.SIGUSR1)
        assert re.search("cannot (write|replace).*out-1.fgc", recording.said.next())
        recording.signal(signal.SIGUSR1)
        assert recording.said.next().endswith("out-2.fgc")
        recording.end()
    assert samples(tmp_path / "out.fgc")


# ---- SIGUSR2 -------------------------------------------------------------------------------------


def pause(recording, seconds):
    recording.signal(signal.SIGUSR2)
    until = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > until, "the pause to last")
    recording.signal(signal.SIGUSR2)


def test_pauses(interp, start, tmp_path):
    target = start(interp, "mixed.py")
    out = tmp_path / "out.fgc"
    with Recording("-p", target.pid, "-r", "200", "-o", out) as recording:
        pause(recording, 0.5)
        wait_sampling(recording.process)
        numbers = summary(recording.end())
    lines = rows(out)
    (marker,) = [r for r in lines if r["type"] == "marker"]
    assert marker["name"] == "paused"
    begin, end = marker["start_ns"], marker["end_ns"]
    assert end - begin > 0.4e9
    taken = [r for r in lines if r["type"] == "sample"]
    # a tick that was under way is all that there may be
    inside = {s["time_ns"] for s in taken if begin + 20e6 < s["time_ns"] < end - 20e6}
    assert len(inside) <= 1
    assert any(s["time_ns"] < begin for s in taken) and any(s["time_ns"] > end for s in taken)
    # neither taken nor missed: both together are the time without the pause
    due = (numbers["seconds"] - (end - begin) / 1e9) * 200
    assert abs(numbers["ticks"] + numbers["missed"] - due) < 0.25 * 200
    # what the program used meanwhile belongs to no sample
    used = sum(s.get("cpu_ns", 0) for s in taken)
    assert used < (numbers["seconds"] + 0.2) * 1e9 - (end - begin) / 2


def test_ends_in_a_pause(python, start, tmp_path):
    target = start(python, "mixed.py")
    out = tmp_path / "out.fgc"
    with Recording("-p", target.pid, "-o", out) as recording:
        recording.signal(signal.SIGUSR2)
        wait_until(lambda: not wakes_often(recording.pid), "the pause")
        recording.end()
    lines = rows(out)
    assert [r["name"] for r in lines if r["type"] == "marker"] == ["paused"]


def wakes_often(pid):
    """More than a hundred times a second."""
    before, began = waits(pid), time.monotonic()
    wait_until(lambda: time.monotonic() > began + 0.2, "a fifth of a second")
    return waits(pid) - before > 20 * 2


def waits(pid):
    count = 0
    for tid in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/status" % (pid, tid), encoding="utf-8") as f:
            count += int(f.read().split("\nvoluntary_ctxt_switches:", 1)[1].split()[0])
    return count


def test_program_ends_in_a_pause(python, start, tmp_path):
    target = start(python, "mixed.py")
    out = tmp_path / "out.fgc"
    with Recording("-p", target.pid, "-o", out) as recording:
        recording.signal(signal.SIGUSR2)
        wait_until(lambda: not wakes_often(recording.pid), "the pause")
        target.process.kill()
        target.process.wait()
        assert recording.process.wait(DEADLINE) == 0
    capture = Capture(out)
    assert capture.processes[target.pid]["end_ns"]
    assert [m["name"] for m in capture.markers] == ["paused"]


def test_a_copy_in_a_pause_tells_it(python, start, tmp_path):
    target = start(python, "mixed.py")
    out = tmp_path / "out.fgc"
    with Recording("-p", target.pid, "-o", out) as recording:
        recording.signal(signal.SIGUSR2)
        wait_until(lambda: not wakes_often(recording.pid), "the pause")
        recording.signal(signal.SIGUSR1)
        assert recording.said.next().endswith("out-1.fgc")
        recording.signal(signal.SIGUSR2)
        wait_sampling(recording.process)
        recording.end()
    (copied,) = Capture(tmp_path / "out-1.fgc").markers
    whole = Capture(out).markers
    assert {m["name"] for m in whole} == {"paused"} == {copied["name"]}
    # the whole pause, in pieces without a gap
    assert copied == whole[0]
    assert all(a["end_ns"] == b["start_ns"] for a, b in zip(whole, whole[1:]))


CATCHER = """
import os, signal, sys
for number in (signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, lambda number, frame: sys.exit(9))
print("ready"); sys.stdout.flush()
sys.exit(5 if os.read(0, 1) else 6)
"""


def test_not_passed_on_to_a_command(python, tmp_path):
    """They are for fireglass; --pass-signals (test_launch.py) makes them the command's."""
    process = start_fireglass(
        "record", "-o", tmp_path / "o.fgc", "--", *python.argv, "-c", CATCHER,
        stdin=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert Lines(process.stdout.fileno(), "the command").next() == "ready"
        wait_sampling(process)
        said = Lines(process.stderr.fileno(), "fireglass")
        process.send_signal(signal.SIGUSR2)
        process.send_signal(signal.SIGUSR2)
        process.send_signal(signal.SIGUSR1)
        assert said.next().endswith("o-1.fgc")
        process.stdin.write(b"x")
        process.stdin.flush()
        assert process.wait(DEADLINE) == 5
    finally:
        process.kill()
        process.communicate()


# ---- --every -------------------------------------------------------------------------------------


ROOTS = ("<module>", "_bootstrap", "__bootstrap", "Thread._bootstrap")


def check_pieces(paths, numbers):
    """Each is whole and by itself; together they are the recording, nothing lost or doubled."""
    ticks = missed = 0
    seen = []
    for path in paths:
        lines = rows(path)
        facts = lines[0]["facts"]
        assert int(facts["start_ns"]) < int(facts["end_ns"])
        ticks += int(facts["ticks"])
        missed += sum(r["count"] for r in lines if r["type"] == "loss" and r["reason"] == "missed")
        threads = {r["id"]: r for r in lines if r["type"] == "thread"}
        processes = {r["id"]: r for r in lines if r["type"] == "process"}
        for s in lines:
            if s["type"] == "sample":
                thread = threads[s["thread"]]
                seen.append((s["time_ns"], processes[thread["process"]]["pid"], thread["tid"]))
                assert thread["name"]
    assert len(seen) == numbers["samples"] == len(set(seen))
    assert ticks == numbers["ticks"]
    assert missed == numbers["missed"]
    by_thread = {}
    for time_ns, pid, tid in seen:
        by_thread.setdefault((pid, tid), []).append(time_ns)
    for times in by_thread.values():
        assert times == sorted(times)


def test_every(interp, start, tmp_path):
    target = start(interp, "mixed.py", "1")
    result = fireglass(
        "record", "-p", target.pid, "--every", "1", "-d", "3.5", "-r", "500", "--exact-times",
        "-o", tmp_path / "out-%n-%p-%t%%.fgc",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    paths = sorted(tmp_path.iterdir())
    for n, path in enumerate(paths, 1):
        pattern = r"out-%04d-%d-\d{8}-\d{6}%%\.fgc" % (n, target.pid)
        assert re.fullmatch(pattern, path.name), path.name
    assert 3 <= len(paths) <= 4
    check_pieces(paths, summary(result.stderr))
    assert "wrote %d files" % len(paths) in result.stderr
    # stacks go on from one file to the next
    for path in paths:
        text = fireglass("export", path, "-f", "folded").stdout
        assert all(line.startswith(ROOTS) for line in text.splitlines())


def test_every_with_children(python, start, tmp_path):
    target = start(python, "tree.py", "fork", "spawn")
    result = fireglass(
        "record", "-p", target.pid, "--children", "--every", "1", "-d", "3", "-r", "200",
        "--exact-times", "-o", tmp_path / "%n.fgc",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    paths = sorted(tmp_path.iterdir())
    check_pieces(paths, summary(result.stderr))
    # the last one may be short
    assert max(len(Capture(path).samples) for path in paths) == 3


def test_keeps_the_newest(python, start, tmp_path):
    target = start(python, "mixed.py")
    (tmp_path / "0002.fgc").write_text("not ours")
    result = fireglass(
        "record", "-p", target.pid, "--every", "1", "--files", "2", "-d", "4.2",
        "-o", tmp_path / "%n.fgc",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    names = sorted(p.name for p in tmp_path.iterdir())
    assert len(names) == 3 and names[0] == "0002.fgc"
    # what was there is neither overwritten nor removed
    assert (tmp_path / "0002.fgc").read_text() == "not ours"
    for name in names[1:]:
        assert samples(tmp_path / name)


def test_every_killed(python, start, tmp_path):
    """What was finished is whole; the last one opens."""
    target = start(python, "mixed.py")
    with Recording("-p", target.pid, "--every", "1", "-o", tmp_path / "%n.fgc") as recording:
        third = tmp_path / "0003.fgc"
        # its head is written when the second is finished
        wait_until(lambda: third.exists() and third.stat().st_size, "the third file")
        recording.process.kill()
        recording.process.wait()
    for n in (1, 2):
        assert samples(tmp_path / ("%04d.fgc" % n))
    last = fireglass("export", tmp_path / "0003.fgc", "-f", "folded")
    assert last.returncode in (0, 1)


def test_every_with_a_command(python, tmp_path):
    source = "import time\nend = time.time() + 1.4\nwhile time.time() < end: pass"
    result = fireglass(
        "record", "--every", "1s", "--", *command(python, "-c", source), env=clean_env(),
        cwd=str(tmp_path),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    paths = sorted(tmp_path.iterdir())
    assert 1 <= len(paths) <= 3
    assert all(re.fullmatch(r"fireglass-.*-\d{8}-\d{6}(-2)?\.fgc", p.name) for p in paths)
    assert sum(len(samples(p)) for p in paths) == summary(result.stderr)["samples"]


def test_no_place_for_the_next(python, start, tmp_path):
    """It is said once; the recording goes on in the file that there is."""
    target = start(python, "mixed.py")
    place, other = tmp_path / "a", tmp_path / "b"
    place.mkdir()
    with Recording("-p", target.pid, "--every", "1", "-o", place / "%n.fgc") as recording:
        place.rename(other)
        said = recording.said.next()
        assert "cannot write" in said and "trying again" in said
        other.rename(place)
        wait_until(lambda: (place / "0002.fgc").exists(), "the second file")
        wait_sampling(recording.process)
        numbers = summary(recording.end())
    assert sum(len(samples(p)) for p in place.iterdir()) == numbers["samples"]


@pytest.mark.parametrize(
    "options, said",
    [
        (["--every", "60", "-o", "x.fgc"], "put %t (time) or %n (number) into the name"),
        (["--every", "60", "-o", "x-%q-%n.fgc"], "unknown '%q'"),
        (["--every", "60", "-o", "x-%n-%.fgc"], "unknown '%.'"),
        (["--every", "60", "-o", "%n%"], "--every writes captures"),
        (["--every", "0.1", "-o", "x-%n.fgc"], "too often"),
        (["--every", "60", "-o", "x-%n.html"], "--every writes captures"),
        (["--every", "60", "--keep", "1m", "-o", "x-%n.fgc"], "flight recorder"),
        (["--files", "3", "-o", "x-%n.fgc"], "give both"),
        (["--every", "60", "--files", "0", "-o", "x-%n.fgc"], "bad number of files"),
        (["--every", "60", "-o", "/nonexistent/x-%n.fgc"], "cannot write '/nonexistent/x-0001.fgc'"),
        (["--pass-signals", "-o", "x.fgc"], "needs a command"),
    ],
)
def test_bad_options(options, said):
    result = fireglass("record", "-p", "1", *options)
    assert result.returncode in (1, 2)
    assert said in result.stderr
