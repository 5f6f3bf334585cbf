# SPDX-License-Identifier: MIT
"""A tree of processes, each busy in a function of its own; all end when the first one is gone.

tree.py WORD...: what the first process starts. `fork`: a child; `thread`: a child, from a thread;
`spawn`: a Python of its own; `shell`: one below a shell; `nested`: a fork that forks. The first line
printed says which process is in which function.
"""

import json
import os
import subprocess
import sys
import threading


def spin(n):
    total = 0
    while n:
        total += n & 3
        n -= 1
    return total


def busy(first):
    """Until the first process is gone."""
    while True:
        spin(20000)
        try:
            os.kill(first, 0)
        except OSError:
            return


def first_work(first):
    busy(first)


def forked_work(first):
    busy(first)


def nested_work(first):
    busy(first)


def spawned_work(first):
    busy(first)


def tell(out, name):
    os.write(out, ("%d %s\n" % (os.getpid(), name)).encode())


def fork(first, out, nested=False):
    pid = os.fork()
    if pid:
        return pid
    tell(out, "nested_work" if nested else "forked_work")
    if nested:
        fork(first, out)
        nested_work(first)
    forked_work(first)
    os._exit(0)


def spawn(first, out, shell):
    arguments = [sys.executable, "-B", os.path.abspath(__file__), "--spawned", str(first), str(out)]
    if shell:
        arguments = ["/bin/sh", "-c", '"$@"; true', "sh"] + arguments
    options = {"pass_fds": [out]} if sys.version_info >= (3,) else {}
    if sys.version_info >= (3, 4):
        os.set_inheritable(out, True)
    return subprocess.Popen(arguments, **options)


def main(words):
    first = os.getpid()
    reading, writing = os.pipe()
    kept = []
    expected = {"fork": 1, "thread": 1, "spawn": 1, "shell": 1, "nested": 2}
    for word in words:
        if word == "fork":
            fork(first, writing)
        elif word == "nested":
            fork(first, writing, nested=True)
        elif word == "thread":
            thread = threading.Thread(target=fork, args=(first, writing))
            thread.start()
            thread.join()
        else:
            kept.append(spawn(first, writing, word == "shell"))
    said = {str(first): "first_work"}
    text = b""
    while len(said) < 1 + sum(expected[w] for w in words):
        text += os.read(reading, 4096)
        for line in text.decode().split("\n")[:-1]:
            pid, name = line.split()
            said[pid] = name
    print(json.dumps(said))
    print("ready")
    sys.stdout.flush()
    first_work(first)


if __name__ == "__main__":
    if sys.argv[1] == "--spawned":
        tell(int(sys.argv[3]), "spawned_work")
        spawned_work(int(sys.argv[2]))
    else:
        main(sys.argv[1:])
