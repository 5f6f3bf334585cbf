# SPDX-License-Identifier: MIT
"""Who samples requests: one that was asked for, and those of a campaign in this process.

Each has a session of its own that keeps samples of chosen spans only, and that takes none at all
while no chosen request is in progress.
"""

import json
import os
import threading
import time

from .. import _fireglass
from . import _cut
from ._log import log

LOOK_S = 0.05
SINGLE_S = 300.0


class Sampling:
    """A session into a file of the store."""

    def __init__(self, store, rate, spans_only=True):
        self.path, self.file = store.new_file()
        try:
            self.session = _fireglass.Session(
                self.file.fileno(), period_ns=int(1e9 / rate), spans_only=spans_only
            )
        except BaseException:
            self.discard()
            raise

    def stop(self):
        """False: it cannot be told what was sampled."""
        try:
            self.session.stop()
        except (OSError, RuntimeError, ValueError) as error:
            log.error("fireglass: a session could not be ended: %s", error)
            return False
        finally:
            self.file.close()
        return True

    def abandon(self):
        """After a fork: it is the parent's."""
        self.session.abandon()
        self.file.close()

    def discard(self):
        self.file.close()
        os.unlink(self.path)


def choose(request):
    _fireglass.span_choose(request.key)


class Single:
    """One request that was asked for."""

    def __init__(self, profiler, request):
        self._profiler = profiler
        self.name = profiler.store.new_name("request")
        self._sampling = Sampling(profiler.store, profiler.rate)
        self._until = time.monotonic() + SINGLE_S
        self._over = False
        profiler.store.announce(self.name)
        choose(request)
        profiler.keeper.watch(self._look, 1.0)

    def _look(self):
        """One that does not end is not sampled for ever."""
        if not self._over and time.monotonic() >= self._until:
            self._over = True
            self._sampling.stop()
        return not self._over

    def ended(self, request):
        self._over = True
        about = dict(request.about(), kind="request")
        self._profiler.keeper.do(lambda: self._finish(about))

    def _finish(self, about):
        try:
            if self._sampling.stop():
                path = _cut.cut_to_store(self._profiler.store, [self._sampling.path], {about["id"]})
                self._profiler.store.add(self.name, path, about)
        finally:
            os.unlink(self._sampling.path)
            self._profiler.store.denounce(self.name)
            self._profiler.single_ended(self)

    def abandon(self):
        self._sampling.abandon()


class Part:
    """What this process has of a campaign.

    In the campaign's directory it has PID.open, and PID.done with what was taken when it is complete.
    """

    def __init__(self, profiler, campaign):
        self.campaign = campaign
        self.match = campaign.match
        self._profiler = profiler
        self._sampling = None
        self._taken = []
        self._over = False
        self._lock = threading.Lock()

    # ---- one request -----------------------------------------------------------------------------

    def may_fit(self, method, path, header, resolve):
        """Whether it is one of those, as far as can be told now; and its route, if it was looked for."""
        match = self.match
        if self._over or not match.may_fit(method, path, header):
            return False, None
        if match.route is None or resolve is None:
            return True, None
        route = resolve()
        return route == match.route, route

    def take(self, request):
        """Samples it, unless there are enough."""
        match = self.match
        sure = not match.slower_than_ms and (match.route is None or request.route is not None)
        with self._lock:
            if not self._over and self._reserve(sure):
                self._sample(request, sure)

    def _reserve(self, sure):
        control = self._profiler.control
        with control.lock():
            wanted, done, flying = control.counts()
            if done + flying >= wanted or self._profiler.campaign_id_locked() != self.campaign.id:
                return False
            if sure:
                control.set_counts(wanted, done, flying + 1)
        return True

    def _sample(self, request, sure):
        try:
            if self._sampling is None:
                self._sampling = Sampling(self._profiler.store, self.campaign.rate)
                self.campaign.note_open(os.getpid(), self._sampling.path)
                self._profiler.keeper.watch(self._look, LOOK_S)
        except Exception:
            self._over = True  # it would not work for the next one either
            if sure:
                self._give_back()
            raise
        choose(request)
        request.takers += (Taken(self, sure),)

    def _give_back(self):
        control = self._profiler.control
        with control.lock():
            wanted, done, flying = control.counts()
            control.set_counts(wanted, done, max(flying - 1, 0))

    def ended(self, request, sure):
        with self._lock:
            if not self._over and self._count(request, sure):
                self._taken.append(request.about())

    def _count(self, request, sure):
        control = self._profiler.control
        fits = self._fits(request)
        with control.lock():
            if self._profiler.campaign_id_locked() != self.campaign.id:
                return False
            wanted, done, flying = control.counts()
            flying -= 1 if sure else 0
            if not sure and (not fits or done + flying >= wanted):
                return False
            control.set_counts(wanted, done + 1, flying)
            if done + 1 >= wanted:
                self._profiler.end_campaign_locked()
        return True

    def _fits(self, request):
        return self.match.fits_route(request.route, request.path) and self.match.fits_time(
            request.duration_ns
        )

    # ---- the end ---------------------------------------------------------------------------------

    def _look(self):
        """Called by the keeper now and then; False: no more."""
        if not self._over:
            self._profiler.look()
        return not self._over

    def finish(self):
        """By the keeper: the campaign is over. What is in flight is cut off."""
        with self._lock:
            self._over = True
        if self._sampling is not None:
            self._sampling.stop()
            self.campaign.note_done(os.getpid(), self._taken)
        self.campaign.assemble_if_complete(self._profiler.store)

    def abandon(self):
        if self._sampling is not None:
            self._sampling.abandon()


class Taken:
    """A request that a part has."""

    __slots__ = ("_part", "_sure")

    def __init__(self, part, sure):
        self._part = part
        self._sure = sure

    def ended(self, request):
        self._part.ended(request, self._sure)


def write_json(path, data):
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(data, file)
    os.rename(path + ".new", path)
