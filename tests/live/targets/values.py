# coding: utf-8
# SPDX-License-Identifier: MIT
"""Functions that print what their own local variables are, and then wait. Runs on 2.7 to 3.15.

The argument is the name of one of them. Each prints {"repr": {name: repr(value)}} of those variables
that repr() has to agree with exactly, as one line of JSON, then "ready".
"""

from __future__ import print_function

import collections
import json
import os
import sys

try:
    import enum
except ImportError:
    enum = None

MODULE_LEVEL = {"kept": [1, 2]}
LATER = None


class Point(object):
    def __init__(self, x, y):
        self.x = x
        self.y = y


class Old:
    pass


class Slotted(object):
    __slots__ = ("a",)


class Names(dict):
    pass


class Number(int):
    pass


if enum:

    class Color(enum.Enum):
        RED = 1
        BLUE = "b"

    class Level(enum.IntEnum):
        LOW = 3


Pair = collections.namedtuple("Pair", "first second")


def text(value):
    value = repr(value)
    return value.decode("ascii") if isinstance(value, bytes) else value


def wait(variables, *more):
    """Of a dict of variables: those whose value is not the program's own business."""
    truth = {"repr": dict((name, text(value)) for name, value in variables.items())}
    truth["more"] = more
    print(json.dumps(truth))
    print("ready")
    sys.stdout.flush()
    os.read(0, 1)


def numbers(zero=0, one=1, minus=-1, true=True, false=False, none=None):
    digit, two_digits, three = 2**30 - 1, 2**30, 2**60
    negative, negative_two, large, very = -(2**29), -(2**45), 10**50, -(7**150)
    limits = [2**31, -(2**31), 2**63 - 1, 2**63, -(2**63), 2**64]
    half, third, whole, small, tiny = 0.5, 1 / 3.0, 3.0, 1e-4, 1e-5
    big, bigger, most, least = 1e15, 1e16, 1.7976931348623157e308, 5e-324
    minus_zero, infinite, minus_infinite, nan = -0.0, float("inf"), -float("inf"), float("nan")
    exact = [0.1, 1e22, 1e23, 123456789012345680.0, 9007199254740993.0, 1.1e-7, 100.0, 2.5e-310]
    imaginary, complexes = 2j, [1 + 2j, -1.5 - 0.5j, complex("nan+infj"), -2j, complex(0, -0.0)]
    ellipsis, not_implemented = Ellipsis, NotImplemented
    wait(locals())


def strings():
    empty, plain, single, double, both = "", "plain", "it's", 'a "b"', "'\""
    lines, controls, backslash = "a\nb\tc\rd", "\x00\x1b[31m\x7f", "a\\b"
    unicodes = [u"", u"caf\xe9", u"\u017elu\u0165", u"\U0001f600 smile", u"a\u200bb\u202e", u"'"]
    mixed = u"\xa0\xad\u2028\ufeff"
    data, zeros, array = b"bytes\x00\xff'", b"\0" * 20, bytearray(b"array\xfe\"'")
    empty_array, cut_array = bytearray(), bytearray(b"0123456789")
    del cut_array[:4]
    limit = "x" * 200
    wait(locals())


def containers():
    empties = [[], (), {}, set(), frozenset(), collections.deque()]
    numbers_, nested = [1, 2, 3], [1, [2, (3, {"four": [5]})]]
    one, pair = (1,), ("a", None)
    small, sets, frozen = {"k": "v", 1: 2, (1, 2): None}, set([1, "a"]), frozenset([2])
    removed, replaced = {"a": 1, "b": 2, "c": 3}, set(range(9))
    del removed["b"]
    replaced.discard(4)
    grown = dict((n, str(n)) for n in range(20))
    for n in range(19):
        del grown[n]
    queue, bounded = collections.deque([1, 2]), collections.deque(range(9), 4)
    moved = collections.deque(range(200), 3)
    rotated = collections.deque([1, 2, 3])
    rotated.rotate(1)
    cycle = [1]
    cycle.append(cycle)
    ring = {"a": [2]}
    ring["self"] = ring
    ring["a"].append(ring)
    twice = [[7]] * 2
    piece = slice(1, None)
    wait(locals())


def objects(argument=Point(1, 2)):
    point, old, slotted, plain = Point(1, 2), Old(), Slotted(), object()
    classes = [Point, Old, int, dict, collections.OrderedDict, ValueError, type]
    function, builtin, method = wait, len, [].append
    module, error, no_error = json, ValueError("bad", 3), KeyError()
    named = Pair(1, "two")
    if sys.version_info >= (3,):
        bound, generator, numbers_ = argument.__init__, (n for n in [1]), range(3)
        steps, name = range(0, 9, 2), (lambda: 0)
        members = [Color.RED, Color.BLUE, Level.LOW, {Color.RED: 1}]
    wait(locals())


def near():
    """What is told a little differently from repr()."""
    names, number, table = Names(a=1), Number(5), collections.defaultdict(list, x=[1])
    ordered, error, count = collections.OrderedDict([("k", 1)]), KeyError("k"), collections.Counter("aab")
    point = Point(3, Point("deep", None))
    old = Old()
    old.field = "old one"
    many, long_text, long_bytes = list(range(1000)), u"y" * 1000, b"z" * 1000
    table_of_many = dict((n, n) for n in range(100000))
    set_of_many = set(range(100000))
    deep = [1, [2, [3, [4, [5, [6, [7]]]]]]]
    huge, large = 1 << 100000, 10**299
    wide = [["x" * 150] * 15] * 15
    wait({}, hex(id(point)), hex(id(point.y)))


def secrets():
    password, api_key, authToken, secret = "geheim-1", u"geheim-2", b"geheim-3", ["geheim-4"]
    token = None
    settings = {"db_password": "geheim-5", "host": "db.example", b"client_secret": "geheim-6"}
    headers = [("Authorization", "geheim-7"), ("Host", "example")]
    account = Point("user", 1)
    account.passwd = "geheim-8"
    nested = {"a": [{"session-id": "geheim-9"}]}
    author, tokenizer = "not secret 1", "not secret 2"
    credentials = Pair("geheim-10", "geheim-11")
    wait({})


def shared():
    counter, unused = [0], "seen"

    def inner(step, *rest, **options):
        own = step + 1
        squares = [each for each in (1, 2)]
        counter[0] += own
        wait(dict(locals()), unused)

    late = "bound"
    inner(4, 5, 6, key="word")
    return late, LATER


def generators():
    def yielding(start):
        while True:
            value = yield start
            wait({"start": start, "value": value})

    generator = yielding("begin")
    next(generator)
    generator.send("sent")


def class_body():
    class Body(object):
        in_body = "body"
        numbers = [3]

        def method(self):
            pass

        wait({"in_body": in_body, "numbers": numbers})


def executed():
    exec("executed_name = 'by exec'\nwait({'executed_name': executed_name})", {"wait": wait})


def unbound():
    if MODULE_LEVEL:
        wait({})
        never = 1
    deleted = 2
    del deleted
    return never


if __name__ == "__main__":
    globals()[sys.argv[1]]()
