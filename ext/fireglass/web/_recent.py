# SPDX-License-Identifier: MIT
"""All of the last minutes at a low rate, and the slowest requests of the last hour cut out of it."""

import heapq
import os
import threading
import time

from .. import _fireglass
from . import _cut
from ._log import log

KNOWN_S = 5.0  # how long it is believed which requests are the slowest
MARGIN_S = 1.0
BATCH_S = 0.2


class Recent:
    """A flight recorder in this process; what it keeps is in memory."""

    def __init__(self, profiler, options):
        self._profiler = profiler
        self._options = options
        self._path, self._file = profiler.store.new_file()
        os.unlink(self._path)  # nothing is written to it before the end
        self.session = _fireglass.Session(
            self._file.fileno(),
            period_ns=int(1e9 / options.rate),
            max_age_ns=int(options.keep_s * 1e9),
            max_bytes=options.max_bytes,
        )
        self._lock = threading.Lock()
        self._dumping = threading.Lock()
        self._slow = []
        self._asked = False
        self._least_ns = 0  # a request that takes no longer is not one of the slowest
        self._known_until = 0.0

    def stop(self):
        try:
            self.session.stop()
        except (OSError, RuntimeError, ValueError) as error:
            log.error("fireglass: the flight recorder could not be ended: %s", error)
        self._file.close()

    def abandon(self):
        self.session.abandon()
        self._file.close()

    def dump(self, file, last_s):
        """What is kept of the last seconds, into an empty file."""
        # calls of one session come one at a time
        with self._dumping:
            self.session.dump(file.fileno(), last_ns=int(last_s * 1e9))

    # ---- the slowest -----------------------------------------------------------------------------

    def ended(self, request):
        took_ns = request.duration_ns
        if took_ns < self._options.slow_ms * 1e6:
            return
        if took_ns <= self._least_ns and time.monotonic() < self._known_until:
            return
        with self._lock:
            self._slow.append(request.about())
            asked, self._asked = self._asked, True
        if not asked:
            self._profiler.keeper.do(self._keep_slowest)

    def _keep_slowest(self):
        # others that end at the same time are cut out of the same copy
        time.sleep(BATCH_S)
        with self._lock:
            slow, self._slow, self._asked = self._slow, [], False
        store = self._profiler.store
        before = self.slowest()
        room = self._options.slowest
        chosen = heapq.nlargest(room, before + slow, key=lambda about: about["duration_ns"])
        new = [about for about in slow if about in chosen]
        if new:
            self._cut_out(store, new)
        for about in before:
            if about not in chosen:
                store.delete(about["name"])
        self._least_ns = chosen[-1]["duration_ns"] if len(chosen) >= room else 0
        self._known_until = time.monotonic() + KNOWN_S

    def slowest(self):
        return slowest(self._profiler.store, self._options.window_s)

    def _cut_out(self, store, new):
        first_ns = min(about["start_ns"] for about in new)
        path, file = store.new_file()
        try:
            with file:
                self.dump(file, (time.time_ns() - first_ns) / 1e9 + MARGIN_S)
            for about in new:
                about = dict(about, kind="slow")
                store.add(
                    store.new_name("slow"),
                    _cut.cut_to_store(store, [path], {about["id"]}),
                    about,
                )
        finally:
            os.unlink(path)


def slowest(store, window_s):
    """Of the last hour, by all workers; the slowest first. Those that are older go."""
    oldest_ns = time.time_ns() - int(window_s * 1e9)
    kept = []
    for about in store.list("slow"):
        if about["start_ns"] < oldest_ns:
            store.delete(about["name"])
        else:
            kept.append(about)
    kept.sort(key=lambda about: -about["duration_ns"])
    return kept
