# SPDX-License-Identifier: MIT
"""Very long line tables: a function of 20,000 lines, looked at near its start, middle and end."""

from parked import park, run

LINES = 20000


def long_source():
    lines = ["def long(n, a, b):"]
    lines += [" if n == %d: park()" % i if i % 500 == 1 else " a = a + b" for i in range(LINES)]
    return "\n".join(lines + ["", "def caller(n):", " return long(n, 1, 0)"])


def many_lines(n):
    return lambda: NAMESPACE["caller"](n)


NAMESPACE = {"park": park}
exec(compile(long_source(), "long.py", "exec"), NAMESPACE)
PLACES = (1, 501, 9501, 19501)
# in bytes
UNITS = len(NAMESPACE["long"].__code__.co_code)

if __name__ == "__main__":
    assert UNITS > 70000, UNITS
    run([("line %d" % n, many_lines(n)) for n in PLACES])
