# SPDX-License-Identifier: MIT
"""Code made and thrown away: each function's name says its file and its lines. churn.py [LOOPS]

Names, files and code of one generation are as long as those of the next, so that the next lies
where the last one lay: a name kept by address alone is then the wrong one.
"""

import sys

from witness import Witness

LOOPS = int(sys.argv[1]) if len(sys.argv) > 1 else 300
MODULUS = 50
FAMILY = {
    # group 1: the role, group 2: the number
    "name": "^(p|q)([0-9]{6})$",
    "file": "<c%s>",
    "modulus": MODULUS,
    # line of the role's code, without the number's remainder
    "lines": {"p": [1, 2], "q": [3, 4, 5, 6]},
    "module_lines": [1, 3],
    "calls": {"p": {"2": ["q"]}},
    "entry": "p",
    "root_of_entry": "round_of",
}
W = Witness(__file__, families=[FAMILY])
SOURCE = """def p{0}(n):
    return q{0}(n)
def q{0}(n):
    t = 0
    for i in n: t += i
    return t
"""


def round_of(number, numbers):
    name = "%06d" % number
    space = {}
    code = compile("\n" * (number % MODULUS) + SOURCE.format(name), "<c" + name + ">", "exec")
    exec(code, space)  # -> <module>
    return space["p" + name](numbers)  # -> @


def main():
    work = 0
    numbers = range(LOOPS)
    while W.going(work):  # -> going
        work += 1
        round_of(work % 1000000, numbers)  # -> round_of


if __name__ == "__main__":
    W.ready()  # -> ready
    main()  # -> main
    W.finish()  # -> finish
