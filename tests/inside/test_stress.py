# SPDX-License-Identifier: MIT
"""A little of each part of stress/load.py; stress/stress.py has it all."""

import json
import pathlib
import subprocess

import conftest
import pytest

LOAD = pathlib.Path(__file__).resolve().parent / "stress" / "load.py"
AMOUNTS = {
    "timer_signals": 1000,
    "own_signals": 50,
    "forks": 20,
    "forks_that_sample": 4,
    "threads": 100,
    "imports": 60,
    "execs": 3,
    "exceptions": 100,
    "sessions": 10,
}


@pytest.mark.parametrize("clock", ["wall", "cpu"])
def test_a_program_under_load_is_what_it_was(interp, tmp_path, clock):
    env = conftest.environment(interp)
    for part, amount in AMOUNTS.items():
        done = subprocess.run(
            [interp.exe, str(LOAD), part, str(amount), clock, "1000000"],
            env=env, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, "%s: %s" % (part, done.stderr)
        found = json.loads(done.stdout)
        assert found["lost"] == 0, part
        if part == "timer_signals" and clock == "cpu":
            assert found["ticks"] >= 500  # most of those that were sent
