# SPDX-License-Identifier: MIT
"""What all workers of an application agree on: one small file that each of them has mapped.

Its first bytes are numbers: a generation, which changes with everything that workers must hear of, so
that one comparison says whether there is news; and how many requests of the present campaign have
been taken. Then comes JSON that says what is wanted. Whoever writes holds the lock.
"""

import contextlib
import fcntl
import json
import mmap
import os
import struct
import threading

GENERATION = struct.Struct("<Q")
COUNTS = struct.Struct("<III")  # wanted, done, in flight
COUNTS_AT = 8
LENGTH = struct.Struct("<I")
LENGTH_AT = 24
WANTED_AT = 32
SIZE = 8192


class Control:
    def __init__(self, path):
        self.path = path
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(path, flags, 0o600)
        self._thread_lock = threading.Lock()
        with self.lock():
            if os.fstat(self._fd).st_size < SIZE:
                os.ftruncate(self._fd, SIZE)
        self.map = mmap.mmap(self._fd, SIZE)

    def close(self):
        self.map.close()
        os.close(self._fd)

    def after_fork(self):
        """In the child: another thread of the parent may have held the lock."""
        self._thread_lock = threading.Lock()

    @contextlib.contextmanager
    def lock(self):
        with self._thread_lock:
            fcntl.lockf(self._fd, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._fd, fcntl.LOCK_UN)

    # ---- what is wanted; with the lock -----------------------------------------------------------

    def generation(self):
        """Bytes that are others when there is news. Needs no lock."""
        return self.map[:8]

    def read(self):
        """What is wanted, a dict; empty: nothing yet."""
        (length,) = LENGTH.unpack_from(self.map, LENGTH_AT)
        if not length or length > SIZE - WANTED_AT:
            return {}
        return json.loads(self.map[WANTED_AT : WANTED_AT + length].decode())

    def write(self, wanted):
        data = json.dumps(wanted).encode()
        if len(data) > SIZE - WANTED_AT:
            raise ValueError("too much to match; use shorter patterns")
        self.map[WANTED_AT : WANTED_AT + len(data)] = data
        LENGTH.pack_into(self.map, LENGTH_AT, len(data))
        (generation,) = GENERATION.unpack_from(self.map, 0)
        GENERATION.pack_into(self.map, 0, generation + 1)

    # ---- the count of a campaign; with the lock --------------------------------------------------

    def counts(self):
        """(wanted, done, in flight)"""
        return COUNTS.unpack_from(self.map, COUNTS_AT)

    def set_counts(self, wanted, done, in_flight):
        COUNTS.pack_into(self.map, COUNTS_AT, wanted, done, in_flight)
