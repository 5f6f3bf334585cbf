# SPDX-License-Identifier: MIT
"""One request, or one task of a queue, from its begin to its end: a span, and who samples it."""

import sys
import time

from . import _context
from ._log import log

TEXT_MAX = 200


class Request:
    """Made by Profiler.begin(); whoever handles the request calls, in this order:

    enter() and leave() around whatever runs of it, any number of times, in the same context (tasks that
    are started there are of it, too); answered() when its answer is complete; end() when all is over,
    any number of times. None of these raises.
    """

    __slots__ = (
        "_began",
        "_took_ns",
        "capture",
        "id",
        "key",
        "kind",
        "link",
        "method",
        "path",
        "profiler",
        "route",
        "shown",
        "start_ns",
        "status",
        "takers",
    )

    def __init__(self, profiler, kind, method, path, route=None):
        self.profiler = profiler
        self.kind = kind
        self.method = method
        self.path = path
        self.route = route
        self.status = 0
        self.id = profiler.new_id()
        self.start_ns = time.time_ns()
        self.takers = ()
        self.link = None  # (name, value) of the header of its answer
        self.capture = None  # the name of that which was asked for
        self.shown = None  # the name of the capture that is to be the answer
        self._took_ns = 0
        self._began = time.perf_counter_ns()
        self.key = _context.open_span(kind, self.text())

    def text(self):
        words = [self.method, (self.route or self.path)[:TEXT_MAX]]
        if self.status:
            words.append(str(self.status))
        words.append("id=" + self.id)
        return " ".join(words)

    # ---- for those that handle it ----------------------------------------------------------------

    def enter(self):
        return _context.enter(self.key)

    @staticmethod
    def leave(entered):
        _context.leave(entered)

    def answered(self):
        """The last of the answer is on its way; what comes now nobody waits for."""
        if not self._took_ns:
            self._took_ns = time.perf_counter_ns() - self._began

    def end(self):
        if not self.key:
            return
        self.answered()
        key, self.key = self.key, 0
        try:
            _context.describe_span(key, _context.plain(self.text()))
            _context.close_span(key)
            self.profiler.ended(self)
        except Exception:
            log.exception("fireglass: a request could not be ended")

    def __del__(self, _too_late=sys.is_finalizing):
        # dropped by those that should have ended it; when the interpreter ends, modules go before it
        if self.key and not _too_late():
            self.end()

    # ---- what is known ---------------------------------------------------------------------------

    @property
    def duration_ns(self):
        """Until it was answered, or now."""
        return self._took_ns or time.perf_counter_ns() - self._began

    def about(self):
        return {
            "kind": self.kind,
            "id": self.id,
            "method": self.method,
            "path": self.path[:TEXT_MAX],
            "route": self.route,
            "status": self.status,
            "start_ns": self.start_ns,
            "duration_ns": self.duration_ns,
        }
