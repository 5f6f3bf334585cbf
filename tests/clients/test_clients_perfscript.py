# SPDX-License-Identifier: MIT
"""perf script text: as the Firefox Profiler reads it, and by the expressions of other readers."""

import collections
import re

import pytest
from truth import escape

pytest_plugins = ["exported"]

WIDE_SPACES = "\u00a0\u1680\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200b)))


def file_name(text):
    return "".join(f"\\x{ord(c):02x}" if c in " ()" else
                   (f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}")
                   if c in WIDE_SPACES else c for c in escape(text))


def symbol(frame):
    function, line = frame
    name = escape(function.name or "?")
    if function.kind != "python":
        return re.sub(r"^\((.*)\)$", r"[\1]", name)
    if not function.file:
        return f"py::{name}"
    return f"py::{name}:{file_name(function.file)}" + (f":{line}" if line else "")


def thread_name(text):
    name = "".join("_" if c == " " or c in WIDE_SPACES else c for c in escape(text)) or "thread"
    return name + "_" if len(name) == 1 else name


# ---- readers' expressions, in our words ----------------------------------------------------------

# comm, pid/tid, seconds, period, event; stackcollapse-perf.pl, speedscope and FlameScope want this
EVENT = re.compile(r"^(\S.+?)\s+(\d+)/(\d+)\s+(\d+\.\d+):\s+(\d+)\s+(\S+):\s*$")
# address, symbol, file: neither of the latter two may confuse where they part
FRAME = re.compile(r"^\s*(\w+)\s*(.+) \((\S*)\)$")


def parse(path):
    event = None
    for line in path.read_text().split("\n"):
        if line.startswith("#"):
            continue
        if not line:
            if event:
                yield event
            event = None
        elif event is None:
            match = EVENT.match(line)
            assert match, line
            event = (*match.groups(), [])
        else:
            match = FRAME.match(line)
            assert match, line
            assert not match[2].startswith("(")
            event[-1].insert(0, match[2])
    assert event is None


def test_reads_back(exported, truth):
    events = list(parse(exported("perfscript", "-p")))
    assert len(events) == len(truth.samples)
    for sample, event in zip(truth.samples, events):
        name, pid, tid, seconds, period, kind, stack = event
        thread = truth.threads[sample.thread]
        assert name == thread_name(thread["name"])
        if thread["tid"]:
            assert int(tid) == thread["tid"]
            assert int(pid) == truth.processes[thread["process"]]["pid"]
        if sample.time_ns:
            assert round(float(seconds) * 1e6) == sample.time_ns // 1000
        assert int(period) == sample.count and kind == "samples"
        assert stack == [symbol(frame) for frame in sample.stack]


def test_firefox(firefox, firefox_refusal, exported, truth):
    if not truth.samples:
        # known for what it is by its header, but there is no thread to show
        assert "before it was loaded" in firefox_refusal(exported("perfscript", "-p"))
        return
    wanted = collections.defaultdict(list)
    for sample in truth.samples:
        wanted[sample.thread].append(sample)
    with firefox(exported("perfscript", "-p")) as cli:
        threads = cli.threads()
        assert len(threads) == len(wanted)
        names = collections.Counter(thread["name"] for thread in threads)
        assert names == collections.Counter(
            thread_name(truth.threads[row]["name"]) for row in wanted)
        tids = {truth.threads[row]["tid"]: row for row in wanted}
        for thread in threads[:10]:
            row = tids.get(int(thread["tid"]), 0)
            # it counts events, not their periods
            sums = truth.self_and_total(
                lambda frame: (symbol(frame), file_name(frame[0].file) or "[unknown]"),
                lambda sample: 1, wanted[row])
            found = cli.functions(thread)
            assert {name: tuple(pair) for name, pair in sums.items()} == found


@pytest.mark.parametrize("case", ["states"], indirect=True)
def test_marks_are_not_left_out(exported):
    text = exported("perfscript").read_text()
    for mark in ("[truncated]", "[not readable]", "[no Python frame]"):
        assert f" {mark} ([unknown])\n" in text
