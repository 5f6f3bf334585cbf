# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT
"""Code objects with line tables of awkward shapes, and what Python says of each instruction.

Run by tools/record_linetables.py under each release; prints, for each code object,

    code NAME FIRST_LINE BYTES_OF_BYTECODE
    table HEX[*REPEAT] ...
    lines START,LINE,STEP,LINE_STEP,COUNT ...

`lines`: COUNT runs of bytecode that begin at byte START, START + STEP, ... and are on line LINE,
LINE + LINE_STEP, ...; line -1 is code that belongs to no line. Said by PyCode_Addr2Line() for each
instruction and, where there is co_lines(), checked against it.
"""
from __future__ import print_function

import ctypes
import sys
import types

PY2 = sys.version_info[0] == 2

addr2line = ctypes.pythonapi.PyCode_Addr2Line
addr2line.argtypes = [ctypes.py_object, ctypes.c_int]
addr2line.restype = ctypes.c_int

SOURCES = {}

SOURCES["calls"] = u"""
def f(a, b, c=None, **more):
    return (f
        .__call__(
            a,
            [b,
             c],
            more=
                a)
        if a
        else
        f(
            b,
            *more
        ))
"""

SOURCES["blocks"] = u"""
def f(a):
    try:
        with a as b, \\
                a as c:
            for i in b:
                while i:
                    if c:
                        continue
                    elif b:
                        break
                else:
                    yield i
    except (ValueError,
            KeyError) as e:
        raise RuntimeError(
            e)
    finally:
        del a
"""

SOURCES["gaps"] = u"def f(a):\n    a = 1\n" + u"\n" * 126 + u"    a = 2\n" + u"\n" * 127 + \
    u"    a = 3\n" + u"\n" * 128 + u"    a = 4\n" + u"\n" * 300 + u"    a = (\n" + u"\n" * 70000 + \
    u"        a,\n" + u"\n" * 500 + u"        a)\n    return a\n"

SOURCES["far"] = u"\n" * 100000 + u"def f(a):\n    return lambda: [\n\n\n a() for a in f]\n"

SOURCES["wide"] = u"def f(a):\n    b = a; c = [" + u", ".join(
    u"a[%d]" % i for i in range(300)) + u"]\n    return (c,\n        b)\n"

SOURCES["columns"] = u"def f(aaaa):\n    " + u" + ".join([u"aaaa"] * 200) + \
    u"; x = [aaaa,\n aaaa]\n    return x\n"

SOURCES["many"] = u"def f(a):\n" + u"    a += 1\n" * 20000 + u"    return a\n"

SOURCES["decorated"] = u"""
class C(object):
    @staticmethod
    @classmethod
    def f(a, b=[
            1,
            2]): pass

    x = [y for
         y in (1,
               2)
         if y]
"""

SOURCES["empty"] = u"\n\n"

SOURCES3 = {}

SOURCES3["coroutines"] = u"""
async def f(a):
    async with a as b:
        async for c in (
                b):
            await (
                c
            )
    return [
        d async for d in a]

async def g(a):
    while a:
        yield (
            await a)
"""

SOURCES3["unicode"] = u"""
def f(\u00e4\u00f6\u00fc):
    return '\u4e16\u754c' + \u00e4\u00f6\u00fc(
  '\u4e16\u754c', '\u4e16\u754c')
"""

SOURCES3["match"] = u"""
def f(a):
    match a:
        case [1,
              x] if x > (
                  2):
            return x
        case {"a": y}:
            pass
        case _:
            return (y,
                    a)
    return None
"""


def every_code(code):
    yield code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            for inner in every_code(const):
                yield inner


def jumping():
    """Statements whose lines jump back and forth, as code generators make them."""
    import ast

    lines = [1, 70001, 5, 300000, 2, 128, 129, 257, 1, 127, 255, 382, 254, 126, 1000000, 3]
    body = []
    for line in lines:
        node = ast.parse("x = x + y").body[0]
        for child in ast.walk(node):
            for attribute in ("lineno", "end_lineno"):
                if hasattr(child, attribute):
                    setattr(child, attribute, line)
        body.append(node)
    module = ast.parse("")
    module.body = body
    return compile(module, "jumping", "exec")


def run_lengths(pairs):
    """[(start, line)] as [start, line, step, line step, count]."""
    runs = []
    for start, line in pairs:
        if runs:
            last = runs[-1]
            if last[4] == 1 and line >= 0 and last[1] >= 0:
                last[2], last[3] = start - last[0], line - last[1]
            if (
                line >= 0
                and start == last[0] + last[2] * last[4]
                and line == last[1] + last[3] * last[4]
            ):
                last[4] += 1
                continue
            if last[4] == 1:
                last[2] = last[3] = 0
        runs.append([start, line, 0, 0, 1])
    return runs


def hex_runs(data):
    """Bytes in hex, repetitions of up to 24 bytes folded."""
    data = bytearray(data)
    words, plain, at = [], bytearray(), 0

    def flush():
        if plain:
            words.append("".join("%02x" % b for b in plain))
            del plain[:]

    while at < len(data):
        best = (0, 0)
        for period in range(1, 25):
            unit, count = data[at : at + period], 1
            while (
                len(unit) == period
                and data[at + count * period : at + (count + 1) * period] == unit
            ):
                count += 1
            if count > 3 and count * period > best[0] * best[1]:
                best = (period, count)
        if best[1]:
            flush()
            words.append(
                "".join("%02x" % b for b in data[at : at + best[0]]) + "*%d" % best[1]
            )
            at += best[0] * best[1]
        else:
            plain.append(data[at])
            at += 1
    flush()
    return words


def instruction_starts(code):
    """Byte offsets of all instructions; from 3.6 on each two bytes are one, caches included."""
    size = len(code.co_code)
    if not PY2:
        return range(0, size, 2)
    import dis

    starts, at, raw = [], 0, bytearray(code.co_code)
    while at < size:
        starts.append(at)
        at += 3 if raw[at] >= dis.HAVE_ARGUMENT else 1
    return starts


def co_lines(code):
    lines = {}
    for start, end, line in code.co_lines():
        for at in range(start, end, 2):
            lines[at] = -1 if line is None else line
    return lines


def describe(name, code):
    truth = [(at, addr2line(code, at)) for at in instruction_starts(code)]
    if hasattr(code, "co_lines"):
        assert dict(truth) == co_lines(code), name
    pairs = [p for i, p in enumerate(truth) if not i or truth[i - 1][1] != p[1]]
    table = code.co_linetable if hasattr(code, "co_linetable") else code.co_lnotab
    print("code", name, code.co_firstlineno, len(code.co_code))
    print("table", " ".join(hex_runs(table)))
    print("lines", " ".join(",".join(map(str, run)) for run in run_lengths(pairs)))


def main():
    sources = dict(SOURCES)
    if not PY2:
        sources.update(SOURCES3)
    for name in sorted(sources):
        text = sources[name].encode("utf-8") if PY2 else sources[name]
        try:
            code = compile(text, name, "exec")
        except SyntaxError:  # a release that does not have it yet
            continue
        for inner in every_code(code):
            describe(name + ":" + inner.co_name, inner)
    if not PY2:
        describe("jumping:<module>", jumping())
        code = jumping()
        if hasattr(code, "replace"):
            describe("moved:<module>", code.replace(co_firstlineno=2000000000))


main()
