# SPDX-License-Identifier: MIT
"""The pages, the search index and the cache of rendered pages, shared by all threads."""

import collections
import threading

from press.markup import Glossary
from press.search import Index, similarity

RELATED = 4


class Cache:
    """The most recently used values. Thread-safe."""

    def __init__(self, capacity):
        self.capacity = capacity
        self.values = collections.OrderedDict()
        self.lock = threading.Lock()
        self.hits = 0
        self.misses = 0

    def get(self, key):
        with self.lock:
            value = self.values.get(key)
            if value is None:
                self.misses += 1
                return None
            self.values.move_to_end(key)
            self.hits += 1
            return value

    def put(self, key, value):
        with self.lock:
            self.values[key] = value
            self.values.move_to_end(key)
            while len(self.values) > self.capacity:
                self.values.popitem(last=False)


class Store:
    """Pages and what is derived from them. `lock` guards all of it but the cache."""

    def __init__(self, pages, cache_capacity):
        self.lock = threading.RLock()
        self.pages = {page.name: page for page in pages}
        self.glossary = Glossary(self.pages)
        self.index = Index()
        self.related = {}
        self.cache = Cache(cache_capacity)
        for page in pages:
            self.index.add(page.name, page.source)

    def page(self, name):
        with self.lock:
            return self.pages[name]

    def edit(self, name, source):
        """Replaces a page's source; returns its new revision."""
        with self.lock:
            page = self.pages[name]
            page.source = source
            page.revision += 1
            self.index.add(name, source)
            return page.revision

    def search(self, query, limit):
        with self.lock:
            return [(score, self.pages[name]) for score, name in self.index.search(query, limit)]

    def related_pages(self, name):
        with self.lock:
            return [self.pages[other] for other in self.related.get(name, ())]

    def tags(self):
        with self.lock:
            counts = collections.Counter(t for page in self.pages.values() for t in page.tags)
        return [{"name": name, "count": count} for name, count in sorted(counts.items())]

    def relate(self, names):
        """Finds the pages most like each of `names`."""
        with self.lock:
            vectors = {name: self.index.vector(name) for name in self.pages}
            for name in names:
                ranked = sorted(
                    (other for other in vectors if other != name),
                    key=lambda other: similarity(vectors[name], vectors[other]),
                    reverse=True,
                )
                self.related[name] = ranked[:RELATED]
