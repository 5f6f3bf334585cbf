# SPDX-License-Identifier: MIT
"""record -p PID: its options, its ends, its outputs, what it says."""

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest
from harness import (
    BIN,
    BUSY,
    DEADLINE,
    PARK,
    fireglass,
    opened,
    proc_stat,
    start_fireglass,
    task_ids,
    wait_blocked,
    wait_sampling,
    wait_until,
)
from oracle import parse, read_folded, summary, total, without_mark


def record(target, *options, seconds="0.2", out="-", **more):
    options = ("-d", seconds) + options if seconds else options
    result = fireglass("record", "-p", target.pid, "-o", out, *options, **more)
    assert result.returncode == 0, result.stderr
    return result


# ---- rate and duration ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rate,hz", [("1000", 1000), ("100", 100), ("10khz", 10000), ("250us", 4000), ("20hz", 20)]
)
def test_rates(python, start, rate, hz):
    result = record(start(python, "-c", PARK), "-r", rate, seconds="0.4")
    numbers = summary(result.stderr)
    due = numbers["seconds"] * hz
    assert abs(numbers["ticks"] + numbers["missed"] - due) <= 0.06 * hz + 1
    assert numbers["ticks"] >= 1
    assert total(read_folded(result.stdout)) == numbers["samples"] == numbers["ticks"]


def test_default_rate_is_1000(python, start):
    numbers = summary(record(start(python, "-c", PARK), seconds="0.4").stderr)
    assert abs(numbers["ticks"] + numbers["missed"] - numbers["seconds"] * 1000) <= 61


@pytest.mark.parametrize("duration", ["300ms", "0.3", "0.3s", "0.005m"])
def test_durations(python, start, duration):
    target = start(python, "-c", PARK)
    began = time.monotonic()
    numbers = summary(record(target, seconds=duration).stderr)
    assert time.monotonic() - began >= 0.29
    assert 0.3 <= numbers["seconds"] <= 2


def test_a_slow_rate_keeps_the_duration(python, start):
    """The end comes before the second tick does."""
    target = start(python, "-c", PARK)
    began = time.monotonic()
    fireglass("record", "-p", target.pid, "-r", "0.05hz", "-d", "0.3", "-o", "-")
    assert time.monotonic() - began < 5


def test_a_slow_rate_can_be_interrupted(python, start):
    process = start_fireglass(
        "record", "-p", start(python, "-c", PARK).pid, "-r", "0.02hz", "-o", "-"
    )
    try:
        wait_until(lambda: "schedstat" in str(opened(process.pid)) or blocked(process.pid), "it")
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert time.monotonic() - began < 5
    finally:
        process.kill()
        process.wait()


def blocked(pid):
    """It has its handlers, and all of its threads, two at least, sleep."""
    tids = task_ids(pid)
    return len(tids) > 1 and all((proc_stat(pid, t) or "Z")[0] == "S" for t in tids)


@pytest.mark.parametrize("duration", ["1ms", "5ms", "20ms"])
def test_a_short_recording_has_a_sample(python, start, duration):
    """However short, and however late fireglass gets its turn."""
    target = start(python, "-c", PARK)
    for _ in range(10):
        result = record(target, seconds=duration)
        numbers = summary(result.stderr)
        assert numbers["ticks"] >= 1
        assert total(read_folded(result.stdout)) == numbers["samples"]


def test_a_stop_of_fireglass_is_counted_as_missed(python, start):
    """Ticks that came due while fireglass could not run, up to the end."""
    process = start_fireglass(
        "record", "-p", start(python, "-c", PARK).pid, "-d", "0.5", "-f", "folded", "-o", "-"
    )
    wait_sampling(process)
    began = time.monotonic()
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: time.monotonic() - began > 0.7, "the end of the duration")
    process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=DEADLINE)
    numbers = summary(err.decode())
    assert numbers["seconds"] >= 0.5
    assert abs(numbers["ticks"] + numbers["missed"] - numbers["seconds"] * 1000) <= 60
    assert total(read_folded(out.decode())) == numbers["samples"]


# ---- ends ----------------------------------------------------------------------------------------


def test_target_exits_early(interp, start, tmp_path):
    source = (
        "import select, sys\nprint('ready'); sys.stdout.flush()\n"
        "while not select.select([0], [], [], 0)[0]: pass\n"
    )
    out = tmp_path / "out.folded"
    target = start(interp, "-c", source)
    process = start_fireglass("record", "-p", target.pid, "-d", "500", "-o", out)
    wait_sampling(process)
    target.process.stdin.write(b"x")
    target.process.stdin.flush()
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, err
    stacks = read_folded(out.read_text(encoding="utf-8"))
    assert total(stacks) == summary(err.decode())["samples"] > 10
    assert target.process.wait() == 0


def test_target_is_killed(python, start, tmp_path):
    out = tmp_path / "out.folded"
    target = start(python, "burn.py", "2")
    process = start_fireglass("record", "-p", target.pid, "-o", out)
    wait_sampling(process)
    target.process.kill()
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, err
    assert total(read_folded(out.read_text(encoding="utf-8"))) == summary(err.decode())["samples"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_writes_the_result(python, start, tmp_path, number):
    out = tmp_path / "out.folded"
    target = start(python, "burn.py")
    process = start_fireglass("record", "-p", target.pid, "-o", out)
    wait_sampling(process)
    process.send_signal(number)
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, err
    stacks = read_folded(out.read_text(encoding="utf-8"))
    assert total(stacks) == summary(err.decode())["samples"] >= 1
    assert target.process.poll() is None


def test_second_interrupt_gives_up(python, start):
    """The result cannot be written: nobody reads the pipe."""
    source = (
        "import sys, os\nsys.setrecursionlimit(9999)\n"
        "def a_function_with_quite_a_long_name(n):\n"
        "    if n: return a_function_with_quite_a_long_name(n - 1)\n"
        "    print('ready'); sys.stdout.flush(); os.read(0, 1)\n"
        "a_function_with_quite_a_long_name(900)\n"
    )
    target = start(python, "-c", source)
    read_end, write_end = os.pipe()
    fcntl.fcntl(write_end, getattr(fcntl, "F_SETPIPE_SZ", 1031), 4096)
    process = start_fireglass("record", "-p", target.pid, "-o", "-", stdout=write_end)
    os.close(write_end)
    try:
        wait_sampling(process)
        process.send_signal(signal.SIGINT)
        poll = select.poll()
        poll.register(read_end, select.POLLIN)
        assert poll.poll(DEADLINE * 1000)  # it writes, and so has taken the first
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 128 + signal.SIGINT
    finally:
        process.kill()
        process.communicate()
        os.close(read_end)


def test_second_interrupt_leaves_no_file(python, start, tmp_path):
    """While it still waits for an interpreter, one that never comes."""
    process = start_fireglass(
        "record", "-o", tmp_path / "o.svg", "--", "sh", "-c", "trap '' INT; echo ready; read x",
        stdin=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.wait(DEADLINE)
        assert not (tmp_path / "o.svg").exists()
    finally:
        process.kill()
        process.communicate()


# ---- outputs -------------------------------------------------------------------------------------


def looks_like(path):
    text = path.read_text(encoding="utf-8")
    if "<svg" in text:
        return "svg"
    return "folded" if re.search(r"^\S.*\) \d+$", text, re.MULTILINE) else "text"


def test_two_outputs(python, start, tmp_path):
    svg, folded = tmp_path / "a.svg", tmp_path / "b.folded"
    result = record(start(python, "burn.py"), "-o", folded, out=svg)
    assert (looks_like(svg), looks_like(folded)) == ("svg", "folded")
    assert (
        total(read_folded(folded.read_text(encoding="utf-8"))) == summary(result.stderr)["samples"]
    )
    assert "fireglass: wrote %s\nfireglass: wrote %s\n" % (svg, folded) in result.stderr
    assert sorted(os.listdir(str(tmp_path))) == ["a.svg", "b.folded"]


@pytest.mark.parametrize(
    "name,options,kind",
    [
        ("a.svg", [], "svg"),
        ("a.folded", [], "folded"),
        ("a.text", [], "text"),
        ("a.unknown", [], "svg"),
        ("a.svg", ["-f", "folded"], "folded"),
        ("a.folded", ["-f", "svg"], "svg"),
        ("plain", ["--format", "text"], "text"),
    ],
)
def test_formats(python, start, tmp_path, name, options, kind):
    record(start(python, "-c", PARK), *options, out=tmp_path / name, seconds="20ms")
    assert looks_like(tmp_path / name) == kind


def test_standard_output_is_folded(python, start):
    result = record(start(python, "-c", PARK), seconds="20ms")
    [(stack, count)] = read_folded(result.stdout)
    assert stack == ["<module> (<string>:1)"]
    assert count == summary(result.stderr)["samples"]


@pytest.mark.parametrize(
    "options,endings",
    [([], ["fgc", "html"]), (["-f", "folded"], ["folded"]), (["-f", "fgc"], ["fgc"])],
)
def test_default_output(python, start, tmp_path, options, endings):
    target = start(python, "-c", PARK)
    result = fireglass("record", "-p", target.pid, "-d", "20ms", *options, cwd=str(tmp_path))
    assert result.returncode == 0, result.stderr
    names = sorted(os.listdir(str(tmp_path)))
    assert len(names) == len(endings)
    mask = os.umask(0)
    os.umask(mask)
    for name, ending in zip(names, endings):
        assert re.match(r"fireglass-%d-\d{8}-\d{6}\.%s$" % (target.pid, ending), name)
        assert name in result.stderr
        assert os.stat(str(tmp_path / name)).st_mode & 0o777 == 0o666 & ~mask


def test_default_output_of_a_command(python, tmp_path):
    result = fireglass("record", "--", *python.argv, "-c", "1", cwd=str(tmp_path))
    assert result.returncode == 0, result.stderr
    capture, page = sorted(os.listdir(str(tmp_path)))
    assert re.match(r"fireglass-python[\d.]*-\d{8}-\d{6}\.html$", page)
    assert capture == page[:-4] + "fgc"


def test_inverted(python, start, tmp_path):
    target = start(python, "burn.py")
    record(target, out=tmp_path / "a.svg", seconds="50ms")
    record(target, "--inverted", out=tmp_path / "b.svg", seconds="50ms")
    assert looks_like(tmp_path / "b.svg") == "svg"


def test_svg_names_its_source(python, start, tmp_path):
    target = start(python, "burn.py", "0")
    record(target, out=tmp_path / "a.svg", seconds="50ms")
    svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "Python %s, process %d" % (python.version_text, target.pid) in svg
    assert "burn.py" in svg


# ---- options -------------------------------------------------------------------------------------


def test_threads_as_roots(interp, start):
    target = start(interp, "names.py")
    wait_blocked(target.pid)
    wanted = {t["name"] for t in target.truth["threads"]} | {"reporter"}
    stacks = read_folded(record(target, "-t", seconds="0.1").raw.decode("utf-8"))
    assert {s[0].replace("\\x3b", ";") for s, _ in stacks} == wanted


def test_no_idle(interp, start):
    target = start(interp, "mixed.py")
    result = record(target, "-x", "-t")
    stacks = read_folded(result.stdout)
    numbers = summary(result.stderr)
    assert {s[0] for s, _ in stacks} == {"MainThread"}
    assert total(stacks) == numbers["samples"]
    assert numbers["samples"] + numbers["filtered"] == 2 * numbers["ticks"]
    result = record(target, "-t")
    assert {s[0] for s, _ in read_folded(result.stdout)} == {"MainThread", "waiter"}


@pytest.mark.only(lambda i: not i.free_threaded)
def test_gil(interp, start):
    target = start(interp, "mixed.py", "1")
    result = record(target, "--gil", "-t")
    stacks = read_folded(result.stdout)
    numbers = summary(result.stderr)
    # none while it changes hands; two if it does so between two threads' samples of one tick
    assert numbers["ticks"] * 0.5 <= numbers["samples"] <= numbers["ticks"] * 1.2
    assert numbers["samples"] + numbers["filtered"] == 3 * numbers["ticks"]
    assert {s[0] for s, _ in stacks} <= {"MainThread", "burner"}
    assert {parse(without_mark(s)[0][-1]).function for s, _ in stacks} == {"burning"}


@pytest.mark.only(lambda i: i.free_threaded)
def test_gil_without_a_gil(interp, start):
    target = start(interp, "mixed.py")
    result = fireglass("record", "-p", target.pid, "--gil", "-o", "-")
    assert result.returncode == 2
    assert "without a GIL" in result.stderr and "--no-idle" in result.stderr


def test_only_idle_threads(python, start, tmp_path):
    target = start(python, "-c", PARK)
    wait_blocked(target.pid)
    out = tmp_path / "o.svg"
    result = fireglass("record", "-p", target.pid, "-x", "-d", "20ms", "-o", out)
    assert result.returncode == 1
    assert "no samples: no thread was in the state asked for" in result.stderr
    assert os.listdir(str(tmp_path)) == []


def test_paths(python, start):
    source = (
        "import sys, threading\ne = threading.Event()\n"
        "print('ready'); sys.stdout.flush()\ne.wait(999)\n"
    )
    target = start(python, "-c", source)
    wait_blocked(target.pid)
    shortened = {f.rsplit(":", 1)[0] for s, _ in read_folded(record(target).stdout) for f in s}
    whole = {
        f.rsplit(":", 1)[0]
        for s, _ in read_folded(record(target, "--full-paths").stdout)
        for f in s
    }
    assert any(f.endswith(" (threading.py") for f in shortened)
    assert any(re.search(r" \(/.*/threading\.py$", f) for f in whole)
    assert len(shortened) == len(whole) == 3


def test_paths_below_the_working_directory(python, start, tmp_path):
    (tmp_path / "program.py").write_text(PARK, encoding="utf-8")
    target = start(python, str(tmp_path / "program.py"), cwd=str(tmp_path))
    wait_blocked(target.pid)
    assert read_folded(record(target).stdout)[0][0] == ["<module> (program.py:1)"]
    whole = read_folded(record(target, "--full-paths").stdout)[0][0]
    assert whole == ["<module> (%s:1)" % (tmp_path / "program.py")]


def test_timestamps(python, start, tmp_path):
    out = tmp_path / "o"
    before = time.time() * 1e6
    result = record(start(python, "burn.py", "1"), "--timestamps", out=out)
    after = time.time() * 1e6
    lines = out.read_text(encoding="utf-8").splitlines()
    times, stacks = lines[::2], lines[1::2]
    assert len(times) == len(stacks) == summary(result.stderr)["samples"]
    assert all(re.match(r"\d+$", t) for t in times)
    numbers = [int(t) for t in times]
    assert numbers == sorted(numbers)
    assert before <= numbers[0] and numbers[-1] <= after
    assert len(set(numbers)) == summary(result.stderr)["ticks"]
    for stack in stacks:
        assert stack.endswith(";")
        for frame in without_mark(stack[:-1].split(";"))[0]:
            parse(frame)


def test_timestamps_options(python, start):
    target = start(python, "-c", PARK)
    wait_blocked(target.pid)
    result = record(target, "--timestamps", "-t", "--no-lines", seconds="10ms")
    assert set(result.stdout.splitlines()[1::2]) == {"MainThread;<module> (<string>);"}


def test_names_are_escaped(interp, start):
    """A line of folded text comes apart only where it should."""
    target = start(interp, "dynamic.py")
    wait_blocked(target.pid)
    text = record(target, "--full-paths", seconds="50ms").raw.decode("utf-8")
    files = {parse(f).file for s, _ in read_folded(text) for f in s}
    assert {"semi\\x3bcolon\\x3b.py", "a file with spaces.py", "back\\\\slash.py"} <= files
    assert "tab\\tnewline\\nreturn\\r.py" in files


# ---- what it says --------------------------------------------------------------------------------


def test_quiet(python, start, tmp_path):
    result = record(start(python, "-c", PARK), "-q", out=tmp_path / "o.svg")
    assert (result.stdout, result.stderr) == ("", "")


def test_silent_in_a_pipe(python, start, tmp_path):
    result = record(start(python, "burn.py"), out=tmp_path / "o.svg", seconds="0.6")
    assert "\r" not in result.stderr and "\033" not in result.stderr
    lines = result.stderr.splitlines()
    assert len(lines) == 2 and lines[1] == "fireglass: wrote %s" % (tmp_path / "o.svg")
    assert 0 <= summary(result.stderr)["cpu"] <= 100


def on_a_terminal(*args):
    """What fireglass writes to a terminal, and its exit status."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(BIN, [BIN] + [str(a) for a in args])
    text = b""
    while True:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        text += data
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    return text.decode("utf-8"), os.WEXITSTATUS(status)


def test_progress_on_a_terminal(python, start, tmp_path):
    text, status = on_a_terminal(
        "record", "-p", start(python, "burn.py").pid, "-d", "0.9", "-o", tmp_path / "o.svg"
    )
    assert status == 0
    lines = re.findall(r"\rfireglass: ([\d.]+) s  ([\d ]+) samples  (\d+) Hz  lost ([\d ]+)", text)
    assert len(lines) >= 2
    elapsed = [float(line[0]) for line in lines]
    samples = [int(line[1].replace(" ", "")) for line in lines]
    assert elapsed == sorted(elapsed) and samples == sorted(samples)
    assert text.rindex("\r\033[K") < text.index("fireglass: Python ")  # cleared at the end
    assert summary(text.replace("\r\n", "\n").replace("\r\033[K", "\n"))["samples"] >= samples[-1]


def test_quiet_on_a_terminal(python, start, tmp_path):
    text, status = on_a_terminal(
        "record", "-q", "-p", start(python, "-c", BUSY).pid, "-d", "0.4", "-o", tmp_path / "o.svg"
    )
    assert (text, status) == ("", 0)


def test_ctrl_c_on_a_terminal(python, start, tmp_path):
    """The key itself, with the command in the same foreground group."""
    source = (
        "import sys\ntry:\n    print('ready'); sys.stdout.flush()\n    while True: pass\n"
        "except KeyboardInterrupt:\n    sys.exit(4)\n"
    )
    pid, fd = pty.fork()
    if pid == 0:
        args = [BIN, "record", "-o", str(tmp_path / "o.folded"), "--"] + python.argv
        os.execv(BIN, args + ["-c", source])
    text = b""
    # the program runs, and was sampled: the progress line says so
    while b"ready" not in text or not re.search(rb"[1-9]\d* samples ", text):
        text += os.read(fd, 65536)
    os.write(fd, b"\x03")
    try:
        while True:
            text += os.read(fd, 65536)
    except OSError:
        pass
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    assert os.WEXITSTATUS(status) == 4, text
    assert (tmp_path / "o.folded").exists()


def test_several_recordings_at_once(python, start):
    """Two of one target do not disturb each other."""
    target = start(python, "burn.py")
    others = [
        start_fireglass("record", "-p", target.pid, "-d", "0.3", "-f", "folded", "-o", "-")
        for _ in range(2)
    ]
    for process in others:
        out, err = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0
        assert total(read_folded(out.decode())) == summary(err.decode())["samples"]
