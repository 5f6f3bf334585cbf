# SPDX-License-Identifier: MIT
"""Long calm, short flutter: bursts.py CALM_US BURST_US. A profiler that has got used to the calm
meets the first moments of each burst with the way of reading that was good enough until then.
"""

import sys

from witness import Witness, chain, clock, names

DEPTH = 12
CALM = float(sys.argv[1]) * 1e-6 if len(sys.argv) > 1 else 2e-2
BURST = float(sys.argv[2]) * 1e-6 if len(sys.argv) > 2 else 1e-3
W = Witness(__file__, exclusive=[names("a", DEPTH), names("b", DEPTH)])
SPACE = {}
exec(W.add_source(chain("a", DEPTH) + chain("b", DEPTH), "<bursts>"), SPACE)


def calm(end):
    now = clock()
    while now < end:
        now = clock()
    return now


def burst(end, a, b):
    now = clock()
    while now < end:
        for _ in range(20):
            a()  # -> a0
            b()  # -> b0
        now = clock()
    return now


def main(a, b):
    work = 0
    spent = {"calm": 0.0, "burst/": 0.0}
    t = clock()
    while W.going(work, spent):  # -> going
        work += 1
        u = calm(t + CALM)  # -> calm
        spent["calm"] += u - t
        t = burst(u + BURST, a, b)  # -> burst
        spent["burst/"] += t - u


if __name__ == "__main__":
    W.ready()  # -> ready
    main(SPACE["a0"], SPACE["b0"])  # -> main
    W.finish()  # -> finish
