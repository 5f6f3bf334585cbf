# SPDX-License-Identifier: MIT
"""Frames that live outside the stack: generators.py fresh|kept|shared

fresh   chains of `yield from`, made and thrown away
kept    two such chains that live on, resumed in turns by next()
shared  one generator, resumed through two different chains of functions in turns
"""

import sys

from witness import Witness, chain, names

DEPTH = 12
MODE = sys.argv[1] if len(sys.argv) > 1 else "fresh"
W = Witness(
    __file__,
    exclusive=[
        names("a", DEPTH) + ["leaf_a"] + names("x", DEPTH),
        names("b", DEPTH) + ["leaf_b"] + names("y", DEPTH),
    ],
)
LAST = "for _ in LOOP: yield leaf_{0}()  # -> leaf_{0}"
SOURCE = (
    chain("a", DEPTH, LAST.format("a"), "yield from {callee}()")
    + chain("b", DEPTH, LAST.format("b"), "yield from {callee}()")
    + chain("x", DEPTH, "return next(SHARED)  # -> shared")
    + chain("y", DEPTH, "return next(SHARED)  # -> shared")
    + "def leaf_a():\n    return 1\ndef leaf_b():\n    return 1\n"
    + "def forever():\n    while True: yield\n"
)


def shared():
    while True:
        yield SPACE["leaf_a"]()  # -> leaf_a
        yield SPACE["leaf_b"]()  # -> leaf_b


class Endless(object):
    """An iterator without a frame of its own."""

    def __iter__(self):
        return iter(int, 1)


SPACE = {"LOOP": range(4) if MODE == "fresh" else Endless()}
exec(W.add_source(SOURCE, "<generators>"), SPACE)
SPACE["SHARED"] = shared()


def fresh(a, b):
    for _ in a():  # -> a0
        pass
    for _ in b():  # -> b0
        pass


def kept(a, b):
    for _ in range(50):
        next(a)  # -> a0
        next(b)  # -> b0


def through(x, y):
    for _ in range(50):
        x()  # -> x0
        y()  # -> y0


def main():
    work = 0
    a, b = SPACE["a0"](), SPACE["b0"]()  # -> a0, b0
    while W.going(work):  # -> going
        work += 1
        if MODE == "fresh":
            fresh(SPACE["a0"], SPACE["b0"])  # -> fresh
        elif MODE == "kept":
            kept(a, b)  # -> kept
        else:
            through(SPACE["x0"], SPACE["y0"])  # -> through


if __name__ == "__main__":
    W.ready()  # -> ready
    main()  # -> main
    W.finish()  # -> finish
