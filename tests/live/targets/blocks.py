# SPDX-License-Identifier: MIT
# fmt: off
"""Blocks: with, try, except, finally, else, loops, and the lines they leave behind."""

from parked import park, prefixed, run


class Manager(object):
    def __init__(self, where):
        self.where = where

    def __enter__(self):
        if self.where == "enter":
            park()
        return self

    def __exit__(self, *exc):
        if self.where == "exit":
            park()
        return True


def fail(message):
    raise ValueError(message)


def shape_with_body():
    with Manager(""), Manager(""):
        x = 1
        park(x)


def shape_with_enter():
    with Manager(""):
        with Manager("enter"):
            pass


def shape_with_exit():
    with Manager("exit"):
        x = 1
        x += 1
    return x


def shape_with_exit_of_error():
    with Manager("exit"):
        fail("x")
    return 1


def shape_try():
    try:
        park()
    except ValueError:
        pass


def shape_except():
    try:
        fail("x")
    except KeyError:
        pass
    except ValueError:
        park()


def shape_except_in_except():
    try:
        fail("x")
    except ValueError:
        try:
            fail("y")
        except ValueError as e:
            park(e)


def shape_finally():
    try:
        x = 1
    finally:
        x = 2
        park(x)


def shape_finally_of_error():
    try:
        try:
            fail("x")
        finally:
            park()
    except ValueError:
        pass


def shape_finally_of_return():
    try:
        return 1
    finally:
        park()


def shape_finally_of_loop():
    for i in range(3):
        try:
            if i == 1:
                break
        finally:
            if i == 1:
                park()


def shape_else():
    for _ in ():
        pass
    else:
        try:
            x = 1
        except ValueError:
            x = 2
        else:
            park(x)


def shape_while():
    n = 3
    while n > 0:
        n -= 1
        if n == 1:
            park()
        continue


def shape_condition():
    if (
        1 > 2
        or park()
        or 3 > 4
    ):
        return 1


def shape_while_condition():
    while 1 < 2 and not (
        park()
    ):
        pass


def shape_assert():
    assert park(), "message"


def shape_raise():
    raise ValueError(
        "x",
        park(),
    )


def shape_return_of_dict():
    return {
        "a": 1,
        "b": park(),
        "c": 3,
    }


def shape_semicolons():
    x = 1; y = 2; park(); z = x + y  # fmt: skip # noqa: E702
    return z


def shape_delete():
    class Thing(object):
        def __del__(self):
            park()

    thing = Thing()
    x = 1
    del thing
    return x


def shape_many():
    try:
        for _ in range(2):
            with Manager(""):
                try:
                    while True:
                        if _:
                            fail("x")
                        break
                finally:
                    if _ == 0:
                        park()
    except ValueError:
        pass


if __name__ == "__main__":
    run(prefixed(globals()))
