# SPDX-License-Identifier: MIT
# fmt: off
"""Python called back from C: by builtins, by the regular expressions, by ctypes."""

import functools
import re

from parked import park, park_in_lock, prefixed, run

try:
    import ctypes
except ImportError:  # a build without libffi
    ctypes = None


def key(value):
    return park(value)


def add(a, b):
    if b == 3:
        park()
    return a + b


def replace(match):
    if match.group(0) == "b":
        park_in_lock()
    return "x"


class Key(object):
    def __init__(self, value):
        self.value = value

    def __hash__(self):
        return 1

    def __eq__(self, other):
        return park(self.value, other)

    def __lt__(self, other):
        return park()

    def __iter__(self):
        return self

    def __next__(self):
        return park()

    next = __next__

    def __str__(self):
        return str(park())

    def __len__(self):
        return int(park())

    def __del__(self):
        pass


class Missing(dict):
    def __missing__(self, name):
        return park()


def shape_sorted():
    return sorted([3, 2, 1], key=key)


def shape_sort_of_objects():
    return sorted([Key(1), Key(2)])


def shape_reduce():
    return functools.reduce(add, [1, 2, 3])


def shape_sub():
    return re.sub("[a-c]", replace, "abc")


def shape_map():
    return list(map(key, [1]))


def shape_map_of_map():
    return list(map(lambda x: list(map(key, [x])), [1]))


def shape_filter():
    return list(filter(key, [1]))


def shape_max():
    return max([1, 2], key=lambda n: key(n))


def shape_hash():
    return {Key(1): 1, Key(2): 2}


def shape_iter():
    return list(Key(1))


def shape_str():
    return "%s" % Key(1)


def shape_len():
    return len(
        Key(1)
    )


def shape_missing():
    return Missing()["x"]


def shape_any():
    return any(key(n) for n in [1])


def shape_iter_of_call():
    return list(iter(park, None))


if ctypes:
    COMPARE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)

    def compare(a, b):
        return len(park())

    def shape_extension_calls_back():
        items = (ctypes.c_int * 2)(2, 1)
        qsort = ctypes.CDLL(None).qsort
        qsort.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, COMPARE]
        qsort(
            items,
            2,
            4,
            COMPARE(compare),
        )


if __name__ == "__main__":
    run(prefixed(globals()))
