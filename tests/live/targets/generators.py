# SPDX-License-Identifier: MIT
# fmt: off
"""Generators: next() inside next(), send, throw, expressions, context managers, yield from."""

import contextlib
import sys

from parked import park, prefixed, run


def leaf():
    yield 1
    yield park()


def middle(below):
    for value in below:
        yield value


def shape_next():
    steps = leaf()
    next(steps)
    next(steps)


def shape_next_in_next():
    for _ in middle(middle(middle(leaf()))):
        pass


def shape_next_calls_next():
    def top(below):
        yield next(below)
        yield next(
            below
        )

    steps = top(middle(leaf()))
    return next(steps), next(steps)


def shape_chain_100():
    steps = leaf()
    for _ in range(100):
        steps = middle(steps)
    return list(steps)


def shape_expression():
    return sum(x for x in (park() for _ in range(1)))


def shape_send():
    def sink():
        value = yield
        while True:
            value = yield park(value)

    s = sink()
    next(s)
    s.send(
        1
    )


def shape_throw():
    def catcher():
        try:
            yield
        except ValueError:
            park()

    c = catcher()
    next(c)
    c.throw(ValueError("x"))


def shape_close():
    def closing():
        try:
            yield
        finally:
            park()

    c = closing()
    next(c)
    c.close()


def shape_contextmanager():
    @contextlib.contextmanager
    def managed():
        yield 1
        park()

    with managed():
        pass


def shape_from_c():
    return list(zip(middle(leaf()), range(9)))


if sys.version_info >= (3,):
    exec(
        compile(
            """
def delegate(below):
    result = yield from below
    return result

def shape_yield_from():
    for _ in delegate(delegate(middle(delegate(leaf())))):
        pass

def shape_yield_from_iterator():
    for _ in delegate(iter(middle(leaf()))):
        pass
""",
            "yield from",
            "exec",
        )
    )


if __name__ == "__main__":
    run(prefixed(globals()))
