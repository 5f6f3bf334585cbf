# SPDX-License-Identifier: MIT
"""The text table, for its client: a terminal of 80 columns."""

import re
import unicodedata

import pytest

pytest_plugins = ["exported"]

NUMBER = {"s": 1, "ms": 1e-3, "us": 1e-6}


def columns(line):
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


@pytest.mark.parametrize("shape", ["table", "callers", "callees", "tree"])
def test_fits_a_terminal(exported, shape):
    lines = exported("text", f"-s{shape}").read_text().split("\n")
    assert lines.pop() == ""
    for line in lines:
        assert line.startswith("fireglass record") or columns(line) <= 80
        assert line == line.rstrip(" ")
        assert all(c >= " " and not "\x7f" <= c < "\xa0" for c in line)


def test_numbers(exported, truth):
    """The rows by self time are the truth's largest, in order."""
    text = exported("text").read_text()
    section = text.split("By self time\n\n")
    wanted = sorted((self for self, _ in truth.self_and_total().values() if self), reverse=True)
    if not truth.total:
        assert len(section) == 1
        return
    rows = []
    for line in section[1].split("\n\n")[0].split("\n")[1:]:
        match = re.match(r" *([\d.]+(?: \d{3})*)(?: (s|ms|us))? +([\d.]+)% ", line)
        if match:
            amount = float(match[1].replace(" ", ""))
            rows.append((amount * NUMBER.get(match[2], 1), float(match[3])))
    assert len(rows) == min(15, len(wanted))
    for (amount, percent), samples in zip(rows, wanted):
        assert percent == pytest.approx(100 * samples / truth.total, abs=0.051)
        if truth.meta["period_ns"]:
            assert amount == pytest.approx(samples * truth.period_s, rel=0.01, abs=0.00051)
