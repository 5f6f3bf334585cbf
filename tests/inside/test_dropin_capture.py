# SPDX-License-Identifier: MIT
"""What was traced as a capture: exact in all views; a timeline; together with samples."""

import json
import pathlib
import subprocess

COMMON = """
import json, os, sys, threading, time
import fireglass
from fireglass import trace

def burn(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end: pass
def inner(): burn(0.02)
def outer():
    burn(0.03)
    inner(); inner()
def fact(n): return n * fact(n - 1) if n else 1
"""


def test_trees(interp, run):
    """Self and total of each function are the tracer's own, to the nanosecond."""
    run(
        interp,
        COMMON
        + """
with trace(builtins=False) as t:
    thread = threading.Thread(target=outer, name="other one"); thread.start()
    outer(); fact(5); thread.join()
capture = t.capture()
exact = {(row["name"], row["line"]): row for row in t.stats()}
seen = {(row["function"], row["first_line"]): row for row in capture.functions(granularity="functions")}
for key, row in exact.items():
    if row["total_ns"] > 1000:
        near = 100   # sums of times that are rounded one by one
        assert abs(seen[key]["self_ns"] - row["self_ns"]) <= near, (key, row, seen[key])
        assert abs(seen[key]["total_ns"] - row["total_ns"]) <= near, (key, row, seen[key])
assert capture.facts()["traced"] == "calls" and capture.facts()["clock"] == "made up"
assert "other one" in [row["name"] for row in capture.threads()]
assert [row["name"] for row in capture.threads() if row["main"]] == ["MainThread"]
t.save("out.folded")
assert any(line.startswith("outer") and "inner" in line and "burn" in line for line in open("out.folded"))
for name in ("out.fgc", "out.html", "out.svg", "out.speedscope.json", "out.pb.gz"):
    t.save(name)
    assert os.path.getsize(name) > 500, name
assert "iframe" in t._repr_html_()
""",
    )


def test_timeline(interp, run):
    """Each call is a span with its begin and end, within the one it was called in."""
    run(
        interp,
        COMMON
        + """
before = time.time_ns()
with trace(builtins=False, timeline=True) as t:
    thread = threading.Thread(target=outer, name="other one"); thread.start()
    outer(); fact(5); thread.join()
after = time.time_ns()
capture = t.capture()
spans = capture.spans()
names = [row["name"] for row in spans]
assert names.count("outer") == 2 and names.count("inner") == 4 and names.count("fact") == 6, names
calls = {}
for row in t.stats(): calls[row["name"]] = calls.get(row["name"], 0) + row["calls"]
assert all(names.count(name) == count for name, count in calls.items())
threads = {row["thread"]: row["name"] for row in capture.threads()}
for row in spans:
    assert before - 10e6 <= row["start_ns"] <= row["end_ns"] <= after + 10e6
    if row["name"] == "inner":
        parent = spans[row["parent"]]
        assert parent["name"] == "outer" and parent["thread"] == row["thread"]
        assert parent["start_ns"] <= row["start_ns"] and row["end_ns"] <= parent["end_ns"]
        assert row["end_ns"] - row["start_ns"] >= 20e6
assert {threads[row["thread"]] for row in spans if row["name"] == "outer"} == {"MainThread", "other one"}

# what lies in a span is its time, to the rounding
for row in spans:
    assert abs(row["samples"] - (row["end_ns"] - row["start_ns"])) <= 100, row
exact = {row["name"]: row for row in t.stats()}
seen = {row["function"]: row for row in capture.functions(granularity="functions")}
for name in ("burn", "inner", "outer"):
    assert abs(seen[name]["self_ns"] - exact[name]["self_ns"]) <= 1000, name
    assert abs(seen[name]["total_ns"] - exact[name]["total_ns"]) <= 1000, name
# no sample stands for more than a small part of the time
longest = max(s["count"] for s in capture.samples())
assert longest <= (after - before) / 100
""",
    )


def test_calls_among_samples(interp, run):
    """A few functions exactly, the rest sampled: one timeline. A sample is in a call if and only if the
    function is on its stack."""
    run(
        interp,
        COMMON
        + """
def rest(): burn(0.05)
def handler(): inner(); rest()
with trace("both.fgc", only=[inner, handler], rate=500) as t:
    thread = threading.Thread(target=outer, name="other one"); thread.start()
    for _ in range(3): handler(); rest()
    thread.join()
    rest()
capture = fireglass.load("both.fgc")
spans = capture.spans()
names = [row["name"] for row in spans]
assert sorted(names) == ["handler"] * 3 + ["inner"] * 5, names
for row in spans:
    if row["name"] == "inner":
        parent = row["parent"] is not None and spans[row["parent"]]["name"]
        thread = capture.threads()[row["thread"]]["name"]
        assert (parent, thread) in (("handler", "MainThread"), (False, "other one")), row
# the exact times, of the calls themselves
exact = {row["name"]: row for row in t.stats()}
assert exact["inner"]["calls"] == 5 and exact["handler"]["calls"] == 3
took = sum(row["end_ns"] - row["start_ns"] for row in spans if row["name"] == "handler")
assert abs(took - exact["handler"]["total_ns"]) < 1000

wrong = right = 0
for sample in capture.samples():
    on_stack = [function for function, _, _ in sample["stack"] if function in ("inner", "handler")]
    inside = []
    at = sample["span"]
    while at is not None:
        inside.insert(0, spans[at]["name"])
        at = spans[at]["parent"]
    if inside == on_stack: right += 1
    else: wrong += 1
# at the edges of calls: a sample's time is a moment before its stack, more on a busy machine
assert right > 50 and wrong <= right / 5, (right, wrong)
# what is not in the traced functions was sampled as always
assert capture.counts()["shown"] > capture.counts(span="handler")["shown"] > 0
functions = {row["function"] for row in capture.functions(span="handler", granularity="functions")}
assert "rest" in functions and "outer" not in functions
""",
    )


def test_spans_of_the_program_are_around_them(interp, run):
    run(
        interp,
        COMMON
        + """
with trace("both.fgc", only=[outer], rate=500):
    with fireglass.span("request", "GET /"):
        burn(0.02)
        outer()
        with fireglass.span("render"):
            outer()
capture = fireglass.load("both.fgc")
spans = capture.spans()
def path(row):
    up = [] if row["parent"] is None else path(spans[row["parent"]])
    return up + [row["name"]]
paths = sorted(">".join(path(row)) for row in spans)
assert paths == ["request", "request>outer", "request>render", "request>render>outer"], paths
""",
    )


def test_more_calls_than_a_capture_shows(interp, run):
    """The longest are spans; what was left out is said."""
    run(
        interp,
        COMMON
        + """
from fireglass import _trace_capture
_trace_capture.MOST_SPANS = 10
with trace(builtins=False, timeline=True) as t:
    outer(); fact(100)
capture = t.capture()
assert int(capture.facts()["spans_left_out"]) >= 90
names = [row["name"] for row in capture.spans()]
assert len(names) <= 10 and "outer" in names and names.count("inner") == 2, names
exact = {row["name"]: row for row in t.stats()}
seen = {row["function"]: row for row in capture.functions(granularity="functions")}
assert abs(seen["outer"]["total_ns"] - exact["outer"]["total_ns"]) <= 1000
""",
    )


def test_the_command_reads_it(interp, run, tmp_path):
    """`fireglass export` of such a capture: times, spans."""
    run(
        interp,
        COMMON + "with trace('out.fgc', builtins=False, timeline=True): outer()\n",
    )
    from conftest import EXT

    program = pathlib.Path(EXT).parent / "fireglass"
    if not program.is_file():
        return
    done = subprocess.run(
        [program, "export", "out.fgc", "-f", "jsonl"], cwd=tmp_path, stdout=subprocess.PIPE, check=True
    )
    rows = [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]
    assert sum(row["type"] == "span" for row in rows) >= 6
