# SPDX-License-Identifier: MIT
"""Threads that wait for locks, by the name of the case. Runs on 2.7 to 3.15.

Prints "ready" when all threads are about to wait where they are going to.
"""

import os
import sys
import threading

first, second = threading.Lock(), threading.Lock()
going = threading.Semaphore(0)
met = [threading.Event(), threading.Event()]


class Account(object):
    def __init__(self):
        self.lock = threading.RLock()


def meet(mine):
    """Both threads are here, each with its first lock."""
    met[mine].set()
    met[1 - mine].wait()
    going.release()


def take_both(one, other, mine):
    with one:
        meet(mine)
        with other:
            pass


def transfer(source, target, mine):
    source.lock.acquire()
    meet(mine)
    target.lock.acquire()


def again():
    with first:
        going.release()
        first.acquire()


def hold(lock):
    with lock:
        going.release()
        met[0].set()
        os.read(0, 1)


def hold_quietly(lock):
    """By acquire(): the lock does not tell who has it."""
    lock.acquire()
    going.release()
    met[0].set()
    os.read(0, 1)


def want(lock):
    met[0].wait()
    going.release()
    lock.acquire()


def left_before(lock, other):
    """Once had it in a with statement, and has not now."""
    with lock:
        pass
    going.release()
    met[1].set()
    with other:
        os.read(0, 1)


def wait_in_condition(condition, lock):
    with lock:
        going.release()
        met[1].set()
        condition.wait()


def hold_after(lock):
    met[1].wait()
    hold_quietly(lock)


def want_with_limit(lock):
    met[0].wait()
    going.release()
    if sys.version_info >= (3,):
        lock.acquire(True, 3600)
    else:
        os.read(0, 1)


def threads_of(case):
    a, b = Account(), Account()
    return {
        "two": [(take_both, first, second, 0), (take_both, second, first, 1)],
        "accounts": [(transfer, a, b, 0), (transfer, b, a, 1)],
        "again": [(again,)],
        "held": [(hold, first), (want, first)],
        "quiet": [(hold_quietly, first), (want, first)],
        "left": [(left_before, first, second), (hold_after, first), (want, first)],
        "condition": [
            (wait_in_condition, threading.Condition(first), first),
            (hold_after, first),
            (want, first),
        ],
        "limit": [(hold, first), (want_with_limit, first)],
    }[case]


def main(case):
    threads = []
    for n, work in enumerate(threads_of(case)):
        name = "%s-%d" % (work[0].__name__, n)
        threads.append(threading.Thread(target=work[0], args=work[1:], name=name))
        threads[-1].daemon = True
        threads[-1].start()
    for _ in threads:
        going.acquire()
    print("ready")
    sys.stdout.flush()
    for thread in threads:
        thread.join()


main(sys.argv[1])
