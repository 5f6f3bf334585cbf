# SPDX-License-Identifier: MIT
"""Reads the binary output of austin (MOJO, versions 1 to 4) into stacks."""

import collections

from truth import Frame

METADATA, STACK, FRAME, INVALID, REF, KERNEL, GC, IDLE, TIME, MEMORY, STRING, STRING_REF = range(
    1, 13
)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 3
        if data[:3] != b"MOJ":
            raise ValueError("not MOJO")
        self.version = self.number()

    def number(self):
        """The first byte holds 6 bits and a sign, the others 7; the top bit: one more follows."""
        byte = self.data[self.at]
        self.at += 1
        value, shift, negative = byte & 0x3F, 6, byte & 0x40
        while byte & 0x80:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
        return -value if negative else value

    def text(self):
        end = self.data.index(b"\0", self.at)
        found = self.data[self.at : end].decode("utf-8", "replace")
        self.at = end + 1
        return found


def read(data):
    """[(frames root first, count)]; a file that was cut is read as far as it goes."""
    stacks = collections.Counter()
    try:
        collect(Reader(data), stacks)
    except IndexError:
        pass
    return [(list(frames), count) for frames, count in stacks.items()]


def collect(r, stacks):
    strings, frames, stack = {}, {}, None
    marks = {INVALID: Frame(":INVALID:", "", None), GC: None, IDLE: None}
    while r.at < len(r.data):
        event = r.number()
        if event == METADATA:
            r.text(), r.text()
        elif event == STACK:
            r.number()
            if r.version > 1:
                r.number()
            r.text()
            stack = []
        elif event == FRAME:
            key, file, scope, line = r.number(), r.number(), r.number(), r.number()
            if r.version > 1:
                r.number(), r.number(), r.number()
            frames[key] = Frame(strings.get(scope, "?"), strings.get(file, "?"), line)
        elif event in marks:
            if marks[event]:
                stack.append(marks[event])
        elif event == REF:
            stack.append(frames[r.number()])
        elif event == KERNEL:
            r.text()
        elif event in (TIME, MEMORY):
            r.number()
            stacks[tuple(stack)] += 1
        elif event == STRING:
            key = r.number()
            strings[key] = r.text()
        elif event == STRING_REF:
            r.number()
        else:
            raise ValueError("unknown event %d" % event)
