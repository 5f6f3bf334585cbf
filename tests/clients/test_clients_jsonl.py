# SPDX-License-Identifier: MIT
"""JSON lines: each line is JSON, in the order promised, and all of them say what folded text says."""

import collections
import json

import pytest
from truth import escape

pytest_plugins = ["exported"]


def label(frame):
    function, line = frame
    name = function.name or "?"
    if function.kind != "python" or not function.file:
        return escape(name)
    return escape(f"{name} ({function.file}:{line})" if line else f"{name} ({function.file})")


def test_says_what_folded_says(exported, truth):
    wanted = collections.Counter()
    for line in exported("folded", "-p").read_text().splitlines():
        stack, count = line.rsplit(" ", 1)
        wanted[stack.replace("\\x20", " ")] += int(count)
    found = collections.Counter()
    for sample in truth.samples:
        found[";".join(map(label, sample.stack)).replace("\\x20", " ")] += sample.count
    assert +found == +wanted


def test_lines_are_in_order(exported):
    lines = exported("jsonl").read_bytes().split(b"\n")
    assert lines.pop() == b""
    records = [json.loads(line) for line in lines]
    assert records[0]["type"] == "meta"
    assert records[0]["format"] == "fireglass-jsonl" and records[0]["version"] == 1
    assert records[-1]["type"] == "end"
    seen = {kind: set() for kind in ("process", "thread", "function", "frame", "stack")}
    refers = {"thread": ["process"], "frame": ["function"], "stack": ["frame"],
              "sample": ["thread", "stack"], "marker": ["thread", "process"]}
    for record in records:
        kind = record["type"]
        needed = [(other, record[other]) for other in refers.get(kind, ())]
        if kind == "stack":
            needed.append(("stack", record["parent"]))
        for other, number in needed:
            assert number is None or number in seen[other]
        if kind in seen:
            assert record["id"] not in seen[kind]
            seen[kind].add(record["id"])


def test_counts_at_the_end(truth):
    assert truth.end["samples"] == len(truth.samples)
    assert truth.end["counts"] == truth.total
    assert truth.end["left_out"] == 0


@pytest.mark.parametrize("case", ["states"], indirect=True)
def test_all_columns(truth):
    assert {sample.state for sample in truth.samples} == {
        "unknown", "running", "runnable", "waiting", "stopped"}
    flags = {flag for sample in truth.samples for flag in sample.flags}
    assert flags == {"holds_gil", "waits_for_gil", "in_gc", "cut", "unreadable", "taken_over"}
    assert [(marker["name"], marker["text"], marker["thread"], marker["process"])
            for marker in truth.markers] == [
        ("request", "GET /cart", 1, 0), ("signal", "SIGUSR1", None, 0), ("deploy", "", None, None)]
    assert [(loss["reason"], loss["count"]) for loss in truth.losses] == [("missed", 5), ("room", 2)]
    assert truth.meta["facts"]["host"] == "workshop"
    assert truth.threads[1]["name"] == "pool"
