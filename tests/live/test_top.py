# SPDX-License-Identifier: MIT
"""top: what becomes of the program, its output, its status, and what is saved. (tests/tui looks at
the screens.)"""

import fcntl
import glob
import os
import pty
import re
import signal
import subprocess
import termios
import threading

import pytest
from harness import (
    AS_NOBODY,
    BIN,
    BUSY,
    DEADLINE,
    PARK,
    clean_env,
    command,
    fireglass,
    need_root,
    proc_stat,
    wait_until,
)
from oracle import read_folded

# Hot until it is told to end; says how.
HOT = """
import os, sys
def hot():
    x = 0
    for i in range(1000):
        x += i
def run():
    while True:
        hot()
try:
    run()
except KeyboardInterrupt:
    sys.stdout.write('interrupted\\n')
    sys.stdout.flush()
    os._exit(5)
"""


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return [int(child) for child in f.read().split()]


def own_terminal():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Top:
    """top on a terminal of its own."""

    def __init__(self, *args, cwd=None, env=None, program=(BIN,)):
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(self.master, (24, 100))
        self.seen = b""
        env = clean_env(TERM="xterm-256color", LC_ALL="C.UTF-8", **(env or {}))
        self.process = subprocess.Popen(
            list(program) + ["top"] + [str(a) for a in args],
            stdin=slave, stdout=slave, stderr=slave, cwd=cwd, env=env, preexec_fn=own_terminal,
        )  # fmt: skip
        os.close(slave)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            self.seen += data

    def keys(self, text):
        os.write(self.master, text.encode())

    def wait_for(self, text):
        wait_until(
            lambda: text.encode() in self.seen or self.process.poll() is not None,
            "%r on the screen" % text,
        )
        assert text.encode() in self.seen, self.text()

    def wait_samples(self):
        """The head has been drawn with some."""
        wait_until(
            lambda: re.search(rb"[1-9][0-9 ]* samples", self.seen) or self.process.poll() is not None,
            "samples",
        )
        assert self.process.poll() is None, self.text()

    def wait(self):
        status = self.process.wait(DEADLINE)
        # a terminal that nobody has open any more ends the reader
        self.reader.join(DEADLINE)
        return status

    def quit(self):
        self.keys("q")
        return self.wait()

    def text(self):
        """What was written, without what commands the terminal."""
        text = re.sub(rb"\x1b(\[[0-?]*[ -/]*[@-~]|[()][A-Z0-9]|[=>78])", b"", self.seen)
        return text.decode("utf-8", "replace").replace("\r\n", "\n")

    def end(self):
        if self.process.poll() is None:
            # and what it started: killed, it leaves that alone
            for pid in children(self.process.pid):
                os.kill(pid, signal.SIGKILL)
            self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def top():
    started = []

    def start(*args, **options):
        started.append(Top(*args, **options))
        return started[-1]

    yield start
    for one in started:
        one.end()


def saved(directory, ending):
    """The one file that was saved, once it is complete."""

    def found():
        return glob.glob(os.path.join(glob.escape(str(directory)), "fireglass-*." + ending))

    wait_until(found, "a saved ." + ending)
    assert len(found()) == 1
    return found()[0]


def alive(pid):
    stat = proc_stat(pid)
    return stat is not None and stat[0] not in "ZX"


def child_of(process):
    """The command that it started: the child that is another program."""
    path = "/proc/%d/task/%d/children" % (process.pid, process.pid)

    def found():
        with open(path, encoding="ascii") as f:
            for pid in f.read().split():
                try:
                    if os.readlink("/proc/%s/exe" % pid) != os.readlink("/proc/%d/exe" % process.pid):
                        return int(pid)
                except OSError:
                    pass
        return None

    return wait_until(found, "the command")


# ---- the program ---------------------------------------------------------------------------------


def test_launched(interp, top, tmp_path):
    """Samples, saves both ways, and ends the program as Ctrl-C would."""
    t = top("--", *command(interp, "-c", HOT), cwd=tmp_path)
    t.wait_for("hot")
    t.wait_samples()
    t.keys("sc")
    capture = saved(tmp_path, "fgc")
    t.wait_for("B)")  # its size: of a line only what is new is sent
    t.keys("sh")
    page = saved(tmp_path, "html")
    assert t.quit() == 0
    stacks = read_folded(fireglass("export", capture, "-f", "folded", "-o", "-").stdout)
    running = [(stack, n) for stack, n in stacks if any("run (" in f for f in stack)]
    hot = sum(n for stack, n in running if "hot (" in stack[-1])
    assert hot > 0.9 * sum(n for _, n in running) > 0, running
    with open(page, encoding="utf-8") as f:
        assert "hot" in f.read() or os.path.getsize(page) > 100000
    assert "saved " + os.path.basename(capture) in t.text()
    assert "saved " + os.path.basename(page) in t.text()


def test_attached(interp, start, top, tmp_path):
    """The program goes on afterwards."""
    target = start(interp, "-c", BUSY)
    t = top("-p", target.pid, cwd=tmp_path)
    t.wait_samples()
    assert t.quit() == 0
    assert alive(target.pid)
    assert "fireglass:" not in t.text()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_ended_by_a_signal(python, start, top, signum):
    target = start(python, "-c", BUSY)
    t = top("-p", target.pid)
    t.wait_samples()
    t.process.send_signal(signum)
    assert t.wait() in (0, 128 + signum, -signum)
    assert alive(target.pid)


def test_command_gets_an_interrupt(python, top, tmp_path):
    out = tmp_path / "out"
    t = top("--output", out, "--", *command(python, "-c", HOT))
    t.wait_samples()
    assert t.quit() == 0
    assert out.read_text() == "interrupted\n"


def test_command_that_does_not_listen(python, top):
    source = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    t = top("--", *command(python, "-c", source))
    t.wait_samples()
    child = child_of(t.process)
    assert t.quit() == 0
    assert not alive(child)
    assert "waiting for the program to end" in t.text()


def test_killed(python, top, tmp_path):
    """The command goes on, and so does what it writes."""
    go, out = tmp_path / "go", tmp_path / "out"
    os.mkfifo(go)
    source = "import sys; print('begun'); open(sys.argv[1]).read(); print('done')"
    t = top("--output", out, "--", *command(python, "-c", source, str(go)))
    t.wait_samples()
    wait_until(lambda: out.read_text() == "begun\n", "the first line")
    child = child_of(t.process)
    t.process.kill()
    t.process.wait()
    assert alive(child)
    with open(go, "w", encoding="ascii") as f:
        f.write("x")
    wait_until(lambda: not alive(child), "its end")
    assert out.read_text() == "begun\ndone\n"


# ---- statuses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "last,status,said",
    [
        ("sys.exit(0)", 0, "exited with status 0"),
        ("sys.exit(7)", 7, "exited with status 7"),
        ("os.kill(os.getpid(), 9)", 137, "killed by SIGKILL"),
        ("raise ValueError('unheard of')", 1, "exited with status 1"),
    ],
)
def test_status_of_the_command(python, top, tmp_path, last, status, said):
    """What there was can be looked at until one quits."""
    go = tmp_path / "go"
    os.mkfifo(go)
    source = "import os, sys\nopen(sys.argv[1]).read()\n" + last
    t = top("--", *command(python, "-c", source, str(go)), cwd=tmp_path)
    t.wait_samples()
    with open(go, "w", encoding="ascii") as f:
        f.write("x")
    t.wait_for(said)
    t.keys("sc")  # still
    saved(tmp_path, "fgc")
    assert t.quit() == status
    assert said in t.text().split("saved ")[-1]
    assert ("ValueError: unheard of" in t.text()) == ("ValueError" in last)


def test_target_that_ends(python, start, top):
    target = start(python, "-c", PARK)
    t = top("-p", target.pid)
    t.wait_samples()
    target.end()
    t.wait_for("the process has ended")
    assert t.process.poll() is None
    assert t.quit() == 0


# ---- the command's streams -----------------------------------------------------------------------

STREAMS = """
import os, sys
print('stdin %r' % sys.stdin.read())
print('ttys %r' % [os.isatty(fd) for fd in (0, 1, 2)])
try:
    os.open('/dev/tty', os.O_RDWR)
    print('a terminal')
except OSError:
    print('no terminal')
print('leader %r' % (os.getsid(0) == os.getpid()))
sys.stderr.write('an error\\n')
sys.stdout.flush()
while True: pass
"""


def test_streams(python, top, tmp_path):
    out = tmp_path / "out"
    t = top("--output", out, "--", *command(python, "-c", STREAMS))
    wait_until(lambda: out.exists() and "leader" in out.read_text(), "its output")
    assert set(out.read_text().splitlines()) == {
        "stdin ''", "ttys [False, False, False]", "no terminal", "leader True", "an error",
    }  # fmt: skip
    t.keys("6")
    t.wait_for("leader True")
    t.quit()


def test_stdin(python, top, tmp_path):
    out, given = tmp_path / "out", tmp_path / "in"
    given.write_text("hello")
    t = top("--output", out, "--stdin", given, "--", *command(python, "-c", STREAMS))
    wait_until(lambda: out.exists() and "leader" in out.read_text(), "its output")
    assert "stdin 'hello'" in out.read_text()
    t.quit()


def test_output_that_commands_the_terminal(python, top):
    source = "import sys; print('\\x1b]0;evil\\x07\\x1b[2Jafter' + '\\x9b' + 'wards')\nwhile True: pass"
    t = top("--view", "output", "--", *command(python, "-c", source))
    t.wait_for("after")
    t.quit()
    assert b"evil" not in t.seen
    assert "\x9b" not in t.seen.decode("utf-8", "replace")


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args,status,message",
    [
        ([], 2, "give -p PID, or -- COMMAND"),
        (["-p", "1", "true"], 2, "not both"),
        (["--mode", "fast", "true"], 2, "there are wall, cpu, gil, idle"),
        (["--view", "x", "true"], 2, "there are functions, lines, threads, tree, source, output"),
        (["--window", "20m", "true"], 2, "bad window '20m'"),
        (["--refresh", "1ms", "true"], 2, "bad refresh '1ms'"),
        (["-p", "1", "--output", "x"], 2, "are for a command"),
        (["--stdin", "-", "true"], 2, "give --stdin FILE"),
        (["--stdin", "/nowhere", "true"], 1, "cannot read '/nowhere'"),
        (["--output", "/nowhere/x", "true"], 1, "'/nowhere/x'"),
        (["-p", "999999999"], 1, "999999999"),
        (["no-such-command"], 1, "cannot run 'no-such-command'"),
        (["true"], 4, "before a Python interpreter appeared"),
        (["sh", "-c", "echo the reason; exit 3"], 4, "the reason"),
    ],
)
def test_errors(top, args, status, message):
    t = top(*args)
    assert t.wait() == status
    assert message in t.text()


def test_no_terminal():
    result = fireglass("top", "true")
    assert result.returncode in (1, 2)
    assert "terminal" in result.stderr


def test_denied(start, system_python, top, tmp_path):
    need_root()
    target = start(system_python, "-c", PARK)
    t = top("-p", target.pid, program=AS_NOBODY + [BIN])
    assert t.wait() == 3
    assert "cannot read process %d" % target.pid in t.text()
