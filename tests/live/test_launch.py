# SPDX-License-Identifier: MIT
"""record -- COMMAND: the command notices nothing, and its imports are seen."""

import json
import os
import re
import signal
import subprocess

import pytest
from harness import (
    BIN,
    DEADLINE,
    Lines,
    clean_env,
    command,
    fireglass,
    start_fireglass,
    wait_sampling,
    wait_until,
)
from oracle import parse, read_folded, summary, total, without_mark

# Long enough to be seen, however busy the machine is.
LAST = "import time\nend = time.time() + 0.2\nwhile time.time() < end: pass\n"


def launch(out, *cmd, options=(), **more):
    return fireglass("record", "-o", out, *options, "--", *cmd, **more)


def test_imports_are_seen(interp, tmp_path):
    out = tmp_path / "out.folded"
    result = launch(out, *command(interp, "slow_import.py"), env=clean_env())
    assert result.returncode == 3, result.stderr
    assert result.stdout == ""
    stacks = read_folded(out.read_text(encoding="utf-8"))
    numbers = summary(result.stderr)
    assert total(stacks) == numbers["samples"]
    assert numbers["version"] == interp.version_text
    frames = [[parse(f) for f in without_mark(s)[0]] for s, _ in stacks]
    imports = [f for f in frames if f and f[-1].function == "compute"]
    assert imports
    for stack in imports:
        assert stack[0][0] == "<module>" and stack[0].file.endswith("slow_import.py")
        assert stack[0].line == 6
        assert stack[-2].file.endswith("slow_module.py") and stack[-2].line == 14
        assert stack[-1].line in (7, 8, 9, 10, 11)
        middle = {f.file for f in stack[1:-2]}
        assert interp.minor < (3,) or "<frozen importlib._bootstrap>" in middle


def test_early_start_is_seen(python, tmp_path):
    """The interpreter's own start, before the program's first line."""
    out = tmp_path / "out.folded"
    result = launch(out, *python.argv, "-c", "import json, asyncio", options=["-r", "10khz"])
    assert result.returncode == 0, result.stderr
    assert "<module> (<string>:1)" in out.read_text(encoding="utf-8")


def test_streams_pass_through(python, tmp_path):
    source = LAST + (
        "import sys\ndata = sys.stdin.buffer.read()\nsys.stdout.buffer.write(data[::-1])\n"
        "sys.stderr.buffer.write(data)\n"
    )
    data = bytes(range(256)) * 1000
    result = subprocess.run(
        [BIN, "record", "-q", "-o", str(tmp_path / "out.svg"), "--"] + python.argv + ["-c", source],
        input=data,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=DEADLINE,
    )
    assert result.returncode == 0
    assert result.stdout == data[::-1]
    assert result.stderr == data


@pytest.mark.parametrize("status", [0, 1, 2, 3, 127, 255])
def test_exit_status(python, status, tmp_path):
    source = LAST + "import sys; sys.exit(%d)" % status
    result = launch(tmp_path / "o.svg", *python.argv, "-c", source)
    assert result.returncode == status
    assert (tmp_path / "o.svg").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGINT])
def test_killed_by_a_signal(python, number, tmp_path):
    source = LAST + "import os, signal; signal.signal(2, signal.SIG_DFL); os.kill(os.getpid(), %d)"
    result = launch(
        tmp_path / "o.svg", *python.argv, "-c", source % number, cwd=str(tmp_path),
    )  # fmt: skip
    assert result.returncode == -number
    assert (tmp_path / "o.svg").exists()


CATCHER = """
import os, signal, sys
def catch(number, frame):
    print("got", number)
    sys.stdout.flush()
for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGINT, signal.SIGHUP,
               signal.SIGQUIT):
    signal.signal(number, catch)
print("ready"); sys.stdout.flush()
sys.exit(5 if os.read(0, 1) else 6)  # 6: whoever started it is gone
"""


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGINT, signal.SIGHUP,
        signal.SIGQUIT,
    ],
)  # fmt: skip
def test_signals_are_passed_on(python, number, tmp_path):
    out = tmp_path / "out.svg"
    process = start_fireglass(
        "record", "-q", "-o", out, "--pass-signals", "--", *python.argv, "-c", CATCHER,
        stdin=subprocess.PIPE,
    )  # fmt: skip
    try:
        lines = Lines(process.stdout.fileno(), "the command")
        assert lines.next() == "ready"
        wait_sampling(process)
        for _ in range(2):
            process.send_signal(number)
            assert lines.next() == "got %d" % number
            if number == signal.SIGINT:
                break  # the second one asks fireglass to give up
        process.stdin.write(b"x")
        process.stdin.flush()
        assert process.wait(DEADLINE) == 5
        assert out.exists()
    finally:
        process.kill()
        process.communicate()


def test_command_outlives_interrupted_recording(python, tmp_path):
    """A command that takes Ctrl-C and goes on: what was taken is written, its end awaited."""
    out = tmp_path / "out.folded"
    process = start_fireglass(
        "record", "-o", out, "--", *python.argv, "-c", CATCHER, stdin=subprocess.PIPE
    )
    try:
        lines = Lines(process.stdout.fileno(), "the command")
        assert lines.next() == "ready"
        wait_sampling(process)
        process.send_signal(signal.SIGINT)
        assert lines.next() == "got 2"
        wait_until(out.exists, "the result")
        assert process.poll() is None
        process.stdin.write(b"x")
        process.stdin.flush()
        assert process.wait(DEADLINE) == 5
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_ignored_signals_stay_ignored(python, number, tmp_path):
    """nohup fireglass record -- python"""
    source = "import signal; print(signal.getsignal(%d) == signal.SIG_IGN)" % number
    result = launch(
        tmp_path / "o.svg", *python.argv, "-c", source,
        preexec_fn=lambda: signal.signal(number, signal.SIG_IGN), restore_signals=False,
    )  # fmt: skip
    assert result.stdout == "True\n"


def test_nothing_else_changes(python, tmp_path):
    """Environment, directory, arguments, descriptors, signals, priority, processors: as without."""
    arguments = ["", "a b", "-x", "--", "é", "--help"]
    cmd = command(python, "describe.py") + arguments
    env = clean_env(FIREGLASS_TEST="1", LC_ALL="C.UTF-8")
    options = {"cwd": str(tmp_path), "env": env, "umask": 0o027}
    plain = subprocess.run(
        cmd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )
    ours = launch(tmp_path / "o.svg", *cmd, **options)
    assert ours.returncode == 0, ours.stderr
    assert json.loads(ours.stdout) == json.loads(plain.stdout.decode())


def test_arguments_are_not_taken(python, tmp_path):
    """Without --, too: fireglass' options end at the command."""
    result = fireglass(
        "record", "-q", "-o", tmp_path / "o.svg", *python.argv, "-c",
        "import sys; print(sys.argv)", "-d", "1", "--threads",
    )  # fmt: skip
    assert result.stdout == "['-c', '-d', '1', '--threads']\n"


@pytest.mark.parametrize("cmd,status", [(["true"], 0), (["sh", "-c", "exit 7"], 7)])
def test_not_a_python(cmd, status, tmp_path):
    result = launch(tmp_path / "o.svg", *cmd)
    assert result.returncode == status
    assert "ended before a Python interpreter appeared" in result.stderr
    assert os.listdir(str(tmp_path)) == []


def test_not_found(tmp_path):
    result = launch(tmp_path / "o.svg", "no-such-command-here")
    assert result.returncode == 127
    assert re.search("cannot run 'no-such-command-here': .*; is it installed", result.stderr)
    assert os.listdir(str(tmp_path)) == []


def test_not_executable(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("pass\n", encoding="utf-8")
    result = launch(tmp_path / "o.svg", script)
    assert result.returncode == 126
    assert "python3 %s" % script in result.stderr


def test_through_a_shell(python, tmp_path):
    """The shell becomes Python."""
    out = tmp_path / "o.folded"
    result = launch(out, "sh", "-c", 'true; exec "$@"', "sh", *command(python, "slow_import.py"))
    assert result.returncode == 3, result.stderr
    assert ";compute (" in out.read_text(encoding="utf-8")


def test_duration_ends_the_recording_not_the_command(python, tmp_path):
    out = tmp_path / "o.folded"
    process = start_fireglass(
        "record", "-d", "300ms", "-o", out, "--", *python.argv, "-c", CATCHER, stdin=subprocess.PIPE
    )
    try:
        lines = Lines(process.stdout.fileno(), "the command")
        assert lines.next() == "ready"
        wait_until(out.exists, "the result")
        process.send_signal(signal.SIGUSR1)
        assert lines.next() == "got 10"
        process.stdin.write(b"x")
        process.stdin.flush()
        assert process.wait(DEADLINE) == 5
    finally:
        process.kill()
        process.communicate()


def test_exec_into_another_version(interp, interpreters, tmp_path):
    """The command becomes another Python; both are in the result."""
    others = [i for i in interpreters if i.minor != interp.minor and not i.root and not i.env]
    other = others[interp.minor[1] % len(others)]
    if interp.root:  # cannot leave its root
        others = [i for i in interpreters if i.root == interp.root and i.minor != interp.minor]
        other = others[0]
    inside = [a for a in other.argv if a not in ("chroot", other.root)]
    burn = (
        "import time, os, sys\ndef %s():\n    end = time.time() + 0.15\n"
        "    while time.time() < end: pass\n%s()\n"
    )
    first = burn % ("first", "first") + "sys.stdout.flush(); os.execv(%r, %r)\n" % (
        inside[0], inside + ["-B", "-c", burn % ("second", "second") + "sys.exit(9)\n"],
    )  # fmt: skip
    out = tmp_path / "o.folded"
    result = launch(out, *command(interp, "-c", first), env=clean_env())
    assert result.returncode == 9, result.stderr
    stacks = read_folded(out.read_text(encoding="utf-8"))
    names = {parse(s[-1]).function for s, _ in stacks if without_mark(s)[1] is None}
    assert {"first", "second"} <= names
    assert total(stacks) == summary(result.stderr)["samples"]


def test_command_without_python_at_first(python, tmp_path):
    """A shell that starts Python as its child is not Python: said so, and nothing is hidden."""
    result = launch(tmp_path / "o.svg", "sh", "-c", '"$@"; exit 4', "sh", *python.argv, "-c", "1")
    assert result.returncode == 4
    assert "Python interpreter" in result.stderr
