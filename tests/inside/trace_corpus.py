# SPDX-License-Identifier: MIT
"""Programs of all kinds, counted by cProfile and by our tracer: prints what they differ in, as JSON."""

import ast
import cProfile
import collections
import functools
import io
import json
import re
import string
import sys
import textwrap
import tokenize

from fireglass._fireglass import Tracer


def recursion():
    def fib(n):
        return 1 if n < 2 else fib(n - 1) + fib(n - 2)

    def even(n):
        return True if n == 0 else odd(n - 1)

    def odd(n):
        return False if n == 0 else even(n - 1)

    return fib(14), even(200)


def generators():
    def count(n):
        for i in range(n):
            yield i

    def delegate(n):
        yield from count(n)
        try:
            yield 1
        finally:
            len([])

    closed = delegate(3)
    next(closed)
    closed.close()
    thrown = delegate(2)
    for _ in range(3):
        next(thrown)
    for generator in thrown, count(5):  # in its try, and not begun
        try:
            generator.throw(KeyError)
        except KeyError:
            pass
    count(5).close()
    return list(delegate(4)), sum(i for i in range(10)), sorted(count(9), key=lambda v: -v)


def exceptions():
    def fails(n):
        if n == 0:
            raise ValueError
        try:
            fails(n - 1)
        finally:
            len(())

    class Swallows:
        def __enter__(self):
            return self

        def __exit__(self, *args):
            return True

    for n in range(4):
        try:
            fails(n)
        except ValueError:
            pass
    for text in ("x", "1"):
        try:
            int(text)
            text.index("zz")
        except ValueError:
            pass
    with Swallows():
        raise KeyError


def callbacks():
    numbers = [3, 1, 2]
    numbers.sort(key=functools.cmp_to_key(lambda a, b: a - b))
    list(map(str.upper, "abc"))
    list(filter(None, [0, 1]))
    functools.reduce(lambda a, b: a + b, range(5))
    re.sub("a", lambda m: m.group().upper(), "banana")
    max([1, 2], key=abs)
    {}.get(1), [].append(1), dict.fromkeys("ab"), "x".join(["a"]), str.join("x", ["a"])


def classes():
    class Thing:
        def __init__(self):
            self.x = 1

        def __eq__(self, other):
            return True

        def __hash__(self):
            return 1

        def __getattr__(self, name):
            if name.startswith("_"):
                raise AttributeError(name)
            return 7

        @property
        def shape(self):
            return len("a")

        @classmethod
        def make(cls):
            return cls()

    thing = Thing()
    thing.shape, Thing.make(), thing.missing, {thing: 1}[Thing()], hasattr(thing, "_none")
    collections.OrderedDict(a=1).get("a")
    collections.namedtuple("Point", "a b")(1, 2)._replace(a=3)


def library():
    json.loads(json.dumps({"a": [1, 2, {"b": None}] * 5}, indent=1))
    re.purge()
    re.compile("(a|b)*c[de]+(?P<x>f)")
    source = "def f(x):\n  return [x+1 for x in y]\n" * 20
    list(tokenize.generate_tokens(io.StringIO(source).readline))
    ast.dump(ast.parse(source))
    textwrap.fill("word " * 50)
    string.Template("$a").substitute(a=1)


def coroutines():
    class Wait:
        def __await__(self):
            yield 1

    async def inner(n):
        for _ in range(n):
            await Wait()
        return n

    async def values():
        for i in range(3):
            await Wait()
            yield i

    class Context:
        async def __aenter__(self):
            await Wait()

        async def __aexit__(self, *args):
            return False

    async def outer():
        await inner(2)
        async for _ in values():
            len("a")
        async with Context():
            await inner(1)

    whole, closed, thrown = outer(), outer(), outer()
    try:
        while True:
            whole.send(None)
    except StopIteration:
        pass
    closed.send(None)
    closed.close()
    thrown.send(None)
    try:
        thrown.throw(ValueError)
    except ValueError:
        pass


def imports():
    sys.modules.pop("colorsys", None)
    import colorsys

    colorsys.rgb_to_hsv(1, 2, 3)
    exec("def q():\n return [len(x) for x in 'ab']\nq()")


PROGRAMS = [recursion, generators, exceptions, callbacks, classes, library, coroutines, imports]


def label(name):
    if isinstance(name, str):
        return re.sub(" at 0x[0-9a-f]+", "", name)
    return "%s:%d:%s" % (name.co_filename, name.co_firstlineno, name.co_name)


def add(table, name, calls, primitive, callees):
    row = table.setdefault(label(name), [0, 0, {}])
    row[0] += calls
    row[1] += primitive
    for callee, n, p in callees:
        pair = row[2].setdefault(label(callee), [0, 0])
        pair[0] += n
        pair[1] += p


def by_cprofile(program, builtins):
    table, profile = {}, cProfile.Profile(builtins=builtins)
    profile.enable(builtins=builtins)
    program()
    profile.disable()
    for e in profile.getstats():
        callees = [(c.code, c.callcount, c.callcount - c.reccallcount) for c in e.calls or ()]
        add(table, e.code, e.callcount, e.callcount - e.reccallcount, callees)
    return {k: v for k, v in table.items() if "disable" not in k}


def by_us(program, builtins):
    table, tracer = {}, Tracer(builtins=builtins)
    tracer.enable()
    program()
    tracer.disable()
    entries = tracer.entries()
    for e in entries:
        add(table, e[0], e[1], e[2], [(entries[c[0]][0], c[1], c[2]) for c in e[7]])
    return table


if __name__ == "__main__":
    different = []
    for program in PROGRAMS:
        for builtins in (True, False):
            for _ in range(2):  # caches are warm
                program()
            theirs, ours = by_cprofile(program, builtins), by_us(program, builtins)
            for key in sorted(set(theirs) | set(ours)):
                if theirs.get(key) != ours.get(key):
                    different.append([program.__name__, builtins, key, theirs.get(key), ours.get(key)])
    print(json.dumps(different))
