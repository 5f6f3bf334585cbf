# SPDX-License-Identifier: MIT
"""The debug endpoints: what 'fireglass serve' answers, and what only an application can say.

Knows no framework: a Question comes in, an Answer goes out; the middlewares carry them. Everything
needs the token; a link to one capture may have its key instead. openapi.yaml says what there is.
"""

import os

from . import _answers
from ._log import log
from ._page import index_page
from ._reply import HTML, Answer, Question, Refused, json_answer

__all__ = ["Question", "Site"]


class Site:
    def __init__(self, profiler, mount=None):
        self.profiler = profiler
        self.mount = profiler.mount if mount is None else mount

    def link(self, name, root):
        """Where the report of a capture is, for people that have no token."""
        return self.profiler.link(name, root, self.mount)

    def is_for(self, path):
        mount = self.mount
        return mount is not None and path.startswith(mount) and path[len(mount) :][:1] in ("", "/")

    def answer(self, question):
        """Never raises; may take as long as the question says."""
        try:
            return self._answer(question)
        except Refused as refused:
            return json_answer({"error": str(refused)}, refused.status, refused.headers)
        except Exception as error:
            log.exception("fireglass: a question was not answered")
            return json_answer({"error": "%s: %s" % (type(error).__name__, error)}, 500)

    def _answer(self, question):
        method = "GET" if question.method == "HEAD" else question.method
        if not self.profiler.auth.is_on:
            raise Refused(404, "there is nothing here; the profiler has no token")
        if self.profiler.auth.is_too_fast():
            raise Refused(429, "too many requests; at most 100 a second", ("Retry-After", "1"))
        route, rest, allowed = _find(method, question.path)
        self._check(question, rest if route is _answers.capture else None)
        if route is None and allowed:
            raise Refused(405, "this takes %s only" % allowed, ("Allow", allowed))
        if route is None:
            raise Refused(404, "there is nothing here; openapi.yaml says what there is")
        return route(self, question, rest)

    def _check(self, question, capture):
        """Who may."""
        site = question.header("Sec-Fetch-Site")
        if site == "cross-site" and (
            question.method != "GET" or question.header("Sec-Fetch-Mode") != "navigate"
        ):
            raise Refused(403, "requests from pages of other sites are not answered")
        auth = self.profiler.auth
        scheme, _, bearer = (question.header("Authorization") or "").partition(" ")
        given = bearer.strip() if scheme.lower() == "bearer" else question.given.get("token")
        if auth.is_token(given):
            return
        name = capture[: -len(".fgc")] if capture and capture.endswith(".fgc") else None
        if name and question.method in ("GET", "HEAD"):
            if auth.is_key(name, question.given.get("key")):
                return
        raise Refused(
            401,
            "the token is missing or wrong; give it as 'Authorization: Bearer TOKEN' or as ?token=TOKEN",
            ("WWW-Authenticate", 'Bearer realm="fireglass"'),
        )

    def page_of(self, name):
        """The report of a capture that is just being made, for who may see it."""
        question = Question("GET", "/", "format=html", lambda _: None)
        try:
            return _answers.capture(self, question, name + ".fgc")
        except Refused as refused:
            return json_answer({"error": str(refused)}, refused.status)


def _find(method, path):
    allowed = []
    for wanted, pattern, route in ROUTES:
        whole = not pattern.endswith("*")
        if path != pattern if whole else not path.startswith(pattern[:-1]) or path == pattern[:-1]:
            continue
        if wanted == method:
            return route, "" if whole else path[len(pattern) - 1 :], ""
        allowed.append(wanted)
    return None, "", ", ".join(allowed)


def index(site, question, _rest):
    _answers.know(question)
    return Answer(index_page(site, question), HTML)


def openapi(site, question, _rest):
    _answers.know(question)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "openapi.yaml")
    return Answer(open(path, "rb"), "application/yaml")


ROUTES = [
    ("GET", "/", index),
    ("GET", "/api/v1/status", _answers.status),
    ("POST", "/api/v1/start", _answers.start),
    ("POST", "/api/v1/stop", _answers.stop),
    ("GET", "/api/v1/profile", _answers.profile),
    ("GET", "/api/v1/slowest", _answers.slowest),
    ("GET", "/api/v1/next", _answers.campaign),
    ("POST", "/api/v1/next", _answers.begin_campaign),
    ("DELETE", "/api/v1/next", _answers.end_campaign),
    ("GET", "/api/v1/captures", _answers.captures),
    ("POST", "/api/v1/captures", _answers.save),
    ("GET", "/api/v1/captures/*", _answers.capture),
    ("DELETE", "/api/v1/captures/*", _answers.delete),
    ("GET", "/debug/pprof/", _answers.pprof_index),
    ("GET", "/debug/pprof/profile", _answers.pprof),
    ("GET", "/debug/pprof/cmdline", _answers.cmdline),
    ("GET", "/folded", _answers.folded),
    ("GET", "/metrics", _answers.metrics),
    ("GET", "/openapi.yaml", openapi),
]
