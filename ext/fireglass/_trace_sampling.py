# SPDX-License-Identifier: MIT
"""Samples of the whole program beside a trace of a few of its functions: one timeline.

Sampling goes into a file without a name. When it is over, the calls are laid over it as spans: a
sample that was taken during a call of its thread belongs to it.
"""

import os
import tempfile

from . import _fireglass, _trace_data
from ._trace_capture import MOST_SPANS


class Sampling:
    def __init__(self, rate):
        if not 0 < rate <= 100_000:
            raise ValueError("cannot sample %r times a second; use 1 to 100000" % (rate,))
        self._file = tempfile.NamedTemporaryFile(suffix=".fgc")
        self._pid = os.getpid()
        self._session = _fireglass.Session(self._file.fileno(), period_ns=round(1e9 / rate))

    def pause(self, paused):
        self._session.pause(paused)

    def write_with(self, trace, file):
        """The capture, with the calls of the trace in it, into a new file."""
        if os.getpid() != self._pid:
            raise RuntimeError("the samples are of process %d, which was forked" % self._pid)
        self._session.stop()
        _fireglass.overlay(self._file.name, file.fileno(), _calls(trace._trees()))


def _calls(trees):
    """As overlay() takes them: the longest, if they are too many."""
    calls = list(trees.calls())
    if len(calls) > MOST_SPANS:
        calls.sort(key=lambda call: call[2] - call[3])
        del calls[MOST_SPANS:]
    names = [_text(_trace_data.name_of(node.code)) for node in trees.nodes]
    threads = [(tid, _text(name)) for tid, name in trees.threads]
    return [
        (*threads[thread], names[node], "", start_ns, end_ns)
        for thread, node, start_ns, end_ns in calls
    ]


def _text(name):
    return name.replace("\0", " ").encode("utf-8", "replace").decode()
