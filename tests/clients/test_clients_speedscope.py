# SPDX-License-Identifier: MIT
"""speedscope in a browser: it must take the file, and understand what is in it."""

import collections
import json

import exported as fixtures
import pytest

pytest_plugins = ["exported"]


@pytest.fixture(scope="module")
def looked(speedscope, exports):
    """Of all captures at once: a browser takes its time to start."""
    paths = {name: exports(name, "speedscope", "-p") for name in fixtures.names()}
    said = speedscope(paths.values())
    return {name: said[str(path)] for name, path in paths.items()}


@pytest.fixture
def said(case, looked):
    return looked[case]


def key(frame):
    function, line = frame
    plain = function.kind != "python" or not function.file
    return (function.name or "?", None if plain else function.file, None if plain else line or None)


def read_saved(profile, frames):
    """{frame: [self, total]} of an evented profile, a stack counting once for each frame in it."""
    sums = collections.defaultdict(lambda: [0, 0])
    stack, last = [], 0
    for event in profile["events"]:
        for frame in set(stack):
            sums[frame][1] += event["at"] - last
        if stack:
            sums[stack[-1]][0] += event["at"] - last
        last = event["at"]
        frame = frames[event["frame"]]
        name = (frame["name"], frame.get("file"), frame.get("line"))
        if event["type"] == "O":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert stack == []
    return {name: pair for name, pair in sums.items() if any(pair)}


def thread_name(truth, row):
    thread = truth.threads[row]
    name = thread["name"] or "thread"
    if len(truth.processes) > 1:
        process = truth.processes[thread["process"]]
        name = f"{process['name']} {process['pid']}: {name}"
    return f"{name} ({thread['tid']})" if thread["tid"] else name


def test_taken(said):
    assert said["invalid"] is None
    assert said["faults"] == []


def test_profiles(said, truth):
    """One for each thread with samples, by name; one without samples if there are none."""
    names = [profile["name"] for profile in said["saved"]["profiles"]]
    rows = sorted({sample.thread for sample in truth.samples})
    assert names == ([thread_name(truth, row) for row in rows] or ["no samples"])


def test_numbers(said, truth):
    frames = said["saved"]["shared"]["frames"]
    rows = sorted({sample.thread for sample in truth.samples})
    weight = truth.meta["period_ns"] or 1
    for row, profile in zip(rows, said["saved"]["profiles"]):
        assert profile["unit"] == ("nanoseconds" if truth.meta["period_ns"] else "none")
        wanted = truth.self_and_total(key, lambda sample: sample.count * weight,
                                      truth.of_thread(row))
        assert read_saved(profile, frames) == wanted


def test_time_axis(said, truth):
    """As long as the thread's time, to a period."""
    period = truth.meta["period_ns"]
    if not period:
        return
    rows = sorted({sample.thread for sample in truth.samples})
    for row, profile in zip(rows, said["saved"]["profiles"]):
        times = [sample.time_ns for sample in truth.of_thread(row)]
        assert profile["endValue"] - profile["startValue"] == pytest.approx(
            times[-1] - times[0] + period, abs=period)


@pytest.mark.parametrize("case", ["gaps"], indirect=True)
def test_gaps(exported):
    """Time in which there was nothing is time, without frames."""
    main, late = json.loads(exported("speedscope").read_text())["profiles"]
    ms = 1_000_000
    assert main["weights"] == [10 * ms, 1000 * ms, 20 * ms, 475 * ms, 5 * ms]
    assert [bool(stack) for stack in main["samples"]] == [True, False, True, False, True]
    assert late["startValue"] == 1500 * ms


@pytest.mark.parametrize("case", ["recursion"], indirect=True)
@pytest.mark.parametrize("option, lines", [("-F", [1, 6, None]), ("-n", [None])])
def test_lines(exported, option, lines):
    """-F: the first line of each function; -n: none. Either way a function is one frame."""
    frames = json.loads(exported("speedscope", option).read_text())["shared"]["frames"]
    assert len({frame["name"] for frame in frames}) == len(frames) == 4
    assert {frame.get("line") for frame in frames} <= set(lines)
