# SPDX-License-Identifier: MIT
"""Captures as rows for data frames."""

_GRANULARITY = {"function": "functions", "line": "lines", "file": "files", "module": "modules"}
_SECONDS = (("self_ns", "self_s"), ("total_ns", "total_s"), ("total_cpu_ns", "cpu_s"))


def rows(capture, by, selection):
    """See Capture.stats(). Raises ValueError if `by` is none of its words."""
    if by in _GRANULARITY:
        return _of_frames(capture, by, selection)
    if by == "thread":
        return _of_threads(capture, selection)
    if by == "span":
        return _of_spans(capture)
    raise ValueError(
        "by: there is no %r; there are %s, thread and span" % (by, ", ".join(_GRANULARITY))
    )


def _percent(part, whole):
    return 100.0 * part / whole if whole else 0.0


def _of_frames(capture, by, selection):
    selection = dict(selection, granularity=_GRANULARITY[by])
    whole = sum_of(capture.counts(**selection))
    found = capture.lines(**selection) if by == "line" else capture.functions(**selection)
    return [_frame_row(row, by, whole) for row in found]


def sum_of(counts):
    return counts["shown"] + counts["lost"]


def _frame_row(row, by, whole):
    made = {}
    if by in ("function", "line"):
        made.update(function=row["function"], file=row["file"])
        made["line"] = row["line"] if by == "line" else row["first_line"]
    else:
        made[by] = row["function"]
    made.update(
        self=row["self"],
        total=row["total"],
        self_percent=_percent(row["self"], whole),
        total_percent=_percent(row["total"], whole),
    )
    for ns, seconds in _SECONDS:
        made[seconds] = None if row[ns] is None else row[ns] / 1e9
    return made


def _of_threads(capture, selection):
    sums = {}
    for sample in capture.samples(**selection):
        known = sums.setdefault(sample["thread"], [0, 0])
        known[0] += sample["count"]
        known[1] += sample["cpu_ns"]
    whole = sum(count for count, _ in sums.values())
    made = []
    for row in capture.threads():
        if row["thread"] not in sums:
            continue
        count, cpu_ns = sums[row["thread"]]
        made.append(
            dict(
                thread=row["name"],
                tid=row["tid"],
                pid=row["pid"],
                samples=count,
                percent=_percent(count, whole),
                cpu_s=cpu_ns / 1e9,
            )
        )
    return sorted(made, key=lambda row: -row["samples"])


def _of_spans(capture):
    whole = capture.counts()["shown"]
    made = []
    for row in capture.spans():
        ended = row["end_ns"] is not None
        made.append(
            dict(
                span=row["name"],
                text=row["text"],
                row=row["span"],
                parent=row["parent"],
                start_ns=row["start_ns"],
                duration_s=(row["end_ns"] - row["start_ns"]) / 1e9 if ended else None,
                samples=row["samples"],
                percent=_percent(row["samples"], whole),
                cpu_s=row["cpu_ns"] / 1e9,
            )
        )
    return made
