# SPDX-License-Identifier: MIT
"""What a program of the oracle says of itself.

The first line on standard output is JSON: which functions there are and on which lines they can be,
which function is called on which line, where a stack begins. Calls are read from the comments
`# -> callee, callee` of the sources; `<lib>` stands for whatever is not the program's own file.
The last line, after SIGTERM, is JSON too: work done and time spent, as totals every 20 ms.

Between SIGUSR1 and SIGUSR2 the program runs the in-process profiler named by $ORACLE_INPROCESS.
Runs on 2.7 as well; no f-strings here.
"""

from __future__ import print_function

import dis
import json
import os
import re
import signal
import sys
import time

CALLS = re.compile(r"# -> (.+)$")
SNAPSHOT_SECONDS = 0.02
clock = getattr(time, "perf_counter", time.time)
wall = getattr(time, "monotonic", time.time)  # CLOCK_MONOTONIC: the runner's clock too


def lines_of(code):
    return {line for _, line in dis.findlinestarts(code) if line is not None} | {
        code.co_firstlineno
    }


class Witness(object):
    """`from_lib`: functions that other files call; `families`: rules for names made up as it goes;
    `exclusive`: sets of names of which no two meet in a stack."""

    def __init__(self, path, from_lib=(), families=(), exclusive=(), lib_roots=False):
        self.functions, self.calls, self.files = {}, {}, set()
        self.truth = {
            "program": os.path.basename(path),
            "args": sys.argv[1:],
            "roots": ["<module>"],
            "from_lib": list(from_lib),
            "families": list(families),
            "exclusive": [sorted(names) for names in exclusive],
            "lib_roots": lib_roots,
        }
        self.snapshots, self.next_snapshot = [], 0
        self.stopped = False
        self.command = None
        for name in (path, __file__):
            name = name[:-1] if name.endswith(".pyc") else name
            with open(name) as f:
                self.add_source(f.read(), name)

    def add_source(self, source, name):
        """Returns the code. Calls are those of the comments."""
        code = compile(source, name, "exec", 0, 1)
        self.files.add(os.path.basename(name))
        calls = {}
        for number, text in enumerate(source.split("\n"), 1):
            found = CALLS.search(text)
            if found:
                calls[number] = found.group(1).split(", ")
        self.add_code(code, calls)
        return code

    def add_code(self, code, calls):
        lines = lines_of(code)
        self.functions.setdefault(code.co_name, set()).update(lines)
        inner = set()
        for const in code.co_consts:
            if isinstance(const, type(code)):
                inner |= self.add_code(const, calls) - {const.co_firstlineno}
        for number in (lines & set(calls)) - inner:
            key = "%s:%d" % (code.co_name, number)
            self.calls[key] = sorted(set(self.calls.get(key, [])) | set(calls[number]))
        return lines | inner

    def ready(self):
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGUSR1, self.start_profiler)
        signal.signal(signal.SIGUSR2, self.stop_profiler)
        self.truth["files"] = sorted(self.files)
        self.truth["functions"] = dict((n, sorted(s)) for n, s in self.functions.items())
        self.truth["calls"] = self.calls
        self.truth["pid"] = os.getpid()
        print(json.dumps(self.truth))
        sys.stdout.flush()

    def stop(self, *_):
        self.stopped = True

    def start_profiler(self, *_):
        self.command = "start"

    def stop_profiler(self, *_):
        self.command = "stop"

    def going(self, work, spent=None):
        """Called by the program's outermost loop, often; False once it shall end."""
        now = wall()
        if now >= self.next_snapshot:
            self.snapshots.append((now, work, dict(spent or {})))
            self.next_snapshot = now + SNAPSHOT_SECONDS
        if self.command:
            import inprocess  # only where asked for

            inprocess.obey(self.command)  # -> <lib>
            self.command = None
        return not self.stopped

    def finish(self):
        print(json.dumps({"snapshots": self.snapshots}))
        sys.stdout.flush()


def chain(letter, depth, last="return 1", body="return {callee}()"):
    """Source of a chain of functions: a0 calls a1 calls a2 ..."""
    text = []
    for i in range(depth):
        text.append("def %s%d():" % (letter, i))
        if i + 1 < depth:
            callee = "%s%d" % (letter, i + 1)
            text.append("    " + body.format(callee=callee) + "  # -> " + callee)
        else:
            text.append("    " + last)
    return "\n".join(text) + "\n"


def names(letter, depth):
    return ["%s%d" % (letter, i) for i in range(depth)]
