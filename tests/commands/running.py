# SPDX-License-Identifier: MIT
"""Running the program, and reading what it writes."""

import os
import subprocess

from conftest import BIN


def fireglass(*args, status=0, **options):
    environment = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8")
    result = subprocess.run(
        [BIN, *map(str, args)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
        **options,
    )
    assert result.returncode == status, (result.returncode, result.stderr, result.stdout[:400])
    return result


def parse_folded(text):
    """{(frame, ...): count}"""
    stacks = {}
    for line in text.splitlines():
        stack, count = line.rsplit(" ", 1)
        key = tuple(stack.split(";"))
        assert key not in stacks, line
        stacks[key] = int(count)
    return stacks


def export(path, *options, **more):
    """What a selection leaves, as folded stacks."""
    return parse_folded(fireglass("export", path, "-f", "folded", *options, **more).stdout)


def total(stacks):
    return sum(stacks.values())
