# SPDX-License-Identifier: MIT
"""What is in a golden capture, counted here, for comparison with what clients make of its exports.

The samples come from the JSON lines; test_clients_jsonl.py holds these against the folded export.
"""

import collections
import itertools
import json

Function = collections.namedtuple("Function", "name file first_line kind")
Sample = collections.namedtuple("Sample", "time_ns thread stack count cpu_ns state flags")


def mark(name):
    return Function(name, "", 0, "mark")


class Truth:
    """`samples` as recorded, their stacks as lists of (Function, line), root first, with marks."""

    def __init__(self, lines):
        self.meta, self.end = None, None
        self.processes, self.threads = {}, {}
        self.functions, self.frames, self.stacks = {}, {}, {}
        self.samples, self.markers, self.losses = [], [], []
        for line in lines:
            record = json.loads(line)
            getattr(self, "_" + record.pop("type"))(record)

    def _meta(self, record):
        self.meta = record

    def _process(self, record):
        self.processes[record["id"]] = record

    def _thread(self, record):
        assert record["process"] is None or record["process"] in self.processes
        self.threads[record["id"]] = record

    def _function(self, record):
        self.functions[record["id"]] = Function(
            record["name"], record["file"], record["first_line"], record["kind"])

    def _frame(self, record):
        self.frames[record["id"]] = (self.functions[record["function"]], record["line"])

    def _stack(self, record):
        parent = record["parent"]
        above = [] if parent is None else self.stacks[parent]
        self.stacks[record["id"]] = [*above, self.frames[record["frame"]]]

    def _marker(self, record):
        self.markers.append(record)

    def _loss(self, record):
        self.losses.append(record)

    def _sample(self, record):
        stack = [] if record["stack"] is None else self.stacks[record["stack"]]
        if "cut" in record["flags"]:
            stack = [*stack, (mark("(truncated)"), 0)]
        elif "unreadable" in record["flags"]:
            stack = [(mark("(not readable)"), 0)]
        elif not stack:
            stack = [(mark("(no Python frame)"), 0)]
        assert record["thread"] in self.threads
        self.samples.append(Sample(record["time_ns"], record["thread"], stack, record["count"],
                                   record["cpu_ns"], record["state"], record["flags"]))

    def _end(self, record):
        self.end = record

    @property
    def total(self):
        return sum(sample.count for sample in self.samples)

    @property
    def period_s(self):
        period = self.meta["period_ns"]
        return period / 1e9 if period else 1

    def of_thread(self, row):
        return [sample for sample in self.samples if sample.thread == row]

    def self_and_total(self, key=lambda frame: frame[0], weight=lambda sample: sample.count,
                       samples=None):
        """{key: [self, total]}, a stack counting once for each key in it."""
        sums = collections.defaultdict(lambda: [0, 0])
        for sample in self.samples if samples is None else samples:
            keys = [key(frame) for frame in sample.stack]
            sums[keys[-1]][0] += weight(sample)
            for one in set(keys):
                sums[one][1] += weight(sample)
        return dict(sums)

    def edges(self, key=lambda frame: frame[0]):
        """{(caller or None, callee): [self, total]}."""
        sums = collections.defaultdict(lambda: [0, 0])
        for sample in self.samples:
            keys = [None, *(key(frame) for frame in sample.stack)]
            pairs = list(itertools.pairwise(keys))
            sums[pairs[-1]][0] += sample.count
            for pair in set(pairs):
                sums[pair][1] += sample.count
        return dict(sums)

    def busiest_thread(self):
        """The row whose samples a .cpuprofile holds."""
        use = {row: [0, 0] for row in self.threads}
        for sample in self.samples:
            use[sample.thread][0] += sample.cpu_ns
            use[sample.thread][1] += sample.count
        return max(sorted(use), key=lambda row: use[row]) if self.total else None


def escape(text):
    """As export/label.h escapes names in lines of text."""
    named = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "".join(named.get(c) or (
        f"\\x{ord(c):02x}" if c == ";" or ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0 else
        f"\\u{ord(c):04x}" if c in "\u2028\u2029" else c) for c in text)
