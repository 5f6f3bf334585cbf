# SPDX-License-Identifier: MIT
"""What was traced, as a capture: the page, and all that `fireglass export` writes.

A sample's weight is nanoseconds of self time (its period is 1 ns), so that all views show times.
Without a timeline each place in the call trees is one sample. With one, each stretch of time between
two calls or returns is a sample (cut into several where it is long), and each call is a span.
"""

import os
import sys
import time

from . import _fireglass, _trace_data

TICKS = 2000  # of a timeline's whole length: no sample stands for a longer time
MOST_SPANS = 100_000  # the longest calls; the others are in the samples


def write(trace, fd):
    trees = trace._trees()
    builder = _fireglass.Builder(fd, _facts(trace))
    tables = Tables(builder, trees)
    calls = sorted(trees.calls(), key=lambda call: (call[2], -call[3])) if trace._timeline else []
    if calls:
        builder.fact("start_ns", str(calls[0][2]))
        builder.fact("end_ns", str(max(call[3] for call in calls)))
        spans = Spans(builder, tables, calls)
        _add_timeline(builder, tables, calls, spans)
        if spans.left_out:
            builder.fact("spans_left_out", str(spans.left_out))
    else:
        builder.fact("clock", "made up")  # times of samples say nothing
        _add_trees(builder, tables, trees)
    builder.finish()


def _facts(trace):
    info = trace.info()
    facts = {
        "period_ns": "1",
        "unit": "ns",  # exact: nothing is left to chance, as it is with samples
        "python": ".".join(map(str, sys.version_info[:3])),
        "python_build": sys.executable or "",
        "traced": "calls",
    }
    for key in ("backend", "events", "lost", "overhead_ns"):
        if info.get(key):
            facts["tracer." + key] = str(info[key])
    return facts


class Tables:
    """Rows of the builder for threads, and for nodes of the trees: their stacks."""

    def __init__(self, builder, trees):
        self.builder, self.trees = builder, trees
        now = time.time_ns()
        main = str(os.getpid())
        self.threads = [
            builder.thread(tid, name, main=str(tid) == main or name == "MainThread", start_ns=now)
            for tid, name in trees.threads
        ]
        self._functions, self.stacks = {}, []
        for node in trees.nodes:
            parent = -1 if node.parent < 0 else self.stacks[node.parent]
            self.stacks.append(builder.stack(parent, self._function(node.code), 0))

    def _function(self, code):
        key = _trace_data.key_of(code)
        if key not in self._functions:
            file, line = _trace_data.place_of(code)
            self._functions[key] = self.builder.function(_trace_data.name_of(code), file, line)
        return self._functions[key]

    def name(self, node):
        return _trace_data.name_of(self.trees.nodes[node].code)


def _add_trees(builder, tables, trees):
    now = time.time_ns()
    for row, node in enumerate(trees.nodes):
        if node.self_ns > 0:
            builder.sample(
                tables.threads[node.thread],
                tables.stacks[row],
                now,
                count=node.self_ns,
                cpu_ns=node.self_cpu_ns,
            )


# ---- a timeline ----------------------------------------------------------------------------------


class Spans:
    """Calls as spans, in the order of `calls`: row() of each, 0 where it is none."""

    def __init__(self, builder, tables, calls):
        self._builder, self._tables = builder, tables
        self.left_out = max(len(calls) - MOST_SPANS, 0)
        lengths = sorted((end - start for _, _, start, end in calls), reverse=True)
        self._least_ns = lengths[MOST_SPANS] + 1 if self.left_out else 0
        self._left_out = 0

    def row(self, call, parent):
        thread, node, start_ns, end_ns = call
        if end_ns - start_ns < self._least_ns:
            return parent
        return self._builder.span(
            parent, self._tables.threads[thread], self._tables.name(node), "", start_ns, end_ns
        )


class Thread:
    """What one thread is doing while the calls are gone through by their begins."""

    def __init__(self, thread, add):
        self.open = []  # (end_ns, node, span)
        self.now_ns = 0
        self._thread, self._add = thread, add

    def until(self, time_ns):
        """Time passes; calls end."""
        while self.open and self.open[-1][0] <= time_ns:
            end_ns, node, span = self.open.pop()
            self._spend(end_ns, node, span)
        if self.open:
            self._spend(time_ns, *self.open[-1][1:])
        self.now_ns = max(self.now_ns, time_ns)

    def _spend(self, end_ns, node, span):
        if end_ns > self.now_ns:
            self._add(self._thread, node, span, self.now_ns, end_ns)
            self.now_ns = end_ns


def _add_timeline(builder, tables, calls, spans):
    samples, threads = [], {}
    first_ns = calls[0][2]
    tick_ns = max((max(call[3] for call in calls) - first_ns) // TICKS, 1)

    def add(thread, node, span, start_ns, end_ns):
        while start_ns < end_ns:
            next_ns = min(end_ns, start_ns + tick_ns - (start_ns - first_ns) % tick_ns)
            samples.append((next_ns, thread, node, span, next_ns - start_ns))
            start_ns = next_ns

    for call in calls:
        thread = threads.setdefault(call[0], Thread(call[0], add))
        thread.until(call[2])
        parent = thread.open[-1][2] if thread.open else 0
        thread.open.append((call[3], call[1], spans.row(call, parent)))
    for thread in threads.values():
        while thread.open:
            thread.until(thread.open[-1][0])
    samples.sort(key=lambda sample: sample[0])
    for time_ns, thread, node, span, ns in samples:
        builder.sample(
            tables.threads[thread], tables.stacks[node], time_ns, count=ns, span=span
        )
