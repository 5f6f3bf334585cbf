# SPDX-License-Identifier: MIT
"""The interface in tmux, started by a shell: what the shell gets back."""

import signal
import subprocess

import conftest
import pytest

FLAGS = ["alternate_on", "mouse_any_flag", "keypad_cursor_flag"]


def flags(shell):
    return {name: shell.flag(name) for name in FLAGS} | {"cursor": shell.flag("cursor_flag")}


def start(shell, *options):
    shell.run(" ".join([conftest.DEMO, *options]))
    shell.wait_for("F1Help")


def pid_of(shell):
    """Of the program that the shell has started: the one that has the terminal."""
    tty = shell.flag("pane_tty").removeprefix("/dev/")
    listed = subprocess.run(["ps", "-t", tty, "-o", "pid=,stat=,comm="], stdout=subprocess.PIPE,
                            text=True, check=True).stdout
    return next(int(line.split()[0]) for line in listed.splitlines() if "top_demo" in line)


@pytest.mark.parametrize("end", ["q", "SIGTERM", "SIGSEGV", "SIGKILL"])
def test_the_shell_gets_its_terminal_back(shell, end):
    before, was = shell.modes(), flags(shell)
    shell.run("echo what was there before")
    start(shell)
    assert flags(shell) == {"alternate_on": "1", "mouse_any_flag": "1", "keypad_cursor_flag": "1",
                            "cursor": "0"}
    if end == "q":
        shell.press("q")
    else:
        subprocess.run(["kill", f"-{end.removeprefix('SIG')}", str(pid_of(shell))], check=True)
    shell.wait_without("F1Help")
    shell.wait_for("what was there before")
    shell.press("C-u", "Enter")
    shell.wait(lambda: flags(shell) == was, f"the flags {was}")
    assert shell.modes() == before


def test_the_cursor_is_where_it_was(shell):
    """What comes next stands right below the command."""
    shell.run("clear; " + conftest.DEMO)
    shell.wait_for("F1Help")
    shell.press("q")
    shell.wait_for("over")
    assert shell.text().splitlines()[0] == "over"


def test_keys_of_tmux(shell):
    start(shell)
    shell.press("Down", "Down", "Enter")
    shell.wait_for("SOURCE  dumps")
    shell.press("Escape")
    shell.wait_for("FUNCTION")
    shell.press("F5")
    shell.wait_for("CALL TREE")
    shell.press("End", "Left", "Home", "NPage", "PPage", "F1")
    shell.wait_for("any key: back")
    shell.press("F10")
    shell.wait_without("any key: back")
    shell.press("F10")
    shell.wait_for("over")


def test_scripts_of_all_widths(shell):
    """Letters of two columns stand where the program and tmux both think they stand."""
    start(shell)
    line = next(line for line in shell.text().splitlines() if "日本語" in line)
    assert line == "    2.1     2.2 日本語の関数                          shop/日本.py:3"


def test_resize_storm(shell):
    start(shell, "--rows", "100")
    wanted = shell.text()
    for i in range(60):
        shell.resize(10 + i * 37 % 200, 2 + i * 17 % 60)
    shell.resize(80, 24)
    shell.wait(lambda: shell.text() == wanted, "the screen as it was")
    shell.press("q")
    shell.wait_for("over")


def test_stop_and_go_on(shell):
    """Ctrl-Z: the shell has the terminal meanwhile."""
    was = flags(shell)
    start(shell)
    wanted = shell.text()
    shell.press("C-z")
    shell.wait_for("Stopped")
    assert flags(shell) == was
    shell.run("echo its turn; fg")
    shell.wait(lambda: shell.text() == wanted, "the screen as it was")
    shell.press("3")
    shell.wait_for("worker-1")
    shell.press("q")
    shell.wait_for("over")
    assert flags(shell) == was


def test_stopped_by_others(shell):
    """SIGTSTP from elsewhere is as Ctrl-Z; after SIGSTOP all is drawn again."""
    start(shell)
    wanted, pid = shell.text(), pid_of(shell)
    subprocess.run(["kill", f"-{signal.SIGTSTP.value}", str(pid)], check=True)
    shell.wait_for("Stopped")
    shell.run("fg")
    shell.wait(lambda: shell.text() == wanted, "the screen as it was")
    subprocess.run(["kill", f"-{signal.SIGSTOP.value}", str(pid)], check=True)
    shell.wait_for("Stopped")
    shell.run("clear; fg")
    shell.wait(lambda: shell.text() == wanted, "the screen as it was")
    shell.press("q")
    shell.wait_for("over")
