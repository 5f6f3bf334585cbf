# SPDX-License-Identifier: MIT
"""A child made by fork from a thread that is not the first, and one made by multiprocessing."""

import multiprocessing
import os
import sys
import threading

from parked import park, run


def child_work():
    def inner():
        return park()

    inner()


def work_in_child(stdin=0):
    os.dup2(stdin, 0)  # multiprocessing gives its children /dev/null to read from
    run([("of the child", child_work)], child_work)


def fork_from_thread():
    if os.fork() == 0:
        work_in_child()
    os.read(0, 1)
    os._exit(0)


def main():
    if sys.argv[1] == "thread":
        thread = threading.Thread(target=fork_from_thread, name="forks")
        thread.start()
        thread.join()
        return
    methods = getattr(multiprocessing, "get_context", lambda name: multiprocessing)("fork")
    process = methods.Process(target=work_in_child, args=(os.dup(0),))
    process.start()
    process.join()


if __name__ == "__main__":
    main()
