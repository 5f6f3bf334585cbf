# SPDX-License-Identifier: MIT
"""The terminal interface, in an emulated terminal and in tmux.

`demo` runs it over made-up frames ($FIREGLASS_TOP_DEMO, else build/tests/top_demo), `top` is the real
thing ($FIREGLASS_BIN, else build/fireglass). Whole screens are compared with those of screens/, which
FIREGLASS_RECORD_GOLDEN=1 records anew, to be reviewed as a difference.
"""

import os
import pathlib
import signal
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))
import terminal  # noqa: E402
import tmux  # noqa: E402

BIN = os.path.abspath(os.environ.get("FIREGLASS_BIN") or ROOT / "build" / "fireglass")
DEMO = os.path.abspath(
    os.environ.get("FIREGLASS_TOP_DEMO") or ROOT / "build" / "tests" / "top_demo")


def pytest_sessionstart(session):
    # a shell that starts the tests in the background has these ignored, as would all they start
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    for program in (BIN, DEMO):
        if not os.access(program, os.X_OK):
            pytest.exit(f"no program at {program}: build it", 1)


@pytest.fixture
def started():
    """started(argv, ...): a Terminal, ended with the test."""
    terminals = []

    def start(argv, *args, **options):
        terminals.append(terminal.Terminal(list(map(str, argv)), *args, **options))
        return terminals[-1]

    yield start
    for one in terminals:
        one.close()


@pytest.fixture
def demo(started, tmp_path):
    """demo(option..., columns=, lines=): shown; log() is what the interface asked for."""

    def start(*options, **size):
        log = tmp_path / "log"
        shown = started([DEMO, "--log", log, *options], **size)
        shown.log = lambda: log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        shown.wait_for("FUNCTION" if "--view" not in options else "F1")
        return shown

    return start


@pytest.fixture
def shell(tmp_path):
    """A shell in tmux."""
    tmux.need_tmux()
    one = tmux.Tmux(str(tmp_path))
    yield one
    one.close()


@pytest.fixture
def golden():
    """golden(terminal, name): waits until the screen is the recorded one."""

    def compare(shown, name):
        path = HERE / "screens" / f"{name}.txt"
        if os.environ.get("FIREGLASS_RECORD_GOLDEN"):
            while shown.read(1):
                pass
            path.write_text(shown.text(), encoding="utf-8")
        wanted = path.read_text(encoding="utf-8")
        try:
            shown.wait(lambda: shown.text() == wanted)
        except AssertionError:
            assert shown.text() == wanted
            raise

    return compare
