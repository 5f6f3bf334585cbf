#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs load.py on every interpreter: stress.py [--scale X] [--python ID,...] [--part NAME,...]
                                              [--clock wall,cpu] [--asan LIBRARY]

Scale 1: a million signals, 10 000 forks, thread starts, imports and exceptions, 1000 execs. Prints a
line for each part and exits with 1 if one crashed, hung, or came to another result.
--asan: the module was built with AddressSanitizer; its run-time library is loaded first.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import conftest  # noqa: E402

# At scale 1, and how many of them a slow machine makes in a second.
PARTS = {
    "timer_signals": (1000000, 5000),
    "own_signals": (100000, 200),
    "forks": (10000, 20),
    "forks_that_sample": (1000, 2),
    "threads": (10000, 50),
    "imports": (10000, 50),
    "execs": (1000, 2),
    "exceptions": (10000, 50),
    "sessions": (1000, 5),
}
START_SECONDS = 60


def names(text):
    return [word for word in text.split(",") if word]


def parse(argv):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--scale", type=float, default=0.01)
    p.add_argument("--python", type=names, default=None)
    p.add_argument("--part", type=names, default=list(PARTS))
    p.add_argument("--clock", type=names, default=["wall", "cpu"])
    p.add_argument("--period-ns", type=int, default=1000000)
    p.add_argument("--asan", metavar="LIBRARY")
    return p.parse_args(argv)


def environment(options):
    env = dict(os.environ, PYTHONPATH=conftest.EXT, PYTHONDONTWRITEBYTECODE="1")
    if options.asan:
        env["LD_PRELOAD"] = options.asan
        env["ASAN_OPTIONS"] = "detect_leaks=0:abort_on_error=1"
    return env


def run(interp, part, clock, options):
    full, per_second = PARTS[part]
    amount = max(20, int(full * options.scale))
    command = [interp.exe, str(HERE / "load.py"), part, str(amount), clock, str(options.period_ns)]
    began = time.monotonic()
    try:
        done = subprocess.run(
            command, env=environment(options), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=START_SECONDS + amount / per_second, text=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False, "hangs"
    seconds = "%.1f s" % (time.monotonic() - began)
    if done.returncode:
        return False, "%s: exits with %d: %s" % (seconds, done.returncode, done.stderr[-2000:])
    return True, "%s: %s" % (seconds, done.stdout.strip())


def main(argv):
    options = parse(argv)
    failed = 0
    for interp in conftest.INTERPRETERS:
        if options.python and interp.id not in options.python:
            continue
        for part in options.part:
            for clock in options.clock:
                good, said = run(interp, part, clock, options)
                failed += not good
                head = "%-20s %-17s %-4s" % (interp.id, part, clock)
                print(head, "ok" if good else "FAILED", said, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
