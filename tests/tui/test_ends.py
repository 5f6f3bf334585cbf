# SPDX-License-Identifier: MIT
"""The terminal is given back, whatever happens."""

import os
import signal
import subprocess

import conftest
import pytest

DEADLY = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGILL"]


@pytest.mark.parametrize("name", DEADLY)
@pytest.mark.parametrize("term", ["screen-256color", "xterm-256color", "linux"])
def test_signal(demo, name, term):
    shown = demo(env={"TERM": term, "ASAN_OPTIONS": "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:"
                                                    "handle_sigill=0:handle_abort=0"})
    signum = getattr(signal, name)
    shown.send(signum)
    assert shown.wait_end() == -signum
    assert shown.is_given_back() and shown.has_old_modes()


def test_kill(demo):
    """SIGKILL: the process can do nothing, its guard does."""
    shown = demo()
    assert not shown.has_old_modes()
    shown.send(signal.SIGKILL)
    assert shown.wait_end() == -signal.SIGKILL
    shown.wait(lambda: shown.is_given_back() and shown.has_old_modes(), "the guard")


def guards_of(shown):
    """It takes a moment until it has its name."""
    return shown.wait(lambda: named_guards(shown.pid), "the guard")


def named_guards(pid):
    listed = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(pid)], check=False, text=True,
                            stdout=subprocess.PIPE).stdout
    return [int(line.split()[0]) for line in listed.splitlines() if "guard" in line]


def runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_no_guard_stays(demo):
    shown = demo()
    guards = guards_of(shown)
    assert len(guards) == 1
    shown.press("q")
    assert shown.wait_end() == 0
    assert not runs(guards[0])


def test_a_lost_guard_does_no_harm(demo):
    shown = demo()
    for guard in guards_of(shown):
        os.kill(guard, signal.SIGKILL)
    shown.press("2", "q")
    assert shown.wait_end() == 0
    assert shown.is_given_back() and shown.has_old_modes()


def test_hangup(demo):
    """The terminal is gone: nobody is there to be asked."""
    shown = demo(env={"ASAN_OPTIONS": "handle_segv=0"})
    guards = guards_of(shown)
    os.close(shown.other)
    os.close(shown.fd)
    pid, status = os.waitpid(shown.pid, 0)
    shown.status = os.waitstatus_to_exitcode(status)
    assert pid == shown.pid and shown.status in (0, -signal.SIGHUP)
    for guard in guards:
        while runs(guard):
            pass
    shown.fd, shown.other = os.openpty()


def test_the_target_dies(demo):
    shown = demo("--refresh", "100")
    shown.send(signal.SIGUSR2)
    shown.wait_for("killed by SIGKILL")
    shown.press("2")
    shown.wait_for("LINE")  # it can still be looked at
    shown.press("q")
    assert shown.wait_end() == 0
    assert shown.is_given_back() and shown.has_old_modes()


# ---- no terminal ---------------------------------------------------------------------------------


def test_output_is_no_terminal():
    done = subprocess.run([conftest.DEMO], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                          text=True, timeout=30)
    assert done.returncode == 1
    assert "no terminal" in done.stderr and "fireglass record" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("term", ["no-such-terminal", "", None, "dumb"])
def test_unknown_terminal(started, term):
    shown = started([conftest.DEMO], env={"TERM": term})
    assert shown.wait_end() == 1
    assert "TERM=xterm" in "".join(shown.screen.display)
    assert shown.has_old_modes()
