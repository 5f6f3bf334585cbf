# SPDX-License-Identifier: MIT
"""The oracle, in short: programs that try to make fireglass show what never was.

The programs and what is true of them are those of bench/oracle; only truth is judged here, no time.
"""

import os
import re
import sys

import pytest
from harness import BIN, TOP, fireglass

sys.path.insert(0, os.path.join(TOP, "bench", "oracle"))
import peers  # noqa: E402
import run as oracle  # noqa: E402
import targets  # noqa: E402
import truth  # noqa: E402

RATE = 1000
SECONDS = 0.8
PROGRAMS = {p.name: p for p in oracle.PROGRAMS}
ADVERSARIES = [
    "flutter-12",
    "recursion-200",
    "generators",
    "generators-kept",
    "awaits",
    "exceptions",
    "churn",
]
SUMMARY = re.compile(r"^fireglass: Python .*; [\d ]+ ticks? missed.*$", re.MULTILINE)


@pytest.fixture(scope="module")
def places():
    with targets.Places() as made:
        yield made


def record(target):
    """(stacks, the line that sums up)"""
    done = fireglass(
        "record", "-p", target.pid, "-r", RATE, "-d", SECONDS, "-f", "folded", "-o", "-"
    )
    assert done.returncode == 0, done.stderr
    line = SUMMARY.search(done.stderr)
    assert line, done.stderr
    return peers.folded(done.raw.decode("utf-8"), peers.frame_of), line.group(0)


def told(line, what):
    """A number of the summary: `12 stacks truncated`."""
    found = re.search(r"([\d ]+) " + what, line)
    return int(found.group(1).replace(" ", "")) if found else 0


def check(said, stacks, line):
    judged = truth.Judged(truth.Truth(said), stacks)
    shown = "%d of %d: %s" % (
        judged.stack + judged.line,
        judged.samples,
        judged.examples.most_common(3),
    )
    assert judged.stack == 0, "impossible stacks, " + shown
    assert judged.line == 0, "impossible lines, " + shown
    ticks, missed = told(line, "ticks?;"), told(line, "ticks? missed")
    # one sample of the only thread in each tick, and no tick without a word
    assert judged.samples == ticks, line
    # the time is told to a tenth of a second
    seconds = float(re.search(r", ([\d.]+) s,", line).group(1))
    assert abs(ticks + missed - RATE * seconds) <= 2 + 0.05 * RATE, line
    assert seconds >= SECONDS - 0.05, line
    # it did look: a recording of a second has more than a handful
    assert ticks > 20, line
    lost = told(line, "stacks? truncated") + told(line, "reads? failed")
    assert lost == judged.marked, line
    assert lost <= max(2, 0.01 * ticks), line


@pytest.mark.since(3, 6)
@pytest.mark.parametrize("name", [name for name in ADVERSARIES if name != "awaits"])
def test_nothing_that_never_was(interp, name, places):
    never_was(interp, PROGRAMS[name], places)


@pytest.mark.since(3, 7)
def test_no_coroutine_that_never_was(interp, places):
    never_was(interp, PROGRAMS["awaits"], places)


def never_was(interp, chosen, places):
    with targets.Target(places, interp, chosen.file, chosen.args, interp.env) as target:
        check(target.said, *record(target))
        target.finish()


# ---- the judge itself ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def said(python, places):
    """What three programs say of themselves."""
    found = {}
    for name in ("flutter-12", "churn", "ordinary"):
        with targets.Target(places, python, PROGRAMS[name].file, PROGRAMS[name].args) as target:
            found[name] = target.said
    return found


def line_of(said, function, callee):
    [line] = [
        int(place.rsplit(":", 1)[1])
        for place, callees in said["calls"].items()
        if place.startswith(function + ":") and callee in callees
    ]
    return line


def flutter_stack(said):
    """<module>, main, both, a0, a1, a2 with true lines."""
    names = ["main", "both", "a0", "a1", "a2"]
    callers = ["<module>"] + names[:-1]
    frames = [
        truth.Frame(f, "<flutter>" if f[0] == "a" else "flutter.py", line_of(said, f, callee))
        for f, callee in zip(callers, names)
    ]
    return frames + [truth.Frame("a2", "<flutter>", line_of(said, "a2", "a3"))]


def test_the_judge_knows_what_can_be(said):
    judge = truth.Truth(said["flutter-12"]).judge
    whole = flutter_stack(said["flutter-12"])
    for length in range(1, len(whole) + 1):
        assert judge(whole[:length]) is None


def changed(frames, i, **fields):
    return frames[:i] + [frames[i]._replace(**fields)] + frames[i + 1 :]


def test_the_judge_finds_what_cannot_be(said):
    judge = truth.Truth(said["flutter-12"]).judge
    whole = flutter_stack(said["flutter-12"])
    assert judge(changed(whole, 5, function="b2")).kind == "stack"  # a1 calls b2
    assert judge(changed(whole, 5, function="nobody")).kind == "stack"
    assert judge(whole[1:]).kind == "stack"  # begins in main
    assert judge(whole[:4] + whole[5:]).kind == "stack"  # a1 left out
    assert judge(whole[:3] + whole[2:]).kind == "stack"  # both twice
    assert judge(changed(whole, 5, line=9999)).kind == "line"
    assert judge(changed(whole, 2, line=whole[2].line + 1)).kind == "line"  # that line calls b0


def test_the_judge_knows_borrowed_names(said):
    judge = truth.Truth(said["churn"]).judge
    rule = said["churn"]["families"][0]
    base = 123 % rule["modulus"]
    root = [
        truth.Frame("<module>", "churn.py", line_of(said["churn"], "<module>", "main")),
        truth.Frame("main", "churn.py", line_of(said["churn"], "main", "round_of")),
        truth.Frame("round_of", "churn.py", line_of(said["churn"], "round_of", "@")),
    ]
    p = truth.Frame("p000123", "<c000123>", base + 2)
    q = truth.Frame("q000123", "<c000123>", base + 5)
    assert judge(root + [p, q]) is None
    assert judge(root + [p._replace(function="p000124"), q]).kind == "stack"
    assert judge(root + [p, q._replace(function="q000124")]).kind == "stack"
    assert judge(root + [p, q._replace(line=base + 7)]).kind == "line"
    assert judge(root + [q]).kind == "stack"
    other = q._replace(function="q000124", file="<c000124>", line=base + 6)
    assert judge(root + [p, other]).kind == "stack"


def test_shares_and_their_error():
    judged = truth.Judged.__new__(truth.Judged)
    judged.samples = 1000
    judged.leaves = {"half": 530, "rest": 470}
    judged.found = lambda key: judged.leaves[key]
    error = truth.shares_error({"half": 0.5, "rest": 0.5}, judged)
    assert round(error["error_points"], 6) in (3, -3)
    assert round(error["total_variation_percent"], 6) == 3
    assert 3.0 < error["interval_points"] < 3.2


def test_binary_of_the_test_is_that_of_the_oracle():
    assert peers.Fireglass(BIN).lacks(None, RATE) is None
