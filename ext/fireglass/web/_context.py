# SPDX-License-Identifier: MIT
"""Requests as spans. In which one a task, a greenlet or a thread is goes with its context."""

from .. import _fireglass

describe_span = _fireglass.span_describe
close_span = _fireglass.span_close
# whether any session would see spans
is_wanted = _fireglass.span_wanted
# both take and return a key: of the span in which the context is from now on, and was before
enter = leave = _fireglass.span_enter


def plain(text):
    """Without what no text of C can have."""
    return text.replace("\0", "?").encode("utf-8", "replace").decode()


def open_span(name, text):
    return _fireglass.span_open(_fireglass.span_current(), name, plain(text))
