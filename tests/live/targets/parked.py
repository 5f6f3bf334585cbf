# SPDX-License-Identifier: MIT
"""Threads that stand still at a stack everybody knows. Runs on 2.7 to 3.15.

A target calls `run([(name, function), ...])`. Each function runs in a thread of its own and ends up
in `park()`; so does the main thread. A reporter thread, which the truth leaves out, waits until all
of them stand there, asks the interpreter itself for their frames (sys._current_frames) and prints
them as one line of JSON, then "ready". Standard input closing lets everything go.
"""

import json
import os
import sys
import threading
import time

try:
    from thread import allocate_lock, get_ident
except ImportError:
    from _thread import allocate_lock, get_ident

NATIVE_IDS = {}
PARKS = ("park", "park_in_lock")
_arrivals = os.pipe()
_gate = allocate_lock()
_gate.acquire()


def native_id():
    if hasattr(threading, "get_native_id"):
        return threading.get_native_id()
    return int(os.readlink("/proc/thread-self").rsplit("/", 1)[1])


def arrive():
    NATIVE_IDS[get_ident()] = native_id()
    os.write(_arrivals[1], b"x")
    return 1


# One line each: the line is the same before and during the wait.
def park(*ignored):
    return os.read(0, arrive())


def park_in_lock(*ignored):
    return _gate.acquire(arrive())


def text(name):
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name


def function_name(code):
    return text(getattr(code, "co_qualname", code.co_name))


def frames_of(frame):
    """[[function, file, line], ...], root first."""
    frames = []
    while frame is not None:
        frames.append([function_name(frame.f_code), text(frame.f_code.co_filename), frame.f_lineno])
        frame = frame.f_back
    return frames[::-1]


def all_parked(count):
    while True:
        frames = sys._current_frames()
        if sum(f.f_code.co_name in PARKS for f in frames.values()) >= count:
            return frames
        del frames
        time.sleep(0.001)


def report(count, main_ident, more):
    for _ in range(count):
        os.read(_arrivals[0], 1)
    frames = all_parked(count)
    names = dict((t.ident, t.name) for t in threading.enumerate())
    truth = {
        "pid": os.getpid(),
        "reporter": native_id(),
        "threads": [
            {
                "tid": NATIVE_IDS[ident],
                "name": text(names[ident]),
                "main": ident == main_ident,
                "frames": frames_of(frame),
            }
            for ident, frame in frames.items()
            if ident in NATIVE_IDS
        ],
    }
    truth.update(more)
    del frames
    out = os.fdopen(1, "w")
    out.write(json.dumps(truth) + "\nready\n")
    out.flush()
    _gate.acquire(True)


def start(function, *args, **options):
    thread = threading.Thread(target=function, args=args, **options)
    thread.daemon = True
    thread.start()
    return thread


def run(threads, main=park, others=0, **more):
    """`others` threads more come to park() by themselves."""
    start(report, len(threads) + 1 + others, get_ident(), more, name="reporter")
    for name, function in threads:
        start(function, name=name)
    main()
    os._exit(0)


def prefixed(namespace, prefix="shape_"):
    """The functions of a module that are shapes, as threads for run()."""
    return [(n[len(prefix) :], f) for n, f in sorted(namespace.items()) if n.startswith(prefix)]
