# SPDX-License-Identifier: MIT
"""Exactness: a dump of parked threads equals what the interpreter itself says of them."""

import os
import re

import pytest
from harness import (
    can_make_interpreters,
    children_of,
    dump,
    fireglass,
    frames,
    task_ids,
    wait_blocked,
    wait_state,
    wait_until,
)

TARGETS = [
    "calls", "generators", "deep", "blocks", "callbacks", "dynamic", "nonascii", "longcode",
    "names",
]  # fmt: skip


def repaired(text):
    """As JSON in valid UTF-8 can say it: half a surrogate pair cannot be said."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def expected_frames(thread):
    return [[repaired(function), repaired(file), line] for function, file, line in thread["frames"]]


def check(truth, dumped, pid):
    """Every thread, every frame, and no thread that the interpreter does not know."""
    assert dumped["pid"] == pid
    threads = {t["tid"]: t for t in dumped["threads"]}
    assert len(threads) == len(dumped["threads"])
    assert threads.pop(truth["reporter"])["name"] == "reporter"
    assert sorted(threads) == sorted(t["tid"] for t in truth["threads"])
    assert set(threads) < set(task_ids(pid))
    for wanted in truth["threads"]:
        got = threads[wanted["tid"]]
        assert frames(got) == expected_frames(wanted), wanted["name"]
        assert got["name"] == repaired(wanted["name"])
        assert got["main"] == wanted["main"]
        assert got["main"] == (got["tid"] == pid)
        assert got["state"] == "waiting"
        assert got["gil"] is False
        assert "truncated" not in got


@pytest.mark.parametrize("name", TARGETS)
def test_parked(interp, name, start):
    target = start(interp, name + ".py")
    wait_blocked(target.pid)
    assert len(target.truth["threads"]) > 3
    check(target.truth, dump(target.pid), target.pid)


@pytest.mark.since(3, 7)
def test_parked_asyncio(interp, start):
    target = start(interp, "aio.py")
    wait_blocked(target.pid)
    check(target.truth, dump(target.pid), target.pid)


def test_main_thread_renamed(interp, start):
    target = start(interp, "names.py", "the first")
    wait_blocked(target.pid)
    assert [t["name"] for t in dump(target.pid)["threads"] if t["main"]] == ["the first"]
    check(target.truth, dump(target.pid), target.pid)


@pytest.mark.parametrize("way", ["thread", "multiprocessing"])
def test_forked_child(interp, way, start):
    target = start(interp, "forked.py", way)
    [child] = wait_until(lambda: children_of(target.pid), "a child")
    assert child == target.truth["pid"] or interp.root
    wait_blocked(child)
    check(target.truth, dump(child), child)


def test_sub_interpreters_can_be_made(interpreters):
    """By at least one interpreter of each version that the next test can be about."""
    missing = {i.minor for i in interpreters if i.minor >= (3, 8)}
    missing -= {i.minor for i in interpreters if can_make_interpreters(i)}
    assert not missing


@pytest.mark.only(lambda i: can_make_interpreters(i))
def test_sub_interpreters(interp, start):
    target = start(interp, "subinterp.py")
    wait_blocked(target.pid)
    threads = dump(target.pid)["threads"]
    for wanted in target.truth["threads"]:
        here = [frames(t) for t in threads if t["tid"] == wanted["tid"]]
        assert len(here) == 2
        assert wanted["frames"] in here
        assert wanted["outside"] in here
    assert len(threads) == 1 + 2 * 2
    assert [t["tid"] for t in threads if t["main"]] == [target.pid]
    text = fireglass("dump", "-p", target.pid).stdout
    assert len(set(re.findall("interpreter [0-9]+", text))) == 2


def test_stopped_process(interp, start):
    target = start(interp, "calls.py")
    wait_blocked(target.pid)
    os.kill(target.pid, 19)
    for tid in task_ids(target.pid):
        wait_state(target.pid, "T", tid)
    dumped = dump(target.pid)
    assert {t["state"] for t in dumped["threads"]} == {"stopped"}
    for thread in dumped["threads"]:
        thread["state"] = "waiting"
    check(target.truth, dumped, target.pid)
