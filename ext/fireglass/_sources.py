# SPDX-License-Identifier: MIT
"""Source files for pages: what a capture names, as it is now.

A capture can come from anywhere, and a page is made to be passed on, so only files that are Python by
their name or their first line are read, of limited size; and what this very program has compiled from
texts (cells of a notebook, which `linecache` holds).
"""

import os
import stat
import sys

_FILE_MAX = 1 << 20
_ALL_MAX = 16 << 20
_NAMES = (".py", ".pyw", ".pyx", ".pxd", ".pxi", ".pyi")


class Sources:
    """find(file) for one page: (text, note), or None if nothing is to be said of the file."""

    def __init__(self, facts):
        self._cwd = facts.get("cwd") or os.getcwd()
        self._recorded_ns = int(facts.get("start_ns") or 0)
        self._elsewhere = facts.get("host", os.uname().nodename) != os.uname().nodename
        self._room = _ALL_MAX
        self.left_out = []

    def __call__(self, file):
        cached = self._of_this_program(file)
        if cached is not None:
            return self._fit(file, cached, "")
        if not file or file.startswith("<"):
            return None
        path = os.path.join(self._cwd, file)
        try:
            data, changed_ns = _read(path)
        except OSError as error:
            if not path.endswith(_NAMES):
                return None
            return "", "cannot be read: " + (error.strerror or "not a regular file").lower()
        if not path.endswith(_NAMES) and not _is_script(data):
            return None
        if len(data) > _FILE_MAX:
            return self._leave_out(file, "larger than 1 MB")
        if b"\0" in data:
            return "", "left out: not a text"
        return self._fit(file, _decode(data), self._note(changed_ns))

    def _of_this_program(self, file):
        """Cells of a notebook and the like: no file has them."""
        linecache = sys.modules.get("linecache")
        entry = linecache.cache.get(file) if linecache else None
        if not entry or len(entry) < 4 or entry[1] is not None:
            return None  # a file, which may have changed since it was cached
        return "".join(entry[2])

    def _note(self, changed_ns):
        notes = []
        if self._elsewhere:
            notes.append("read where the page was made, not where the program ran")
        if self._recorded_ns and changed_ns > self._recorded_ns:
            notes.append("changed after the recording")
        return "; ".join(notes)

    def _fit(self, file, text, note):
        size = len(text.encode("utf-8", "replace"))
        if size > self._room:
            return self._leave_out(file, "the page has 16 MB of sources without it")
        self._room -= size
        return text, note

    def _leave_out(self, file, why):
        self.left_out.append(file)
        return "", "left out: " + why


def _read(path):
    # a FIFO is not waited for
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(None, "not a regular file")
        with os.fdopen(fd, "rb", closefd=False) as file:
            return file.read(_FILE_MAX + 1), status.st_mtime_ns
    finally:
        os.close(fd)


def _is_script(data):
    first = data.split(b"\n", 1)[0]
    return first.startswith(b"#!") and b"python" in first


def _decode(data):
    """As Python reads it: by its coding line, whatever is wrong replaced."""
    import io
    import tokenize

    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding, "replace")
    except (SyntaxError, LookupError, ValueError):
        text = data.decode("utf-8", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")
