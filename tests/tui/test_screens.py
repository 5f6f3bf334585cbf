# SPDX-License-Identifier: MIT
"""Each view and each prompt, as a whole screen."""

import pytest

SIZES = [(80, 24), (200, 50)]
VIEWS = {
    "functions": ["1"],
    "lines": ["2"],
    "threads": ["3"],
    "tree": ["4"],
    "tree_folded": ["4", "down", "down", " "],
    "tree_all": ["4", "*"],
    "source": ["enter"],
    "source_cursor": ["enter", "down", "down", "right"],
    "source_none": ["T", "end", "up", "enter"],
    "output": ["6"],
    "output_above": ["6", "home"],
    "help": ["h"],
    "sort_menu": ["f6", "down"],
    "sorted_by_name": ["N"],
    "sorted_reversed": ["N", "N"],
    "filter": ["/", "p", "a", "r"],
    "filter_kept": ["/", "p", "a", "r", "enter"],
    "filter_bad": ["/", "("],
    "filter_nothing": ["/", "q", "q", "enter"],
    "save": ["s"],
    "saved": ["s", "h"],
    "thread": ["3", "down", "enter"],
    "mode_window": ["m", "f8", "d", "down"],
    "frozen_paused": ["f", "p", "down"],
}  # fmt: skip


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", VIEWS)
def test_view(demo, golden, name, size):
    shown = demo(columns=size[0], lines=size[1])
    for key in VIEWS[name]:
        shown.press(key)
    golden(shown, f"{name}_{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [(200, 50), (60, 16), (40, 10), (20, 5), (9, 2), (1, 1), (500, 100)],
                         ids=lambda size: f"{size[0]}x{size[1]}")
def test_sizes(started, golden, size):
    import conftest

    shown = started([conftest.DEMO, "--processes"], columns=size[0], lines=size[1])
    golden(shown, f"processes_{size[0]}x{size[1]}")


def test_ascii(demo, golden):
    shown = demo("--ascii")
    golden(shown, "ascii")
    assert max(shown.written) < 0x80


def test_ascii_tree(demo, golden):
    shown = demo("--ascii", "--view", "4")
    shown.press("*")
    golden(shown, "ascii_tree")
    assert max(shown.written) < 0x80


def test_ascii_by_locale(demo, golden):
    shown = demo(env={"LC_ALL": "C"})
    golden(shown, "ascii")
    assert max(shown.written) < 0x80


def test_deep_tree(demo, golden):
    shown = demo("--rows", "400", "--view", "4")
    shown.press("end")
    golden(shown, "deep_tree")


def test_many_rows(demo, golden):
    shown = demo("--rows", "6000", "--view", "1")
    shown.press("end")
    golden(shown, "many_rows")


# ---- colours -------------------------------------------------------------------------------------


def cells(shown):
    return [shown.screen.buffer[y][x] for y in range(shown.screen.lines)
            for x in range(shown.screen.columns)]


def colors(shown):
    return {(cell.fg, cell.bg) for cell in cells(shown)}


def test_colors(demo):
    shown = demo()
    assert ("black", "green") in colors(shown)  # headings
    assert any(cell.fg == "red" for cell in cells(shown))  # hot


@pytest.mark.parametrize("how", [{"options": ["--mono"]}, {"env": {"NO_COLOR": "1"}},
                                 {"env": {"TERM": "vt100"}}], ids=["option", "NO_COLOR", "vt100"])
def test_monochrome(demo, how):
    shown = demo(*how.get("options", []), env=how.get("env"))
    shown.press("down")
    shown.wait(lambda: any(cell.reverse and cell.data == "P" for cell in cells(shown)),
               "the cursor on Parser._skip")
    assert colors(shown) == {("default", "default")}
    assert any(cell.bold for cell in cells(shown))


def test_empty_no_color_means_colors(demo):
    assert ("black", "green") in colors(demo(env={"NO_COLOR": ""}))


# ---- what comes from outside ---------------------------------------------------------------------


def test_names_command_nothing(demo):
    """One function's name is a command to the terminal; output has colours and bells of its own."""
    shown = demo()
    shown.wait_for("evil")
    shown.press("6")
    shown.wait_for("line 40 of the output")
    assert b"\a" not in shown.written
    assert b"\033[31mname" not in shown.written
    assert "\u202e".encode() not in shown.written
    assert b"32mline" not in shown.written
