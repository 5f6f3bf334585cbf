# SPDX-License-Identifier: MIT
"""cProfile with the tracer of fireglass underneath: the same names, arguments and results.

    import fireglass.cprofile as cProfile
    python -m fireglass.cprofile [-o FILE] [-s SORT] [-m MODULE | SCRIPT] [ARGUMENTS]

What is different: any number of profilers can be on at once, beside cProfile as well; a profiler
sees the thread that enabled it and no other, in all releases (threads=True: all of them, each with
callers of its own); and functions that have file, line and name in common are added up, where
cProfile keeps the last of them.
"""

from . import _fireglass, _pstats, _trace_data
from ._pstats import label

__all__ = ["Profile", "label", "run", "runctx"]


class Profile:
    """Profile(timer=None, timeunit=0.0, subcalls=True, builtins=True)

    timer: a function that returns seconds, or integers of `timeunit` seconds each; else the clock
    of the tracer. subcalls: who called whom. builtins: functions written in C as well.
    Beyond cProfile: threads: all threads instead of the one that enables it.
    """

    def __init__(
        self, timer=None, timeunit=0.0, subcalls=True, builtins=True, *, threads=False
    ):
        self._subcalls, self._builtins = bool(subcalls), bool(builtins)
        self._tracer = _fireglass.Tracer(
            builtins=self._builtins,
            threads=threads,
            timer=timer,
            timer_unit=timeunit,
        )

    def enable(self, subcalls=None, builtins=None):
        """Starts, or goes on, counting. What is not given stays as it was."""
        if subcalls is not None:
            self._subcalls = bool(subcalls)
        if builtins is not None:
            self._builtins = bool(builtins)
        self._tracer.enable(subcalls=self._subcalls, builtins=self._builtins)

    def disable(self):
        """Stops counting; calls in progress end here."""
        self._tracer.disable()

    def clear(self):
        """Forgets all that was counted."""
        self._tracer.clear()

    def getstats(self):
        """A list of profiler_entry(code, callcount, reccallcount, totaltime, inlinetime, calls),
        in seconds; code: a code object, or the text of a C function; calls: None, or a list of
        profiler_subentry, without `calls`."""
        functions = _trace_data.functions_of([_trace_data.Source(self._tracer)])
        return _pstats.make_entries(functions, self._subcalls)

    def print_stats(self, sort=-1):
        """The listing of pstats on standard output; sort: a key of pstats, or a tuple of keys."""
        self.create_stats()
        _pstats.show(self, sort)

    def dump_stats(self, file):
        """Writes what `python -m pstats` reads."""
        self.create_stats()
        _pstats.dump(self.stats, file)

    def create_stats(self):
        """Stops, and sets `stats`."""
        self.disable()
        self.snapshot_stats()

    def snapshot_stats(self):
        """Sets `stats` to what was counted until now, and goes on."""
        self.stats = _pstats.make_stats(self.getstats())

    def run(self, cmd):
        """Profiles a statement (text or code) in the namespace of __main__."""
        import __main__

        return self.runctx(cmd, __main__.__dict__, __main__.__dict__)

    def runctx(self, cmd, globals, locals):
        """Profiles a statement (text or code) in these namespaces; returns the profiler."""
        self.enable()
        try:
            exec(cmd, globals, locals)
        finally:
            self.disable()
        return self

    def runcall(self, func, /, *args, **kw):
        """Profiles one call, and returns what it returns."""
        self.enable()
        try:
            return func(*args, **kw)
        finally:
            self.disable()

    def __enter__(self):
        self.enable()
        return self

    def __exit__(self, *exc_info):
        self.disable()


def run(statement, filename=None, sort=-1):
    """Profiles a statement in the namespace of __main__, and prints its statistics, or writes
    them to a file. SystemExit just ends it."""
    import __main__

    runctx(statement, __main__.__dict__, __main__.__dict__, filename, sort)


def runctx(statement, globals, locals, filename=None, sort=-1):
    """As run(), in these namespaces."""
    profile = Profile()
    try:
        profile.runctx(statement, globals, locals)
    except SystemExit:
        pass
    finally:
        if filename is None:
            profile.print_stats(sort)
        else:
            profile.dump_stats(filename)


def main(argv=None):
    from ._trace_main import cprofile_main

    return cprofile_main(argv)


if __name__ == "__main__":
    main()
