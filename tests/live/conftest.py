# SPDX-License-Identifier: MIT
"""Live tests: real interpreters, the real program.

`interp` runs a test on every interpreter that `tools/interpreters list` finds, `python` on one. The
program is $FIREGLASS_BIN, else build/fireglass. With FIREGLASS_CI=1 nothing is skipped, and a
missing minor version is a failure. Mark a test `since(3, 7)` if older ones cannot do it.
"""

import os
import signal
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402

INTERPRETERS = harness.find_interpreters()


def pytest_configure(config):
    config.addinivalue_line("markers", "since(major, minor): not on older interpreters")
    config.addinivalue_line("markers", "only(function): on interpreters for which it is true")


def pytest_sessionstart(session):
    # a shell that starts the tests in the background has these ignored, as would all they start
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    if not os.access(harness.BIN, os.X_OK):
        pytest.exit("no program at %s: build it, or set FIREGLASS_BIN" % harness.BIN, 1)


def pytest_sessionfinish(session):
    harness.PLACES.clean()


def pytest_generate_tests(metafunc):
    if "interp" not in metafunc.fixturenames:
        return
    chosen = INTERPRETERS
    for mark in metafunc.definition.iter_markers("since"):
        chosen = [i for i in chosen if i.minor >= mark.args]
    for mark in metafunc.definition.iter_markers("only"):
        chosen = [i for i in chosen if mark.args[0](i)]
    metafunc.parametrize("interp", chosen, ids=lambda i: i.id)


@pytest.fixture(scope="session")
def interpreters():
    return INTERPRETERS


@pytest.fixture(scope="session")
def python():
    """One interpreter for what does not depend on it: with a GIL, not in a root of its own."""
    plain = [i for i in INTERPRETERS if not i.root and not i.free_threaded and i.minor >= (3, 9)]
    harness.need(plain, "no Python 3.9 or newer found")
    return plain[-1] if plain else None


@pytest.fixture(scope="session")
def system_python():
    """One that every user can start."""
    found = [
        i for i in INTERPRETERS if not i.root and i.exe.startswith("/usr/") and i.minor >= (3,)
    ]
    harness.need(found, "no Python 3 below /usr")
    return found[-1]


@pytest.fixture
def start():
    """Starts targets that end with the test."""
    started = []

    def start_target(*args, **options):
        started.append(harness.Target(*args, **options))
        return started[-1]

    yield start_target
    for target in started:
        target.end()
