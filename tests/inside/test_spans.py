# SPDX-License-Identifier: MIT
"""Spans: what is opened and closed, in which one every sample is."""

import json

import pytest

# What a sampler would see of the thread that asks; and the events that a session would get.
HEAD = """
import asyncio, contextvars, json, os, sys, threading
from fireglass import _fireglass as f, span
from fireglass._spans import drive

assert f.span_follow()

def look():
    return f._span_look(threading.get_native_id(), f._thread_state())

def check(key):
    assert look() == key == f.span_current(), (look(), key, f.span_current())

def events(reader):
    return list(iter(lambda: f._span_next(reader), None))
"""


def test_nesting(interp, run):
    run(interp, HEAD + """
reader = f._span_reader()
check(0)
with span("outer", "the text", k="v", n=1) as outer:
    check(outer.key)
    with span("inner") as inner:
        check(inner.key)
    check(outer.key)
check(0)
opened_outer, opened_inner, closed_inner, closed_outer = events(reader)
assert opened_outer[:3] == ("opened", outer.key, 0)
assert opened_outer[4:] == (threading.get_native_id(), "outer", "the text k=v n=1")
assert opened_inner[:3] == ("opened", inner.key, outer.key)
assert closed_inner[:2] == ("closed", inner.key)
assert closed_outer[:2] == ("closed", outer.key)
times = [opened_outer[3], opened_inner[3], closed_inner[3], closed_outer[3]]
assert times == sorted(times)
""")  # fmt: skip


def test_exceptions_and_misuse(interp, run):
    run(interp, HEAD + """
try:
    with span("a") as a:
        raise KeyError("x")
except KeyError as error:
    assert error.args == ("x",)
check(0)
for bad in (lambda: span(), lambda: span(1), lambda: span("a", 2), lambda: span("a", "b", "c")):
    try:
        bad()
    except TypeError as error:
        assert "span" in str(error)
    else:
        raise AssertionError
with a:  # again, one after the other, is fine
    try:
        a.__enter__()
    except RuntimeError as error:
        assert "entered" in str(error)
    else:
        raise AssertionError
    check(a.key)
check(0)
a.__exit__(None, None, None)  # once too often
check(0)

# left in the order in which they were entered
a, b = span("a"), span("b")
a.__enter__(); b.__enter__()
a.__exit__(None, None, None)
check(b.key)
b.__exit__(None, None, None)
assert f.span_current() != b.key

class Bad:
    def __str__(self):
        raise ValueError
reader = f._span_reader()
with span("a", "\\ud800"), span("b", bad=Bad(), good=1):
    pass
assert [e[6] for e in events(reader) if e[0] == "opened"] == ["?", "good=1"]
""")  # fmt: skip


def test_open_spans_are_told_to_who_comes_later(interp, run):
    run(interp, HEAD + """
with span("gone"):
    pass
with span("outer") as outer, span("labelled", k=1) as inner:
    reader = f._span_reader()
    assert [e[:3] for e in events(reader)] == [
        ("opened", outer.key, 0), ("opened", inner.key, outer.key)]
    f.span_choose(outer.key)
    late = f._span_reader()
    assert [e[0] for e in events(late)] == ["opened", "chosen", "opened"]
    assert [e[0] for e in events(reader)] == ["chosen"]
    inner.describe("more", status=200)
assert [(e[0], e[6]) for e in events(reader)] == [
    ("described", "more status=200"), ("closed", None), ("closed", None)]
del reader, late
# labels cost their text only while somebody will see them: here, at the end
with span("labelled", k=1):
    reader = f._span_reader()
assert [(e[0], e[6]) for e in events(reader)] == [
    ("opened", ""), ("described", "k=1"), ("closed", None)]
""")  # fmt: skip


def test_session_in_the_middle(interp, run):
    """Spans that were entered while nobody listened, lightly, are known afterwards, wherever they are."""
    run(interp, HEAD + """
found, ready, go = [], threading.Event(), threading.Event()
def other():
    with span("thread") as mine:
        found.extend([mine.key, threading.get_native_id(), f._thread_state()])
        ready.set()
        go.wait()
        check(mine.key)
        with span("inner") as inner:
            check(inner.key)
        check(mine.key)
    check(0)
thread = threading.Thread(target=other)
thread.start()
ready.wait()

async def waits(event):
    async with span("waits") as outer, span("inner") as mine:
        await event.wait()
        check(mine.key)
        await asyncio.sleep(0)
        check(mine.key)
        with span("innermost") as innermost:
            check(innermost.key)
        check(mine.key)
    check(0)

async def main():
    event = asyncio.Event()
    tasks = [asyncio.ensure_future(waits(event)) for _ in range(3)]
    async with span("main") as mine:
        with span("inner") as inner:
            await asyncio.sleep(0)
            assert f.span_current() == inner.key  # the parent of what is opened here
            reader = f._span_reader()
            with span("a") as a:
                check(a.key)
            check(inner.key)
            await asyncio.sleep(0)
            check(inner.key)
        check(mine.key)
        event.set()
        await asyncio.gather(*tasks)
        check(mine.key)
    check(0)
    told = events(reader)
    parents = {e[1]: e[2] for e in told if e[0] == "opened"}
    names = {e[1]: e[5] for e in told if e[0] == "opened"}
    assert sorted(names.values()) == sorted(
        ["thread", "main", "inner", "a"] + ["waits", "inner", "innermost"] * 3)
    assert {names.get(parents[k]) for k in names if names[k] == "innermost"} == {"inner"}
    assert {names.get(parents[k]) for k in names if names[k] == "waits"} == {None}
    assert f._span_look(*found[1:]) == found[0]
    return reader

reader = asyncio.run(main())
go.set()
thread.join()
check(0)
""")  # fmt: skip


FUNCTIONS = HEAD + """
@span("f", k=1)
def plain(x, *, y=2):
    "its text"
    check(f.span_current())
    return x + y

@span
def generator():
    key = f.span_current()
    check(key)
    got = yield 1
    check(key)
    try:
        yield got
    except KeyError:
        check(key)
        yield "caught"
    return "end"

def delegate():
    result = yield from generator()
    yield result

class C:
    @span("m")
    def m(self):
        return self, f.span_current()
    @span("s")
    @staticmethod
    def s():
        return f.span_current()
    @span("c")
    @classmethod
    def c(cls):
        return cls, f.span_current()

reader = f._span_reader()
assert plain(1, y=5) == 6 and plain.__doc__ == "its text" and plain.__name__ == "plain"
steps = delegate()
assert next(steps) == 1
check(0)
assert steps.send("x") == "x"
check(0)
assert steps.throw(KeyError("k")) == "caught"
assert next(steps) == "end"
c = C()
assert c.m()[0] is c and c.m()[1] and C.s() and C.c()[0] is C
check(0)
closed = generator()
next(closed)
closed.close()
told = events(reader)
assert [e[5] for e in told if e[0] == "opened"] == ["f", "generator", "m", "m", "s", "c", "generator"]
assert len([e for e in told if e[0] == "closed"]) == 7

@span("coroutine")
async def coroutine(x):
    key = f.span_current()
    await asyncio.sleep(0)
    check(key)
    return x

@span("steps")
async def async_steps():
    key = f.span_current()
    got = yield 1
    await asyncio.sleep(0)
    check(key)
    try:
        yield got
    except KeyError:
        yield "caught"

async def main():
    assert await coroutine(3) == 3
    check(0)
    steps = async_steps()
    assert await steps.asend(None) == 1
    check(0)
    assert await steps.asend("x") == "x"
    assert await steps.athrow(KeyError()) == "caught"
    await steps.aclose()
    check(0)
    assert [x async for x in async_steps()] == [1, None]
    assert len(events(reader)) == 6

    async def body():
        key = f.span_current()
        await asyncio.sleep(0)
        check(key)
        return key
    key = f.span_open(0, "driven", "by hand")
    assert await drive(body(), key) == key
    check(0)
    f.span_close(key)

asyncio.run(main())
import inspect
assert inspect.iscoroutinefunction(coroutine) and inspect.isgeneratorfunction(generator)
assert inspect.isasyncgenfunction(async_steps)
"""


def test_functions(interp, run):
    run(interp, FUNCTIONS)


TASKS = HEAD + """
async def task(n):
    async with span("task", n=n) as mine:
        check(mine.key)
        for i in range(20):
            await asyncio.sleep(0)
            check(mine.key)
            with span("inner") as inner:
                await asyncio.sleep(0)
                check(inner.key)
        await asyncio.ensure_future(child(mine.key))
        await asyncio.get_running_loop().run_in_executor(None, check, mine.key)
        if sys.version_info >= (3, 9):
            await asyncio.to_thread(check, mine.key)

async def child(key):
    check(key)
    await asyncio.sleep(0)
    check(key)

async def main():
    await asyncio.gather(*(task(n) for n in range(10)))
    check(0)

async def eager():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    async def one():
        async with span("one") as one:
            await asyncio.sleep(0)
            check(one.key)
    async with span("outer") as outer:
        for _ in range(3):
            task = asyncio.create_task(one())
            check(outer.key)
        await task
        check(outer.key)

reader = f._span_reader()
asyncio.run(main())
if sys.version_info >= (3, 12):
    asyncio.run(eager())
check(0)
"""


@pytest.mark.every_build
def test_tasks(interp, run):
    run(interp, TASKS)


def test_threads_that_are_handed_work(interp, run):
    run(interp, HEAD + """
import concurrent.futures
reader = f._span_reader()
submit, start = concurrent.futures.ThreadPoolExecutor.submit, threading.Thread.start
with concurrent.futures.ThreadPoolExecutor(1) as pool:
    with span("handed over") as s:
        pool.submit(check, s.key).result()
        thread = threading.Thread(target=check, args=(s.key,))
        thread.start(); thread.join()
        assert pool.submit(lambda: 1 / 1).result() == 1
        failed = pool.submit(lambda: 1 / 0)
        assert isinstance(failed.exception(), ZeroDivisionError)
    pool.submit(check, 0).result()
    results = []
    thread = threading.Thread(target=lambda: results.append(f.span_current()))
    thread.start(); thread.join()
    assert results == [0]
assert threading.Thread.start is not start
del reader
with span("a"):
    pass
# nothing is left of it
assert threading.Thread.start is start
assert concurrent.futures.ThreadPoolExecutor.submit is submit
""")  # fmt: skip


def test_forks(interp, run):
    run(interp, HEAD + """
reader = f._span_reader()
ready, go = threading.Event(), threading.Event()
def other():
    with span("other"):
        ready.set()
        go.wait()
thread = threading.Thread(target=other)
thread.start()
ready.wait()
with span("parent") as parent:
    pid = os.fork()
    if pid == 0:
        check(parent.key)
        fresh = f._span_reader()
        assert [e[5] for e in events(fresh)] == ["parent"]
        with span("child"):
            pass
        assert [e[0] for e in events(fresh)] == ["opened", "closed"]
        assert events(reader) == []
        os._exit(7)
    assert os.WEXITSTATUS(os.waitpid(pid, 0)[1]) == 7
go.set()
thread.join()
assert [e[0] for e in events(reader)] == ["opened"] * 2 + ["closed"] * 2
""")  # fmt: skip


def test_forks_under_load(interp, run):
    """Threads that open and close all the time: no child hangs on a lock that one of them had."""
    run(interp, HEAD + """
import time
reader = f._span_reader()
over = False
def work():
    while not over:
        with span("a"), span("b"):
            time.sleep(0.0005)
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads: thread.start()
for _ in range(15):
    pid = os.fork()
    if pid == 0:
        fresh = f._span_reader()
        with span("c") as c:
            check(c.key)
        os._exit(len(events(fresh)) - 2)
    assert os.waitpid(pid, 0)[1] == 0
    for _ in range(100):  # they are faster than us: not all there are
        f._span_next(reader)
over = True
for thread in threads: thread.join()
""")  # fmt: skip


# Each kind burns CPU in a function of its own, so that every sample says itself where it belongs.
TRUTH = """
import asyncio, collections, json, sys, time
from fireglass import _fireglass as f, span

SHARES = dict(a=8, b=4, c=2, d=1)
for kind in SHARES:
    exec("def burn_%s(ms):\\n"
         "    end = time.thread_time() + ms / 1000\\n"
         "    while time.thread_time() < end: sum(range(100))\\n" % kind)

async def task(kind, ms):
    burn = globals()["burn_" + kind]
    async with span("task", kind):
        for _ in range(100):
            burn(ms)
            await asyncio.sleep(0)

async def main():
    await asyncio.gather(*(task(kind, ms / 4) for kind, ms in SHARES.items()))

LOOP
with open("out.fgc", "w+b") as file:
    session = f.Session(file.fileno(), period_ns=500_000)
    go(main)
    session.stop()
capture = f.Capture("out.fgc")
names = [row["text"] for row in capture.spans()]
cpu, right, wrong, none = collections.Counter(), 0, 0, 0
for sample in capture.samples():
    burns = [frame[0][5:] for frame in sample["stack"] if frame[0].startswith("burn_")]
    of = names[sample["span"]] if sample["span"] is not None else None
    if of and sample["state"] == "on cpu":
        cpu[of] += 1
    if burns:
        none += of is None
        right += of == burns[0]
        wrong += of not in (None, burns[0])
print(json.dumps(dict(spans=capture.spans(), cpu=cpu, right=right, wrong=wrong, none=none)))
"""


def check_truth(text):
    found = json.loads(text)
    assert sorted(row["text"] for row in found["spans"]) == ["a", "b", "c", "d"]
    assert all(row["end_ns"] > row["start_ns"] for row in found["spans"])
    assert found["wrong"] == 0, found
    assert found["right"] >= 100, found
    # a sample that was taken while tasks were switched says nothing: that is hardly any
    assert found["none"] <= 0.02 * found["right"] + 5, found
    # 375 ms of CPU in all, so some 750 samples (fewer if the machine is busy): 1.8 points is sigma
    total = sum(found["cpu"].values())
    for kind, share in {"a": 8, "b": 4, "c": 2, "d": 1}.items():
        assert abs(found["cpu"].get(kind, 0) / total - share / 15) < 0.08, found


@pytest.mark.every_build
def test_truth(interp, run):
    check_truth(run(interp, TRUTH.replace("LOOP", "def go(f): asyncio.run(f())")).stdout)


@pytest.mark.parametrize("size", [0, 1, 5, 20, 60, 200, 2000])
def test_any_number_of_variables(interp, run, size):
    """The tree in which variables are, of every depth; and those that hash alike."""
    run(interp, HEAD + """
reader = f._span_reader()
variables = [contextvars.ContextVar(str(i)) for i in range(SIZE)]
for i, variable in enumerate(variables):
    variable.set(i)
check(0)
with span("a") as a:
    check(a.key)
    for i, variable in enumerate(variables):
        variable.set(-i)
        if i % 50 == 0:
            check(a.key)
    contextvars.copy_context().run(check, a.key)
    contextvars.Context().run(check, 0)
check(0)
""".replace("SIZE", str(size)))  # fmt: skip
