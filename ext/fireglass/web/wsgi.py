# SPDX-License-Identifier: MIT
"""WSGI: `application = fireglass.web.wsgi.Middleware(application, profiler)`.

A request lasts until its answer has been taken and closed. Answers are passed on piece by piece as they
come; lists, and files that the server sends by itself, as they are.
"""

from . import _site
from ._profiler import PARAMETER, Profiler

HEADER_KEY = "HTTP_X_FIREGLASS"


class Middleware:
    """app: a WSGI application. resolve(environ): the route's template, None if there is none; without
    it requests are known by their paths. Other arguments are those of Profiler."""

    def __init__(self, app, profiler=None, resolve=None, **options):
        self.app = app
        self.profiler = profiler or Profiler(**options)
        self._resolve = resolve
        self._mount = self.profiler.mount
        self._site = _site.Site(self.profiler)

    def __call__(self, environ, start_response):
        profiler = self.profiler
        if (
            profiler.has_news()
            or HEADER_KEY in environ
            or PARAMETER in environ.get("QUERY_STRING", "")
            or (self._mount and environ.get("PATH_INFO", "").startswith(self._mount))
        ):
            return self._look_at(environ, start_response)
        return self.app(environ, start_response)

    def _look_at(self, environ, start_response):
        path = environ.get("PATH_INFO", "")
        if self._site.is_for(path):
            return _answer_site(self._site, environ, start_response)
        asked = _asked(self.profiler, environ)
        resolve = self._resolve
        request = self.profiler.begin(
            "request",
            environ.get("REQUEST_METHOD", ""),
            path,
            lambda name: environ.get("HTTP_" + name.upper().replace("-", "_")),
            asked=asked,
            resolve=(lambda: _call(resolve, environ)) if resolve else (lambda: path),
            root=environ.get("SCRIPT_NAME", ""),
        )
        if request is None:
            return self.app(environ, start_response)
        environ["fireglass.request"] = request
        if request.shown:
            return _show(self, request, environ, start_response)
        return self._run(request, environ, start_response)

    def _run(self, request, environ, start_response):
        def start(status, headers, *exc_info):
            request.status = status_of(status)
            if request.link:
                headers = [*headers, request.link]
            return start_response(status, headers, *exc_info)

        entered = request.enter()
        try:
            answer = self.app(environ, start)
        except BaseException:
            request.status = request.status or 500
            request.leave(entered)
            request.end()
            raise
        request.leave(entered)
        if type(answer) in (list, tuple) or _is_file(environ, answer):
            request.end()
            return answer
        return (SizedPieces if hasattr(answer, "__len__") else Pieces)(answer, request)


class Pieces:
    """An answer that is still being made. Each piece is made in the span."""

    def __init__(self, answer, request):
        self._answer = answer
        self._pieces = None
        self._request = request

    def __iter__(self):
        return self

    def __next__(self):
        request = self._request
        entered = request.enter()
        try:
            if self._pieces is None:
                self._pieces = iter(self._answer)
            return next(self._pieces)
        except StopIteration:
            request.answered()
            raise
        finally:
            request.leave(entered)

    def close(self):
        request = self._request
        entered = request.enter()
        try:
            close = getattr(self._answer, "close", None)
            if close is not None:
                close()
        finally:
            request.leave(entered)
            request.end()


class SizedPieces(Pieces):
    """Servers look whether there is but one piece."""

    def __len__(self):
        return len(self._answer)


def status_of(status):
    try:
        return int(status[:3])
    except (TypeError, ValueError):
        return 0


def _is_file(environ, answer):
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(answer, wrapper)


def _call(resolve, environ):
    try:
        return resolve(environ)
    except Exception:
        # what the application makes of it is its own affair
        return None


def _asked(profiler, environ):
    """What the request asks for; the application does not see that it did."""
    header = environ.get(HEADER_KEY)
    query = environ.get("QUERY_STRING", "")
    if header is None and PARAMETER not in query:
        return None
    asked, left = profiler.asked(header, query)
    if asked:
        environ.pop(HEADER_KEY, None)
        environ["QUERY_STRING"] = left
    return asked


# ---- answers of our own --------------------------------------------------------------------------


def _show(middleware, request, environ, start_response):
    """The report, in place of what the application has answered."""
    name = request.shown
    answer = middleware._run(request, environ, lambda *_: lambda _data: None)
    try:
        for _ in answer:
            pass
    finally:
        if hasattr(answer, "close"):
            answer.close()
    return _send(middleware._site.page_of(name), environ, start_response)


def _answer_site(site, environ, start_response):
    def header(name):
        if name.lower() in ("content-length", "content-type"):
            return environ.get(name.upper().replace("-", "_"))
        return environ.get("HTTP_" + name.upper().replace("-", "_"))

    question = _site.Question(
        environ.get("REQUEST_METHOD", ""),
        environ.get("PATH_INFO", "")[len(site.mount) :],
        environ.get("QUERY_STRING", ""),
        header,
        environ.get("SCRIPT_NAME", ""),
    )
    return _send(site.answer(question), environ, start_response)


def _send(answer, environ, start_response):
    start_response(answer.line, answer.headers)
    if environ.get("REQUEST_METHOD") == "HEAD":
        answer.close()
        return [b""]
    return answer


def application(profiler):
    """The debug endpoints alone, as a WSGI application to be mounted wherever one likes."""
    site = _site.Site(profiler, mount="")

    def answer(environ, start_response):
        return _answer_site(site, environ, start_response)

    return answer
