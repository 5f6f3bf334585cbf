# SPDX-License-Identifier: MIT
"""A sampler that is a plain Python thread, for where the system refuses to let a process read its own
memory: with the GIL, over sys._current_frames(), at lower rates.

It sees what any Python thread sees: Python frames where the GIL changes hands, no time in C by itself.
Whether a thread was running is told from its CPU clock.
"""

import os
import sys
import time
from _thread import allocate_lock, get_ident, start_new_thread

from . import _paths
from ._fireglass import Builder

_FLUSH_NS = 1000000000
_UNKNOWN, _ON_CPU, _WAITING = 0, 1, 3  # as captures have it
_DEEPEST = 4096


class PythonSession:
    """As `_fireglass.Session`. Raises ValueError for what it cannot do."""

    def __init__(
        self,
        fd,
        *,
        period_ns=10000000,
        idle=True,
        jitter=True,
        gil_only=False,
        spans_only=False,
        max_age_ns=0,
        max_bytes=0,
        command=None
    ):
        for what, asked in (
            ("gil", gil_only),
            ("spans_only", spans_only),
            ("keep", max_age_ns),
            ("max_bytes", max_bytes),
        ):
            if asked:
                raise ValueError("%s: a Python thread (mode='python') cannot do that" % what)
        self._period_ns = max(period_ns, 100000)
        self._idle, self._jitter = idle, jitter
        _paths.empty(fd)
        self._builder = Builder(fd, _facts(self._period_ns))
        self._rows = _Rows(self._builder)
        self._counts = dict.fromkeys(
            ("ticks", "missed", "samples", "truncated", "failed", "lost", "bytes"), 0
        )
        self._fd = fd
        self._paused = False
        self._wake = allocate_lock()  # held while it runs: its release ends the thread
        self._wake.acquire()
        self._ended = allocate_lock()
        self._ended.acquire()
        self._running = True
        self._error = None
        start_new_thread(self._run, ())

    def stop(self):
        if not self._running:
            return
        self._running = False
        self._wake.release()
        self._ended.acquire()
        self._tell()
        self._builder.finish()
        if self._error is not None:
            raise self._error

    def flush(self):
        self._check()
        self._tell()
        self._builder.flush()

    def dump(self, fd, *, last_ns=0):
        raise ValueError("only flight recorders can be dumped, and a Python thread is none")

    def pause(self, paused=True):
        self._check()
        self._paused = paused

    def counts(self):
        return dict(self._counts, bytes=os.fstat(self._fd).st_size)

    def abandon(self):
        """In the child of a fork, where there is no such thread."""
        self._running = False

    def _check(self):
        if not self._running:
            raise ValueError("sampling is over")

    def _tell(self):
        self._builder.fact("ticks", str(self._counts["ticks"]))

    # ---- the thread ------------------------------------------------------------------------------

    def _run(self):
        try:
            self._sample_until_stopped()
        except Exception as error:
            self._error = error
        finally:
            self._ended.release()

    def _sample_until_stopped(self):
        me = get_ident()
        due = time.monotonic_ns()
        flushed, seed = due, due & 0xFFFFFFFF
        while True:
            due += self._period_ns
            seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
            moment = due - (seed * self._period_ns >> 31 if self._jitter else 0)
            if self._wake.acquire(timeout=max(0, (moment - time.monotonic_ns()) / 1e9)):
                return
            now = time.monotonic_ns()
            late = (now - due) // self._period_ns
            if late > 0:
                due += late * self._period_ns
                self._miss(late)
            if not self._paused:
                self._tick(me, now)
            if now - flushed > _FLUSH_NS:
                flushed = now
                self._tell()
                self._builder.flush()

    def _miss(self, late):
        if not self._paused:
            self._counts["missed"] += late
            self._builder.loss("missed", late)

    def _tick(self, me, now):
        counts = self._counts
        counts["ticks"] += 1
        time_ns = time.time_ns()
        frames = sys._current_frames()
        for ident, frame in frames.items():
            if ident == me:
                continue
            thread = self._rows.thread(ident)
            cpu_ns, state = thread.clock(now)
            if state == _ON_CPU or self._idle:
                counts["samples"] += 1
                stack = self._rows.stack(frame)
                self._builder.sample(thread.row, stack, time_ns, cpu_ns=cpu_ns, state=state)
        self._rows.forget_dead(frames)
        frame = None
        frames.clear()


class _Thread:
    """A thread's row, and its CPU clock."""

    def __init__(self, row, tid):
        self.row = row
        self.tid = tid
        self._clock = (~tid << 3) | 6 if tid else None
        self._cpu_ns = self._at_ns = None

    def clock(self, now):
        """CPU time since the sample before, and what that means: on a busy machine a thread that runs
        gets but a part of the time, one that waits gets none."""
        if self._clock is None:
            return 0, _UNKNOWN
        try:
            cpu_ns = time.clock_gettime_ns(self._clock)
        except OSError:
            return 0, _UNKNOWN
        used = cpu_ns - self._cpu_ns if self._cpu_ns is not None else 0
        elapsed = now - self._at_ns if self._at_ns is not None else 0
        self._cpu_ns, self._at_ns = cpu_ns, now
        if not elapsed:
            return used, _UNKNOWN
        return used, _ON_CPU if used * 10 >= elapsed else _WAITING


class _Rows:
    """Rows of the capture, each made once."""

    def __init__(self, builder):
        self._builder = builder
        self._functions = {}  # by code object, which is kept, so that no other takes its address
        self._stacks = {}
        self._threads = {}
        self._maker = get_ident()

    def thread(self, ident):
        known = self._threads.get(ident)
        if known is None:
            threading = sys.modules.get("threading")
            python = threading._active.get(ident) if threading else None
            tid = getattr(python, "native_id", None) or 0
            main = ident == (threading.main_thread().ident if threading else self._maker)
            if not tid and main:
                tid = os.getpid()
            name = getattr(python, "name", None) or ("MainThread" if main else "")
            known = _Thread(self._builder.thread(tid, name, main=main), tid)
            self._threads[ident] = known
        return known

    def forget_dead(self, alive):
        """Idents are used again."""
        if len(self._threads) >= len(alive):
            for ident in [ident for ident in self._threads if ident not in alive]:
                del self._threads[ident]

    def stack(self, frame):
        path = []
        while frame is not None and len(path) < _DEEPEST:
            path.append((frame.f_code, frame.f_lineno or 0))
            frame = frame.f_back
        at = -1
        for code, line in reversed(path):
            key = (at, id(code), line)
            known = self._stacks.get(key)
            if known is None:
                known = self._builder.stack(at, self._function(code), line)
                self._stacks[key] = known
            at = known
        return at

    def _function(self, code):
        # by identity: equal code objects of different files would be one
        known = self._functions.get(id(code))
        if known is None:
            name = getattr(code, "co_qualname", code.co_name)
            row = self._builder.function(name, code.co_filename, code.co_firstlineno)
            known = self._functions[id(code)] = (row, code)
        return known[0]


def _facts(period_ns):
    return {
        "period_ns": str(period_ns),
        "python": "%d.%d.%d" % sys.version_info[:3],
        "python_build": sys.executable or "",
        "sampler": "a Python thread",
    }
