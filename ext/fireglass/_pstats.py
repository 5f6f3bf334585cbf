# SPDX-License-Identifier: MIT
"""What was traced, as pstats and cProfile have it.

    stats     {(file, line, name): (primitive calls, calls, self s, total s, callers)}
    callers   {(file, line, name): (calls, primitive calls, self s, total s)}

A file of it is the stats in marshal's bytes (Lib/pstats.py, Lib/cProfile.py). Functions that have file,
line and name in common are one row.
"""

from collections import namedtuple

SECOND = 1e9

profiler_entry = namedtuple(
    "profiler_entry", "code callcount reccallcount totaltime inlinetime calls"
)
profiler_subentry = namedtuple(
    "profiler_subentry", "code callcount reccallcount totaltime inlinetime"
)


def label(code):
    """What pstats calls a function."""
    if isinstance(code, str):
        return ("~", 0, code)
    return (code.co_filename, code.co_firstlineno, code.co_name)


def make_entries(functions, subcalls=True):
    """[profiler_entry], as getstats() of cProfile returns them."""
    return [
        profiler_entry(f.code, *_numbers(f), _subentries(f) if subcalls else None)
        for f in functions
    ]


def _numbers(f):
    return f.calls, f.calls - f.primitive, f.total_ns / SECOND, f.self_ns / SECOND


def _subentries(f):
    return [profiler_subentry(c.code, *_numbers(c)) for c in f.callees.values()] or None


def make_stats(entries):
    """The stats of [profiler_entry]."""
    stats = {}
    for entry in entries:
        row = stats.setdefault(label(entry.code), [0, 0, 0.0, 0.0, {}])
        calls = entry.callcount
        _add(row, calls - entry.reccallcount, calls, entry.inlinetime, entry.totaltime)
    for entry in entries:
        caller = label(entry.code)
        for sub in entry.calls or ():
            called = stats.get(label(sub.code))
            if called is None:
                continue
            row = called[4].setdefault(caller, [0, 0, 0.0, 0.0])
            calls = sub.callcount
            _add(row, calls, calls - sub.reccallcount, sub.inlinetime, sub.totaltime)
    return {name: _as_tuple(row) for name, row in stats.items()}


def _add(row, *numbers):
    for i, number in enumerate(numbers):
        row[i] += number


def _as_tuple(row):
    *numbers, callers = row
    return (*numbers, {name: tuple(caller) for name, caller in callers.items()})


def dump(stats, path):
    import marshal

    with open(path, "wb") as file:
        marshal.dump(stats, file)


class Holder:
    """Stats for pstats.Stats(), which takes whatever can make them."""

    def __init__(self, stats):
        self.stats = stats

    def create_stats(self):
        pass


def show(holder, sort=-1, stream=None):
    """The listing of pstats; sort: its key, or a tuple of them."""
    import pstats

    if not isinstance(sort, tuple):
        sort = (sort,)
    if holder.stats:
        pstats.Stats(holder, stream=stream).strip_dirs().sort_stats(*sort).print_stats()
        return
    print("         0 function calls in 0.000 seconds\n", file=stream)
