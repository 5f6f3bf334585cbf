# SPDX-License-Identifier: MIT
"""From 3.12 on os.fork() warns in a process that has more than one thread, whosever they are. A program
that has but one thread of its own is not to be told of ours.

A filter stands in `warnings` from such a fork until the next one, or until nothing records any more; in
the child it does not.
"""

import os
import sys


class _Message:
    """What `warnings` takes for a compiled regular expression."""

    pattern = "This process .* is multi-threaded"

    @staticmethod
    def match(text):
        return text.startswith("This process (pid=") and "is multi-threaded" in text


_FILTER = ("ignore", _Message, DeprecationWarning, None, 0)
_places = []  # the lists it was put into


def _other_threads():
    """How many threads of the process are not ours."""
    others = 0
    for tid in os.listdir("/proc/self/task"):
        try:
            with open("/proc/self/task/%s/comm" % tid, "rb") as file:
                others += not file.read().startswith(b"fireglass")
        except OSError:
            pass  # it has ended
    return others


def _filters(warnings):
    """The list that is asked first: from 3.14 on a context can have its own."""
    of_context = getattr(warnings, "_get_filters", None)
    return of_context() if of_context else warnings.filters


def before_fork():
    remove()
    warnings = sys.modules.get("warnings")
    if warnings is None or sys.version_info < (3, 12):
        return
    try:
        alone = _other_threads() == 1
    except OSError:
        return
    if alone:
        filters = _filters(warnings)
        _places.append(filters)
        filters.insert(0, _FILTER)


def remove():
    warnings = sys.modules.get("warnings")
    if warnings is None:
        return
    places = [*_places, _filters(warnings)]
    del _places[:]
    for filters in places:
        try:
            while True:
                filters.remove(_FILTER)
        except ValueError:
            pass  # all are gone
