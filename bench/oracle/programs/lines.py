# SPDX-License-Identifier: MIT
"""One function whose lines use known shares of the time, by their own clock: lines.py CYCLE_US"""

import sys

from witness import Witness, clock

CYCLE = float(sys.argv[1]) * 1e-6 if len(sys.argv) > 1 else 2e-2
W = Witness(__file__)


def work_on(t, unit, spent):
    e = t + 8 * unit
    while clock() < e: pass  # noqa: E701  line A
    u = clock()
    spent[A] += u - t
    try:
        e = u + 4 * unit
        while clock() < e: pass  # noqa: E701  line B
        raise ValueError
    except ValueError:
        t = clock()
        spent[B] += t - u
        e = t + 2 * unit
        while clock() < e: pass  # noqa: E701  line C
    u = clock()
    spent[C] += u - t
    for _ in range(2):
        t = u
        e = t + unit
        while clock() < e: pass  # noqa: E701  line D
        u = clock()
        spent[D] += u - t
    return u


def places():
    with open(__file__[:-1] if __file__.endswith(".pyc") else __file__) as f:
        lines = f.read().split("\n")
    return ["work_on:%d" % (n + 1) for n, s in enumerate(lines) if s[:-1].endswith("  line ")]


A, B, C, D = places()


def main():
    work = 0
    spent = dict.fromkeys([A, B, C, D], 0.0)
    t = clock()
    while W.going(work, spent):  # -> going
        work += 1
        for _ in range(1 if CYCLE > 1e-3 else 10):
            t = work_on(t, CYCLE / 16, spent)  # -> work_on


if __name__ == "__main__":
    W.ready()  # -> ready
    main()  # -> main
    W.finish()  # -> finish
