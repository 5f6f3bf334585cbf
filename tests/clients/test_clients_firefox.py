# SPDX-License-Identifier: MIT
"""The Firefox Profiler's command line, which has the code of its page, on the processed profile."""

import collections
import itertools
import json

import pytest

pytest_plugins = ["exported"]

LOOKED_AT = 4  # threads of a capture with many: the client takes its time


def rows_with_samples(truth):
    """Rows of the capture's threads, in the order of the profile's threads."""
    return sorted({sample.thread for sample in truth.samples}) or sorted(truth.threads)


def process_of(truth, row):
    return truth.processes[truth.threads[row]["process"]]


def is_idle(sample):
    active = {"in_gc", "waits_for_gil"} & set(sample.flags)
    return sample.state in ("waiting", "stopped") and not active


def functions_of(cli, thread, *options):
    said = cli.json("thread", "functions", "--thread", thread["threadHandle"], "--limit", "0",
                    *options)
    assert said["filteredFunctionCount"] == len(said["functions"])
    found = {one["name"]: [one["selfSamples"], one["totalSamples"]] for one in said["functions"]}
    assert len(found) == len(said["functions"])
    return found


def by_name(truth, samples, weight=lambda sample: sample.count):
    return truth.self_and_total(lambda frame: frame[0].name or "?", weight, samples)


def test_threads(firefox, exported, truth):
    """Tracks with their true names, and what the client says of CPU time."""
    with firefox(exported("firefox")) as cli:
        threads = sorted(cli.threads(), key=lambda thread: thread["threadIndex"])
        info = cli.json("profile", "info", "--all")
    if not truth.threads:
        assert [thread["name"] for thread in threads] in (["no samples"], ["MainThread"])
        return
    rows = rows_with_samples(truth)
    assert len(threads) == len(rows) == info["threadCount"]
    assert info["processCount"] == len({truth.threads[row]["process"] for row in rows})
    for row, thread in zip(rows, threads):
        process = process_of(truth, row)
        assert thread["name"] == (truth.threads[row]["name"] or "thread")
        assert thread["processName"] == (process["name"] or "process")
        if process["pid"]:
            assert thread["pid"] == str(process["pid"])
        if truth.threads[row]["tid"]:
            assert thread["tid"] == truth.threads[row]["tid"]
        # it takes the first sample's for nothing, as there is no time before it
        cpu = [sample.cpu_ns / 1e6 for sample in truth.of_thread(row)]
        assert thread["cpuMs"] == pytest.approx(sum(cpu), abs=(cpu or [0])[0] + 0.001)


def test_functions(firefox, exported, truth):
    """Samples by function: all of them, and those that are not idle."""
    with firefox(exported("firefox")) as cli:
        threads = sorted(cli.threads(), key=lambda thread: thread["threadIndex"])
        for row, thread in itertools.islice(zip(rows_with_samples(truth), threads), LOOKED_AT):
            samples = truth.of_thread(row)
            assert functions_of(cli, thread, "--include-idle") == by_name(truth, samples)
            active = [sample for sample in samples if not is_idle(sample)]
            assert functions_of(cli, thread) == by_name(truth, active)


@pytest.mark.parametrize("case", ["states", "origins", "processes"], indirect=True)
def test_categories(firefox, exported, truth):
    category = {"states": lambda sample: (
        "Garbage collection" if "in_gc" in sample.flags else
        "Waiting for the GIL" if "waits_for_gil" in sample.flags else
        "Idle" if is_idle(sample) else
        "Other" if sample.stack[-1][0].kind == "mark" else "Program"),
        "processes": lambda sample: "Idle" if is_idle(sample) else "Program",
        "origins": lambda sample: {"f1": "Standard library", "f2": "Packages", "f3": "Packages",
                                   "f4": "Standard library"}.get(sample.stack[-1][0].name,
                                                                 "Program")}
    with firefox(exported("firefox")) as cli:
        for row, thread in zip(rows_with_samples(truth), cli.threads()):
            said = cli.json("thread", "samples", "--thread", thread["threadHandle"],
                            "--include-idle")
            found = {one["name"]: one["samples"] for one in said["categoryBreakdown"]["categories"]}
            row = next(r for r in truth.threads if truth.threads[r]["tid"] == thread["tid"])
            wanted = collections.Counter()
            for sample in truth.of_thread(row):
                wanted[category[truth_name(truth)](sample)] += sample.count
            assert found == wanted


def truth_name(truth):
    """Which of the captures of test_categories it is."""
    if len(truth.processes) > 1:
        return "processes"
    return "states" if truth.markers else "origins"


@pytest.mark.parametrize("case", ["states"], indirect=True)
def test_markers(firefox, exported):
    """Those of the capture, spans made of samples, and what was lost."""
    with firefox(exported("firefox")) as cli:
        main, pool = sorted(cli.threads(), key=lambda thread: thread["threadIndex"])
        assert cli.markers(main) == {"signal": 1, "deploy": 1, "GC": 1, "ticks missed": 1,
                                     "samples lost: no room": 1}
        assert cli.markers(pool) == {"request": 1, "GIL wait": 1}
        spans = {one["markerName"]: one["durationStats"]["avg"]
                 for thread in (main, pool)
                 for one in cli.json("thread", "markers", "--thread",
                                     thread["threadHandle"])["byType"] if one.get("durationStats")}
        assert spans == {"GC": 8, "GIL wait": 20, "request": 28, "deploy": 1}


@pytest.mark.parametrize("case", ["gaps"], indirect=True)
def test_gaps(exported, truth):
    """Samples are where they were; where there was nothing is a sample without a stack."""
    profile = json.loads(exported("firefox").read_text())
    for row, thread in enumerate(profile["threads"]):
        times = list(itertools.accumulate(thread["samples"]["timeDeltas"]))
        stacks = thread["samples"]["stack"]
        found = [time for time, stack in zip(times, stacks) if stack is not None]
        begin = truth.samples[0].time_ns
        assert found == [(sample.time_ns - begin) / 1e6 for sample in truth.of_thread(row)]
        empty = [time for time, stack in zip(times, stacks) if stack is None]
        assert empty == [[10, 1030], []][row]


@pytest.mark.parametrize("case", ["recursion"], indirect=True)
@pytest.mark.parametrize("option", ["-F", "-n"])
def test_lines(exported, option):
    """-F: frames have no lines but those of their functions; -n: none at all."""
    shared = json.loads(exported("firefox", option).read_text())["shared"]
    assert set(shared["frameTable"]["line"]) == {None}
    assert shared["frameTable"]["length"] == shared["funcTable"]["length"] == 4
    assert set(shared["funcTable"]["lineNumber"]) == ({None} if option == "-n" else {1, 6})


def test_facts(exported, truth):
    meta = json.loads(exported("firefox").read_text())["meta"]
    (section,) = meta["extra"]
    assert {one["label"]: one["value"] for one in section["entries"]} == truth.meta["facts"]
    assert meta["preprocessedProfileVersion"] == 60
