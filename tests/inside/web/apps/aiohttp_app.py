# SPDX-License-Identifier: MIT
import asyncio
import sys

import fireglass.web.aiohttp
import work
from aiohttp import web


async def checkout(request):
    for _ in range(6):
        work.checkout_work(0.005)
        await asyncio.sleep(0.002)
    return web.Response(
        text="checked out %s %s" % (request.match_info["number"], request.query_string)
    )


async def other(_request):
    for _ in range(6):
        work.other_work(0.005)
        await asyncio.sleep(0.002)
    return web.Response(text="other")


async def slow(request):
    work.other_work(int(request.match_info["ms"]) / 1000)
    return web.Response(text="slow")


async def stream(request):
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(3):
        work.stream_work()
        await response.write(b"piece ")
    await response.write_eof()
    return response


async def error(_request):
    work.checkout_work()
    raise ZeroDivisionError


def main():
    app = web.Application()
    fireglass.web.aiohttp.setup(app, work.profiler())
    app.router.add_get("/checkout/{number}", checkout)
    app.router.add_get("/other", other)
    app.router.add_get("/slow/{ms}", slow)
    app.router.add_get("/stream", stream)
    app.router.add_get("/error", error)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
