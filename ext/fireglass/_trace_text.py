# SPDX-License-Identifier: MIT
"""What was traced, as a table for a terminal of 80 columns."""

import os

ORDERS = {
    "self": lambda row: -row["self_ns"],
    "total": lambda row: -row["total_ns"],
    "calls": lambda row: -row["calls"],
    "name": lambda row: (row["name"], row["file"], row["line"]),
}
HEAD = "%11s %9s %9s %6s %9s  %s" % ("calls", "total", "self", "", "per call", "function")


def duration(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            number = ns / size
            return "%.*f %s" % (2 if number < 10 else 1 if number < 100 else 0, number, unit)
    return "%d ns" % ns


def table(trace, n, sort):
    if sort not in ORDERS:
        raise ValueError("cannot sort by %r; use one of %s" % (sort, ", ".join(ORDERS)))
    rows = sorted(trace.stats(), key=ORDERS[sort])
    whole = sum(row["self_ns"] for row in rows)
    lines = [
        "%d calls of %d functions, %s"
        % (sum(row["calls"] for row in rows), len(rows), duration(whole)),
        "",
        HEAD,
    ]
    lines += [_line(row, whole) for row in rows[:n]]
    if len(rows) > n:
        lines.append("%11s (%d more)" % ("", len(rows) - n))
    notes = trace.info().get("notes", ())
    return "\n".join(lines + ["note: %s" % note for note in notes]) + "\n"


def _line(row, whole):
    calls = str(row["calls"])
    if row["primitive_calls"] != row["calls"]:
        calls += "/%d" % row["primitive_calls"]
    place = " (%s:%d)" % (os.path.basename(row["file"]), row["line"]) if row["file"] else ""
    return "%11s %9s %9s %5.1f%% %9s  %s%s" % (
        calls,
        duration(row["total_ns"]),
        duration(row["self_ns"]),
        100 * row["self_ns"] / whole if whole else 0,
        duration(row["total_ns"] / row["calls"]) if row["calls"] else "",
        row["name"],
        place,
    )
