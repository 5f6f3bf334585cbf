# SPDX-License-Identifier: MIT
"""Chrome's trace events and .cpuprofile, as the Firefox Profiler's command line reads them."""

import collections
import json

import pytest

pytest_plugins = ["exported"]

PERIOD_US = 1000


def label(function):
    name = function.name or "?"
    if function.kind != "python" or not function.file:
        return name
    line = f":{function.first_line}" if function.first_line else ""
    return f"{name} ({function.file}{line})"


# ---- what the trace must hold, from the samples --------------------------------------------------

def timeline(truth, row):
    """[(begin, end, stack)] of a thread in us: each sample, until the next or for its count."""
    period = PERIOD_US  # also what a count is without a period
    real = len({sample.time_ns for sample in truth.samples}) > 1 or (
        len(truth.samples) == 1 and truth.samples[0].time_ns)
    origin = min(sample.time_ns for sample in truth.samples)
    spans, at = [], 0
    for sample in truth.of_thread(row):
        begin = (sample.time_ns - origin) // 1000 if real else at
        if spans:
            before = spans[-1]
            limit = before[1] + period
            before[1] = before[1] if truth.meta["period_ns"] and begin > limit else begin
        spans.append([begin, begin + sample.count * period, sample])
        at = begin + sample.count * period
    return spans


def events_of(truth, row):
    """Counter of (label, begin, end) of the functions on the stack."""
    found, open_frames, last_end = collections.Counter(), [], None
    for begin, end, sample in [*timeline(truth, row), (None, None, None)]:
        labels = [label(function) for function, _ in sample.stack] if sample else []
        functions = [function for function, _ in sample.stack] if sample else []
        common = 0
        if begin == last_end:
            while common < min(len(functions), len(open_frames)) and \
                    functions[common] == open_frames[common][2]:
                common += 1
        for name, since, _ in open_frames[common:]:
            found[name, since, last_end] += 1
        open_frames[common:] = [(name, begin, function) for name, function in
                                zip(labels[common:], functions[common:])]
        last_end = end
    return found


def thread_ids(trace):
    """{name: (pid, tid)} in the order of the capture's rows."""
    return [(event["pid"], event["tid"]) for event in trace["traceEvents"]
            if event["name"] == "thread_name" and event["ph"] == "M"]


@pytest.fixture
def trace(exported):
    return json.loads(exported("chrome", "-p").read_text())


def test_events(trace, truth):
    wanted = {ids: collections.Counter() for ids in thread_ids(trace)}
    if truth.samples:
        for row, ids in enumerate(thread_ids(trace)):
            if row in truth.threads:
                wanted[ids] = events_of(truth, row)
    found = {ids: collections.Counter() for ids in wanted}
    for event in trace["traceEvents"]:
        if event["ph"] == "X":
            found[event["pid"], event["tid"]][
                event["name"], event["ts"], event["ts"] + event["dur"]] += 1
    assert found == wanted


def test_events_nest(trace):
    """As readers sort them: by begin, longer ones first, else as in the file."""
    threads = collections.defaultdict(list)
    for event in trace["traceEvents"]:
        if event["ph"] == "X":
            threads[event["pid"], event["tid"]].append(event)
    for events in threads.values():
        events.sort(key=lambda event: (event["ts"], -event["dur"]))
        stack = []
        for event in events:
            while stack and stack[-1] <= event["ts"] and not (
                    event["dur"] == 0 and stack[-1] == event["ts"]):
                stack.pop()
            end = event["ts"] + event["dur"]
            assert not stack or end <= stack[-1]
            stack.append(end)


def test_numbers_are_whole_and_small(trace):
    for event in trace["traceEvents"]:
        assert isinstance(event["ts"], int) and 0 <= event["ts"] < 2**53


# ---- the Firefox Profiler ------------------------------------------------------------------------

def test_firefox_trace(firefox, firefox_refusal, exported, truth):
    path = exported("chrome", "-p")
    if not truth.samples:
        # it makes threads of events, and cannot do without any
        assert "before it was loaded" in firefox_refusal(path)
        return
    ids = thread_ids(json.loads(path.read_text()))
    known = {f"{pid}:{tid}": row for row, (pid, tid) in enumerate(ids)}
    with firefox(path) as cli:
        threads = cli.threads()
        assert {known[str(thread["tid"])] for thread in threads} == {
            sample.thread for sample in truth.samples}
        for thread in threads[:10]:
            row = known[str(thread["tid"])]
            assert thread["name"] == (truth.threads[row]["name"] or "thread")
            wanted = collections.Counter()
            for (name, _, _), count in events_of(truth, row).items():
                wanted[name] += count
            found = cli.markers(thread)
            assert {name: found.get(name) for name in wanted} == dict(wanted)


@pytest.mark.parametrize("case", ["states"], indirect=True)
def test_markers(trace, truth):
    spans = collections.defaultdict(list)
    for event in trace["traceEvents"]:
        if event["ph"] == "b":
            spans[event["id"]] += [event["name"], event["tid"], event["ts"],
                                   event.get("args", {}).get("detail")]
        if event["ph"] == "e":
            spans[event["id"]].append(event["ts"])
    assert sorted(spans.values(), key=str) == sorted([
        ["request", 4712, 2000, "GET /cart", 30000],
        ["deploy", 4711, 8000, None, 9000],
        ["holds GIL", 4711, 1000, None, 40000],
        ["GIL wait", 4712, 5000, None, 25000],
        ["GC", 4711, 10000, None, 18000],
    ], key=str)
    moments = [event for event in trace["traceEvents"] if event["ph"] == "i"]
    assert [(one["name"], one["ts"], one["args"]["detail"]) for one in moments] == [
        ("signal", 7000, "SIGUSR1")]


@pytest.mark.parametrize("case", ["processes", "gaps"], indirect=True)
def test_cpu_counters(trace, truth):
    """Each window of 100 ms: the CPU time of the samples that begin in it."""
    wanted = collections.Counter()
    origin = min(sample.time_ns for sample in truth.samples)
    pids = {row: process["pid"] for row, process in truth.processes.items()}
    for sample in truth.samples:
        window = (sample.time_ns - origin) // 100_000_000
        pid = pids[truth.threads[sample.thread]["process"]]
        wanted[pid, window] += sample.cpu_ns
    found = {(event["pid"], event["ts"] // 100_000): event["args"]["cores"]
             for event in trace["traceEvents"] if event["ph"] == "C"}
    assert {at: cores for at, cores in found.items() if cores} == pytest.approx(
        {at: ns / 1e8 for at, ns in wanted.items() if ns}, abs=1e-4)


# ---- .cpuprofile ---------------------------------------------------------------------------------

def test_cpuprofile_samples(exported, truth):
    """The busiest thread's stacks, in order, with their lines as ticks."""
    profile = json.loads(exported("cpuprofile").read_text())
    nodes = {node["id"]: node for node in profile["nodes"]}
    parents = {child: node["id"] for node in profile["nodes"] for child in node["children"]}
    assert len(profile["samples"]) == len(profile["timeDeltas"])
    assert len(parents) == len(nodes) - 1

    def stack(node):
        names = []
        while node in parents:
            frame = nodes[node]["callFrame"]
            names.append((frame["functionName"], frame["url"], frame["lineNumber"] + 1))
            node = parents[node]
        return names[::-1]

    row = truth.busiest_thread()
    samples = [] if row is None else truth.of_thread(row)
    wanted = [[(function.name or "?", function.file, function.first_line)
               for function, _ in sample.stack] for sample in samples]
    found = [stack(node) for node in profile["samples"]]
    assert [one for one in found if one != [("(idle)", "", 0)]] == wanted
    if row is None:
        return
    assert profile["title"] == truth.threads[row]["name"]
    ticks, lines = collections.Counter(), collections.Counter()
    for node in profile["nodes"]:
        frame = node["callFrame"]
        for tick in node.get("positionTicks", []):
            ticks[frame["functionName"], frame["url"], tick["line"]] += tick["ticks"]
    for sample in samples:
        function, line = sample.stack[-1]
        if line:
            lines[function.name or "?", function.file, line] += sample.count
    assert +ticks == +lines
    idle = sum(one == [("(idle)", "", 0)] for one in found)
    assert sum(node["hitCount"] for node in profile["nodes"]) == idle + sum(
        sample.count for sample in samples)


def test_cpuprofile_times(exported, truth):
    profile = json.loads(exported("cpuprofile").read_text())
    assert all(delta >= 0 for delta in profile["timeDeltas"])
    row = truth.busiest_thread()
    if row is None:
        return
    at, idle, found = 0, 2, []
    for node, delta in zip(profile["samples"], profile["timeDeltas"]):
        at += delta
        if node != idle:
            found.append(at)
    spans = timeline(truth, row)
    assert found == [begin for begin, _, _ in spans]
    assert profile["endTime"] - profile["startTime"] == spans[-1][1]


def test_firefox_cpuprofile(firefox, exported, truth):
    row = truth.busiest_thread()
    with firefox(exported("cpuprofile")) as cli:
        found = cli.functions(cli.threads()[0])
    samples = [] if row is None else truth.of_thread(row)
    wanted = truth.self_and_total(
        lambda frame: (frame[0].name or "?", frame[0].file), lambda sample: 1, samples)
    # it samples what it is given anew, each half ms: of what is closer together it leaves some out
    for name, (self, total) in wanted.items():
        if name[0] == "(idle)":
            continue  # V8's own name for no stack, which readers leave out
        got = found.get(name, (0, 0))
        assert abs(got[0] - self) <= 1 and abs(got[1] - total) <= 1, name
