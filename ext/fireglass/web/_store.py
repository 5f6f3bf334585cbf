# SPDX-License-Identifier: MIT
"""Captures of requests, kept in a directory that all workers share.

For each one NAME.fgc, and NAME.json with what it is of; it is there for others when the second one
is. The oldest ones go when there are too many or they take too much room.
"""

import json
import os
import re
import secrets
import stat
import tempfile
import time

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,115}\Z")
ENDING = ".fgc"
ABOUT = ".json"
COMING = ".part"
ANNOUNCED = ".coming"
ANNOUNCED_S = 900


def default_directory(name):
    return os.path.join(tempfile.gettempdir(), "fireglass-web-%d-%s" % (os.geteuid(), name))


def make_private(path):
    """A directory of ours that nobody else can look into."""
    try:
        os.makedirs(path, mode=0o700)
    except FileExistsError:
        pass
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError("%r is not a directory of this user; give another directory" % path)
    if found.st_mode & 0o077:
        raise PermissionError("others may look into %r; chmod 700 it, or give another" % path)


class Store:
    def __init__(self, path, max_captures=200, max_bytes=256 << 20):
        self.path = path
        self.max_captures = max_captures
        self.max_bytes = max_bytes
        make_private(path)

    @staticmethod
    def new_name(kind):
        """Nobody can guess it."""
        stamp = time.strftime("%Y%m%d-%H%M%S")
        return "%s-%s-%s" % (kind, stamp, secrets.token_hex(8))

    def new_file(self):
        """(path, file) of a capture to be written, which is no one's yet."""
        fd, path = tempfile.mkstemp(suffix=COMING, dir=self.path)
        return path, os.fdopen(fd, "w+b", buffering=0)

    def add(self, name, path, about):
        """Takes over the file."""
        about = dict(about, saved_ns=time.time_ns(), bytes=os.path.getsize(path))
        os.rename(path, self.file(name))
        coming, file = self.new_file()
        with file:
            file.write(json.dumps(about).encode())
        os.rename(coming, self._about(name))
        self.prune()

    def announce(self, name):
        """There will be such a capture."""
        with open(os.path.join(self.path, name + ANNOUNCED), "wb"):
            pass

    def denounce(self, name):
        os.unlink(os.path.join(self.path, name + ANNOUNCED))

    def is_coming(self, name):
        """Some worker is at it, or puts its parts together."""
        base = os.path.join(self.path, name.partition("-slowest-")[0])
        if os.path.isdir(base) or os.path.isdir(base + ".whole"):
            return True
        try:
            return time.time() - os.stat(base + ANNOUNCED).st_mtime < ANNOUNCED_S
        except FileNotFoundError:
            return False

    def add_failure(self, name, about):
        """There is no capture of it, but the reason is told."""
        path, file = self.new_file()
        file.close()
        self.add(name, path, about)

    def file(self, name):
        return os.path.join(self.path, name + ENDING)

    def _about(self, name):
        return os.path.join(self.path, name + ABOUT)

    def about(self, name):
        """What is known of it; None: there is none of this name."""
        if not NAME.match(name):
            return None
        try:
            with open(self._about(name), "rb") as file:
                about = json.loads(file.read().decode())
            return dict(about, name=name)
        except (OSError, ValueError):
            return None

    def wait(self, name, timeout_s):
        """about(), or None if it is not there in time."""
        deadline = time.monotonic() + timeout_s
        while True:
            about = self.about(name)
            if about or time.monotonic() >= deadline:
                return about
            time.sleep(0.01)

    def list(self, kind=None):
        """What is known of each one, the newest first."""
        names = [name[: -len(ABOUT)] for name in os.listdir(self.path) if name.endswith(ABOUT)]
        found = [about for about in map(self.about, names) if about]
        found.sort(key=lambda about: about["saved_ns"], reverse=True)
        return [about for about in found if kind is None or about["kind"] == kind]

    def delete(self, name):
        """False: there was none."""
        if not NAME.match(name) or not os.path.exists(self._about(name)):
            return False
        for path in (self._about(name), self.file(name)):
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass
        return True

    def prune(self):
        size = 0
        for count, about in enumerate(self.list()):
            size += about["bytes"]
            if count >= self.max_captures or (count and size > self.max_bytes):
                self.delete(about["name"])
