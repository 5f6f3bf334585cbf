# SPDX-License-Identifier: MIT
"""What can be on a stack of targets/burn.py, read from its comments, and folded text read back."""

import collections
import os
import re

import harness

DEF = re.compile(r"^( *)def (\w+)\(")
CALL = re.compile(r"# -> ([\w, ]+)$")
FRAME = re.compile(r"^(?P<function>.*) \((?P<file>.*?)(?::(?P<line>\d+))?\)$")

Frame = collections.namedtuple("Frame", "function file line")


class Truth:
    """`calls[(function, line)]`: the functions called there; `lines[function]`: its lines."""

    def __init__(self, name):
        self.calls, self.lines, self.starts = {}, {}, {}
        self.read(os.path.join(harness.TARGETS, name))

    def read(self, path):
        open_defs = [(-1, "<module>")]  # [(indentation, name)]
        decorators = set()
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                text = line.strip()
                indentation = len(line) - len(line.lstrip())
                while text and indentation <= open_defs[-1][0]:
                    open_defs.pop()
                # a function is made on the line on which it also starts
                self.lines.setdefault(open_defs[-1][1], set()).add(number)
                found = DEF.match(line)
                if found:
                    self.open(found.group(2), decorators | {number})
                    open_defs.append((indentation, found.group(2)))
                decorators = decorators | {number} if text.startswith("@") else set()
                self.note_calls(open_defs[-1][1], number, text)

    def open(self, name, start_lines):
        """Decorators are part of a function's first line."""
        self.starts[name] = min(start_lines)
        self.lines.setdefault(name, set()).update(start_lines)

    def note_calls(self, function, number, text):
        calls = CALL.search(text)
        if calls:
            self.calls[function, number] = set(calls.group(1).split(", "))

    @property
    def edges(self):
        return {(f, callee) for (f, _), callees in self.calls.items() for callee in callees}


def short(function):
    return function.rsplit(".", 1)[-1]


MARKS = ("(truncated)", "(not readable)", "(no Python frame)")


def without_mark(stack):
    """(stack, mark or None): how fireglass says that a stack is not whole."""
    return (stack[:-1], stack[-1]) if stack[-1] in MARKS else (stack, None)


def read_folded(text):
    """[(frames root first, count)]"""
    stacks = []
    for line in text.splitlines():
        stack, count = line.rsplit(" ", 1)
        stacks.append((stack.split(";"), int(count)))
    return stacks


def parse(frame):
    found = FRAME.match(frame)
    assert found, "no function (file:line): %r" % frame
    line = found.group("line")
    return Frame(found.group("function"), found.group("file"), int(line) if line else None)


BOOTSTRAP = ["_bootstrap", "_bootstrap_inner", "run"]
# 3.14 starts a thread in a context
BOOTSTRAP_FILES = ("threading.py", "<frozen threading>")


def split_root(frames):
    """Takes threading's own frames off; returns (roots allowed, frames of the target)."""
    below = [f for f in frames if os.path.basename(f.file) not in BOOTSTRAP_FILES]
    above = frames[: len(frames) - len(below)]
    names = [short(f.function).replace("__bootstrap", "_bootstrap") for f in above]
    return names, below


def impossible(truth, frames):
    """Why a stack cannot have been, or None."""
    above, frames = split_root(frames)
    if above:
        if above != BOOTSTRAP:
            return "thread starts in %s" % above
        root = "thread_main"
    else:
        root = "<module>"
    if not frames:
        return "no frame of the program"
    if short(frames[0].function) != root:
        return "root is %s" % frames[0].function
    for caller, callee in zip(frames, frames[1:]):
        place = (short(caller.function), caller.line)
        if short(callee.function) not in truth.calls.get(place, ()):
            return "%s:%s does not call %s" % (place + (callee.function,))
    leaf = frames[-1]
    if leaf.line not in truth.lines.get(short(leaf.function), ()):
        return "%s has no line %s" % (leaf.function, leaf.line)
    return None


def edges_of(frames):
    _, frames = split_root(frames)
    return {(short(a.function), short(b.function)) for a, b in zip(frames, frames[1:])}


SUMMARY = re.compile(
    r"^fireglass: Python (?P<version>\S+), (?P<seconds>[\d.]+) s, "
    r"(?:(?P<processes>[\d ]+) process(?:es)?, )?(?P<samples>[\d ]+) samples in "
    r"(?P<ticks>[\d ]+) ticks(?: \((?P<filtered>[\d ]+) more left out as asked\))?; "
    r"(?P<missed>[\d ]+) ticks missed, (?P<truncated>[\d ]+) stacks truncated, "
    r"(?P<failed>[\d ]+) reads failed(?:, (?P<lost>[\d ]+) samples lost \(too fast to keep\))?"
    r"(?:; (?P<reused>[\d ]+) taken over \(the thread had not run\))?"
    r"(?:; (?P<unnamed>[\d ]+) frames without a name \(freed at that time\))?"
    r"(?:; (?P<unread>[\d ]+) processes could not be sampled)?"
    r"(?:; (?P<coscheduled>[\d ]+) read on the program's processor)?"
    r"(?:[;,] (?P<stopped>[\d ]+) read while it was stopped)?"
    r"; fireglass used (?P<cpu>[\d.]+) % of a core$",
    re.MULTILINE,
)


def summary(stderr):
    found = SUMMARY.search(stderr)
    assert found, "no summary line in %r" % stderr
    numbers = {}
    for key, value in found.groupdict().items():
        if key == "version":
            numbers[key] = value
        else:
            value = (value or "0").replace(" ", "")
            numbers[key] = float(value) if "." in value else int(value)
    return numbers


def total(stacks):
    return sum(count for _, count in stacks)
