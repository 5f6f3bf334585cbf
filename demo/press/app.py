# SPDX-License-Identifier: MIT
"""The command: makes the pages, starts the service, sends it requests for a while, says what it
did."""

import argparse
import random
import sys
import tempfile
import time

from press.archive import Archive
from press.corpus import NOUNS, VERBS, Author, generate
from press.handlers import Request, Site
from press.service import Service
from press.store import Store

SEED = 1887
CACHED_PAGES = 96
BUSY = 0.3  # of a processor: how much answering takes
KINDS = ("view",) * 14 + ("search",) * 4 + ("edit",) * 2


class Visitors:
    """An endless, repeatable row of requests; a few pages are asked for far more than others."""

    def __init__(self, names):
        self.random = random.Random(SEED)
        self.author = Author(SEED + 1)
        self.names = list(names)
        self.random.shuffle(self.names)
        self.weights = [1 / (rank + 1) ** 0.6 for rank in range(len(self.names))]

    def __iter__(self):
        while True:
            for name in self.random.choices(self.names, self.weights, k=64):
                yield self.request(self.random.choice(KINDS), name)

    def request(self, kind, name):
        if kind == "edit":
            return Request(kind, name, self.author.paragraph())
        if kind == "search":
            words = [name, self.random.choice(NOUNS), self.random.choice(VERBS)]
            return Request(kind, text=" ".join(words))
        return Request(kind, name)


def parse_arguments(argv):
    parser = argparse.ArgumentParser(prog="press", description=__doc__)
    parser.add_argument("--seconds", type=float, default=6, help="how long to serve (default 6)")
    parser.add_argument("--workers", type=int, default=4, help="worker threads (default 4)")
    options = parser.parse_args(argv)
    if options.seconds <= 0 or options.workers < 1:
        parser.error("--seconds and --workers must be more than 0")
    return options


def serve(service, visitors, seconds):
    """Sends requests, as many as keep the workers BUSY; returns how long that was."""
    gaps = random.Random(SEED + 2)
    started = time.perf_counter()
    for request in visitors:
        service.submit(request)
        time.sleep(gaps.expovariate(BUSY) * service.cost)
        elapsed = time.perf_counter() - started
        if elapsed >= seconds:
            return elapsed
    return None


def report(service, store, elapsed):
    cache = store.cache
    asked = cache.hits + cache.misses
    print(f"press: served {service.served} requests in {elapsed:.1f} s", end=" ")
    print(f"({service.served / elapsed:.0f}/s), {service.failed} failed")
    print(f"press: {100 * cache.hits / max(asked, 1):.0f} % of pages from the cache", end=", ")
    print(f"{service.journal.lines} journal lines", end=", ")
    print(f"{service.archive.bytes_in // 1024} KiB archived as {service.archive.bytes_out // 1024}")
    beats = service.heartbeat
    print(f"press: {beats.beats} heartbeats, {100 * beats.late / max(beats.beats, 1):.0f} % late")


def main(argv):
    options = parse_arguments(argv)
    pages = generate(SEED)
    store = Store(pages, CACHED_PAGES)
    with tempfile.TemporaryDirectory(prefix="press-") as directory:
        archive = Archive(directory, list(pages))
        service = Service(store, Site(store, archive), archive, directory, options.workers)
        print(f"press: {len(pages)} pages, {options.workers} workers", flush=True)
        with service:
            elapsed = serve(service, Visitors(store.pages), options.seconds)
        report(service, store, elapsed)
    return 1 if service.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
