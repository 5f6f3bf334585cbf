# SPDX-License-Identifier: MIT
"""Exceptions that unwind chains of functions, past `finally` and `except` that raise again."""

from witness import Witness, chain, names

DEPTH = 12
W = Witness(
    __file__, exclusive=[names("a", DEPTH) + ["clean_a"], names("b", DEPTH) + ["clean_b"]]
)


def guarded(letter, depth):
    """A chain each of whose functions has something to do while it is unwound."""
    text = []
    for i in range(depth):
        callee = "%s%d" % (letter, i + 1)
        text += ["def %s%d():" % (letter, i), "    try:"]
        if i + 1 < depth:
            text.append("        %s()  # -> %s" % (callee, callee))
        else:
            text.append("        raise ValueError")
        if i % 2:
            text += ["    finally:", "        clean_%s()  # -> clean_%s" % (letter, letter)]
        else:
            text += ["    except ValueError:", "        raise"]
    return "\n".join(text) + "\ndef clean_%s():\n    return 1\n" % letter


SPACE = {}
exec(
    W.add_source(guarded("a", DEPTH) + chain("b", DEPTH, "raise ValueError"), "<exceptions>"), SPACE
)


def attempt(function):
    try:
        function()  # -> a0, b0
    except ValueError:
        pass


def main():
    work = 0
    a, b = SPACE["a0"], SPACE["b0"]
    while W.going(work):  # -> going
        work += 1
        for _ in range(20):
            attempt(a)  # -> attempt
            attempt(b)  # -> attempt


if __name__ == "__main__":
    W.ready()  # -> ready
    main()  # -> main
    W.finish()  # -> finish
