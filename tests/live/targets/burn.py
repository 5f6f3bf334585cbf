# SPDX-License-Identifier: MIT
# fmt: off
"""Burns the processor in known chains of calls.

The truth is in the source: `# -> a, b` on a line says that this line of this function calls a or b.
tests/live/oracle.py reads it. The chains are short and change all the time. (Before 3.8, a call
of several lines happens where its arguments end.)
"""

import functools
import sys
import threading


def spin(n):
    total = 0
    while n:
        total += n & 3
        n -= 1
    return total


class Worker(object):
    def __init__(self, n):
        self.n = n

    def step(self):
        return self.left() + self.right(  # -> left, right
            self.n  # -> right
        )

    def left(self):
        return descend(4)  # -> descend

    def right(self, n):
        return closure(n)  # -> closure

    @property
    def value(self):
        return spin(40)  # -> spin

    @classmethod
    def of_class(cls, n):
        return spin(n)  # -> spin


def descend(n):
    if n:
        return descend(n - 1)  # -> descend
    return spin(60)  # -> spin


def closure(n):
    def inner():
        return spin(n)  # -> spin

    return inner() + Worker(3).value  # -> inner, __init__, value


def produce(n):
    for i in range(n):
        yield spin(20) + i  # -> spin


def pipe(below):
    for value in below:  # -> produce
        yield value


def consume():
    total = 0
    for value in pipe(produce(3)):  # -> pipe, produce
        total += value
    return total


def key(value):
    return spin(value)  # -> spin


def add(a, b):
    return spin(15) + a + b  # -> spin


def called_back():
    ordered = sorted([30, 20, 10], key=key)  # -> key
    return functools.reduce(add, ordered)  # -> add


def small_a():
    return small_b()  # -> small_b


def small_b():
    return small_c()  # -> small_c


def small_c():
    return 1


def chain_a():
    for _ in range(30):
        small_a()  # -> small_a
    return 2


def chain_b():
    for _ in range(30):
        small_c()  # -> small_c
    return 3


def work():
    worker = Worker(50)  # -> __init__
    while True:
        worker.step()  # -> step
        consume()  # -> consume
        called_back()  # -> called_back
        chain_a()  # -> chain_a
        chain_b()  # -> chain_b
        Worker.of_class(30)  # -> of_class


def main(threads):
    started = [threading.Semaphore(0) for _ in range(threads)]

    def thread_main(semaphore):
        semaphore.release()
        work()  # -> work

    for semaphore in started:
        thread = threading.Thread(target=thread_main, args=(semaphore,))
        thread.daemon = True
        thread.start()
    for semaphore in started:
        semaphore.acquire()
    print("ready")
    sys.stdout.flush()
    work()  # -> work


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)  # -> main
