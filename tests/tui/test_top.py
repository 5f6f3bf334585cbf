# SPDX-License-Identifier: MIT
"""fireglass top itself, with programs to look at."""

import os
import re
import signal
import subprocess
import sys

import conftest
import pytest

PROGRAM = '''
import sys, threading, time

def burn(n):
    total = 0
    for i in range(n):
        total += i * i
    return total

def wait_a_bit():
    time.sleep(0.02)

def work(until):
    while time.monotonic() < until:
        burn(20000)
        wait_a_bit()

until = time.monotonic() + 120
threading.Thread(target=work, args=(until,), name="helper", daemon=True).start()
print("\\033[2Jthe program's own words", flush=True)
print("its complaints", file=sys.stderr, flush=True)
work(until)
'''


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "burner.py"
    path.write_text(PROGRAM, encoding="utf-8")
    return path


@pytest.fixture
def running(program):
    """A program that others started."""
    process = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def top(started, tmp_path):
    def start(*arguments, **options):
        shown = started([conftest.BIN, "top", "--refresh", "200ms", *arguments], cwd=tmp_path,
                        **options)
        shown.wait_for("F1Help")
        return shown

    return start


def looks_at(top, program, *options, **size):
    shown = top(*options, "--", sys.executable, program, **size)
    shown.wait(lambda: shown.line_with("burn ") is not None, "the function burn")
    return shown


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_view(top, program, size):
    shown = looks_at(top, program, columns=size[0], lines=size[1])
    shown.wait(lambda: re.search(r"burner\.py:4\b", shown.text()), "burn's file and line")
    shown.press("2")
    shown.wait(lambda: re.search(r"burner\.py:[67]\b", shown.text()), "lines of burn")
    shown.press("3")
    shown.wait_for("helper")
    shown.wait_for("MainThread")
    shown.press("4")
    shown.wait(lambda: re.search(r"[├└]─[─+-] burn\b", shown.text()), "burn in the tree")
    shown.press("6")
    shown.wait_for("the program's own words")
    shown.wait_for("its complaints")
    shown.press("1", "/")
    shown.type("^burn ")
    shown.press("enter")
    shown.wait_for("/^burn /")
    shown.wait_without("wait_a_bit")
    shown.press("enter")
    shown.wait_for("def burn(n):")
    shown.wait(lambda: re.search(r"\d [ █-▏]*\d+ +(for i in range|total \+=)", shown.text()),
               "heat beside the lines")
    shown.press("q")
    assert shown.wait_end() == 0
    assert shown.is_given_back() and shown.has_old_modes()


def share(shown, function):
    """Its self time, in per cent."""
    found = re.search(rf"^ *([\d.]+) +[\d.]+ {function} ", shown.text(), re.M)
    return float(found[1]) if found else 0


def test_modes(top, program):
    shown = looks_at(top, program)
    shown.wait(lambda: share(shown, "wait_a_bit") > 30 and 0 < share(shown, "burn") < 70, "both")
    shown.press("i")
    shown.wait(lambda: share(shown, "wait_a_bit") > 90 and share(shown, "burn") < 5, "what waits")
    shown.press("g")
    shown.wait(lambda: share(shown, "burn") > 70, "what holds the GIL")


def test_own_output_garbles_nothing(top, program):
    shown = looks_at(top, program)
    assert "own words" not in shown.text() and "complaints" not in shown.text()
    assert b"\033[2J" not in shown.written


def test_save(top, program, tmp_path):
    shown = looks_at(top, program)
    shown.press("s", "c")
    shown.wait(lambda: list(tmp_path.glob("*.fgc")), "the capture")
    shown.wait_for(".fgc")
    shown.press("down", "s", "h")
    shown.wait(lambda: list(tmp_path.glob("*.html")), "the page")
    shown.press("q")
    shown.wait_end()
    capture = next(tmp_path.glob("*.fgc"))
    folded = subprocess.run([conftest.BIN, "export", str(capture), "-f", "folded", "-o", "-"],
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    assert ";burn " in folded or "burn (" in folded


def test_target_dies(top, running):
    shown = top("-p", running.pid)
    shown.wait(lambda: shown.line_with("burn ") is not None, "the function burn")
    running.kill()
    running.wait()
    shown.wait_for("the process has ended")
    shown.press("3")
    shown.wait_for("ended")
    shown.press("q")
    shown.wait_end()
    assert shown.is_given_back() and shown.has_old_modes()


def test_command_is_killed(top, program):
    shown = looks_at(top, program)
    pid = int(re.search(r"pid (\d+)", shown.text())[1])
    os.kill(pid, signal.SIGKILL)
    shown.wait_for("killed by SIGKILL")
    shown.press("q")
    assert shown.wait_end() == 128 + signal.SIGKILL
    assert shown.is_given_back() and shown.has_old_modes()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGKILL", "SIGSEGV"])
def test_top_itself_ends(top, running, name):
    """Its target lives on."""
    shown = top("-p", running.pid)
    shown.wait(lambda: shown.line_with("burn ") is not None, "the function burn")
    shown.send(getattr(signal, name))
    shown.wait_end()
    shown.wait(lambda: shown.is_given_back() and shown.has_old_modes(), "the terminal as it was")
    assert running.poll() is None


def test_pause(top, program):
    shown = looks_at(top, program)
    shown.press("p")
    shown.wait_for("PAUSED")

    def samples():
        return re.search(r"Hz +([\d ]+) samples", shown.text())[1]

    def standing():
        count = samples()
        for _ in range(3):
            while not shown.read(1):
                pass
        return samples() == count

    shown.wait(standing, "samples that stand still")
    count = samples()
    shown.press("p")
    shown.wait(lambda: samples() != count, "samples again")


def test_no_terminal(running):
    done = subprocess.run([conftest.BIN, "top", "-p", str(running.pid)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "no terminal" in done.stderr
