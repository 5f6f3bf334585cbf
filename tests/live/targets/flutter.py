# SPDX-License-Identifier: MIT
"""The adversary: two chains of tiny functions, alternating; a stack that mixes them never was."""

import sys

DEPTH = 12
SOURCE = "def {0}{1}():\n    return {0}{2}()\n"
LAST = "def {0}{1}():\n    return 1\n"

for letter in "ab":
    for i in range(DEPTH):
        exec((SOURCE if i + 1 < DEPTH else LAST).format(letter, i, i + 1))


def main(a, b):
    print("ready")
    sys.stdout.flush()
    while True:
        a()
        b()


if __name__ == "__main__":
    main(globals()["a0"], globals()["b0"])
