# SPDX-License-Identifier: MIT
"""Requests and tasks: which ones, how long, and what they did all that time.

    profiler = fireglass.web.Profiler(token="...")
    application = fireglass.web.wsgi.Middleware(application, profiler)

There are drop-ins for WSGI, ASGI, Django, Flask, Starlette and FastAPI, aiohttp and Celery, each in its
module of that name. docs/inside-web.md tells all of it.
"""

from ._match import Match
from ._profiler import Profiler, Waiting
from ._request import Request

__all__ = ["Match", "Profiler", "Request", "Waiting"]
