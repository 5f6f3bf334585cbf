# SPDX-License-Identifier: MIT
# fmt: off
"""Ways to call: methods, closures, lambdas, decorators, calls over several lines."""

import functools

from parked import park, park_in_lock, prefixed, run


class Shop(object):
    class Till(object):
        def ring(self):
            return park()

    def open(self):
        return self.serve(1, name="x")

    def serve(self, *args, **kwargs):
        return self.Till().ring()

    @classmethod
    def make(cls):
        return cls.check()

    @staticmethod
    def check():
        return park()

    @property
    def price(self):
        return Shop.make()

    def __call__(self):
        return self.price

    def __add__(self, other):
        return self()

    def __getattr__(self, name):
        if name != "missing":
            raise AttributeError(name)
        return self + 1


class Derived(Shop):
    def open(self):
        return super(Derived, self).open()


def shape_method():
    Shop().open()


def shape_derived():
    Derived().open()


def shape_operators():
    return Shop().missing


def shape_closure():
    depth = []

    def outer(n):
        def inner():
            depth.append(n)
            return outer(n - 1) if n else park()

        return inner()

    return outer(3)


def shape_lambda():
    first = lambda f: f(lambda: park())  # noqa: E731
    second = lambda x: x()  # noqa: E731
    return (lambda: first(second))()


def shape_default_argument(value=lambda: park()):
    return value()


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


def with_argument(times):
    def decorate(function):
        def repeat(*args):
            for _ in range(times):
                function(*args)

        return repeat

    return decorate


@logged
@with_argument(2)
@logged
def decorated(what):
    return park_in_lock(what)


def shape_decorators():
    return decorated("x")


def join(*parts):
    return parts


def shape_lines_in_first_argument():
    return join(
        park(),
        2,
        3,
    )


def shape_lines_in_last_argument():
    return join(
        1,
        2,
        park(
            "a",
            "b",
        ),
    )


def shape_lines_of_expression():
    total = (
        1
        + 2
        + len(
            str(
                park()
            )
        )
        + 3
    )
    return total


def chain():
    class Link(object):
        def next(self):
            return self

        def end(self):
            return park()

    return Link()


def shape_lines_of_chain():
    return (
        chain()
        .next()
        .next()
        .end()
    )


def shape_list():
    return [park() for _ in range(2) if _ == 0]


def shape_nested_list():
    return [
        [
            park()
            for y in range(1)
        ]
        for x in range(1)
    ]


def shape_set_and_dict():
    return {x: {park() for y in range(1)} for x in range(1)}


def shape_class_body():
    class Body(object):
        inner = park()

        def never(self):
            pass

    return Body


class Meta(type):
    def __new__(mcs, name, bases, namespace):
        park()
        return type.__new__(mcs, name, bases, namespace)


def shape_metaclass():
    return Meta("Made", (object,), {})


def shape_partial():
    return functools.partial(park, 1)()


def shape_partial_of_function():
    return functools.partial(Shop().serve, 1)()


class Warm(object):
    """Called so often before it parks that the interpreter has specialised each of these calls."""

    def __init__(self, how, last):
        self.how, self.last = how, last
        if how == "init":
            self.stop()

    def stop(self):
        if self.last:
            park()
        return 1

    @property
    def value(self):
        return self.stop()

    def __getitem__(self, index):
        return self.stop()

    def __getattribute__(self, name):
        if name == "fetched":
            return self.stop()
        return object.__getattribute__(self, name)

    def __add__(self, other):
        return self.stop()

    def __iter__(self):
        yield 1
        yield self.stop()

    def __eq__(self, other):
        return self.stop() == 1

    def __contains__(self, item):
        return self.stop()

    def __call__(self, a, b=2, *c):
        return self.stop()

    def __enter__(self):
        return self.stop()

    def __exit__(self, *exc):
        return False


WARM = 200


def shape_warm_init():
    for i in range(WARM):
        Warm("init", i == WARM - 1)


def shape_warm_property():
    for i in range(WARM):
        Warm("", i == WARM - 1).value


def shape_warm_getitem():
    for i in range(WARM):
        Warm("", i == WARM - 1)[0]


def shape_warm_getattribute():
    for i in range(WARM):
        Warm("", i == WARM - 1).fetched


def shape_warm_add():
    for i in range(WARM):
        Warm("", i == WARM - 1) + 1


def shape_warm_iter():
    for i in range(WARM):
        for _ in Warm("", i == WARM - 1):
            pass


def shape_warm_compare():
    for i in range(WARM):
        Warm("", i == WARM - 1) == 1


def shape_warm_contains():
    for i in range(WARM):
        1 in Warm("", i == WARM - 1)


def shape_warm_call():
    for i in range(WARM):
        Warm("", i == WARM - 1)(
            1,
            b=3,
        )


def shape_warm_with():
    for i in range(WARM):
        with Warm("", i == WARM - 1):
            pass


def shape_warm_class_in_list():
    return [Warm("init", i == WARM - 1) for i in range(WARM)]


def main():
    Shop().open()


if __name__ == "__main__":
    run(prefixed(globals()), main)
