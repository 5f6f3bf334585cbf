# SPDX-License-Identifier: MIT
"""Deterministic tracing: every call, its time, who called it, on all threads.

    with fireglass.trace() as t: ...
    t.top(); t.print_stats("cumulative"); t.stats(); t.save("out.prof")

    @fireglass.trace                      # the calls of one function (async and generators too)
    def handler(): ...
    handler.trace.print_stats()

    with fireglass.trace("both.html", only=["shop.cart"], rate=1000): ...   # and samples of the rest

Time in which a generator or a coroutine is suspended is nobody's. See docs/inside-tracing.md.
"""

import atexit
import functools
import os
import threading

from . import _fireglass, _pstats, _trace_data

__all__ = ["Trace", "trace"]


def trace(path=None, **options):
    """A Trace; or, as `@fireglass.trace` without arguments, the function with a Trace around it,
    which is its attribute `trace`."""
    if callable(path) and not isinstance(path, os.PathLike):
        return Trace(**options)(path)
    return Trace(path, **options)


class Trace:
    """Counts and times every call between start() and stop(), in a `with`, or of a function that
    it decorates. Any number of them may be on at once. Starting it again goes on counting.

    path        written at the end (of a decorator: of the program); its ending says what:
                .prof .pstats .callgrind .txt .json .fgc, or any that `fireglass export` knows
    only        functions, classes, modules, or their names ("shop.cart", "shop.*"): only their
                calls, the rest of the program runs at full speed
    builtins    functions written in C, too. None: if that is cheap (not on Python 3.11)
    threads     all threads, those started later as well; False: only the one that starts it
    exact       see every call of a C function even where one line calls Python and C by turns
    timeline    keep each call with its begin and end (24 bytes), at most max_calls of them
    cpu         CPU time besides: costs a system call for each call and return
    rate        sample the whole program as well, so many times a second, into the same timeline
    """

    def __init__(
        self,
        path=None,
        *,
        only=None,
        builtins=None,
        threads=True,
        exact=False,
        timeline=None,
        max_calls=10_000_000,
        cpu=False,
        rate=None,
    ):
        self.path = None if path is None else os.path.abspath(os.fspath(path))
        self._cpu, self._rate = cpu, rate
        self._timeline = bool(rate) if timeline is None else timeline
        self._options = {
            "builtins": builtins,
            "exact": exact,
            "timeline": self._timeline,
            "max_events": max_calls,
            "cpu": cpu,
        }
        if only is not None:
            from ._trace_only import code_of

            self._options["only"] = code_of(only)
        self._threads = threads
        self._sources = []
        self._main = None  # of start(): the others are of decorated calls, one per thread
        self._running, self._pid = False, None
        self._sampling = None
        self._decorated = threading.local()
        self._lock = threading.Lock()

    def _tracer(self, threads, stepped=False):
        tracer = _fireglass.Tracer(threads=threads, **self._options)
        with self._lock:
            self._sources.append(_trace_data.Source(tracer, stepped))
        return tracer

    # ---- on and off ----

    @property
    def running(self):
        """Between start() and stop()."""
        return self._running

    def start(self):
        """Starts, or goes on, counting; returns itself. RuntimeError if it runs already."""
        if self._running:
            raise RuntimeError("this trace has been started already; stop it first, or make another")
        if self._main is None:
            self._main = self._tracer(self._threads)
        if self._rate and self._sampling is None:
            from ._trace_sampling import Sampling

            self._sampling = Sampling(self._rate)
        elif self._sampling:
            self._sampling.pause(False)
        self._running, self._pid = True, os.getpid()
        self._main.enable()
        return self

    def stop(self, save=True):
        """Stops; writes the file, if there is one to write (not in the child of a fork: the file is
        its parent's). Returns itself."""
        if self._running:
            self._main.disable()
            self._running = False
            if self._sampling and self._pid == os.getpid():
                self._sampling.pause(True)
            if self.path and save and self._pid == os.getpid():
                self.save(self.path)
        return self

    def clear(self):
        """Forgets all that was counted."""
        for source in list(self._sources):
            source.tracer.clear()

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc_info):
        self.stop()

    # ---- decorating ----

    def __call__(self, function):
        """Traces the calls of this function only, each on its own thread; of coroutines and
        generators the times in which they run."""
        wrapper = _wrap(self, function)
        wrapper.trace = self
        if self.path:
            self._save_at_exit()
        return wrapper

    def here(self):
        """A context: only what the calling thread does in it, as if it were a decorated function. Any
        number of threads may be in one at once: a part of each request, all counted together.

            with fireglass.span("checkout"), t.here(): ...
        """
        return _Here(self)

    def _save_at_exit(self):
        if self._pid is None:
            self._pid = os.getpid()
            atexit.register(_save_if_parent, self)

    def _arm(self):
        mine = self._decorated
        depth = getattr(mine, "depth", 0)
        mine.depth = depth + 1
        if depth == 0:
            if not hasattr(mine, "tracer"):
                mine.tracer = self._tracer(False, stepped=True)
            mine.tracer.enable()

    def _disarm(self):
        mine = self._decorated
        mine.depth -= 1
        if mine.depth == 0:
            mine.tracer.disable()

    # ---- results ----

    def functions(self):
        """The functions as objects; stats() has them as rows."""
        return _trace_data.functions_of(list(self._sources))

    def stats(self):
        """A list of dicts, a function each, most self time first: name, file ("": written in C), line,
        calls, primitive_calls (without recursive ones), self_ns, total_ns, and with cpu=True
        self_cpu_ns, total_cpu_ns."""
        rows = [self._row(f) for f in self.functions()]
        rows.sort(key=lambda row: -row["self_ns"])
        return rows

    def _row(self, f):
        file, line = _trace_data.place_of(f.code)
        row = {
            "name": _trace_data.name_of(f.code),
            "file": file,
            "line": line,
            "calls": f.calls,
            "primitive_calls": f.primitive,
            "self_ns": f.self_ns,
            "total_ns": f.total_ns,
        }
        if self._cpu:
            row.update(self_cpu_ns=f.self_cpu_ns, total_cpu_ns=f.total_cpu_ns)
        return row

    def calls_between(self):
        """A list of dicts, a pair of functions each: caller, caller_file, caller_line, callee,
        callee_file, callee_line, calls, primitive_calls, self_ns, total_ns (of those calls)."""
        rows = []
        for f in self.functions():
            for c in f.callees.values():
                row = {}
                for role, code in (("caller", f.code), ("callee", c.code)):
                    file, line = _trace_data.place_of(code)
                    row.update(
                        {role: _trace_data.name_of(code), role + "_file": file, role + "_line": line}
                    )
                row.update(calls=c.calls, primitive_calls=c.primitive)
                row.update(self_ns=c.self_ns, total_ns=c.total_ns)
                rows.append(row)
        return rows

    def info(self):
        """How it went: a dict with backend, events, lost, overhead_ns, and notes for people."""
        infos = [dict(source.tracer.info()) for source in list(self._sources)]
        whole = infos[0] if infos else {}
        for more in infos[1:]:
            for key in ("events", "lost"):
                whole[key] = whole.get(key, 0) + more.get(key, 0)
            notes = list(whole.get("notes", ()))
            whole["notes"] = notes + [n for n in more.get("notes", ()) if n not in notes]
        return whole

    def top(self, n=20, sort="self"):
        """A table of the first n functions as text; sort: self, total, calls or name."""
        from ._trace_text import table

        return table(self, n, sort)

    def to_pstats(self):
        """The dict that pstats works with: {(file, line, name): (primitive calls, calls, self
        seconds, total seconds, callers)}."""
        return _pstats.make_stats(_pstats.make_entries(self.functions()))

    def pstats(self, stream=None):
        """A pstats.Stats of it: sort_stats(), print_callers(), ..."""
        import pstats

        return pstats.Stats(_pstats.Holder(self.to_pstats()), stream=stream)

    def print_stats(self, sort=-1, stream=None):
        """The listing of pstats; sort: a key of pstats, or a tuple of keys."""
        _pstats.show(_pstats.Holder(self.to_pstats()), sort, stream)

    def to_callgrind(self):
        """Text for kcachegrind and callgrind_annotate."""
        from . import _callgrind

        return _callgrind.make(self._trees(), self._cpu)

    def _trees(self):
        return _trace_data.Trees(list(self._sources))

    def save(self, path, format=None):
        """Writes a file; `format` or the ending of its name says what (see `path` of the class)."""
        from ._trace_save import save

        save(self, path, format)

    def capture(self):
        """A fireglass.Capture of it: all its views and files."""
        import tempfile

        from ._capture import Capture

        with tempfile.NamedTemporaryFile(suffix=".fgc") as file:
            self.save(file.name)
            return Capture(file.name)  # which keeps it open

    def _repr_html_(self):
        return self.capture()._repr_html_()

    def __repr__(self):
        state = "running" if self._running else "stopped" if self._sources else "not started"
        return "<fireglass.Trace %s, %d functions>" % (state, len(self.functions()))


class _Here:
    def __init__(self, trace):
        self._trace = trace

    def __enter__(self):
        self._trace._arm()
        return self._trace

    def __exit__(self, *exc_info):
        self._trace._disarm()


# ---- around functions ----------------------------------------------------------------------------


def _save_if_parent(trace):
    if os.getpid() == trace._pid:
        trace.save(trace.path)


def _wrap(trace, function):
    import inspect

    if isinstance(function, type):
        raise TypeError(
            "cannot decorate the class %s; trace it with only=[%s]"
            % (function.__qualname__, function.__name__)
        )
    if inspect.iscoroutinefunction(function):
        return _wrap_coroutine(trace, function)
    if inspect.isasyncgenfunction(function):
        return _wrap_async_generator(trace, function)
    if inspect.isgeneratorfunction(function):
        return _wrap_generator(trace, function)

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        trace._arm()
        try:
            return function(*args, **kwargs)
        finally:
            trace._disarm()

    return wrapper


def _step(trace, step, *args):
    trace._arm()
    try:
        return step(*args)
    finally:
        trace._disarm()


def _drive(trace, target):
    """Runs a coroutine or a generator, traced while it runs and not while it waits."""
    try:
        sent, failed = None, None
        while True:
            try:
                if failed is None:
                    out = _step(trace, target.send, sent)
                else:
                    out = _step(trace, target.throw, failed)
            except StopIteration as stop:
                return stop.value
            try:
                sent, failed = (yield out), None
            except GeneratorExit:
                _step(trace, target.close)
                raise
            except BaseException as error:
                failed = error
    finally:
        failed = None  # no cycle with its traceback


class _Driven:
    def __init__(self, trace, coroutine):
        self._trace, self._coroutine = trace, coroutine

    def __await__(self):
        # of anything awaitable the iterator has send, throw and close
        return _drive(self._trace, self._coroutine)


def _wrap_coroutine(trace, function):
    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        return await _Driven(trace, function(*args, **kwargs))

    return wrapper


def _wrap_generator(trace, function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return (yield from _drive(trace, function(*args, **kwargs)))

    return wrapper


def _wrap_async_generator(trace, function):
    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        generator = function(*args, **kwargs)
        try:
            step = generator.asend(None)
            while True:
                try:
                    value = await _Driven(trace, step)
                except StopAsyncIteration:
                    return
                try:
                    step = generator.asend((yield value))
                except GeneratorExit:
                    raise
                except BaseException as error:
                    step = generator.athrow(error)
        finally:
            await generator.aclose()

    return wrapper
