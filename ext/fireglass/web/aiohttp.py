# SPDX-License-Identifier: MIT
"""aiohttp: `fireglass.web.aiohttp.setup(app, token="...")`, before other middlewares are added.

A request lasts until its handler returns. Sub-applications that are added are covered.
"""

import asyncio

from . import _site
from ._profiler import HEADER, PARAMETER, Profiler


def setup(app, profiler=None, **options):
    """Options are those of Profiler. Returns the Profiler."""
    profiler = profiler or Profiler(**options)
    app.middlewares.insert(0, middleware(profiler))
    app.on_response_prepare.append(_add_link)
    return profiler


def middleware(profiler):
    from aiohttp import web

    site = _site.Site(profiler)

    @web.middleware
    async def handle(request, handler):
        if site.is_for(request.path):
            return await _answer(site, request)
        if not (
            profiler.has_news() or HEADER in request.headers or PARAMETER in request.query_string
        ):
            return await handler(request)
        asked, query = profiler.asked(request.headers.get(HEADER), request.query_string)
        ours = profiler.begin(
            "request",
            request.method,
            request.path,
            request.headers.get,
            asked=asked,
            resolve=lambda: _route_of(request),
        )
        if ours is None:
            return await handler(request)
        ours.route = _route_of(request)
        request["fireglass.request"] = ours
        if asked:
            # the application does not see that it was; aiohttp goes on with the first one
            match_info = request.match_info
            request = request.clone(rel_url=request.rel_url.with_query(query))
            request._match_info = match_info
        response = await _handle(ours, request, handler)
        return await _page(site, ours.shown, request) if ours.shown else response

    return handle


async def _handle(ours, request, handler):
    from aiohttp import web

    entered = ours.enter()
    try:
        response = await handler(request)
        ours.status = response.status
        return response
    except web.HTTPException as answer:
        ours.status = answer.status
        raise
    except BaseException:
        # a client that went away, too
        ours.status = 500
        raise
    finally:
        ours.leave(entered)
        ours.end()


async def _add_link(request, response):
    ours = request.get("fireglass.request")
    if ours is not None and ours.link:
        name, value = ours.link
        response.headers[name] = value


def _route_of(request):
    resource = request.match_info.route.resource
    return None if resource is None else resource.canonical


# ---- answers of our own --------------------------------------------------------------------------


async def _answer(site, request):
    question = _site.Question(
        request.method,
        request.path[len(site.mount) :],
        request.query_string,
        request.headers.get,
    )
    return await _send(site.answer, question)


async def _page(site, name, _request):
    return await _send(site.page_of, name)


async def _send(make, *args):
    from aiohttp import web

    def whole():
        answer = make(*args)
        try:
            return answer, b"".join(answer)
        finally:
            answer.close()

    answer, body = await asyncio.get_running_loop().run_in_executor(None, whole)
    headers = [(name, value) for name, value in answer.headers if name != "Content-Length"]
    return web.Response(body=body, status=answer.status, headers=headers)
