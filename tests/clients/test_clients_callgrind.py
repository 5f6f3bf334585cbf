# SPDX-License-Identifier: MIT
"""callgrind: callgrind_annotate adds up what we do."""

import collections
import re
import subprocess

import pytest
from truth import escape

pytest_plugins = ["exported"]

ALL = "???:(all samples)"
ROW = re.compile(r"^ *([\d,.]+)(?: +\( *[\d.]+%\))?(?: +([\d,.]+)(?: +\( *[\d.]+%\))?)? {2,}(\S.*)$")


def text(raw, missing):
    if not raw:
        return missing
    start = "\\x20" if raw.startswith(" ") else ""
    return start + escape(raw[len(start) // 4:])


def names(truth):
    """What the file calls each function: those of one file and name have their first lines added."""
    def pair(function):
        return text(function.file, "???"), text(function.name, "?")

    known = collections.defaultdict(set)
    for sample in truth.samples:
        for function, _ in sample.stack:
            known[pair(function)].add(function.first_line)

    def name(frame):
        file, name = pair(frame[0])
        several = len(known[file, name]) > 1
        return f"{file}:{name}" + (f":{frame[0].first_line}" if several else "")
    return name


def annotate(path, *options):
    """{file:function: first event}, and the program's total."""
    done = subprocess.run(["callgrind_annotate", "--threshold=100", "--auto=no", *options,
                           str(path)], check=True, capture_output=True, cwd="/")
    assert b"malformed" not in done.stderr and b"WARNING" not in done.stderr, done.stderr
    rows, total = {}, None
    for line in done.stdout.decode().splitlines():
        match = ROW.match(line)
        if not match:
            continue
        number = 0 if match[1] == "." else int(match[1].replace(",", ""))
        if match[3].startswith("PROGRAM TOTALS"):
            total = number
        else:
            rows[match[3].removesuffix(" []")] = number
    return rows, total


def nonzero(rows):
    return {name: number for name, number in rows.items() if number}


def test_self(exported, truth):
    rows, total = annotate(exported("callgrind"))
    sums = truth.self_and_total(names(truth))
    assert nonzero(rows) == nonzero({name: self for name, (self, _) in sums.items()})
    assert total == truth.total


def test_inclusive(exported, truth):
    """Also where functions call themselves, directly or not."""
    rows, _ = annotate(exported("callgrind"), "--inclusive=yes")
    sums = truth.self_and_total(names(truth))
    wanted = {name: total for name, (_, total) in sums.items()}
    if truth.total:
        wanted[ALL] = truth.total
    assert nonzero(rows) == nonzero(wanted)


@pytest.mark.parametrize("case", ["processes", "recursion", "threads"], indirect=True)
def test_cpu_time(exported, truth):
    rows, total = annotate(exported("callgrind"), "--show=CPU_ns", "--sort=CPU_ns")
    sums = truth.self_and_total(names(truth), lambda sample: sample.cpu_ns)
    assert nonzero(rows) == nonzero({name: self for name, (self, _) in sums.items()})
    assert total == sum(sample.cpu_ns for sample in truth.samples)


@pytest.mark.parametrize("case", ["recursion"], indirect=True)
def test_calls(exported):
    done = subprocess.run(["callgrind_annotate", "--threshold=100", "--auto=no", "--inclusive=yes",
                           "--tree=both", str(exported("callgrind"))], check=True,
                          capture_output=True, cwd="/").stdout.decode()
    assert re.search(r"< .*parity.py:even \(\d+x\)", done)
    assert re.search(r"> .*parity.py:odd \(\d+x\)", done)
    assert re.search(r"> .*fib.py:fib \(\d+x\)", done)


def test_calls_lines(exported):
    """A calls= line follows its cfn= line, and its costs follow it."""
    lines = exported("callgrind").read_text().split("\n")
    for i, line in enumerate(lines):
        if line.startswith("calls="):
            assert lines[i - 1].startswith("cfn=")
            assert re.fullmatch(r"\d+( \d+)+", lines[i + 1])
