# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT
"""The program in every image: two threads that stand still at known places.

tools/record_images.py replaces @LATIN@, @WIDE@ and @ASTRAL@ by names (not ASCII where the release
allows it: Latin-1, UCS-2 and UCS-4 strings) and gives this text to the interpreter, which says what
its own frames are, then waits until its standard input is closed.
"""
import os
import sys
import threading

try:
    from _thread import allocate_lock
except ImportError:
    from thread import allocate_lock

started, blocker = allocate_lock(), allocate_lock()
started.acquire()
blocker.acquire()


class Kiln(object):
    def heat(self, degrees):
        for value in self.rising(degrees):
            return value

    def rising(self, degrees):
        yield @LATIN@(
            degrees,
            [
                number
                for number in range(3)
            ],
            lambda: hold(),
        )


def @LATIN@(degrees, numbers, then):
    total = sum(numbers)
    return [
        @ASTRAL@(
            total,
            then) for _ in (
                degrees,
            )]


def @ASTRAL@(total, then):
    def inner(count):
        if count:
            return inner(count - 1)
        return max(
            total,
            then(),
        )
    return inner(3)


def say(text):
    os.write(1, (text + u"\n").encode("utf-8"))


def decoded(text):
    return text.decode("utf-8") if isinstance(text, bytes) else text


def say_frames(frame):
    while frame:
        code = frame.f_code
        name = decoded(getattr(code, "co_qualname", code.co_name))
        say(u"frame %d %d %s\t%s" % (
            frame.f_lineno, code.co_firstlineno, name, decoded(code.co_filename)))
        frame = frame.f_back


def report():
    for thread in threading.enumerate():
        main = thread.name == "MainThread"
        say(u"thread %d %d %s" % (thread.ident, main, decoded(thread.name)))
        # the function that waits does so on the line on which it calls this one
        say_frames(sys._getframe(1) if main else sys._current_frames()[thread.ident])
    say(u"parked")


def hold():
    return report() or len(os.read(0, 1))


def @WIDE@():
    return started.release() or blocker.acquire()


worker = threading.Thread(target=@WIDE@, name="@WORKER@")
worker.daemon = True
worker.start()
started.acquire()
Kiln().heat(1200)
