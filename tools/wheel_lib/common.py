# SPDX-License-Identifier: MIT
"""What the parts of tools/wheel share: places, commands, errors."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Architectures a wheel can be made for: what a compiler calls them.
TRIPLES = {"x86_64": "x86_64-linux-gnu", "aarch64": "aarch64-linux-gnu"}


class WheelError(Exception):
    """What went wrong, and the remedy: for people."""


def say(message):
    print("wheel: " + message, file=sys.stderr, flush=True)


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "fireglass" / "wheel"


def run(*command, cwd=None, env=None):
    """A command that must succeed; what it said is shown only if it does not."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, cwd=cwd, env=dict(os.environ, **(env or {})), check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace")
    except OSError as error:
        raise WheelError(f"cannot run '{words[0]}': {error.strerror}; tools/deps build") from error
    if done.returncode != 0:
        raise WheelError(f"'{' '.join(words)}' failed:\n{done.stdout[-6000:]}")
    return done.stdout
