# SPDX-License-Identifier: MIT
import asyncio

import work
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, StreamingResponse
from fireglass.web.fastapi import Middleware

app = FastAPI()
app.add_middleware(Middleware, profiler=work.profiler())


@app.get("/checkout/{number}")
async def checkout(number: int, request: Request):
    # its time comes in pieces, and others run in between
    for _ in range(6):
        work.checkout_work(0.005)
        await asyncio.sleep(0.002)
    return PlainTextResponse("checked out %d %s" % (number, request.url.query))


@app.get("/other")
async def other():
    for _ in range(6):
        work.other_work(0.005)
        await asyncio.sleep(0.002)
    return "other"


@app.get("/slow/{ms}")
def slow(ms: int):
    # in a thread of the pool
    work.other_work(ms / 1000)
    return "slow"


@app.get("/stream")
async def stream():
    async def pieces():
        for _ in range(3):
            work.stream_work()
            yield b"piece "
            await asyncio.sleep(0.001)

    return StreamingResponse(pieces())


@app.get("/error")
async def error():
    work.checkout_work()
    raise ZeroDivisionError
