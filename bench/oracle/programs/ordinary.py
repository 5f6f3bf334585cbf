# SPDX-License-Identifier: MIT
"""Call-heavy code as people write it: a small interpreter, json with hooks, re with a callback."""

import json
import re

from witness import Witness

W = Witness(__file__, from_lib=["hook", "replace", "key"])
PROGRAM = [("push", 1), ("push", 2), ("add", 0), ("push", 3), ("mul", 0), ("pop", 0)] * 5
TEXT = json.dumps([{"id": i, "name": "n%d" % i, "tags": ["a", "b"]} for i in range(20)])
WORD = re.compile("[a-z]+")


class Machine(object):
    def __init__(self):
        self.stack = []
        self.table = {"push": self.op_push, "add": self.op_add, "mul": self.op_mul,
                      "pop": self.op_pop}  # fmt: skip

    def op_push(self, n):
        self.stack.append(n)

    def op_add(self, _):
        self.stack.append(self.take() + self.take())  # -> take

    def op_mul(self, _):
        self.stack.append(self.take() * self.take())  # -> take

    def op_pop(self, _):
        self.take()  # -> take

    def take(self):
        return self.stack.pop()

    def step(self, op, n):
        self.table[op](n)  # -> op_push, op_add, op_mul, op_pop

    def run(self, program):
        for op, n in program:
            self.step(op, n)  # -> step


def hook(pairs):
    return dict((k, weigh(v)) for k, v in pairs)  # -> <genexpr>, weigh


def weigh(value):
    return len(value) if isinstance(value, str) else value


def replace(match):
    return shout(match.group(0))  # -> shout


def shout(word):
    return word.upper()


def key(item):
    return weigh(item.get("name", ""))  # -> weigh


def parse():
    return json.loads(TEXT, object_pairs_hook=hook)  # -> <lib>, hook


def words():
    return WORD.sub(replace, "the quick brown fox jumps over the lazy dog")  # -> replace


def order(items):
    items.sort(key=key)  # -> key
    return json.dumps(items)  # -> <lib>


def main():
    work = 0
    machine = Machine()  # -> __init__
    while W.going(work):  # -> going
        work += 1
        machine.run(PROGRAM)  # -> run
        words()  # -> words
        order([{"name": "x" * (i * 7 % 5)} for i in range(9)])  # -> order, <listcomp>
        if work % 5 == 0:
            parse()  # -> parse


if __name__ == "__main__":
    W.ready()  # -> ready
    main()  # -> main
    W.finish()  # -> finish
