# SPDX-License-Identifier: MIT
"""Keys, mouse and sizes; what the interface asks its host for."""

import os

import pytest


def asked(shown, line):
    shown.wait(lambda: line in shown.log(), f"the host being asked: {line}")


# "fill" says view * 1000 + mode * 100 + sort * 10 + reversed
ASKED = {
    "2": "fill 1000", "3": "fill 2040", "4": "fill 3010", "5": "fill 4060", "6": "fill 5060",
    "m": "fill 100", "f2": "fill 100", "c": "fill 100", "g": "fill 200", "i": "fill 300",
    "T": "fill 10", "N": "fill 20", "F": "fill 30", "I": "fill 1", "S": "fill 1",
    "f7": "window 10", "[": "window 10", "f8": "window 30", "]": "window 30",
    "p": "pause 1", "r": "reset 1", "tab": "fill 1000", "back-tab": "fill 5060", "t": "fill 3010",
    "f5": "fill 3010", "enter": "fill 4060",
}  # fmt: skip


@pytest.mark.parametrize("key", ASKED)
def test_key(demo, key):
    shown = demo()
    shown.press(key)
    asked(shown, ASKED[key])


@pytest.mark.parametrize("key", ["q", "f10", "ctrl-c"])
def test_quit(demo, key):
    shown = demo()
    shown.press(key)
    assert shown.wait_end() == 0
    assert shown.is_given_back() and shown.has_old_modes()


def test_save(demo):
    shown = demo()
    shown.press("s")
    shown.wait_for("Save the last 15 s as")
    shown.press("c")
    asked(shown, "save-capture 15")
    shown.wait_for("saved demo.fgc")
    shown.press("f8", "f3", "h")
    asked(shown, "save-page 30")


def test_thread_limit(demo):
    shown = demo()
    shown.press("3")
    shown.wait_for("worker-1")
    shown.press("down", "enter")
    asked(shown, "thread 101")
    shown.wait_for("only worker-1")
    shown.press("escape")
    shown.wait_without("only worker-1")


def test_process_limit(demo):
    shown = demo("--processes")
    shown.press("P")
    asked(shown, "process 4711")
    shown.wait_for("only 4711 web")
    shown.press("a")
    shown.wait_without("only 4711 web")


def test_escape_alone_is_a_key(demo):
    """It is not waited for what might follow it."""
    shown = demo()
    shown.press("enter")
    shown.wait_for("def tokenize")
    shown.press("escape")
    shown.wait_for("FUNCTION")


def test_typed_characters_of_other_scripts(demo):
    shown = demo()
    shown.type("/größe")
    shown.wait_for("Filter: größe")
    shown.wait_without("tokenize")
    shown.press("backspace", "backspace", "backspace")
    shown.wait_for("Filter: gr ")


def test_much_that_is_typed_at_once(demo):
    shown = demo()
    shown.type("jkjk2143" * 500 + "1" + "T")
    asked(shown, "fill 10")
    shown.press("q")
    assert shown.wait_end() == 0


# ---- mouse ---------------------------------------------------------------------------------------


def test_mouse(demo):
    shown = demo()
    shown.click(shown.line_with("dumps"), 30)
    shown.click(shown.line_with("dumps"), 30)
    shown.wait_for("SOURCE  dumps")
    tabs = shown.line_with("1 Functions")
    shown.click(tabs, shown.lines()[tabs].index("Threads"))
    shown.wait_for("worker-1")
    heading = shown.line_with("GIL%")
    shown.click(heading, shown.lines()[heading].index("GIL%"))
    asked(shown, "fill 2050")
    bar = shown.line_with("F10Quit")
    shown.click(bar, shown.lines()[bar].index("Quit"))
    assert shown.wait_end() == 0
    assert shown.is_given_back()


def test_wheel(demo):
    shown = demo("--rows", "100")
    for _ in range(20):
        shown.click(10, 10, button=65)
    shown.wait_for("step_00049")
    for _ in range(20):
        shown.click(10, 10, button=64)
    shown.wait_for("tokenize")


# ---- sizes ---------------------------------------------------------------------------------------


def test_resize(demo):
    shown = demo()
    shown.resize(120, 40)
    shown.wait(lambda: shown.lines()[39].startswith("F1Help"), "the last line at its new place")
    shown.wait_for("SAMPLES")
    shown.resize(50, 12)
    shown.wait(lambda: shown.lines()[11].startswith("F1Help"), "the last line at its new place")


def test_resize_storm(demo, golden):
    """Hundreds of sizes, keys between them: in the end the screen is as if nothing had been."""
    shown = demo("--rows", "100")
    for i in range(300):
        shown.resize(1 + i * 37 % 230, 1 + i * 17 % 70)
        shown.type("1234"[i % 4])
        shown.read(0)
    shown.resize(80, 24)
    shown.press("1")
    shown.wait_for("F10Quit")
    shown.press("ctrl-l")
    shown.wait_for("tokenize")
    golden(shown, "after_storm")
    shown.press("q")
    assert shown.wait_end() == 0
    assert shown.is_given_back() and shown.has_old_modes()


# ---- traffic -------------------------------------------------------------------------------------


def one_refresh(shown):
    fills = sum(line.startswith("fill") for line in shown.log())
    shown.wait(lambda: sum(line.startswith("fill") for line in shown.log()) > fills, "a refresh")
    shown.read(0.2)


def test_nothing_new_sends_nothing(demo):
    shown = demo("--refresh", "100", columns=200, lines=50)
    one_refresh(shown)
    before = len(shown.written)
    for _ in range(3):
        one_refresh(shown)
    assert len(shown.written) == before


def test_a_refresh_is_small(demo):
    """All shares, all lines of bars and the time have changed, of a screen of 10000 cells."""
    shown = demo("--live", "--refresh", "300", columns=200, lines=50)
    one_refresh(shown)
    refreshes = 5
    before = len(shown.written)
    for _ in range(refreshes):
        one_refresh(shown)
    assert 0 < (len(shown.written) - before) / refreshes < 2500


def test_redraw(demo):
    """What others wrote over the screen goes."""
    shown = demo()
    os.write(shown.other, b"\033[5;1Hnoise of another program\r\n")
    shown.wait_for("noise of another")
    shown.press("ctrl-l")
    shown.wait_without("noise of another")
