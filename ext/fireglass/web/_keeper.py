# SPDX-License-Identifier: MIT
"""A thread for what no request should wait for: ending sessions, cutting captures, looking for news.

It is there only while there is something to do, and never keeps the program from ending.
"""

import collections
import threading
import time

from . import _context

LINGER_S = 1.0


class Keeper:
    def __init__(self, name="fireglass-web"):
        self._name = name
        self._changed = None  # a condition; made when first used, after what patches threading
        self._lock = threading.Lock()
        self._works = collections.deque()
        self._watches = {}  # what is called again and again -> seconds between
        self._thread = None
        self._busy = False

    def do(self, work):
        """Calls work() soon, after what was given before."""
        changed = self._condition()
        with changed:
            self._works.append(work)
            self._start()
            changed.notify_all()

    def watch(self, look, interval_s):
        """Calls look() every so often, until it answers False."""
        changed = self._condition()
        with changed:
            self._watches[look] = interval_s
            self._start()
            changed.notify_all()

    def wait(self, timeout_s):
        """Until all that was given by now is done; False: it is not."""
        if threading.current_thread() is self._thread:
            return True
        changed = self._condition()
        with changed:
            return changed.wait_for(lambda: not self._works and not self._busy, timeout_s)

    def _condition(self):
        with self._lock:
            if self._changed is None:
                self._changed = threading.Condition()
        return self._changed

    def _start(self):
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            # it is not of the request that happens to be the first to need it
            before = _context.enter(0)
            try:
                self._thread.start()
            finally:
                _context.leave(before)

    def _run(self):
        due = {}
        idle_since = time.monotonic()
        while True:
            changed = self._condition()
            with changed:
                self._busy = False
                changed.notify_all()
                if not self._works and not self._watches:
                    if time.monotonic() - idle_since >= LINGER_S:
                        self._thread = None
                        return
                    changed.wait(LINGER_S)
                elif not self._works:
                    changed.wait(self._next(due))
                work = self._works.popleft() if self._works else None
                self._busy = work is not None
                watches = list(self._watches.items())
            if work or watches:
                idle_since = time.monotonic()
            if work:
                _call(work)
            self._look(watches, due)

    def _next(self, due):
        now = time.monotonic()
        waits = [due.setdefault(look, now + every) - now for look, every in self._watches.items()]
        return max(min(waits), 0.001)

    def _look(self, watches, due):
        now = time.monotonic()
        for look, interval_s in watches:
            if due.setdefault(look, now + interval_s) > now:
                continue
            if _call(look):
                due[look] = time.monotonic() + interval_s
                continue
            due.pop(look, None)
            with self._condition():
                self._watches.pop(look, None)


def _call(work):
    try:
        return work()
    except Exception:
        # nothing of ours ends the program, nor is silent
        from ._log import log

        log.exception("fireglass: unexpected")
        return False
