# SPDX-License-Identifier: MIT
# fmt: off
"""Recursion: 500 deep and more, over several data-stack chunks, through C and generators."""

import sys
import threading

from parked import park, park_in_lock, prefixed, run

DEPTH = 500


def down(n):
    if n:
        return down(n - 1)
    return park()


def even(n):
    return odd(n - 1) if n else park()


def odd(n):
    return even(
        n - 1
    )


def wide(n, *args):
    a = b = c = d = e = f = g = h = n
    if n:
        return wide(n - 1, a, b, c, d, e, f, g, h)
    return park_in_lock()


class Tree(object):
    def __init__(self, depth):
        self.depth = depth

    def walk(self):
        if self.depth:
            for child in [Tree(self.depth - 1)]:
                child.walk()
        return park()


def mapped(n):
    return list(map(mapped, [n - 1])) if n else park()


def yielding(n):
    if n:
        for value in yielding(n - 1):
            yield value
    yield park()


def shape_500():
    down(DEPTH)


def shape_two():
    even(DEPTH)


def shape_wide():
    wide(DEPTH)


def shape_method():
    Tree(DEPTH).walk()


def shape_through_c():
    mapped(100)


def shape_generators():
    list(yielding(300))


def shape_3000():
    down(3000)


if __name__ == "__main__":
    sys.setrecursionlimit(20000)
    threading.stack_size(64 << 20)
    run(prefixed(globals()))
