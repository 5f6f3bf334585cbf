# SPDX-License-Identifier: MIT
"""Busy stacks of one depth: target.py DEPTH THREADS. Prints `ready` once all are there.

All threads are busy at the depth they were told; they end with standard input.
"""

import os
import sys
import threading

DEPTH, THREADS = int(sys.argv[1]), int(sys.argv[2])
READY = threading.Semaphore(0)
sys.setrecursionlimit(DEPTH + 1000)


def down(n):
    if n > 1:
        down(n - 1)
    else:
        burn()


def burn():
    READY.release()
    x = 0
    while True:
        x += 1
        if x > 1000:
            x = 0
        x = x * 1


def run():
    down(DEPTH - 1) if DEPTH > 1 else burn()


def report():
    for _ in range(THREADS):
        READY.acquire()
    print("ready")
    sys.stdout.flush()
    os.read(0, 1)
    os._exit(0)


if __name__ == "__main__":
    threading.stack_size(64 << 20 if DEPTH > 500 else 1 << 20)
    threading.Thread(target=report).start()
    for _ in range(THREADS - 1):
        threading.Thread(target=run).start()
    if DEPTH > 3:
        down(DEPTH - 2)
    burn()
