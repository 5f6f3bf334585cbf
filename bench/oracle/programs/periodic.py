# SPDX-License-Identifier: MIT
"""Works and sleeps on a grid of its own: periodic.py PERIOD_US PERCENT_BUSY

A profiler whose clock has the same period, and no jitter, sees the same phase for ever.
"""

import sys
import time

from witness import Witness, clock

PERIOD = float(sys.argv[1]) * 1e-6 if len(sys.argv) > 1 else 1e-3
BUSY = float(sys.argv[2]) / 100 if len(sys.argv) > 2 else 0.3
W = Witness(__file__)


def busy(end):
    now = clock()
    while now < end:
        now = clock()
    return now


def rest(end, now):
    time.sleep(max(0, end - now))
    return clock()


def main():
    work = 0
    spent = {"busy": 0.0, "rest": 0.0}
    t0 = t = clock()
    while W.going(work, spent):  # -> going
        work += 1
        start = t0 + work * PERIOD
        if start < t:  # late: take the next point of the grid
            work = int((t - t0) / PERIOD) + 1
            start = t0 + work * PERIOD
        u = rest(start, t)  # -> rest
        spent["rest"] += u - t
        t = busy(u + PERIOD * BUSY)  # -> busy
        spent["busy"] += t - u


if __name__ == "__main__":
    W.ready()  # -> ready
    main()  # -> main
    W.finish()  # -> finish
