# SPDX-License-Identifier: MIT
"""Starlette and FastAPI: `app.add_middleware(fireglass.web.starlette.Middleware, token="...")`."""

from . import asgi


class Middleware(asgi.Middleware):
    """Options are those of Profiler; or give profiler=."""

    def __init__(self, app, profiler=None, resolve=None, **options):
        super().__init__(app, profiler, resolve or template_of, **options)


def template_of(scope):
    """The template of the route that the request will be matched by, found out before."""
    app = scope.get("app")
    return _template(getattr(app, "routes", ()), dict(scope), 8)


def _template(routes, scope, depth):
    for route in routes:
        match, inside = route.matches(scope)
        if match.name != "FULL":
            continue
        path = getattr(route, "path_format", None) or getattr(route, "path", None)
        below = getattr(route, "routes", None)
        if not below or not depth:
            return path
        # a mount: its part, and what is found below
        rest = _template(below, {**scope, **inside}, depth - 1)
        return (path or "") + rest if rest else path
    return None
