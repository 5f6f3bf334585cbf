# SPDX-License-Identifier: MIT
"""Busy stacks of one depth: target.py DEPTH THREADS. Prints `ready` once all are there.

The main thread has DEPTH frames; the others as many, and those with which threads begin. Ends by
itself after some minutes, in case that nobody ends it.
"""

import signal
import sys
import threading

DEPTH, THREADS = int(sys.argv[1]), int(sys.argv[2])
LIFE_SECONDS = 1800
THERE = threading.Semaphore(0)
sys.setrecursionlimit(DEPTH + 1000)


def down(n):
    if n:
        down(n - 1)
    else:
        burn()


def burn():
    THERE.release()
    x = 0
    while True:
        x += 1
        if x > 1000:
            x = 0
        x = x * 1


if __name__ == "__main__":
    signal.alarm(LIFE_SECONDS)
    threading.stack_size((64 << 20) if DEPTH > 500 else (1 << 20))
    for _ in range(THREADS - 1):
        threading.Thread(target=down, args=(max(DEPTH - 2, 0),), daemon=True).start()
    for _ in range(THREADS - 1):
        THERE.acquire()
    print("ready")
    sys.stdout.flush()
    if DEPTH > 2:
        down(DEPTH - 3)
    elif DEPTH == 2:
        burn()
    while True:
        x = 0
        while x < 1000:
            x += 1
