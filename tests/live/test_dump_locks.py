# SPDX-License-Identifier: MIT
"""dump: which lock a thread waits for, who has it, and when that is a deadlock."""

import pytest
from harness import dump, fireglass, wait_blocked


def started(start, interp, case):
    """The target, and its threads by name."""
    target = start(interp, "locks.py", case)
    wait_blocked(target.pid)
    dumped = dump(target.pid)
    return target, dumped, {t["name"]: t for t in dumped["threads"]}


def text_of(target):
    return fireglass("dump", "-p", target.pid).stdout


@pytest.mark.parametrize("case, names", [("two", "take_both"), ("accounts", "transfer")])
def test_two_that_wait_for_each_other(interp, start, case, names):
    target, dumped, threads = started(start, interp, case)
    a, b = threads[names + "-0"], threads[names + "-1"]
    # an RLock of 2.7 is a Python object, which takes a lock of its own by acquire()
    if interp.version < (3,) and case == "accounts":
        assert a["waits_for"] and b["waits_for"] and "deadlock" not in dumped
        return
    assert a["waits_for"]["owner"] == b["tid"]
    assert b["waits_for"]["owner"] == a["tid"]
    assert sorted(dumped["deadlock"]) == sorted([a["tid"], b["tid"]])
    if case == "two":
        assert [t["waits_for"]["name"] for t in (a, b)] == ["other", "other"]
    else:
        assert [t["waits_for"]["name"] for t in (a, b)] == ["target.lock", "target.lock"]
    kind = "RLock" if case == "accounts" else "lock"
    assert (".%s object at 0x" % kind) in a["waits_for"]["lock"] or kind in a["waits_for"]["lock"]
    text = text_of(target)
    assert "\nDeadlock: thread " in text
    name = a["waits_for"]["name"]
    said = 'thread %d "%s" waits for %s, which thread %d "%s" has'
    assert said % (a["tid"], a["name"], name, b["tid"], b["name"]) in text
    assert said % (b["tid"], b["name"], name, a["tid"], a["name"]) in text


def test_one_that_waits_for_itself(interp, start):
    target, dumped, threads = started(start, interp, "again")
    me = threads["again-0"]
    assert me["waits_for"]["owner"] == me["tid"] and me["waits_for"]["name"] == "first"
    assert dumped["deadlock"] == [me["tid"]]
    assert "Deadlock" in text_of(target)


def test_one_that_will_be_let_go(interp, start):
    target, dumped, threads = started(start, interp, "held")
    waits = threads["want-1"]["waits_for"]
    assert waits["owner"] == threads["hold-0"]["tid"]
    assert waits["name"] == "lock" and waits["forever"] is True
    assert "waits_for" not in threads["hold-0"]
    assert "deadlock" not in dumped and "all_wait" not in dumped
    text = text_of(target)
    assert ', which thread %d "hold-0" has\n' % threads["hold-0"]["tid"] in text
    assert "eadlock" not in text


@pytest.mark.parametrize("case", ["quiet", "left", "condition"])
def test_an_owner_that_cannot_be_told_is_not_told(interp, start, case):
    target, dumped, threads = started(start, interp, case)
    wanting = [t for name, t in threads.items() if name.startswith("want-")][0]
    assert wanting["waits_for"]["owner"] is None and wanting["waits_for"]["name"] == "lock"
    assert "deadlock" not in dumped
    assert "eadlock" not in text_of(target)


@pytest.mark.since(3, 6)
def test_a_time_limit(interp, start):
    _, dumped, threads = started(start, interp, "limit")
    assert threads["want_with_limit-1"]["waits_for"]["forever"] is False
    assert "all_wait" not in dumped


ALL_WAIT = """
import sys, threading
lock = threading.Lock()
lock.acquire()
def wait():
    lock.acquire()
threads = [threading.Thread(target=wait) for _ in range(3)]
for thread in threads:
    thread.daemon = True
    thread.start()
print("ready"); sys.stdout.flush()
lock.acquire()
"""


def test_all_wait(interp, start):
    target = start(interp, "-c", ALL_WAIT)
    wait_blocked(target.pid)
    dumped = dump(target.pid)
    assert dumped["all_wait"] is True and "deadlock" not in dumped
    assert {t["waits_for"]["name"] for t in dumped["threads"]} == {"lock"}
    text = text_of(target)
    assert text.endswith("\nAll threads wait for locks, without a time limit: a deadlock?\n")


def test_threads_that_wait_for_something_else(interp, start):
    target = start(interp, "names.py")
    wait_blocked(target.pid)
    assert "eadlock" not in text_of(target) or dump(target.pid)["all_wait"]
