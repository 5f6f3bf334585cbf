# SPDX-License-Identifier: MIT
"""Tasks that hold the loop leave their stacks."""


def test_a_task_that_holds_the_loop(interp, run):
    done = run(
        interp,
        """
import asyncio, logging, sys, threading, time
import fireglass
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(name)s %(message)s")

def parse(): time.sleep(0.5)
async def bad(): await asyncio.sleep(0.01); parse()
async def good():
    for _ in range(20): await asyncio.sleep(0.02)
async def main():
    task = asyncio.ensure_future(bad())
    await asyncio.gather(task, good())

with fireglass.blocked_loops(over=0.25) as watch:
    asyncio.run(main())
(event,) = watch.events
assert "bad" in event["what"], event
assert 0.25 <= event["seconds"] < 30
names = [frame.name for frame in event["stack"]]
assert names == ["bad", "parse"], names
assert not [t for t in threading.enumerate() if "fireglass" in t.name]

# a plain callback; in another thread; given to a function
got = []
def callback(): time.sleep(0.4)
def elsewhere():
    loop = asyncio.new_event_loop()
    loop.call_soon(callback)
    loop.call_later(0.5, loop.stop)
    loop.run_forever()
    loop.close()
watch = fireglass.blocked_loops(0.2, got.append).start()
thread = threading.Thread(target=elsewhere); thread.start(); thread.join()
assert watch.stop() == got and got[0]["what"] == "callback" and got[0]["thread"] == thread.ident

# many short ones are not one long one, and to wait is not to hold
with fireglass.blocked_loops(over=5) as watch:
    asyncio.run(good())
assert watch.events == []
for bad_value in (0, -1):
    try:
        fireglass.blocked_loops(bad_value)
    except ValueError:
        pass
    else:
        assert False
""",
    )
    assert done.stdout.startswith("WARNING fireglass Task-"), done.stdout
    assert "held its loop for" in done.stdout and "in parse" in done.stdout
