# SPDX-License-Identifier: MIT
"""Names of outputs: what stands for the process, the time and the number; files without a name."""

import errno
import os
import time


def expand(path, number):
    """%p: process id, %t: local time, %n: number, %%: %."""
    if "%" not in path:
        return path
    known = {
        "p": str(os.getpid()),
        "t": time.strftime("%Y%m%d-%H%M%S"),
        "n": "%04d" % number,
        "%": "%",
    }
    parts, at = [], 0
    while at < len(path):
        word = known.get(path[at + 1 : at + 2]) if path[at] == "%" else None
        parts.append(path[at] if word is None else word)
        at += 1 if word is None else 2
    return "".join(parts)


def of_child(path):
    """out.fgc of process 4711: out.4711.fgc. A name with %p has it already."""
    if "%p" in path:
        return path
    head, name = os.path.split(path)
    stem, dot, ending = name.partition(".")
    if not stem:  # .hidden
        return "%s.%%p" % path
    return os.path.join(head, "%s.%%p%s%s" % (stem, dot, ending))


def is_capture(path):
    return path.lower().endswith(".fgc")


def check_writable(path):
    """Raises OSError now for what could not be written at the end."""
    if os.path.exists(path):
        if not os.access(path, os.W_OK):
            raise PermissionError(13, "Permission denied", path)
        return
    directory = os.path.dirname(path) or "."
    os.stat(directory)
    if not os.access(directory, os.W_OK | os.X_OK):
        raise PermissionError(13, "Permission denied", path)


def open_kept(path):
    """(descriptor, whether it was created): for reading and writing, with what it has in it."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(path, flags | os.O_EXCL, 0o666), True
    except FileExistsError:
        return os.open(path, flags, 0o666), False


def empty(fd):
    try:
        os.ftruncate(fd, 0)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a stream
            raise


def nameless():
    """A file descriptor of a file that goes when it is closed, on a disk if there is one."""
    for directory in (os.environ.get("TMPDIR"), "/var/tmp", "/tmp"):
        if not directory:
            continue
        try:
            return os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:
            continue
    return os.memfd_create("fireglass", os.MFD_CLOEXEC)
