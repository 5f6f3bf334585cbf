# SPDX-License-Identifier: MIT
"""Commands that read captures: no target process is needed.

The program is $FIREGLASS_BIN, the tool that makes captures $FIREGLASS_DESCRIBE_CAPTURE; else those of
build/.
"""

import os
import pathlib
import signal
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = os.environ.get("FIREGLASS_BIN", str(ROOT / "build" / "fireglass"))
MAKE = os.environ.get(
    "FIREGLASS_DESCRIBE_CAPTURE", str(ROOT / "build" / "tests" / "describe_capture")
)

# Two processes; main works for 2 s and waits for 2 s, the worker holds the GIL for 1 s.
SHOP = """
fact cwd /srv/shop
fact python 3.12.1
process 100 web
process 200 job
thread 0 100 MainThread
thread 0 101 worker
thread 1 200 MainThread
sample 0 1500 0 cpu 1 main@/srv/shop/app.py:10;get@/v/lib/python3.12/site-packages/requests/api.py:7
sample 1500 500 0 cpu 1 main@/srv/shop/app.py:12;dumps@/usr/lib/python3.12/json/__init__.py:9
sample 2000 2000 0 waiting 0 main@/srv/shop/app.py:12
sample 1000 1000 1 cpu 1 walk@/srv/shop/tree.py:3;walk@/srv/shop/tree.py:3;leaf@/srv/shop/tree.py:9
sample 0 100 2 waiting 0 idle@/srv/shop/job.py:1
sample 100 100 2 unknown 16 -
loss 50 7
"""


class Files:
    """Captures and outputs of one test."""

    def __init__(self, directory):
        self.directory = directory

    def path(self, name):
        return str(self.directory / name)

    def capture(self, name, description=SHOP, *options):
        subprocess.run([MAKE, *options, self.path(name)], input=description, text=True, check=True)
        return self.path(name)

    def text(self, name, content):
        (self.directory / name).write_text(content, encoding="utf-8")
        return self.path(name)

    def read(self, name):
        return (self.directory / name).read_text(encoding="utf-8")

    def names(self):
        return sorted(path.name for path in self.directory.iterdir())


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


@pytest.fixture
def shop(files):
    return files.capture("shop.fgc")


def pytest_sessionstart(session):
    # a shell that starts the tests in the background has these ignored, as would all they start
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    for program in (BIN, MAKE):
        if not os.access(program, os.X_OK):
            pytest.exit(f"no program at {program}: build it", 1)
