# SPDX-License-Identifier: MIT
"""Callbacks that hold an asyncio loop for too long, with their stacks.

A thread of our own looks several times within `over` seconds at what each loop's thread does
(sys._current_frames). One call of Handle._run is one frame: if it is the same one for too long, all else
in that loop waits. Nothing is patched, and the loop does no more than without it.
"""

import asyncio
import logging
import sys
import threading
import time
import traceback

LOOKS = 4  # within the time that is too long
MOST_EVENTS = 1000


class BlockedLoops:
    """See fireglass.blocked_loops()."""

    def __init__(self, over=0.1, report=None):
        if not over > 0:
            raise ValueError("over: %r is no number of seconds above 0" % (over,))
        self.over = over
        self.events = []
        self._report = _log if report is None else report
        self._seen = {}  # thread id: Held
        self._stop = threading.Event()
        self._thread = None

    def start(self):
        """Watches all loops of this process, those of later, too; returns itself."""
        if self._thread and self._thread.is_alive():
            raise RuntimeError("it watches already")
        self._stop.clear()
        self._thread = threading.Thread(target=self._watch, name="fireglass loops", daemon=True)
        self._thread.start()
        return self

    def stop(self):
        """Ends it; returns the events."""
        self._stop.set()
        if self._thread:
            self._thread.join()
        self._thread = None
        return self.events

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc_info):
        self.stop()

    # ---- in its thread ----

    def _watch(self):
        code = asyncio.Handle._run.__code__
        while not self._stop.wait(self.over / LOOKS):
            self._look(code)
        self._look(code, last=True)
        self._seen.clear()

    def _look(self, code, last=False):
        now = time.perf_counter()
        frames = sys._current_frames()
        for thread in set(self._seen) - set(frames):
            self._end(thread, now)
        for thread, frame in frames.items():
            run = frame
            while run is not None and run.f_code is not code:
                run = run.f_back
            held = self._seen.get(thread)
            if held and (held.frame is not run or last):
                self._end(thread, now)
                held = None
            if run is None or last:
                continue
            if held is None:
                # the frame is kept, so that no other can be taken for it
                self._seen[thread] = Held(run, now)
            elif held.event is None and now - held.since >= self.over * (1 - 1 / LOOKS):
                held.event = _event(thread, run, frame)
        del frames

    def _end(self, thread, now):
        held = self._seen.pop(thread)
        if held.event is None:
            return
        held.event["seconds"] = now - held.since
        if held.event["seconds"] >= self.over and len(self.events) < MOST_EVENTS:
            self.events.append(held.event)
            try:
                self._report(held.event)
            except Exception:
                logging.getLogger("fireglass").exception("the report of a blocked loop failed")


class Held:
    __slots__ = ("frame", "since", "event")

    def __init__(self, frame, since):
        self.frame, self.since, self.event = frame, since, None


def _event(thread, run, frame):
    stack = traceback.extract_stack(frame)
    # below: the loop itself
    inner = traceback.extract_stack(run)
    return {
        "time_ns": time.time_ns(),
        "thread": thread,
        "what": _what(run),
        "stack": stack[len(inner) :],
        "seconds": 0.0,
    }


def _what(run):
    """The task's name, or the callback."""
    callback = getattr(run.f_locals.get("self"), "_callback", None)
    task = getattr(callback, "__self__", None)
    if isinstance(task, asyncio.Future) and hasattr(task, "get_name"):
        coroutine = getattr(task.get_coro(), "__qualname__", "")
        return "%s (%s)" % (task.get_name(), coroutine) if coroutine else task.get_name()
    return getattr(callback, "__qualname__", None) or repr(callback)


def _log(event):
    logging.getLogger("fireglass").warning(
        "%s held its loop for %.3f s, here:\n%s",
        event["what"], event["seconds"], "".join(traceback.format_list(event["stack"])).rstrip(),
    )  # fmt: skip


def blocked_loops(over=0.1, report=None):
    """Watches for callbacks that hold an asyncio loop for more than `over` seconds.

    A context, or start() and stop(). Each leaves a warning in the log "fireglass", or is given to
    `report`, as a dict: what (the task and its coroutine, or the callback), seconds, stack (a
    traceback.StackSummary of the moment it became too long, the callback first), time_ns, thread. They
    are kept in `events`, at most 1000 of them. Loops that do not run callbacks in Python (uvloop) are
    not seen.
    """
    return BlockedLoops(over, report)
