# SPDX-License-Identifier: MIT
"""What profiles the requests of an application; the middlewares ask it."""

import atexit
import hashlib
import itertools
import os
import secrets
import shutil
import signal as signals
import tempfile
import threading
import time
import weakref
from urllib.parse import quote, unquote

from . import _context, _recent
from ._auth import Auth
from ._campaign import Campaign
from ._control import Control
from ._keeper import Keeper
from ._log import log
from ._match import Match
from ._request import Request
from ._store import Store, default_directory
from ._takers import Part, Single

HEADER = "X-Fireglass"
LINK_HEADER = "X-Fireglass-Report"
PARAMETER = "fireglass"
PAGE_PARAMETER = "fireglass_page"
COUNT_MAX = 1_000_000
RATE_MAX = 10_000
LOOK_S = 0.25

_all = weakref.WeakSet()


class RecentOptions:
    __slots__ = ("keep_s", "max_bytes", "rate", "slow_ms", "slowest", "window_s")

    def __init__(self, rate, keep_s, max_bytes, slow_ms, slowest, window_s):
        self.rate = rate
        self.keep_s = keep_s
        self.max_bytes = max_bytes
        self.slow_ms = slow_ms
        self.slowest = slowest
        self.window_s = window_s


class Profiler:
    """Profiles requests when somebody wants it, and stays out of their way otherwise.

    One for an application, made once: before workers are forked, or in each of them with equal
    arguments. Workers of one machine that share `directory` do what is asked of any of them.

    token: what people must know to ask for anything over HTTP; None: nothing can be asked.
    mount: where the middlewares serve the debug endpoints, None: nowhere.
    rate: samples a second of requests that are asked for, and of campaigns.
    recent_rate: samples a second that are taken all the time; 0: none (start_recent() begins).
    keep_s, keep_bytes: how much of these is kept in memory, in each worker.
    slow_ms, slowest, window_s: of requests that took slow_ms or more, the slowest ones of the last
    window_s seconds are kept as captures.
    max_captures, max_bytes: how much is kept in the directory.
    at_once: how many requests that were asked for are profiled at the same time.

    Raises ValueError for a weak token or options that make no sense, PermissionError for a directory
    that others may look into.
    """

    def __init__(
        self,
        token=None,
        *,
        directory=None,
        mount="/debug/fireglass",
        rate=1000,
        recent_rate=0,
        keep_s=300,
        keep_bytes=16 << 20,
        slow_ms=100,
        slowest=20,
        window_s=3600,
        max_captures=200,
        max_bytes=256 << 20,
        at_once=4,
    ):
        self.auth = Auth(token)
        self.mount = _checked_mount(mount) if self.auth.is_on else None
        self.rate = checked_rate(rate)
        self.at_once = at_once
        self.recent_options = RecentOptions(
            checked_rate(recent_rate) if recent_rate else 50,
            keep_s, keep_bytes, slow_ms, slowest, window_s,
        )  # fmt: skip
        self.store = Store(self._directory(directory, token), max_captures, max_bytes)
        self.control = Control(os.path.join(self.store.path, "control"))
        self.keeper = Keeper()
        self._ids = itertools.count()
        self._prefix = secrets.token_hex(4)
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._part = self._recent = None
        self._singles = set()
        self.active = False  # whether it must be asked about each request
        self.seen = b""
        _all.add(self)
        self._want_recent(bool(recent_rate), configured=True)

    def _directory(self, directory, token):
        if directory is not None:
            return os.path.abspath(directory)
        if token is not None:
            digest = hashlib.sha256(b"fireglass\0" + token.encode()).hexdigest()[:12]
            return default_directory(digest)
        # nobody else can know of it but children
        path = tempfile.mkdtemp(prefix="fireglass-web-")
        weakref.finalize(self, _remove, path, os.getpid())
        return path

    # ---- requests --------------------------------------------------------------------------------

    def has_news(self):
        """Whether begin() must be called: the one look that each request costs."""
        return self.active or self.control.map[:8] != self.seen

    def asked(self, header_value, query):
        """What a request asks for of itself: "link", "page" or None; and its query without that.

        header_value: of the header X-Fireglass, or None; query: what comes after the ?.
        """
        given, left = {}, []
        for piece in query.split("&"):
            name, _, value = piece.partition("=")
            if name in (PARAMETER, PAGE_PARAMETER):
                given[name] = unquote(value)
            else:
                left.append(piece)
        for name, asked in ((PAGE_PARAMETER, "page"), (PARAMETER, "link")):
            if self.auth.is_token(given.get(name)):
                return asked, "&".join(left)
        return ("link", query) if self.auth.is_token(header_value) else (None, query)

    def begin(
        self, kind, method, path, header, *, asked=None, resolve=None, root="", only_asked=False
    ):
        """A Request to be handled with care, or None: handle it as ever. Never raises.

        kind: "request" or "task"; header(name): the text of a header or None; resolve(): the route's
        template, None if there is none (resolve None: it is not known before the end); root: what
        comes before the path in addresses; only_asked: it is of no interest but to who asked.
        """
        try:
            self.look()
            if only_asked:
                return self._take_asked(Request(self, kind, method, path), asked, root)
            return self._begin(kind, method, path, header, asked, resolve, root)
        except Exception:
            log.exception("fireglass: a request is not profiled")
            return None

    def _begin(self, kind, method, path, header, asked, resolve, root):
        part = self._part
        wanted, route = False, None
        if part is not None:
            wanted, route = part.may_fit(method, path, header, resolve)
        if not (wanted or asked or self._recent or _context.is_wanted()):
            return None
        request = Request(self, kind, method, path, route)
        if self._recent:
            request.takers += (self._recent,)
        if asked:
            self._take_asked(request, asked, root)
        if wanted:
            part.take(request)
        return request

    def _take_asked(self, request, asked, root):
        with self._lock:
            room = len(self._singles) < self.at_once
            single = Single(self, request) if room else None
            if single is not None:
                self._singles.add(single)
        if single is None:
            text = "refused: %d requests are being profiled already" % self.at_once
            request.link = (LINK_HEADER, text)
            return request
        request.takers += (single,)
        request.link = (LINK_HEADER, self.link(single.name, root))
        request.capture = single.name
        request.shown = single.name if asked == "page" else None
        return request

    def single_ended(self, single):
        with self._lock:
            self._singles.discard(single)

    def ended(self, request):
        for taker in request.takers:
            taker.ended(request)

    def new_id(self):
        return "%s%x" % (self._prefix, next(self._ids))

    def link(self, name, root="", mount=None):
        """Where the report of a capture is, for people that have no token; its name, if nowhere."""
        mount = self.mount if mount is None else mount
        if mount is None:
            return name
        return "%s%s/api/v1/captures/%s.fgc?format=html&key=%s" % (
            quote(root), mount, name, self.auth.key_of(name),
        )  # fmt: skip

    # ---- campaigns -------------------------------------------------------------------------------

    def next(
        self,
        count=1,
        *,
        route=None,
        path=None,
        method=None,
        headers=None,
        slower_than_ms=0,
        rate=None,
        singly=5,
        timeout_s=600,
    ):
        """Profiles the next `count` requests that match, in whichever workers.

        See Match for what is matched. singly: so many of the slowest become captures of their own,
        too. timeout_s: it ends with what it has by then. Returns a Waiting. Raises ValueError for what
        makes no sense, RuntimeError if there is a campaign already.
        """
        match = Match(route, path, method, headers, slower_than_ms)
        checked_count(count, COUNT_MAX)
        if isinstance(timeout_s, bool) or not 0 < timeout_s <= 7 * 86400:
            raise ValueError("bad timeout_s %r; seconds, at most a week" % (timeout_s,))
        if not 0 <= singly <= 100:
            raise ValueError("bad singly %r; at most 100" % (singly,))
        rate = checked_rate(rate or self.rate)
        self._check_process()
        with self.control.lock():
            wanted = self.control.read()
            if wanted.get("campaign"):
                raise RuntimeError(
                    "requests are being profiled already (%s); cancel that first"
                    % wanted["campaign"]["id"]
                )
            campaign = Campaign.wanted(self.store, match, count, rate, singly, timeout_s)
            self.control.write(dict(wanted, campaign=campaign))
            self.control.set_counts(count, 0, 0)
        self.look()
        self.keeper.watch(self._look_after, LOOK_S)
        return Waiting(self, campaign["id"])

    def cancel(self):
        """Ends the campaign with what it has; False: there was none."""
        with self.control.lock():
            there = self.end_campaign_locked()
        self.look()
        return there

    def campaign(self):
        """What goes on: a dict with id, match, wanted, done, in_flight; None: nothing."""
        self.look()
        with self.control.lock():
            campaign = self.control.read().get("campaign")
            wanted, done, flying = self.control.counts()
        if not campaign:
            return None
        return {
            "id": campaign["id"],
            "match": str(Match.from_json(campaign["match"])),
            "wanted": wanted,
            "done": done,
            "in_flight": flying,
            "began_ns": campaign["began_ns"],
            "until_ns": int(campaign["until"] * 1e9),
        }

    def campaign_id_locked(self):
        if self.control.generation() == self.seen:
            return self._part.campaign.id if self._part else None
        campaign = self.control.read().get("campaign")
        return campaign["id"] if campaign else None

    def end_campaign_locked(self):
        wanted = self.control.read()
        if not wanted.get("campaign"):
            return False
        self.control.write(dict(wanted, campaign=None))
        return True

    def on_signal(self, signum=signals.SIGUSR2, count=100, **match):
        """The signal begins next(count, **match), and the next one ends it; to be called in the main
        thread. What handled the signal before is called after. Returns it."""
        Match(**{name: match[name] for name in match if name in Match.__slots__})
        before = signals.getsignal(signum)

        def toggle():
            try:
                if not self.cancel():
                    self.next(count, **match)
            except Exception:
                log.exception("fireglass: after signal %d", signum)

        def handle(number, frame):
            # another thread may hold a lock of ours, or this one
            threading.Thread(target=toggle, name="fireglass-signal", daemon=True).start()
            if callable(before):
                before(number, frame)

        signals.signal(signum, handle)
        return before

    # ---- the flight recorder ---------------------------------------------------------------------

    def start_recent(self):
        """Samples are taken all the time from now on, in all workers."""
        self._want_recent(True)

    def stop_recent(self):
        self._want_recent(False)

    def _want_recent(self, on, configured=False):
        with self.control.lock():
            wanted = self.control.read()
            # what was asked for holds for workers that come later, too
            if configured and wanted.get("configured") == on:
                return
            if configured:
                wanted["configured"] = on
            self.control.write(dict(wanted, recent=on))
        if not configured:
            self.look()

    @property
    def recent(self):
        """The flight recorder of this process, or None."""
        self.look()
        return self._recent

    def slowest(self):
        """What is known of the slowest requests of the last hour that were kept, the slowest first:
        dicts with name (of the capture), method, path, route, status, start_ns, duration_ns."""
        return _recent.slowest(self.store, self.recent_options.window_s)

    # ---- what is wanted --------------------------------------------------------------------------

    def look(self):
        """Does what has been asked of all workers, if there is news."""
        self._check_process()
        if self.control.map[:8] != self.seen:
            self._hear()
        part = self._part
        if part is not None and time.time() >= part.campaign.until:
            self._end(part.campaign.id)

    def _look_after(self):
        self.look()
        return self._part is not None

    def _end(self, campaign_id):
        with self.control.lock():
            campaign = self.control.read().get("campaign")
            if campaign and campaign["id"] == campaign_id:
                self.end_campaign_locked()
        self._hear()

    def _hear(self):
        with self._lock:
            with self.control.lock():
                seen, wanted = self.control.generation(), self.control.read()
            self._set_campaign(wanted.get("campaign"))
            self._set_recent(bool(wanted.get("recent")))
            self.active = self._part is not None or self._recent is not None
            self.seen = seen

    def _set_campaign(self, wanted):
        part = self._part
        if part is not None and (not wanted or wanted["id"] != part.campaign.id):
            self._part = None
            self.keeper.do(part.finish)
        if wanted and self._part is None:
            self._part = Part(self, Campaign(self.store, wanted))

    def _set_recent(self, on):
        if on and self._recent is None:
            try:
                self._recent = _recent.Recent(self, self.recent_options)
            except (OSError, RuntimeError) as error:
                log.error("fireglass: no flight recorder: %s", error)
        elif not on and self._recent is not None:
            recent, self._recent = self._recent, None
            self.keeper.do(recent.stop)

    # ---- processes -------------------------------------------------------------------------------

    def _check_process(self):
        # where C forks, Python is not told
        if self._pid != os.getpid():
            self.after_fork()

    def after_fork(self):
        """In the child: threads and sessions are the parent's."""
        if self._pid == os.getpid():
            return
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self.keeper = Keeper()
        self.control.after_fork()
        self._prefix = secrets.token_hex(4)
        for left in (self._part, self._recent, *self._singles):
            if left is not None:
                left.abandon()
        self._part = self._recent = None
        self._singles = set()
        self.active = False
        self.seen = b""

    def close(self):
        """Ends what goes on in this process: at exit, or when a worker ends."""
        if self._pid != os.getpid():
            return
        with self._lock:
            part, self._part = self._part, None
            recent, self._recent = self._recent, None
        self.keeper.wait(5)
        if part is not None:
            part.finish()
        if recent is not None:
            recent.stop()


class Waiting:
    """A campaign, for who began it."""

    def __init__(self, profiler, name):
        self._profiler = profiler
        self.name = name  # of the capture that it becomes

    def wait(self, timeout_s=None):
        """What was taken, a dict with requests (one dict each) and slowest (names of captures), as soon
        as the capture is there. None: not in that time."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            self._profiler.look()
            about = self._profiler.store.about(self.name)
            if about is not None or (deadline is not None and time.monotonic() >= deadline):
                return about
            time.sleep(0.05)

    @property
    def path(self):
        """Of the capture's file, once wait() has said that it is there."""
        return self._profiler.store.file(self.name)

    def cancel(self):
        """Ends it with what it has."""
        campaign = self._profiler.campaign()
        return campaign is not None and campaign["id"] == self.name and self._profiler.cancel()

    def __repr__(self):
        return "<fireglass.web.Waiting %s>" % self.name


# ---- checks --------------------------------------------------------------------------------------


def _checked_mount(mount):
    if mount is None:
        return None
    if not isinstance(mount, str) or not mount.startswith("/") or mount.endswith("/"):
        raise ValueError("bad mount %r; a path like '/debug/fireglass'" % (mount,))
    return mount


def checked_rate(rate):
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate <= RATE_MAX:
        raise ValueError("bad rate %r; samples a second, at most %d" % (rate, RATE_MAX))
    return rate


def checked_count(count, most):
    if isinstance(count, bool) or not isinstance(count, int) or not 0 < count <= most:
        raise ValueError("bad count %r; from 1 to %d" % (count, most))
    return count


def _remove(path, pid):
    if os.getpid() == pid:
        shutil.rmtree(path, ignore_errors=True)


def _after_fork():
    for profiler in list(_all):
        profiler.after_fork()


def _at_exit():
    for profiler in list(_all):
        try:
            profiler.close()
        except Exception:
            log.exception("fireglass: at exit")


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
