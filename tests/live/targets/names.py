# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT
# fmt: off
"""Names of threads, set before and after the start, not at all, and 40 threads at once."""

import sys
import threading

from parked import park, run

PYTHON2 = sys.version_info < (3,)


def as_str(name):
    return name.encode("utf-8") if PYTHON2 else name


def renamed():
    threading.current_thread().name = "set after the start"
    park()


def renamed_twice():
    t = threading.current_thread()
    t.name = "first"
    t.name = as_str(u"f\u00fcnfte \u4e2d \U0001f525")
    park()


def set_name():
    getattr(threading.current_thread(), "setName")("by setName")
    park()


def empty():
    threading.current_thread().name = "a" * 300
    park()


class Worker(threading.Thread):
    """A subclass with attributes of its own: the name is not where it usually is."""

    def __init__(self):
        threading.Thread.__init__(self)
        for i in range(40):
            setattr(self, "attribute_%d" % i, i)
        self.name = "a subclass"

    def run(self):
        park()


THREADS = [
    ("set before the start", park),
    ("semi;colon 17", park),
    (as_str(u"Gr\u00fc\u00dfe"), park),
    ("renamed", renamed),
    ("renamed twice", renamed_twice),
    ("set name", set_name),
    ("long", empty),
] + [("pool-%d" % i, park) for i in range(33)]

if __name__ == "__main__":
    if len(sys.argv) > 1:
        threading.current_thread().name = sys.argv[1]
    worker = Worker()
    worker.daemon = True
    worker.start()
    run(THREADS, others=1)
