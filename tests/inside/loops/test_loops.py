# SPDX-License-Identifier: MIT
"""Spans in what switches tasks without asyncio's help. Nothing of it is patched.

These run with the interpreter that pytest runs with, which has the modules of requirements.txt.
"""

import sys
import types

import pytest
from test_spans import HEAD, TRUTH, check_truth

HERE = types.SimpleNamespace(exe=sys.executable, env={}, id="here")

TASKS = HEAD + """
reader = f._span_reader()

def tasks(sleep):
    async def task(n):
        async with span("task", n=n) as mine:
            for i in range(20):
                check(mine.key)
                with span("inner") as inner:
                    await sleep(0)
                    check(inner.key)
                check(mine.key)
    return task

"""

LOOPS = {
    "uvloop": """
import uvloop
def go(main):
    loop = uvloop.new_event_loop()
    loop.run_until_complete(main())
    loop.close()
""",
    "trio": """
import trio
def go(main):
    trio.run(main)
""",
}

UVLOOP = """
async def main():
    await asyncio.gather(*(tasks(asyncio.sleep)(n) for n in range(5)))
    check(0)
    async with span("outer") as outer:
        await asyncio.get_running_loop().run_in_executor(None, check, outer.key)
go(main)
"""

TRIO = """
async def main():
    async with trio.open_nursery() as nursery:
        for n in range(5):
            nursery.start_soon(tasks(trio.sleep), n)
    check(0)
    with span("outer") as outer:
        await trio.to_thread.run_sync(check, outer.key)
go(main)
"""

ANYIO = """
import anyio
async def main():
    async with anyio.create_task_group() as group:
        for n in range(5):
            group.start_soon(tasks(anyio.sleep), n)
    check(0)
    with span("outer") as outer:
        await anyio.to_thread.run_sync(check, outer.key)
for backend in "asyncio", "trio":
    anyio.run(main, backend=backend)
"""

GEVENT = """
import gevent
def task(n):
    with span("task", n=n) as mine:
        for i in range(20):
            check(mine.key)
            with span("inner") as inner:
                gevent.sleep(0)
                check(inner.key)
            check(mine.key)
gevent.joinall([gevent.spawn(task, n) for n in range(5)], raise_error=True)
check(0)
"""

GREENLET = """
import greenlet
main = greenlet.getcurrent()
def task():
    with span("task") as mine:
        for i in range(5):
            check(mine.key)
            main.switch()
            check(mine.key)
greenlets = [greenlet.greenlet(task) for _ in range(5)]
for _ in range(6):
    for each in greenlets:
        each.switch()
        check(0)
assert all(each.dead for each in greenlets)
"""


@pytest.mark.parametrize(
    "code",
    [LOOPS["uvloop"] + UVLOOP, LOOPS["trio"] + TRIO, ANYIO, GEVENT, GREENLET],
    ids=["uvloop", "trio", "anyio", "gevent", "greenlet"],
)
def test_switches(code, run):
    run(HERE, TASKS + code)


@pytest.mark.parametrize("loop", ["uvloop", "trio"])
def test_truth(loop, run):
    code = TRUTH.replace("LOOP", LOOPS[loop])
    if loop == "trio":
        code = code.replace("asyncio.sleep", "trio.sleep").replace(
            "    await asyncio.gather(*(task(kind, ms / 4) for kind, ms in SHARES.items()))",
            "    async with trio.open_nursery() as nursery:\n"
            "        for kind, ms in SHARES.items(): nursery.start_soon(task, kind, ms / 4)",
        )
    check_truth(run(HERE, code).stdout)


def test_truth_of_greenlets(run):
    code = TRUTH.replace(
        "LOOP",
        """
import gevent
def task(kind, ms):
    burn = globals()["burn_" + kind]
    with span("task", kind):
        for _ in range(100):
            burn(ms)
            gevent.sleep(0)
def go(main):
    gevent.joinall([gevent.spawn(task, kind, ms / 4) for kind, ms in SHARES.items()], raise_error=True)
""",
    )
    check_truth(run(HERE, code).stdout)
