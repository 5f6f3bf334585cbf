# SPDX-License-Identifier: MIT
"""Sub-interpreters, where this Python can make them: each in a thread, parked inside.

sys._current_frames() keeps one stack per thread, and here a thread has one in each interpreter: so
each tells its own, on the very line on which it parks.
"""

import json
import os
import sys
import threading

from parked import frames_of, native_id

INSIDE = """
import os, sys
sys.path.insert(0, %(path)r)
from parked import frames_of
import json

class Inner(object):
    def work(self):
        return os.read(0, tell(sys._getframe()))

def tell(frame):
    os.write(%(fd)d, (json.dumps(frames_of(frame)) + "\\n").encode())
    return 1

def outer():
    return Inner().work()

outer()
"""


def interpreters_module():
    for name in ("_interpreters", "_xxsubinterpreters"):
        try:
            return __import__(name)
        except ImportError:
            pass
    raise ImportError("no module for sub-interpreters")


def create(module):
    """One that lets us import what we like, json's C part among it."""
    try:
        return module.create("legacy")  # 3.13: by the name of a configuration
    except TypeError:
        pass
    try:
        return module.create(isolated=False)  # 3.9 to 3.12
    except TypeError:
        return module.create()


def run_inside(module, fd, truths, told):
    identifier = create(module)
    source = INSIDE % {"path": os.path.dirname(os.path.abspath(__file__)), "fd": fd[1]}
    truths.append({"tid": native_id(), "frames": []})
    run_string = module.run_string
    truths[-1]["outside"] = frames_of(sys._getframe()); told.release(); run_string(identifier, source)  # fmt: skip # noqa: E501,E702


def main():
    module = interpreters_module()
    truths = []
    for _ in range(2):
        fd = os.pipe()
        told = threading.Semaphore(0)
        thread = threading.Thread(target=run_inside, args=(module, fd, truths, told))
        thread.daemon = True
        thread.start()
        told.acquire()
        truths[-1]["frames"] = json.loads(os.fdopen(fd[0]).readline())
    print(json.dumps({"pid": os.getpid(), "threads": truths}) + "\nready")
    sys.stdout.flush()
    os.read(0, 1)
    os._exit(0)


if __name__ == "__main__":
    main()
