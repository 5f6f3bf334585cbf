# SPDX-License-Identifier: MIT
"""Captures as they are recorded: whole, growing, killed, on a full disk, as a flight recorder."""

import json
import os
import random
import re
import signal
import subprocess
import time

import pytest
from harness import (
    BIN,
    DEADLINE,
    fireglass,
    need_tool,
    start_fireglass,
    wait_catches,
    wait_sampling,
    wait_until,
)

KILLS = int(os.environ.get("FIREGLASS_KILLS", "20"))


def export(path, *options):
    result = fireglass("export", path, *options)
    assert result.returncode == 0, result.stderr
    return result


def rows(path):
    """The lines of `-f jsonl`, as objects."""
    return [json.loads(line) for line in export(path, "-f", "jsonl").raw.decode("utf-8").split("\n") if line]  # fmt: skip # noqa: E501


def folded_total(path):
    lines = export(path, "-f", "folded").stdout.splitlines()
    return sum(int(line.rsplit(" ", 1)[1]) for line in lines)


def grown(path, size):
    return os.path.exists(path) and os.path.getsize(path) >= size


def test_holds_what_the_others_show(interp, start, tmp_path):
    target = start(interp, "mixed.py", "1")
    capture, folded = tmp_path / "a.fgc", tmp_path / "a.folded"
    result = fireglass("record", "-p", target.pid, "-d", "0.5", "-o", capture, "-o", folded)
    assert result.returncode == 0, result.stderr
    assert export(capture, "-f", "folded").raw == folded.read_bytes()
    samples = int(re.search(r"([\d ]+) samples in", result.stderr).group(1).replace(" ", ""))
    assert folded_total(capture) == samples
    meta = rows(capture)[0]
    assert meta["facts"]["python"] == interp.version_text
    assert meta["facts"]["period_ns"] == "1000000"
    assert meta["facts"]["kernel"] == os.uname().release


def test_states_and_cpu_time(python, start, tmp_path):
    target = start(python, "mixed.py")
    capture = tmp_path / "a.fgc"
    began = time.time_ns()
    fireglass("record", "-p", target.pid, "-d", "1", "-o", capture)
    ended = time.time_ns()
    lines = rows(capture)
    threads = {r["id"]: r for r in lines if r["type"] == "thread"}
    samples = [r for r in lines if r["type"] == "sample"]
    assert {t["name"] for t in threads.values()} == {"MainThread", "waiter"}
    used = {"MainThread": 0, "waiter": 0}
    for s in samples:
        name = threads[s["thread"]]["name"]
        assert began <= s["time_ns"] <= ended
        if name == "waiter":
            assert s["state"] == "waiting" and set(s["flags"]) <= {"taken_over"}
        used[name] += s.get("cpu_ns", 0)
    # the one that burns had a processor for most of the time, if the machine had one for it
    assert used["waiter"] == 0
    assert 0 < used["MainThread"] <= (ended - began) * 1.1
    running = [s for s in samples if threads[s["thread"]]["name"] == "MainThread"]
    assert sum(s["state"] in ("running", "runnable") for s in running) > len(running) * 0.5


def test_can_be_read_while_it_grows(python, start, tmp_path):
    target = start(python, "mixed.py")
    capture = tmp_path / "a.fgc"
    with start_fireglass("record", "-p", target.pid, "-q", "-o", capture) as process:
        try:
            seen = []

            def more():
                if not grown(capture, 200):
                    return False
                result = export(capture, "-f", "folded")
                seen.append(sum(int(x.rsplit(" ", 1)[1]) for x in result.stdout.splitlines()))
                assert "has no end" in result.stderr or "in the middle" in result.stderr
                return seen[-1] > seen[0] > 0

            wait_until(more, "the capture to grow")
            process.send_signal(signal.SIGINT)
            assert process.wait(DEADLINE) == 0, process.stderr.read()
        finally:
            process.kill()
    assert folded_total(capture) >= seen[-1]
    assert export(capture).stderr == ""


def test_kill_at_random_moments(python, start, tmp_path):
    """Whatever moment it is killed at: what is there opens, and lacks at most the last second."""
    target = start(python, "mixed.py", "1")
    chance = random.Random(4711)
    for i in range(KILLS):
        capture = tmp_path / ("%d.fgc" % i)
        process = start_fireglass(
            "record", "-p", target.pid, "-q", "-r", "5khz", "-o", capture,
            stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_until(lambda path=capture: grown(path, 16), "the capture's head")
            until = time.monotonic() + chance.uniform(0, 2.5)
            wait_until(lambda moment=until: time.monotonic() >= moment, "the moment")
        finally:
            process.kill()
            process.wait()
        killed = time.time_ns()
        times = [r["time_ns"] for r in rows(capture) if r["type"] == "sample"]
        began = os.stat(capture).st_ctime_ns if not times else times[0]
        if killed - began > 1.5e9:
            assert times and killed - times[-1] < 1.3e9


def test_full_disk(python, start, tmp_path):
    """It is said, the rest stays readable, and neither program ends of it."""
    need_tool("unshare")
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    target = start(python, "burn.py")
    disk = tmp_path / "disk"
    disk.mkdir()
    script = (
        'mount -t tmpfs -o size=16k tmpfs "$1" && "$2" record -p "$3" -d 2.5 -r 20khz '
        '-o "$1/a.fgc"; status=$?; cp "$1/a.fgc" "$4"; exit $status'
    )
    copy = tmp_path / "copy.fgc"
    result = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", disk, BIN, str(target.pid), copy],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, check=False,
    )  # fmt: skip
    assert "no space left" in result.stderr
    assert "samples could not be written" in result.stderr
    assert result.stderr.count("no space left") <= 2
    assert folded_total(copy) > 0
    assert target.process.poll() is None


def test_flight_recorder(python, start, tmp_path):
    target = start(python, "mixed.py")
    capture = tmp_path / "last.fgc"
    process = start_fireglass(
        "record", "-p", target.pid, "-r", "2khz", "--keep", "0.2", "-o", capture
    )
    try:
        wait_catches(process.pid, signal.SIGUSR1)
        wait_sampling(process)
        seen = set()
        for _ in range(2):

            def there():
                process.send_signal(signal.SIGUSR1)
                new = [p for p in tmp_path.glob("last-*.fgc") if p not in seen and folded_total(p)]
                seen.update(new)
                return new

            wait_until(there, "the capture on demand")
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 0, process.stderr.read()
    finally:
        process.kill()
        process.communicate()
    times = [r["time_ns"] for r in rows(capture) if r["type"] == "sample"]
    assert times and times[-1] - times[0] < 4e9


@pytest.mark.parametrize(
    "options, said",
    [
        (["--keep", "1m", "-o", "x.svg"], "need a capture"),
        (["--max-size", "big", "-o", "x.fgc"], "bad size 'big'"),
        (["-o", "a.fgc", "-o", "b.fgc"], "one capture is enough"),
        (["-f", "fgc", "-o", "-"], "not to standard output"),
        (["-o", "/nonexistent/x.fgc"], "cannot write '/nonexistent/x.fgc'"),
    ],
)
def test_bad_options(options, said):
    result = fireglass("record", "-p", "1", *options)
    assert result.returncode in (1, 2)
    assert said in result.stderr


def test_nothing_is_left_when_there_is_nothing(tmp_path):
    capture = tmp_path / "a.fgc"
    result = fireglass("record", "-o", capture, "--", "true")
    assert "ended before a Python interpreter appeared" in result.stderr
    assert not capture.exists()
