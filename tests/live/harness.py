# SPDX-License-Identifier: MIT
"""Starting interpreters, targets and fireglass itself; no test here.

Nothing sleeps to synchronise: a target is waited for by a line it prints, a state of the kernel's
by looking at it until it is so, both with a deadline that fails the test.
"""

import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
TARGETS = os.path.join(HERE, "targets")
CI = os.environ.get("FIREGLASS_CI") == "1"
BIN = os.path.abspath(os.environ.get("FIREGLASS_BIN") or os.path.join(TOP, "build", "fireglass"))
DEADLINE = 60  # seconds until a wait is a failure
NOBODY = 65534
AS_NOBODY = [
    "setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups",
]  # fmt: skip
MINORS = [(2, 7)] + [(3, minor) for minor in range(6, 16)]


def need(condition, reason):
    """Skips on a machine that cannot run a test; in CI it must."""
    if not condition:
        (pytest.fail if CI else pytest.skip)(reason)


def need_root():
    need(os.geteuid() == 0, "needs root")


def open_to_all(directory, mode=0o777):
    """Any user may come to it, and write there."""
    os.chmod(directory, mode)
    for parent in pathlib.Path(directory).parents:
        if os.stat(parent).st_uid != os.geteuid() or parent == pathlib.Path(tempfile.gettempdir()):
            break
        os.chmod(parent, 0o755)


def need_tool(name):
    need(shutil.which(name), "needs %s" % name)


# ---- interpreters --------------------------------------------------------------------------------


class Interpreter:
    def __init__(self, found):
        self.id = found["id"]
        self.argv = found["argv"]
        self.env = found["env"]
        self.exe = found["exe"]
        self.root = found["root"]
        self.libpython = found["libpython"]
        self.version_text = found["version"]
        self.version = tuple(int(n) for n in found["version"].split("."))
        self.minor = self.version[:2]
        self.hex = int(found["hex"], 16)
        self.free_threaded = found["free_threaded"]
        self.stripped = found["stripped"]

    def __repr__(self):
        return self.id


def has_module(interpreter, *names):
    """Whether an interpreter can import one of them; asked by running it."""
    for name in names:
        probe = subprocess.run(
            interpreter.argv + ["-c", "import " + name], env=clean_env(), stderr=subprocess.DEVNULL
        )
        if probe.returncode == 0:
            return True
    return False


def can_make_interpreters(interpreter):
    if interpreter.minor < (3, 8):
        return False
    name = "_interpreters" if interpreter.minor >= (3, 13) else "_xxsubinterpreters"
    return has_module(interpreter, name)


def find_interpreters():
    tool = os.path.join(TOP, "tools", "interpreters")
    found = subprocess.run(
        [sys.executable, tool, "list", "--json"], stdout=subprocess.PIPE, check=True
    )
    return [Interpreter(i) for i in json.loads(found.stdout)]


# ---- places --------------------------------------------------------------------------------------


class Places:
    """A directory for each root, in which an interpreter of that root finds the targets."""

    def __init__(self):
        self.made = {}

    def outside(self, root):
        """As this machine sees it."""
        if root not in self.made:
            path = tempfile.mkdtemp(prefix="fireglass-live-", dir=os.path.join(root or "/", "tmp"))
            os.chmod(path, 0o755)
            for name in os.listdir(TARGETS):
                if name.endswith(".py"):
                    shutil.copy(os.path.join(TARGETS, name), path)
            self.made[root] = path
        return self.made[root]

    def inside(self, root):
        """As the interpreter sees it."""
        outside = self.outside(root)
        return "/" + os.path.relpath(outside, root) if root else outside

    def clean(self):
        for path in self.made.values():
            shutil.rmtree(path, ignore_errors=True)


PLACES = Places()


# ---- waiting -------------------------------------------------------------------------------------


def wait_until(condition, what):
    """Looks until it is so."""
    end = time.monotonic() + DEADLINE
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            pytest.fail("waited in vain: " + what)
        time.sleep(0.001)


def proc_stat(pid, tid=None):
    """(state, parent) or None if it is gone."""
    path = "/proc/%d/stat" % pid if tid is None else "/proc/%d/task/%d/stat" % (pid, tid)
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            fields = f.read().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return fields[0], int(fields[1])


def task_ids(pid):
    return sorted(int(t) for t in os.listdir("/proc/%d/task" % pid))


def wait_state(pid, state, tid=None):
    wait_until(
        lambda: (proc_stat(pid, tid) or " ")[0] == state, "state %s of %s/%s" % (state, pid, tid)
    )


def wait_blocked(pid):
    """All threads wait in the kernel."""
    wait_until(
        lambda: all((proc_stat(pid, t) or "Z")[0] == "S" for t in task_ids(pid)),
        "all threads of %d blocked" % pid,
    )


def children_of(pid):
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and (proc_stat(int(name)) or (None, None))[1] == pid:
            found.append(int(name))
    return found


class Lines:
    """Lines of a pipe, with a deadline."""

    def __init__(self, fd, who):
        self.fd, self.who, self.rest = fd, who, b""

    def next(self):
        end = time.monotonic() + DEADLINE
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError("%s prints no line" % self.who)
            data = os.read(self.fd, 65536)
            if not data:
                raise AssertionError("%s ended: %r" % (self.who, self.rest))
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode("utf-8", "replace")


# ---- targets -------------------------------------------------------------------------------------


def clean_env(**more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    env.update(more)
    return env


class Target:
    """A program under an interpreter, started and ready; ends by its pid.

    `what` is the name of a file in targets/, with its arguments, or ["-c", source]. `argv` replaces
    the interpreter's own command line (a copy of it), `before` goes in front of it (unshare).
    """

    def __init__(self, interpreter, *what, argv=None, before=(), env=None, cwd=None, wait=True,
                 preexec_fn=None):  # fmt: skip
        self.interpreter = interpreter
        self.root = interpreter.root if argv is None else None
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            list(before) + self.command(*what, argv=argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=clean_env(**(env or {})),
            cwd=cwd,
            preexec_fn=preexec_fn,
        )
        self.pid = self.process.pid
        self.out = Lines(self.process.stdout.fileno(), "%s %s" % (interpreter, what))
        self.before_ready = []
        if wait:
            self.wait_ready()

    def command(self, *what, argv=None):
        return command(self.interpreter, *what, argv=argv)

    def wait_ready(self):
        try:
            while True:
                line = self.out.next()
                if line == "ready":
                    return
                self.before_ready.append(line)
        except AssertionError as e:
            message = "%s\n%s" % (e, self.error_text())
            self.end()
            raise AssertionError(message) from None

    def error_text(self):
        self.errors.seek(0)
        return self.errors.read().decode("utf-8", "replace")

    @property
    def truth(self):
        return json.loads(self.before_ready[0])

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.end()


def command(interpreter, *what, argv=None):
    """The command line that runs a target of targets/, or ["-c", source]."""
    what = list(what)
    if what[0] != "-c" and not what[0].startswith("/"):
        root = interpreter.root if argv is None else None
        what[0] = PLACES.inside(root) + "/" + what[0]
    return list(argv or interpreter.argv) + ["-B", "-u"] + what


PARK = "import sys, os; print('ready'); sys.stdout.flush(); os.read(0, 1)"
BUSY = "import sys\nprint('ready'); sys.stdout.flush()\nwhile True: pass"


# ---- fireglass -----------------------------------------------------------------------------------


def fireglass(*args, before=(), timeout=DEADLINE, program=BIN, **options):
    """Runs it to its end; texts are decoded."""
    options.setdefault("stdin", subprocess.DEVNULL)
    result = subprocess.run(
        list(before) + [program] + [str(a) for a in args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=timeout,
        **options,
    )
    result.raw = result.stdout
    result.stdout = result.stdout.decode("utf-8", "replace")
    result.stderr = result.stderr.decode("utf-8", "replace")
    return result


def dump(pid, *args, **options):
    """The JSON of a dump that works."""
    result = fireglass("dump", "-p", pid, "--json", *args, **options)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return json.loads(result.raw.decode("utf-8"))  # strictly


def frames(thread):
    return [[f["function"], f["file"], f["line"]] for f in thread["frames"]]


def by_tid(dumped):
    return {t["tid"]: t for t in dumped["threads"]}


def start_fireglass(*args, before=(), **options):
    """In the background; the caller ends it."""
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    return subprocess.Popen(list(before) + [BIN] + [str(a) for a in args], **options)


def opened(pid):
    """What the descriptors of a process lead to."""
    names = []
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            names.append(os.readlink("/proc/%d/fd/%s" % (pid, fd)))
        except OSError:
            pass
    return names


def waits_of_threads(pid):
    """How often each thread of a process went to sleep of its own: a dict by tid."""
    counts = {}
    for tid in task_ids(pid):
        with open("/proc/%d/task/%d/status" % (pid, tid), encoding="utf-8") as f:
            counts[tid] = int(f.read().split("\nvoluntary_ctxt_switches:", 1)[1].split()[0])
    return counts


def waits_of(pid):
    return sum(waits_of_threads(pid).values())


# A tick sleeps once until its moment, and at most this often more to leave the processor of a thread
# that it probes.
SLEEPS_OF_A_TICK = 4


def wait_sampling(process, ticks=20):
    """Until a fireglass has taken samples: it has found the threads, and sleeps between ticks."""

    def ended_or(condition):
        try:
            return process.poll() is not None or condition()
        except OSError:
            return process.poll() is not None

    wait_until(lambda: ended_or(lambda: "schedstat" in str(opened(process.pid))), "threads found")
    before = waits_of(process.pid) if process.poll() is None else 0
    needed = ticks * SLEEPS_OF_A_TICK
    wait_until(lambda: ended_or(lambda: waits_of(process.pid) > before + needed), "samples")
    assert process.poll() is None, process.stderr.read() if process.stderr else ""


def ignores(pid, number, field):
    with open("/proc/%d/status" % pid, encoding="utf-8") as f:
        for line in f:
            if line.startswith(field + ":"):
                return int(line.split()[1], 16) >> (number - 1) & 1
    return 0


def wait_catches(pid, number):
    """Until a process has a handler for a signal."""
    wait_until(lambda: ignores(pid, number, "SigCgt"), "%d catches %d" % (pid, number))
