# SPDX-License-Identifier: MIT
"""asyncio tasks, each with a chain of coroutines that await one another. 3.7 and later."""

import asyncio

from witness import Witness, chain, names

DEPTH = 12
W = Witness(
    __file__,
    from_lib=["a0", "b0", "main"],
    exclusive=[names("a", DEPTH), names("b", DEPTH)],
)
LAST = "for _ in range(5): await SLEEP(0)  # -> <lib>"
SOURCE = (
    chain("a", DEPTH, LAST, "await {callee}()") + chain("b", DEPTH, LAST, "await {callee}()")
).replace("def ", "async def ")
SPACE = {"SLEEP": asyncio.sleep}
exec(W.add_source(SOURCE, "<awaits>"), SPACE)


async def main():
    work = 0
    while W.going(work):  # -> going
        work += 1
        await asyncio.gather(SPACE["a0"](), SPACE["b0"]())  # -> <lib>, a0, b0


if __name__ == "__main__":
    W.ready()  # -> ready
    asyncio.run(main())  # -> <lib>, main
    W.finish()  # -> finish
