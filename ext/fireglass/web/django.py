# SPDX-License-Identifier: MIT
"""Django: "fireglass.web.django.Middleware", the first of MIDDLEWARE.

settings.FIREGLASS is a dict of Profiler's options; FIREGLASS["profiler"] may be one that there is. Both
kinds of servers, views, and streaming answers.
"""

import asyncio
import threading

from asgiref.sync import iscoroutinefunction, markcoroutinefunction

from . import _site, wsgi
from ._profiler import PARAMETER, Profiler

_lock = threading.Lock()
_profiler = None


def profiler():
    """The one of this project, made when it is first asked for."""
    global _profiler
    with _lock:
        if _profiler is None:
            from django.conf import settings

            options = dict(getattr(settings, "FIREGLASS", None) or {})
            _profiler = options.pop("profiler", None) or Profiler(**options)
        return _profiler


class Middleware:
    sync_capable = True
    async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        self.profiler = profiler()
        self._site = _site.Site(self.profiler)
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request):
        if self._is_async:
            return self._call_async(request)
        if self._site.is_for(request.path_info):
            return _send(self._site.answer(_question(self._site, request)), request)
        ours = self._begin(request)
        if ours is None:
            return self.get_response(request)
        entered = ours.enter()
        try:
            response = self.get_response(request)
        except BaseException:
            _failed(ours, request)
            raise
        finally:
            ours.leave(entered)
        return self._finish(ours, request, response)

    async def _call_async(self, request):
        if self._site.is_for(request.path_info):
            loop, question = asyncio.get_running_loop(), _question(self._site, request)
            return _send(await loop.run_in_executor(None, self._site.answer, question), request)
        ours = self._begin(request)
        if ours is None:
            return await self.get_response(request)
        entered = ours.enter()
        try:
            response = await self.get_response(request)
        except BaseException:
            _failed(ours, request)
            raise
        finally:
            ours.leave(entered)
        if ours.shown:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(None, self._finish, ours, request, response)
        return self._finish(ours, request, response)

    # ---- both ------------------------------------------------------------------------------------

    def _begin(self, request):
        meta = request.META
        if not (
            self.profiler.has_news()
            or wsgi.HEADER_KEY in meta
            or PARAMETER in meta.get("QUERY_STRING", "")
        ):
            return None
        return self.profiler.begin(
            "request",
            request.method,
            request.path_info,
            request.headers.get,
            asked=self._asked(request),
            resolve=lambda: _resolve(request),
            root=_root_of(request),
        )

    def _asked(self, request):
        meta = request.META
        asked, left = self.profiler.asked(
            request.headers.get("X-Fireglass"), meta.get("QUERY_STRING", "")
        )
        if asked:
            # GET is made from it when it is first looked at
            meta["QUERY_STRING"] = left
            if hasattr(request, "environ"):
                request.environ["QUERY_STRING"] = left
            if hasattr(request, "scope"):
                request.scope = dict(request.scope, query_string=left.encode("latin-1"))
        return asked

    def _finish(self, ours, request, response):
        ours.status = response.status_code
        ours.route = route_of(request)
        if ours.link:
            name, value = ours.link
            response[name] = value
        if getattr(response, "file_to_stream", None) is not None:
            ours.end()  # the server sends it by itself
        elif response.streaming:
            content = response.streaming_content
            response.streaming_content = (
                _stream_async(ours, content)
                if getattr(response, "is_async", False)
                else wsgi.Pieces(content, ours)
            )
        else:
            ours.end()
        if ours.shown:
            return self._show(ours, request, response)
        return response

    def _show(self, ours, request, response):
        if response.streaming and not getattr(response, "is_async", False):
            for _ in response:
                pass
        response.close()
        ours.end()
        return _send(self._site.page_of(ours.shown), request)


def _failed(ours, request):
    ours.status = ours.status or 500
    ours.route = route_of(request)
    ours.end()


def _root_of(request):
    return request.path[: len(request.path) - len(request.path_info)]


def _question(site, request, path=None):
    return _site.Question(
        request.method,
        request.path_info[len(site.mount) :] if path is None else path,
        request.META.get("QUERY_STRING", ""),
        request.headers.get,
        _root_of(request),
    )


def route_of(request):
    match = getattr(request, "resolver_match", None)
    return None if match is None else "/" + match.route.lstrip("/")


def _resolve(request):
    """Before Django does it itself; None: nothing matches."""
    from django.urls import Resolver404, resolve

    try:
        match = resolve(request.path_info, getattr(request, "urlconf", None))
    except Resolver404:
        return None
    return "/" + match.route.lstrip("/")


async def _stream_async(ours, content):
    """Each piece in the span; the answer's end, however it comes, is the request's."""
    pieces = content.__aiter__()
    try:
        while True:
            entered = ours.enter()
            try:
                piece = await pieces.__anext__()
            except StopAsyncIteration:
                return
            finally:
                ours.leave(entered)
            yield piece
    finally:
        if hasattr(pieces, "aclose"):
            await pieces.aclose()
        ours.end()


def _send(answer, request):
    from django.http import HttpResponse

    try:
        body = b"" if request.method == "HEAD" else b"".join(answer)
    finally:
        answer.close()
    response = HttpResponse(body, status=answer.status)
    for name, value in answer.headers:
        response[name] = value
    return response


# ---- urls ----------------------------------------------------------------------------------------


def view(request, rest=""):
    """The debug endpoints as a view: path("profile/<path:rest>", fireglass.web.django.view)."""
    mount = request.path_info[: len(request.path_info) - len(rest)].rstrip("/")
    site = _site.Site(profiler(), mount)
    return _send(site.answer(_question(site, request, "/" + rest)), request)


view.csrf_exempt = True
