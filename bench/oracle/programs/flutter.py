# SPDX-License-Identifier: MIT
"""Two chains of tiny functions with frames of equal size, in turns: flutter.py DEPTH [BASE...]

With BASE, the chains are called from that many frames of recursion, one BASE after another: frames
then straddle the pieces of which the stack of a thread is made, which come and go with each call.
"""

import sys

from witness import Witness, chain, names

DEPTH = int(sys.argv[1]) if len(sys.argv) > 1 else 12
BASES = range(int(sys.argv[2]), int(sys.argv[3])) if len(sys.argv) > 3 else ()
W = Witness(__file__, exclusive=[names("a", DEPTH), names("b", DEPTH)])
SPACE = {}
exec(W.add_source(chain("a", DEPTH) + chain("b", DEPTH), "<flutter>"), SPACE)


def both(a, b, times):
    for _ in range(times):
        a()  # -> a0
        b()  # -> b0


def base(n, a, b):
    if n:
        base(n - 1, a, b)  # -> base
    else:
        both(a, b, 50)  # -> both


def main(a, b):
    work = 0
    while W.going(work):  # -> going
        work += 1
        if BASES:
            base(BASES[work % len(BASES)], a, b)  # -> base
        else:
            both(a, b, 200)  # -> both


if __name__ == "__main__":
    W.ready()  # -> ready
    main(SPACE["a0"], SPACE["b0"])  # -> main
    W.finish()  # -> finish
