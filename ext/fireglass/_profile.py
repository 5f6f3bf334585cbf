# SPDX-License-Identifier: MIT
"""Recordings of this process: start and stop, with blocks, decorators."""

import os
from _thread import allocate_lock

from . import _fork_warning, _paths
from ._fireglass import Error
from ._recording import Recording

__all__ = ["Profile", "profile", "start", "stop"]

_MODES = ("thread", "cpu", "python")
_RATES = {"thread": 1000, "cpu": 100, "python": 100}
_FORKS = ("ignore", "follow")

_lock = allocate_lock()  # of the lists below
_running = []  # all that record at present, in order of their starts
_started = []  # those of start(), for stop()
_hooks = {"fork": False, "exit": False}


class Profile:
    """A recording of this process: see profile() for the arguments.

    It can be started and stopped any number of times, one recording at a time; any number of Profiles
    may record at once. Its methods may be called from any thread.
    """

    def __init__(
        self,
        path=None,
        *,
        rate=None,
        mode="thread",
        idle=True,
        gil=False,
        jitter=True,
        spans_only=False,
        keep=None,
        max_bytes=None,
        fork="ignore",
        command=None
    ):
        if mode not in _MODES:
            raise ValueError("mode: there is no %r; there are %s" % (mode, ", ".join(_MODES)))
        if fork not in _FORKS:
            raise ValueError("fork: there is no %r; there are %s" % (fork, ", ".join(_FORKS)))
        self.paths = _path_list(path)
        self.mode, self.fork = mode, fork
        self._options = _session_options(
            _RATES[mode] if rate is None else rate, idle, gil, jitter, spans_only, keep, max_bytes, command
        )
        self._session = None
        self._recording = None
        self._capture = None
        self._number = 0
        self._calls = 0  # of decorated functions, in progress
        self._calls_lock = allocate_lock()
        self._left_by = None  # the process that forked this one
        self._ended_by_owner = False  # also when the interpreter exits

    # ---- life ------------------------------------------------------------------------------------

    def start(self):
        """Begins to record, and returns itself. Raises PermissionError if the system refuses, OSError if
        an output cannot be written, Error if this one is recording already."""
        with _lock:
            if self._recording is not None and not self._is_left():
                raise Error("this profile is recording already")
            self._recording = recording = Recording(self._number + 1, self)
            self._left_by = None
        try:
            self._session = recording.begin()
        except BaseException:
            self._recording = None
            raise
        self._number += 1
        self._capture = None
        with _lock:
            _running.append(self)
        _add_hooks()
        return self

    def stop(self):
        """Ends the recording, writes what is to be written, and returns the Capture.

        Raises OSError for what cannot be written, Error if it does not record.
        """
        recording = self._take()
        if recording is None:
            raise Error(
                "this recording is of process %d, which forked this one" % self._left_by
                if self._left_by
                else "this profile does not record"
            )
        try:
            recording.end()
        finally:
            self._capture = recording.capture()
        recording.write(self._capture)
        return self._capture

    def _take(self):
        """The recording, which nobody else ends then; None if there is none."""
        with _lock:
            recording, self._recording = self._recording, None
            for known in (_running, _started):
                if self in known:
                    known.remove(self)
            idle = not _running
        if idle:
            _remove_exit_hook()
            _fork_warning.remove()
        if recording is None or recording.pid == os.getpid():
            return recording
        self._left_by = recording.pid
        recording.abandon()
        return None

    def _is_left(self):
        return self._recording is not None and self._recording.pid != os.getpid()

    def _stop_quietly(self):
        """As stop(), where nobody waits for an error: it becomes a warning."""
        if self._recording is None:
            return
        try:
            if self._is_left():
                self._take()
            else:
                self.stop()
        except Exception as error:
            import warnings

            warnings.warn("fireglass: %s" % error, RuntimeWarning, stacklevel=3)

    # ---- while it runs ---------------------------------------------------------------------------

    @property
    def running(self):
        """Whether it records."""
        return self._recording is not None and not self._is_left()

    @property
    def capture(self):
        """The Capture of the last recording that was stopped; while one runs, what there is so far.
        None if there is none."""
        recording = self._recording
        if recording is None or self._is_left():
            return self._capture
        return recording.so_far()

    @property
    def path(self):
        """Where the first output is, was or will be written; None without outputs."""
        recording = self._recording
        if recording is not None and recording.paths:
            return recording.paths[0]
        if self._capture is not None and self._number and self.paths:
            return _paths.expand(self.paths[0], self._number)
        return self.paths[0] if self.paths else None

    def pause(self):
        """No samples are taken until resume(), and none is missed."""
        self._now().session.pause(True)

    def resume(self):
        """Goes on after pause()."""
        self._now().session.pause(False)

    def flush(self):
        """Writes all that was sampled until now to the capture file, which can be read then."""
        self._now().session.flush()

    def dump(self, path, *, last=None):
        """Flight recorders (keep=, max_bytes=): writes what is kept, or its last seconds, to a new capture
        file, and goes on. Returns it as a Capture."""
        from ._capture import load

        session = self._now().session
        with open(path, "w+b") as file:
            if last is None:
                session.dump(file.fileno())
            else:
                session.dump(file.fileno(), last_ns=int(last * 1e9))
        return load(path)

    def counts(self):
        """How it goes: ticks, missed, samples, truncated, failed, lost, bytes."""
        return dict(self._now().session.counts())

    def _now(self):
        recording = self._recording
        if recording is None or self._is_left():
            raise Error("this profile does not record")
        return recording

    # ---- blocks and functions --------------------------------------------------------------------

    def __enter__(self):
        return self.start()

    def __exit__(self, *exception):
        self._stop_quietly()

    async def __aenter__(self):
        return self.start()

    async def __aexit__(self, *exception):
        self._stop_quietly()

    def __call__(self, function):
        """As a decorator: records while the function runs, be it a plain one, a coroutine, a generator
        or an asynchronous generator. Calls that overlap are one recording, from the first one's
        begin to the last one's end."""
        from ._decorate import decorate

        return decorate(self, function)

    def _call_begins(self):
        with self._calls_lock:
            self._calls += 1
            if self._calls > 1:
                return
            try:
                self.start()
            except BaseException:
                self._calls -= 1
                raise

    def _call_ends(self):
        with self._calls_lock:
            self._calls -= 1
            if not self._calls:
                self._stop_quietly()

    def __repr__(self):
        state = "recording" if self.running else "stopped" if self._capture else "not started"
        where = " to %s" % ", ".join(self.paths) if self.paths else ""
        return "<fireglass.Profile: %s%s>" % (state, where)

    # ---- forks -----------------------------------------------------------------------------------

    def _in_child(self):
        """Called in the child of a fork, when nothing else runs in it."""
        recording = self._recording
        self._calls_lock = allocate_lock()
        if recording is None:
            return
        recording.abandon()
        if self.fork == "ignore":
            return  # stop() and the end of the block find out
        self.paths = [_paths.of_child(path) for path in self.paths]
        self._recording = None
        self._number = 0
        try:
            self.start()
        except Exception:
            self._left_by = recording.pid
            return
        _follow_multiprocessing(self)


# ---- arguments -----------------------------------------------------------------------------------


def _path_list(path):
    if path is None:
        return []
    if isinstance(path, (str, bytes)) or hasattr(path, "__fspath__"):
        path = [path]
    return [os.fsdecode(os.fspath(one)) for one in path]


def _session_options(rate, idle, gil, jitter, spans_only, keep, max_bytes, command):
    """Only what is not the default, as the session takes it."""
    options = {"period_ns": _period_ns(rate)}
    if not idle:
        options["idle"] = False
    if gil:
        options["gil_only"] = True
    if not jitter:
        options["jitter"] = False
    if spans_only:
        options["spans_only"] = True
    if keep is not None:
        if not keep > 0:
            raise ValueError("keep: seconds, more than 0")
        options["max_age_ns"] = int(keep * 1e9)
    if max_bytes is not None:
        if not max_bytes > 0:
            raise ValueError("max_bytes: more than 0")
        options["max_bytes"] = int(max_bytes)
    if command is not None:
        options["command"] = command
    return options


def _period_ns(rate):
    if rate == "max":
        return 0
    if not 0.001 <= rate <= 1000000:
        raise ValueError("rate: samples per second, from 0.001 to 1000000, or 'max'; not %r" % (rate,))
    return int(round(1e9 / rate))


# ---- what goes on beside -------------------------------------------------------------------------


def _add_hooks():
    if not _hooks["fork"]:
        _hooks["fork"] = True
        os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
    if not _hooks["exit"]:
        import atexit

        _hooks["exit"] = True
        atexit.register(_at_exit)


def _remove_exit_hook():
    if _hooks["exit"] and not _running:
        import atexit

        _hooks["exit"] = False
        atexit.unregister(_at_exit)


def _at_exit():
    """Recordings that nobody stopped: their files are finished, their outputs written."""
    for known in list(_running):
        if not known._ended_by_owner:
            known._stop_quietly()


def _before_fork():
    if _running:
        _fork_warning.before_fork()


def _after_fork():
    global _lock
    _lock = allocate_lock()
    _fork_warning.remove()
    left = list(_running)
    del _running[:]
    for known in left:
        known._in_child()


def _follow_multiprocessing(known):
    """Its children leave without atexit, but with finalizers of their own, set up after the fork."""
    import sys

    util = sys.modules.get("multiprocessing.util")
    if util is None:
        return

    def after_fork(_):
        util.Finalize(None, known._stop_quietly, exitpriority=-100)

    util.register_after_fork(known, after_fork)


# ---- the functions -------------------------------------------------------------------------------


def profile(path=None, **options):
    """A recording of a block or of a function.

        with fireglass.profile("out.fgc") as p: ...
        async with fireglass.profile() as p: ...

        @fireglass.profile("work.%n.html")
        def work(): ...

        p.capture.top(10)

    path: where it is written: `.fgc` is the capture itself, from which all else can be made, written as
        it goes on; any other ending of fireglass.formats() is made of it at the end. A list: several.
        None: only p.capture has it. %p is the process id, %t the time, %n the number of the recording.
    rate: samples per second of each thread, or "max"; by default 1000, with "cpu" and "python" 100.
    mode: "thread": a native thread that needs no GIL and no signals (its clock is wall-clock time);
        "cpu": timers on the CPU clock of each thread; "python": a Python thread, where the system
        refuses the others.
    idle: False leaves out threads that wait. gil: True keeps only samples that hold the GIL.
    jitter: ticks come at random moments of their periods, so that no rhythm hides from them.
    spans_only: only samples in spans that were chosen.
    keep, max_bytes: flight recorder: keep so many seconds, or bytes, of the newest in memory.
    fork: what becomes of it in children of os.fork() and multiprocessing: "ignore", or "follow": each goes
        on in files of its own, out.PID.fgc.
    command: the program's command line, for people.

    Nothing that goes wrong at the end of a block or function is raised into it: it is a RuntimeWarning.
    At the start: PermissionError if the system refuses, OSError for a place that cannot be written to,
    ValueError for what makes no sense.
    """
    if callable(path) and not hasattr(path, "__fspath__"):
        return Profile(**options)(path)
    return Profile(path, **options)


def start(path=None, **options):
    """Starts a recording, with the arguments of profile(), and returns it, a Profile. stop() ends it, or
    its own stop(). One that is never stopped is finished when the interpreter exits."""
    known = Profile(path, **options).start()
    with _lock:
        _started.append(known)
    return known


def stop():
    """Stops what start() began last, and returns its Capture. Raises Error if there is none."""
    with _lock:
        known = _started[-1] if _started else None
    if known is None:
        raise Error("nothing was started; see fireglass.start()")
    return known.stop()
