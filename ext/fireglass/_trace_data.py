# SPDX-License-Identifier: MIT
"""What tracers have counted, put together: of several tracers, and without our own frames.

A function is a code object, or the text of a C function ("<built-in method builtins.len>"). Code
objects are told apart by identity: those of two files may well be equal.
"""

import os
import time

HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
OWN_METHODS = (" fireglass.", " _fireglass.", "'fireglass.", "'_fireglass.")
STEPS = {
    "<method '%s' of '%s' objects>" % (method, kind)
    for method in ("send", "throw", "close")
    for kind in ("coroutine", "generator", "async_generator_asend", "async_generator_athrow")
}


def is_own(code):
    """A part of fireglass itself, that nobody wants to see."""
    if isinstance(code, str):
        return any(part in code for part in OWN_METHODS)
    return code.co_filename.startswith(HERE)


class Source:
    """A tracer, and what of it is not shown."""

    def __init__(self, tracer, stepped=False):
        self.tracer = tracer
        self._stepped = stepped  # coroutines and generators are run by steps of ours

    def hides(self, code):
        return is_own(code) or (self._stepped and code in STEPS)


def key_of(code):
    return code if isinstance(code, str) else id(code)


def name_of(code):
    """As people know it: with its class where the Python tells (3.11+)."""
    if isinstance(code, str):
        return code
    return getattr(code, "co_qualname", code.co_name)


def place_of(code):
    """(file, first line); of C functions ("", 0)."""
    return ("", 0) if isinstance(code, str) else (code.co_filename, code.co_firstlineno)


class Function:
    """All calls of one function. Times are nanoseconds; callees: {key: Callee}."""

    __slots__ = (
        "code", "calls", "primitive", "total_ns", "self_ns", "total_cpu_ns", "self_cpu_ns",
        "callees",
    )  # fmt: skip

    def __init__(self, code):
        self.code = code
        self.calls = self.primitive = 0
        self.total_ns = self.self_ns = self.total_cpu_ns = self.self_cpu_ns = 0
        self.callees = {}

    def add(self, calls, primitive, total_ns, self_ns, total_cpu_ns, self_cpu_ns):
        self.calls += calls
        self.primitive += primitive
        self.total_ns += total_ns
        self.self_ns += self_ns
        self.total_cpu_ns += total_cpu_ns
        self.self_cpu_ns += self_cpu_ns


class Callee:
    """Calls of one function by one other."""

    __slots__ = ("code", "calls", "primitive", "total_ns", "self_ns")

    def __init__(self, code):
        self.code = code
        self.calls = self.primitive = self.total_ns = self.self_ns = 0

    def add(self, calls, primitive, total_ns, self_ns):
        self.calls += calls
        self.primitive += primitive
        self.total_ns += total_ns
        self.self_ns += self_ns


def functions_of(sources):
    """[Function], in the order in which they were first seen."""
    functions = {}
    for source in sources:
        entries = source.tracer.entries()
        for code, *numbers, _ in entries:
            if not source.hides(code):
                functions.setdefault(key_of(code), Function(code)).add(*numbers)
        for code, *_, callees in entries:
            if callees and not source.hides(code):
                _add_callees(functions[key_of(code)].callees, entries, callees, source)
    return list(functions.values())


def _add_callees(into, entries, callees, source):
    for index, *numbers in callees:
        code = entries[index][0]
        if not source.hides(code):
            into.setdefault(key_of(code), Callee(code)).add(*numbers)


class Node:
    """A place in the call trees: a function, as called by all those above it, on one thread."""

    __slots__ = ("parent", "thread", "code", "calls", "total_ns", "self_ns", "self_cpu_ns")

    def __init__(self, parent, thread, code):
        self.parent, self.thread, self.code = parent, thread, code
        self.calls = self.total_ns = self.self_ns = self.self_cpu_ns = 0

    def add(self, calls, total_ns, self_ns, self_cpu_ns):
        self.calls += calls
        self.total_ns += total_ns
        self.self_ns += self_ns
        self.self_cpu_ns += self_cpu_ns


class Trees:
    """nodes: [Node], parents (as rows, -1: none) first; threads: [(tid, name)]; calls(): each
    call of a timeline as (thread row, node row, start_ns, end_ns), since the epoch."""

    def __init__(self, sources):
        self.nodes, self.threads = [], []
        self._rows = {}  # (parent, thread, key): row
        self._thread_rows = {}
        self._parts = [(source.tracer, *self._add(source)) for source in sources]

    def _add(self, source):
        """The rows here of its threads and of its nodes; None: hidden."""
        threads = [self._thread(tid, name) for tid, name in source.tracer.threads()]
        above, rows = [], []
        for parent, thread, code, *numbers in source.tracer.tree():
            caller = above[parent] if parent >= 0 else -1
            if source.hides(code):
                above.append(caller)  # what it calls is called by who called it
                rows.append(None)
                continue
            row = self._node(caller, threads[thread], code)
            self.nodes[row].add(*numbers)
            above.append(row)
            rows.append(row)
        return threads, rows

    def _thread(self, tid, name):
        row = self._thread_rows.setdefault((tid, name), len(self.threads))
        if row == len(self.threads):
            self.threads.append((tid, name))
        return row

    def _node(self, parent, thread, code):
        row = self._rows.setdefault((parent, thread, key_of(code)), len(self.nodes))
        if row == len(self.nodes):
            self.nodes.append(Node(parent, thread, code))
        return row

    def calls(self):
        offset_ns = _monotonic_to_wall_ns()
        for tracer, threads, rows in self._parts:
            for thread, node, start_ns, end_ns in tracer.calls():
                if rows[node] is not None:
                    yield threads[thread], rows[node], start_ns + offset_ns, end_ns + offset_ns

    def paths(self):
        """Each node's row with the keys of the functions above it."""
        above = []
        for row, node in enumerate(self.nodes):
            parent = node.parent
            if parent < 0:
                above.append(frozenset())
            else:
                above.append(above[parent] | {key_of(self.nodes[parent].code)})
            yield row, above[row]


def _monotonic_to_wall_ns():
    """What CLOCK_MONOTONIC lacks to the time since the epoch; the closest of some readings."""
    best = None
    for _ in range(5):
        before = time.monotonic_ns()
        wall = time.time_ns()
        after = time.monotonic_ns()
        if best is None or after - before < best[0]:
            best = (after - before, wall - (before + after) // 2)
    return best[1]
