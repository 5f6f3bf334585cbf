# SPDX-License-Identifier: MIT
"""Threads: threads.py IDLE BUSY [churn]. BUSY of them flutter, IDLE wait.

With `churn` the busy ones end after a moment, and others are started in their place.
"""

import sys
import threading

from witness import Witness, chain, names

DEPTH = 12
IDLE = int(sys.argv[1]) if len(sys.argv) > 1 else 100
BUSY = int(sys.argv[2]) if len(sys.argv) > 2 else 3
CHURN = "churn" in sys.argv
W = Witness(
    __file__,
    from_lib=["idle", "busy"],
    exclusive=[names("a", DEPTH), names("b", DEPTH)],
    lib_roots=True,
)
SPACE = {}
exec(W.add_source(chain("a", DEPTH) + chain("b", DEPTH), "<threads>"), SPACE)
STOP = threading.Event()
WORK = [0] * max(1, BUSY)


def idle():
    STOP.wait()  # -> <lib>


def busy(number, a, b, rounds):
    while rounds:
        rounds -= 1
        WORK[number] += 1
        for _ in range(100):
            a()  # -> a0
            b()  # -> b0
        if STOP.is_set():  # -> <lib>
            break


def start(number):
    rounds = 20 if CHURN else -1
    t = threading.Thread(target=busy, args=(number, SPACE["a0"], SPACE["b0"], rounds))  # -> <lib>
    t.daemon = True  # -> <lib>
    t.start()  # -> <lib>
    return t


def main():
    for _ in range(IDLE):
        t = threading.Thread(target=idle)  # -> <lib>
        t.daemon = True  # -> <lib>
        t.start()  # -> <lib>
    threads = [start(i) for i in range(BUSY)]  # -> start, <listcomp>
    W.ready()  # -> ready
    while W.going(sum(WORK)):  # -> going
        if CHURN:
            for i in range(BUSY):
                threads[i].join()  # -> <lib>
                threads[i] = start(i)  # -> start, <lib>
        else:
            STOP.wait(0.02)  # -> <lib>
    STOP.set()  # -> <lib>


if __name__ == "__main__":
    main()  # -> main
    W.finish()  # -> finish
