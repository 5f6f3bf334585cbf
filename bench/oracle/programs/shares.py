# SPDX-License-Identifier: MIT
"""Functions that use known shares of the time, by their own clock: shares.py CYCLE_US

One reading of the clock ends a function and begins the next: nothing is left out.
"""

import sys

from witness import Witness, clock

CYCLE = float(sys.argv[1]) * 1e-6 if len(sys.argv) > 1 else 2e-2
W = Witness(__file__)


def half(end):
    now = clock()
    while now < end:
        now = clock()
    return now


def quarter(end):
    now = clock()
    while now < end:
        now = clock()
    return now


def eighth(end):
    now = clock()
    while now < end:
        now = clock()
    return now


def called(end):
    now = clock()
    while now < end:
        now = clock()
    return now


def calling(start, spent):
    """1/16 of its own, in two parts, around 1/16 of what it calls."""
    first = start + CYCLE / 32
    now = clock()
    while now < first:
        now = clock()
    u = called(now + CYCLE / 16)  # -> called
    last = u + CYCLE / 32
    t = clock()
    while t < last:
        t = clock()
    spent["calling"] += (now - start) + (t - u)
    spent["called"] += u - now
    return t


def main():
    work = 0
    spent = dict.fromkeys(["half", "quarter", "eighth", "calling", "called"], 0.0)
    t = clock()
    while W.going(work, spent):  # -> going
        work += 1
        for _ in range(1 if CYCLE > 1e-3 else 10):
            u = half(t + CYCLE / 2)  # -> half
            spent["half"] += u - t
            t = quarter(u + CYCLE / 4)  # -> quarter
            spent["quarter"] += t - u
            u = eighth(t + CYCLE / 8)  # -> eighth
            spent["eighth"] += u - t
            t = calling(u, spent)  # -> calling


if __name__ == "__main__":
    W.ready()  # -> ready
    main()  # -> main
    W.finish()  # -> finish
