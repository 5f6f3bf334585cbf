# SPDX-License-Identifier: MIT
"""Starts and stops a profiler inside a program: $ORACLE_INPROCESS is `NAME INTERVAL FILE`."""

import json
import os

STATE = {}
NOT_PYTHON = ("<thread>", "<built-in>")


def obey(command):
    name, interval, path = os.environ["ORACLE_INPROCESS"].split()
    if command == "start":
        STATE[name] = begin(name, float(interval))
    elif name in STATE and name.startswith("fireglass"):
        end_fireglass(path, *STATE.pop(name))
    elif name in STATE:
        said = end(name, STATE.pop(name), float(interval))
        with open(path + ".part", "w") as f:
            json.dump(said, f)
        os.rename(path + ".part", path)


def begin(name, interval):
    if name.startswith("fireglass"):
        from fireglass._fireglass import Session

        clock = "cpu" if name.endswith("-cpu") else "wall"
        file = open(os.environ["ORACLE_INPROCESS"].split()[2] + ".part", "w+b")
        profiler = (
            Session(file.fileno(), period_ns=int(round(interval * 1e9)), clock=clock),
            file,
        )
    elif name == "cProfile":
        import cProfile

        profiler = cProfile.Profile()
        profiler.enable()
    else:
        from pyinstrument import Profiler

        profiler = Profiler(interval=interval, async_mode="disabled")
        profiler.start()
    return profiler


def end_fireglass(path, session, file):
    session.stop()
    with open(path + ".counts", "w") as f:
        json.dump(dict(session.counts()), f)
    file.close()
    os.rename(path + ".part", path)


def end(name, profiler, interval):
    if name == "cProfile":
        profiler.disable()
        profiler.create_stats()
        spent = {}
        for (path, _, function), (_, _, own, _, callers) in profiler.stats.items():
            if path == "~":  # built in: its time is that of whoever called it, as for all others
                for (_, _, caller), counts in callers.items():
                    spent[caller] = spent.get(caller, 0) + counts[2]
            else:
                spent[function] = spent.get(function, 0) + own
        return {"stacks": [], "spent": spent}
    session = profiler.stop()
    counts = {}
    for record in session.frame_records:
        key = tuple(f for f in map(frame_of, record[0]) if f[1] not in NOT_PYTHON)
        counts[key] = counts.get(key, 0) + max(1, int(round(record[1] / interval)))
    return {"stacks": [[list(k), n] for k, n in counts.items()]}


def frame_of(text):
    """`function\\0file\\0first line`, then \\1 and attributes; `l` is the line."""
    head = text.split("\x01")
    function, path, _ = (head[0].split("\x00") + ["", ""])[:3]
    line = [a[1:] for a in head[1:] if a[:1] == "l"]
    return (function, path, int(line[0]) if line else None)
