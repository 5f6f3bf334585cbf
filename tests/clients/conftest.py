# SPDX-License-Identifier: MIT
"""Exports of golden captures, judged by the programs that people open them with.

The fixtures that all tests use are in exported.py. tools/run_tests.py sets what they are told by:
$FIREGLASS_CLIENT_MODULES is a node_modules with what package.json names, $FIREGLASS_CHROMIUM the
browser.
"""

import json
import os
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
MODULES = os.environ.get("FIREGLASS_CLIENT_MODULES", str(HERE / "node_modules"))


@pytest.fixture(scope="session")
def speedscope():
    """speedscope(paths): {path: what speedscope makes of it}; speedscope.mjs says what that is."""
    def look(paths):
        done = subprocess.run(["node", str(HERE / "speedscope.mjs"), MODULES], check=True,
                              input="\n".join(map(str, paths)), stdout=subprocess.PIPE, text=True,
                              timeout=600)
        return {said["path"]: said for said in map(json.loads, done.stdout.split("\n")[:-1])}
    return look
