# SPDX-License-Identifier: MIT
"""Stems of English words, so that "connected" finds "connection": Porter's algorithm (1980), with
some of its suffixes left out."""

import functools

VOWELS = "aeiou"

# fmt: off
STEP_2 = (
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"),
    ("abli", "able"), ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"),
    ("ization", "ize"), ("ation", "ate"), ("ator", "ate"), ("alism", "al"), ("iveness", "ive"),
    ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"),
)
STEP_3 = (
    ("icate", "ic"), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"),
    ("ful", ""), ("ness", ""),
)
STEP_4 = (
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ent", "ou", "ism",
    "ate", "iti", "ous", "ive", "ize",
)
# fmt: on


def is_consonant(word, i):
    letter = word[i]
    if letter in VOWELS:
        return False
    if letter == "y":
        return i == 0 or not is_consonant(word, i - 1)
    return True


def measure(stem):
    """How often a vowel is followed by a consonant: the m of the paper."""
    count, vowel_before = 0, False
    for i in range(len(stem)):
        consonant = is_consonant(stem, i)
        if consonant and vowel_before:
            count += 1
        vowel_before = not consonant
    return count


def has_vowel(stem):
    return any(not is_consonant(stem, i) for i in range(len(stem)))


def ends_double(word):
    return len(word) > 1 and word[-1] == word[-2] and is_consonant(word, len(word) - 1)


def ends_cvc(word):
    if len(word) < 3:
        return False
    a, b, c = (is_consonant(word, len(word) - n) for n in (3, 2, 1))
    return a and not b and c and word[-1] not in "wxy"


def plural(word):
    for suffix, replacement in (("sses", "ss"), ("ies", "i"), ("ss", "ss"), ("s", "")):
        if word.endswith(suffix):
            return word[: len(word) - len(suffix)] + replacement
    return word


def past(word):
    if word.endswith("eed"):
        return word[:-1] if measure(word[:-3]) > 0 else word
    for suffix in ("ed", "ing"):
        stem = word[: -len(suffix)]
        if word.endswith(suffix) and has_vowel(stem):
            if stem.endswith(("at", "bl", "iz")):
                return stem + "e"
            if ends_double(stem) and stem[-1] not in "lsz":
                return stem[:-1]
            return stem + "e" if measure(stem) == 1 and ends_cvc(stem) else stem
    return word


def replace_suffix(word, table):
    for suffix, replacement in table:
        if word.endswith(suffix):
            stem = word[: len(word) - len(suffix)]
            return stem + replacement if measure(stem) > 0 else word
    return word


def drop_suffix(word):
    for suffix in STEP_4:
        if word.endswith(suffix):
            stem = word[: len(word) - len(suffix)]
            return stem if measure(stem) > 1 else word
    if word.endswith("ion") and word[-4:-3] in ("s", "t") and measure(word[:-3]) > 1:
        return word[:-3]
    return word


def tidy(word):
    if word.endswith("e"):
        m = measure(word[:-1])
        if m > 1 or (m == 1 and not ends_cvc(word[:-1])):
            word = word[:-1]
    if word.endswith("ll") and measure(word) > 1:
        word = word[:-1]
    return word


@functools.lru_cache(maxsize=4096)
def stem(word):
    """The stem of a word in lower case."""
    if len(word) < 3:
        return word
    word = past(plural(word))
    if word.endswith("y") and has_vowel(word[:-1]):
        word = word[:-1] + "i"
    word = replace_suffix(word, STEP_2)
    word = replace_suffix(word, STEP_3)
    return tidy(drop_suffix(word))
