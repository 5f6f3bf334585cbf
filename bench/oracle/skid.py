#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Is a profiler that stops the program a reference for those that do not?

    bench/oracle/skid.py [--binary FILE] [--seconds S] [--repeats N]

An event loop that never waits (programs/awaits.py) measures by its own clock which share of the time
it is in select(). The same share by samples: of fireglass, and of fireglass stopping the thread with
ptrace for each sample, taken in turns. A stop that arrives late arrives at the end of a system call:
such samples skid there.
"""

import argparse
import os
import selectors
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "programs", "awaits.py")
SHARE = "select by its own clock: "


def target(seconds):
    """The program, with a clock around select()."""
    import runpy
    import signal

    original, clock, spent = selectors.EpollSelector.select, time.perf_counter, [0.0]

    def select(self, timeout=None):
        began = clock()
        ready = original(self, timeout)
        spent[0] += clock() - began
        return ready

    def done(number, frame):
        os.write(1, ("%s%.1f\n" % (SHARE, 100 * spent[0] / (clock() - start))).encode())
        os._exit(0)

    selectors.EpollSelector.select = select
    start = clock()
    signal.signal(signal.SIGALRM, done)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    sys.argv = [PROGRAM]
    sys.path.insert(0, os.path.dirname(PROGRAM))
    runpy.run_path(PROGRAM, run_name="__main__")


def sampled(binary, pid, seconds, *options):
    """Percent of samples of which select() is the leaf."""
    text = subprocess.run(
        [binary, "record", "-q", "-p", str(pid), "-d", str(seconds), "-f", "folded", "-o", "-"]
        + list(options),
        stdout=subprocess.PIPE, universal_newlines=True, check=True,
    ).stdout  # fmt: skip
    inside = total = 0
    for line in text.splitlines():
        stack, count = line.rsplit(" ", 1)
        total += int(count)
        leaf = stack.rsplit(";", 1)[-1]
        inside += int(count) if leaf.startswith(("EpollSelector.select (", "select (sel")) else 0
    return 100.0 * inside / total


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", default=os.path.join(HERE, "..", "..", "build", "fireglass"))
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--target", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.target:
        target(options.target)
        return
    whole = (options.seconds + 1) * options.repeats * 2 + 1
    process = subprocess.Popen(
        [sys.executable, "-B", os.path.abspath(__file__), "--target", str(whole)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, universal_newlines=True,
    )  # fmt: skip
    try:
        if not process.stdout.readline():
            raise SystemExit("skid.py: the program does not start")
        shares = {"fireglass": [], "fireglass --strategy stop": []}
        for _ in range(options.repeats):
            for name, found in shares.items():
                found.append(
                    sampled(options.binary, process.pid, options.seconds, *name.split()[1:])
                )
        for line in process.stdout:
            if line.startswith(SHARE):
                print("%-28s %5.1f %%" % ("its own clock", float(line[len(SHARE) :])))
        for name, found in shares.items():
            print("%-28s %5.1f %%" % (name, statistics.mean(found)))
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
