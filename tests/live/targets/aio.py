# SPDX-License-Identifier: MIT
"""asyncio: a task whose coroutines await each other, parked in the innermost; 3.7 and newer."""

import asyncio
import contextlib

from parked import park, run


async def leaf():
    await asyncio.sleep(0)
    park()


class Session:
    async def fetch(self, n):
        if n:
            return await self.fetch(n - 1)
        return await leaf()


async def numbers():
    yield 1
    await Session().fetch(3)


async def listed():
    return [x async for x in numbers()]


@contextlib.asynccontextmanager
async def managed():
    yield await listed()


async def main():
    waiting = asyncio.ensure_future(asyncio.sleep(1000))
    async with managed():
        pass
    waiting.cancel()


async def callback():
    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(lambda: park())
    await done


def start_main():
    asyncio.run(main())


def start_callback():
    loop = asyncio.new_event_loop()
    loop.run_until_complete(callback())


if __name__ == "__main__":
    run([("callback", start_callback)], start_main)
