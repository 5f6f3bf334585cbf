# SPDX-License-Identifier: MIT
"""Requests, cut out of captures: one or many of them, from one or many files, as one capture."""

import re

from .. import _fireglass

ID = re.compile(r" id=([0-9a-z]+)\Z")


def rows_of(capture, ids):
    """The spans of these requests, with all that lies in them, as rows of the capture."""
    rows = set()
    for span in capture.spans():
        found = ID.search(span["text"])
        if found and found.group(1) in ids or span["parent"] in rows:
            rows.add(span["span"])
    return sorted(rows)


def cut(paths, ids, fd):
    """Writes what is of the requests with these ids to an empty file."""
    captures = [_fireglass.Capture(path) for path in paths]
    _fireglass.capture_cut(fd, [(capture, rows_of(capture, ids)) for capture in captures])


def cut_to_store(store, paths, ids):
    """The path of a new file in the store."""
    path, file = store.new_file()
    with file:
        cut(paths, ids, file.fileno())
    return path
