# SPDX-License-Identifier: MIT
"""The search index: stems, postings, and ranking by tf-idf."""

import collections
import heapq
import math
import re

from press.stem import stem

TOKEN = re.compile(r"[a-z]+|[0-9]{4}")
STOP_WORDS = frozenset("a an and the of in on to was because although while before after".split())


def tokens(text):
    """The stems of a text in order, without stop words."""
    for match in TOKEN.finditer(text.lower()):
        word = match.group()
        if word not in STOP_WORDS:
            yield stem(word)


class Index:
    """Not thread-safe: the store's lock guards it."""

    def __init__(self):
        self.postings = collections.defaultdict(dict)  # stem -> {page: how often}
        self.counts = {}  # page -> {stem: how often}

    def remove(self, name):
        for term in self.counts.pop(name, ()):
            del self.postings[term][name]

    def add(self, name, text):
        self.remove(name)
        counts = collections.Counter(tokens(text))
        for term, count in counts.items():
            self.postings[term][name] = count
        self.counts[name] = counts

    def rarity(self, term):
        return math.log((1 + len(self.counts)) / (1 + len(self.postings.get(term, ()))))

    def search(self, query, limit):
        """The best pages for a query, as (score, name), best first."""
        scores = collections.Counter()
        for term in tokens(query):
            rarity = self.rarity(term)
            for name, count in self.postings.get(term, {}).items():
                scores[name] += (1 + math.log(count)) * rarity
        return heapq.nlargest(limit, ((score, name) for name, score in scores.items()))

    def vector(self, name):
        """The page's weights by stem, of length 1."""
        weights = {
            term: (1 + math.log(count)) * self.rarity(term)
            for term, count in self.counts[name].items()
        }
        length = math.sqrt(sum(w * w for w in weights.values())) or 1.0
        return {term: w / length for term, w in weights.items()}


def similarity(a, b):
    """The cosine of two vectors."""
    if len(a) > len(b):
        a, b = b, a
    return sum(weight * b[term] for term, weight in a.items() if term in b)
