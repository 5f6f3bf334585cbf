# SPDX-License-Identifier: MIT
"""Flask: `fireglass.web.flask.Fireglass(app, token="...")`, or init_app(app) later.

Options are those of Profiler; app.config["FIREGLASS"], a dict, has more of them.
"""

from . import wsgi
from ._profiler import Profiler


class Fireglass:
    """app.extensions["fireglass"] is the Profiler."""

    def __init__(self, app=None, profiler=None, **options):
        self.profiler = profiler
        self._options = options
        if app is not None:
            self.init_app(app)

    def init_app(self, app):
        if self.profiler is None:
            options = dict(app.config.get("FIREGLASS") or {}, **self._options)
            self.profiler = Profiler(**options)
        app.extensions["fireglass"] = self.profiler
        app.wsgi_app = wsgi.Middleware(app.wsgi_app, self.profiler, resolver(app))
        app.before_request(_note_route)


def resolver(app):
    """The rule that the request will be matched by, found out before."""

    def resolve(environ):
        rule, _ = app.url_map.bind_to_environ(environ).match(return_rule=True)
        return rule.rule

    return resolve


def _note_route():
    from flask import request

    ours = request.environ.get("fireglass.request")
    if ours is not None and request.url_rule is not None:
        ours.route = request.url_rule.rule
