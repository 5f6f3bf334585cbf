# SPDX-License-Identifier: MIT
"""The whole stack turns over every few microseconds: recursion.py DEPTH"""

import sys

from witness import Witness

DEPTH = int(sys.argv[1]) if len(sys.argv) > 1 else 12
sys.setrecursionlimit(DEPTH + 1000)
W = Witness(__file__, exclusive=[["a"], ["b"]])


def a(n):
    if n:
        return a(n - 1)  # -> a
    return 0


def b(n):
    if n:
        return b(n - 1)  # -> b
    return 0


def main():
    work = 0
    while W.going(work):  # -> going
        work += 1
        for _ in range(1 + 1000 // DEPTH):
            a(DEPTH)  # -> a
            b(DEPTH)  # -> b


if __name__ == "__main__":
    W.ready()  # -> ready
    main()  # -> main
    W.finish()  # -> finish
