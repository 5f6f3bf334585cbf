# SPDX-License-Identifier: MIT
"""Which requests are meant."""

import fnmatch
import re

# Regular expressions come over HTTP, too.
PATTERN_MAX = 200
HEADERS_MAX = 8


class Match:
    """What a request must be like. What is not given does not matter.

    route: the template that the framework has matched ("/cart/{id}"), or the path where it has none.
    path: the path itself; * and ? stand for anything ("/api/*").
    method: "GET"; for tasks of a queue "TASK".
    headers: {name: text or compiled pattern}; a text must be equal, a pattern be found.
    slower_than_ms: requests that took at least so long. Known at the end only, so all that fit
    otherwise are sampled, and those that were faster are left out.
    """

    __slots__ = ("headers", "method", "path", "route", "slower_than_ms")

    def __init__(self, route=None, path=None, method=None, headers=None, slower_than_ms=0):
        self.route = _text("route", route)
        self.path = _text("path", path)
        method = _text("method", method)
        self.method = method.upper() if method else None
        self.headers = _headers(headers or {})
        self.slower_than_ms = _milliseconds(slower_than_ms)

    def may_fit(self, method, path, header):
        """By what is known when a request comes in. header(name): its text or None."""
        if self.method is not None and self.method != method:
            return False
        if self.path is not None and not fnmatch.fnmatchcase(path, self.path):
            return False
        return all(_fits(header(name), wanted) for name, wanted in self.headers.items())

    def fits_route(self, route, path):
        return self.route is None or self.route == (route or path)

    def fits_time(self, duration_ns):
        return duration_ns >= self.slower_than_ms * 1e6

    def to_json(self):
        headers = {
            name: wanted if isinstance(wanted, str) else {"pattern": wanted.pattern}
            for name, wanted in self.headers.items()
        }
        return {
            "route": self.route,
            "path": self.path,
            "method": self.method,
            "headers": headers,
            "slower_than_ms": self.slower_than_ms,
        }

    @classmethod
    def from_json(cls, data):
        headers = {
            name: wanted if isinstance(wanted, str) else re.compile(wanted["pattern"])
            for name, wanted in data["headers"].items()
        }
        return cls(**dict(data, headers=headers))

    def __str__(self):
        words = [word for word in (self.method, self.route or self.path) if word]
        for name, wanted in self.headers.items():
            words.append(
                "%s: %s" % (name, wanted)
                if isinstance(wanted, str)
                else "%s ~ %s" % (name, wanted.pattern)
            )
        if self.slower_than_ms:
            words.append("slower than %g ms" % self.slower_than_ms)
        return " ".join(words) or "any"

    def __repr__(self):
        return "Match(%s)" % self


def _text(name, value):
    if value is not None and (not isinstance(value, str) or not value):
        raise ValueError("bad %s %r; a text that is not empty" % (name, value))
    return value


def _milliseconds(value):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9:
        raise ValueError("bad slower_than_ms %r; milliseconds, 0 or more" % (value,))
    return value


def _headers(headers):
    if len(headers) > HEADERS_MAX:
        raise ValueError("%d headers to match; at most %d" % (len(headers), HEADERS_MAX))
    for name, wanted in headers.items():
        if not isinstance(name, str) or not re.match(r"[A-Za-z0-9_-]+\Z", name):
            raise ValueError("bad name of a header %r" % (name,))
        if not isinstance(wanted, (str, re.Pattern)):
            raise ValueError("bad value %r of header %s; a text or a pattern" % (wanted, name))
    return dict(headers)


def _fits(given, wanted):
    if given is None:
        return False
    if isinstance(wanted, str):
        return given == wanted
    return wanted.search(given) is not None
