# SPDX-License-Identifier: MIT
"""Programs that run: every stack recorded must be possible, and all expected ones must be there."""

import collections

from harness import fireglass
from oracle import (
    Truth,
    edges_of,
    impossible,
    parse,
    read_folded,
    summary,
    total,
    without_mark,
)

BURN = Truth("burn.py")
# in burn.py these are left at once: no sample need find them (the last is where a generator is
# made, which is a frame from 3.11 on)
BRIEF = {
    ("work", "__init__"),
    ("closure", "__init__"),
    ("small_b", "small_c"),
    ("consume", "produce"),
}


def record(target, *options, seconds=1.0):
    result = fireglass(
        "record", "-p", target.pid, "-d", seconds, "-f", "folded", "-o", "-", *options
    )
    assert result.returncode == 0, result.stderr
    return read_folded(result.raw.decode("utf-8")), summary(result.stderr)


def check_counts(stacks, numbers, seconds, rate=1000):
    assert total(stacks) == numbers["samples"]
    # every tick is accounted for; the time is told to a tenth of a second
    due = numbers["seconds"] * rate
    assert abs(numbers["ticks"] + numbers["missed"] - due) <= 2 + 0.05 * rate
    assert numbers["seconds"] >= seconds
    assert numbers["failed"] <= numbers["samples"] * 0.01
    assert len({tuple(s) for s, _ in stacks}) == len(stacks)


def whole_stacks(stacks):
    """Frames of each stack and its count; those that are marked must be few, and counted."""
    whole, marked = [], 0
    for stack, count in stacks:
        stack, mark = without_mark(stack)
        marked += count if mark else 0
        if stack and not mark:
            whole.append(([parse(f) for f in stack], count))
    assert marked < total(stacks) * 0.01, stacks
    return whole


def check_possible(stacks):
    """Also of truncated stacks: what is left of them must have been."""
    wrong, edges = collections.Counter(), set()
    for stack, count in stacks:
        assert "unknown function" not in ";".join(stack)
        frames = [parse(f) for f in without_mark(stack)[0]]
        why = impossible(BURN, frames) if frames else None
        if why:
            wrong["%s: %s" % (why, ";".join(stack))] += count
        edges |= edges_of(frames)
    assert not wrong, "%d of %d samples: %s" % (
        sum(wrong.values()),
        total(stacks),
        wrong.most_common(5),
    )
    whole_stacks(stacks)
    return edges


def test_one_thread(interp, start):
    target = start(interp, "burn.py")
    stacks, numbers = record(target)
    check_counts(stacks, numbers, 1)
    assert numbers["samples"] == numbers["ticks"]
    edges = check_possible(stacks)
    expected = BURN.edges - {("main", "thread_main"), ("thread_main", "work")} - BRIEF
    assert sorted(expected - edges) == []
    names = {f.function for frames, _ in whole_stacks(stacks) for f in frames}
    qualified = {"Worker.step", "Worker.left", "closure.<locals>.inner"}
    assert qualified <= names if interp.minor >= (3, 11) else not qualified & names


def test_four_threads(interp, start):
    target = start(interp, "burn.py", "3")
    stacks, numbers = record(target, "-t", seconds=0.5)
    check_counts(stacks, numbers, 0.5)
    roots = {s[0] for s, _ in stacks}
    assert len(roots) == 4 and "MainThread" in roots
    check_possible([(s[1:], count) for s, count in stacks])
    counts = collections.Counter()
    for s, count in stacks:
        counts[s[0]] += count
    # every thread in every tick
    assert max(counts.values()) - min(counts.values()) <= 2


def test_flutter(interp, start):
    """The worst there is: two chains of 12 tiny functions, and no stack that mixes them."""
    target = start(interp, "flutter.py")
    stacks, numbers = record(target, "--no-lines")
    check_counts(stacks, numbers, 1)
    chains = collections.Counter()
    for stack, count in stacks:
        names = [parse(f).function for f in without_mark(stack)[0]]
        assert names[:2] == ["<module>", "main"][: len(names)]
        names = names[2:]
        letter = names[0][0] if names else ""
        assert names == ["%s%d" % (letter, i) for i in range(len(names))], stack
        chains[letter, len(names)] += count
    whole_stacks(stacks)
    assert {("a", 12), ("b", 12), ("a", 1), ("b", 1)} <= set(chains)


def test_lines_of_a_loop(interp, start):
    """Only lines that run, and each of those."""
    source = (
        "import sys\n\ndef loop():\n    n = 0; print('ready'); sys.stdout.flush()\n"
        "    while True:\n        n += 1\n        if n > 1000:\n            n = 0\n"
        "        n = n * 1\n        if n < 0:\n            n = 7\nloop()\n"
    )
    target = start(interp, "-c", source)
    stacks, _ = record(target, seconds=0.3)
    lines = {parse(s[-1]).line for s, _ in stacks}
    assert {6, 7, 9, 10} <= lines <= {4, 5, 6, 7, 8, 9, 10}
    assert {s[0] for s, _ in stacks} == {"<module> (<string>:12)"}


def test_functions_merge_lines(python, start):
    target = start(python, "burn.py")
    stacks, numbers = record(target, "--functions", seconds=0.3)
    assert total(stacks) == numbers["samples"]
    places = collections.defaultdict(set)
    for frames, _ in whole_stacks(stacks):
        for frame in frames:
            places[frame.function].add(frame.line)
    assert all(len(lines) == 1 for lines in places.values()), places
    assert places["spin"] == {BURN.starts["spin"]}


def test_no_lines(python, start):
    target = start(python, "burn.py")
    stacks, _ = record(target, "--no-lines", seconds=0.3)
    frames = [f for frames, _ in whole_stacks(stacks) for f in frames]
    assert {f.line for f in frames} == {None}
    assert "spin" in {f.function for f in frames}


def test_deep_while_running(interp, start):
    """Recursion 500 deep over a loop."""
    source = (
        "import sys\nsys.setrecursionlimit(5000)\ndef down(n):\n    if n:\n        down(n - 1)\n"
        "    else:\n        print('ready'); sys.stdout.flush()\n        while True:\n"
        "            n += 1\ndown(500)\n"
    )
    target = start(interp, "-c", source)
    stacks, numbers = record(target, seconds=0.3)
    for frames, _ in whole_stacks(stacks):
        assert len(frames) == 502
        assert frames[0] == ("<module>", "<string>", 10)
        assert set(frames[1:-1]) == {("down", "<string>", 5)}
        assert frames[-1].function == "down" and frames[-1].line in (7, 8, 9)


def test_threads_that_come_and_go(interp, start):
    source = (
        "import sys, threading\ndef work():\n    n = 3000\n    while n:\n        n -= 1\n"
        "print('ready'); sys.stdout.flush()\nwhile True:\n"
        "    t = threading.Thread(target=work)\n    t.start()\n    t.join()\n"
    )
    target = start(interp, "-c", source)
    stacks, numbers = record(target, seconds=0.5)
    assert total(stacks) == numbers["samples"]
    assert numbers["truncated"] < numbers["samples"] * 0.02
    names = {parse(f).function for stack, _ in stacks for f in without_mark(stack)[0]}
    assert "work" in names
    assert target.process.poll() is None
