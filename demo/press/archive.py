# SPDX-License-Identifier: MIT
"""The archive: each revision is cut into chunks at places its content decides, so that revisions
share the chunks that did not change; new chunks are hashed, compressed and appended to a file."""

import hashlib
import os
import queue
import random
import threading
import zlib

CHUNK_BITS = 8  # chunks are cut after 256 bytes on average
CHUNK_MIN = 64
MASK_64 = (1 << 64) - 1
GEAR = [random.Random(value).getrandbits(64) for value in range(256)]


def cut(data):
    """Yields the chunks of `data`: a rolling hash over the bytes says where one ends."""
    start, rolling = 0, 0
    for at, byte in enumerate(data):
        rolling = ((rolling << 1) + GEAR[byte]) & MASK_64
        if rolling >> (64 - CHUNK_BITS) == 0 and at - start >= CHUNK_MIN:
            yield data[start : at + 1]
            start = at + 1
    yield data[start:]


class Archive(threading.Thread):
    """Stores revisions as they come, in a thread of its own."""

    def __init__(self, directory, pages):
        super().__init__(name="archive", daemon=True)
        self.pages = pages
        self.file = open(os.path.join(directory, "archive.bin"), "wb")  # noqa: SIM115
        self.queue = queue.Queue()
        self.known = set()
        self.bytes_in = 0
        self.bytes_out = 0

    def submit(self, name, revision, source):
        self.queue.put((name, revision, source))

    def store_chunk(self, chunk):
        digest = hashlib.sha256(chunk).digest()
        self.bytes_in += len(chunk)
        if digest in self.known:
            return
        self.known.add(digest)
        packed = zlib.compress(chunk, 9)
        self.bytes_out += len(packed)
        self.file.write(digest + len(packed).to_bytes(4, "little") + packed)

    def store(self, source):
        for chunk in cut(source.encode("utf-8")):
            self.store_chunk(chunk)

    def run(self):
        for page in self.pages:
            self.store(page.source)
        while True:
            item = self.queue.get()
            if item is None:
                break
            self.store(item[2])
        self.file.close()

    def stop(self):
        self.queue.put(None)
        self.join()
