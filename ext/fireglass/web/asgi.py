# SPDX-License-Identifier: MIT
"""ASGI: `application = fireglass.web.asgi.Middleware(application, profiler)`.

A request is answered with the last piece of its answer, and lasts until the application returns: what
runs after the answer (background tasks) is still of it. Connections that are no requests are passed on.
"""

import asyncio
import concurrent.futures

from . import _site
from ._profiler import PARAMETER, Profiler

HEADER_BYTES = b"x-fireglass"


class Middleware:
    """app: an ASGI application. resolve(scope): the route's template, None if there is none; without
    it routes are known once a framework has said them in the scope. Other arguments are those of
    Profiler."""

    def __init__(self, app, profiler=None, resolve=None, **options):
        self.app = app
        self.profiler = profiler or Profiler(**options)
        self._resolve = resolve
        self._mount = self.profiler.mount
        self._site = _site.Site(self.profiler)

    async def __call__(self, scope, receive, send):
        profiler = self.profiler
        if scope["type"] == "http" and (
            profiler.has_news()
            or PARAMETER.encode() in scope.get("query_string", b"")
            or (self._mount and path_of(scope).startswith(self._mount))
            or any(name == HEADER_BYTES for name, _ in scope["headers"])
        ):
            await self._look_at(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _look_at(self, scope, receive, send):
        path = path_of(scope)
        if self._site.is_for(path):
            await _answer_site(self._site, scope, receive, send, path)
            return
        asked, scope = _asked(self.profiler, scope)
        resolve = self._resolve
        request = self.profiler.begin(
            "request",
            scope.get("method", ""),
            path,
            lambda name: header_of(scope, name),
            asked=asked,
            resolve=(lambda: _call(resolve, scope)) if resolve else None,
            root=scope.get("root_path", ""),
        )
        if request is None:
            await self.app(scope, receive, send)
            return
        scope["fireglass.request"] = request
        sender = _Sender(request, send)
        await self._run(request, scope, receive, sender.swallow if request.shown else sender.send)
        if request.shown:
            await _send(_site_page, (self._site, request.shown), scope, send)

    async def _run(self, request, scope, receive, send):
        entered = request.enter()
        try:
            await self.app(scope, receive, send)
        except BaseException:
            # a client that went away, too
            request.status = request.status or 500
            raise
        finally:
            request.route = request.route or route_of(scope)
            request.leave(entered)
            request.end()


class _Sender:
    """What the application sends, looked at on its way."""

    def __init__(self, request, send):
        self._request = request
        self._send = send

    def _look(self, message):
        request = self._request
        if message["type"] == "http.response.start":
            request.status = message["status"]
            if request.link:
                name, value = request.link
                headers = [*message.get("headers", ()), (name.lower().encode(), value.encode())]
                return dict(message, headers=headers)
        return message

    async def send(self, message):
        await self._send(self._look(message))
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self._request.answered()

    async def swallow(self, message):
        self._look(message)


def path_of(scope):
    """Without what the application is mounted at."""
    path, root = scope["path"], scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root) else path


def header_of(scope, name):
    wanted = name.lower().encode("latin-1")
    for key, value in scope["headers"]:
        if key == wanted:
            return value.decode("latin-1")
    return None


def route_of(scope):
    """As Starlette, FastAPI and others leave it behind."""
    route = scope.get("route")
    path = getattr(route, "path_format", None) or getattr(route, "path", None)
    return path if isinstance(path, str) else None


def _call(resolve, scope):
    try:
        return resolve(scope)
    except Exception:
        # what the application makes of it is its own affair
        return None


def _asked(profiler, scope):
    """What the request asks for; the application does not see that it did."""
    header = header_of(scope, HEADER_BYTES.decode())
    query = scope.get("query_string", b"").decode("latin-1")
    if header is None and PARAMETER not in query:
        return None, scope
    asked, left = profiler.asked(header, query)
    if asked:
        headers = [pair for pair in scope["headers"] if pair[0] != HEADER_BYTES]
        scope = dict(scope, query_string=left.encode("latin-1"), headers=headers)
    return asked, scope


# ---- answers of our own --------------------------------------------------------------------------


def _site_page(site, name):
    return site.page_of(name)


async def _answer_site(site, scope, receive, send, path):
    question = _site.Question(
        scope.get("method", ""),
        path[len(site.mount) :],
        scope.get("query_string", b"").decode("latin-1"),
        lambda name: header_of(scope, name),
        scope.get("root_path", ""),
    )
    await _send(site.answer, (question,), scope, send)


async def _send(make, args, scope, send):
    """make(*args) takes long, and must not hold up the loop."""
    loop = asyncio.get_running_loop()
    pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="fireglass-answer")
    try:
        answer = await loop.run_in_executor(pool, make, *args)
        try:
            await _send_answer(answer, scope, send, loop, pool)
        finally:
            answer.close()
    finally:
        pool.shutdown(wait=False)


async def _send_answer(answer, scope, send, loop, pool):
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if scope.get("method") != "HEAD":
        pieces = iter(answer)
        while True:
            piece = await loop.run_in_executor(pool, next, pieces, None)
            if piece is None:
                break
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def application(profiler):
    """The debug endpoints alone, as an ASGI application to be mounted wherever one likes."""
    site = _site.Site(profiler, mount="")

    async def answer(scope, receive, send):
        if scope["type"] == "http":
            await _answer_site(site, scope, receive, send, path_of(scope))

    return answer
