#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How quickly fireglass attaches, and what it costs while it records.

  bench/attach.py [--json] [--only ID,...] [--repeat N] [--seconds S]

For each interpreter that tools/interpreters finds: the time from starting fireglass to its first
sample (median of 10); then, over 10 s at 1 kHz, the largest resident size of fireglass, the share
of a core it used (attaching and writing included), and what it missed. That for two programs of
one busy thread: `loop`, whose stack stands still, and `calls`, which calls small functions all the
time. The program is $FIREGLASS_BIN, else build/fireglass.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(TOP, "tests", "live")]
import harness  # noqa: E402
import oracle  # noqa: E402


def first_sample_ms(pid):
    """--timestamps gives each sample's time of day in microseconds."""
    started = time.time()
    result = harness.fireglass(
        "record", "-p", pid, "-r", "1000", "-d", "200ms", "--timestamps", "-o", "-"
    )
    if result.returncode != 0:
        raise SystemExit("bench/attach.py: %s" % result.stderr)
    return (int(result.stdout.split("\n", 1)[0]) / 1e6 - started) * 1e3


def peak_rss_kb(process):
    """Looked at until it ends: what wait4() says would count us, before the exec."""
    peak = 0
    while process.poll() is None:
        try:
            with open("/proc/%d/status" % process.pid, encoding="utf-8") as f:
                told = f.read().split("\nVmHWM:", 1)
            peak = max(peak, int(told[1].split()[0]) if len(told) > 1 else 0)
        except (OSError, IndexError):
            pass
        time.sleep(0.02)
    return peak


def cost(pid, seconds):
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryFile("w+") as stderr:
        out = os.path.join(directory, "out.svg")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        process = subprocess.Popen(
            [harness.BIN, "record", "-p", str(pid), "-d", str(seconds), "-r", "1000", "-o", out],
            stdin=subprocess.DEVNULL,
            stderr=stderr,
        )
        peak = peak_rss_kb(process)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        stderr.seek(0)
        text = stderr.read()
    if process.returncode != 0:
        raise SystemExit("bench/attach.py: %s" % text)
    numbers = oracle.summary(text)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "max_rss_mb": peak / 1024.0,
        "cpu_percent": 100 * used / numbers["seconds"],
        "ticks": numbers["ticks"],
        "missed": numbers["missed"],
        "truncated": numbers["truncated"],
        "failed": numbers["failed"],
    }


PROGRAMS = [("loop", "-c", harness.BUSY), ("calls", "burn.py")]


def measure(interpreter, repeat, seconds):
    rows = []
    for name, *what in PROGRAMS:
        with harness.Target(interpreter, *what) as target:
            times = [first_sample_ms(target.pid) for _ in range(repeat)]
            row = {
                "id": interpreter.id,
                "program": name,
                "attach_ms": statistics.median(times),
                "attach_ms_max": max(times),
            }
            row.update(cost(target.pid, seconds))
            rows.append(row)
    return rows


COLUMNS = [
    ("id", "%-19s", "interpreter"),
    ("program", "%-7s", "program"),
    ("attach_ms", "%9.1f", "attach ms"),
    ("attach_ms_max", "%7.1f", "worst"),
    ("max_rss_mb", "%7.1f", "RSS MB"),
    ("cpu_percent", "%6.2f", "CPU %"),
    ("ticks", "%7d", "ticks"),
    ("missed", "%7d", "missed"),
    ("truncated", "%6d", "trunc."),
    ("failed", "%6d", "failed"),
]


def print_heading():
    cells = [heading.ljust(len(f % 0)) if f[1] == "-" else heading.rjust(len(f % 0))
             for _, f, heading in COLUMNS]  # fmt: skip
    print("  ".join(cells), flush=True)


def print_row(row):
    print("  ".join(f % row[key] for key, f, _ in COLUMNS), flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--only", help="ids of interpreters, as tools/interpreters lists them")
    parser.add_argument("--repeat", type=int, default=10, help="attaches measured (10)")
    parser.add_argument("--seconds", type=float, default=10, help="length of a recording (10)")
    options = parser.parse_args()
    only = options.only.split(",") if options.only else None
    rows = []
    if not options.json:
        print_heading()
    try:
        for interpreter in harness.find_interpreters():
            if only and interpreter.id not in only:
                continue
            for row in measure(interpreter, options.repeat, options.seconds):
                rows.append(row)
                if not options.json:
                    print_row(row)
    finally:
        harness.PLACES.clean()
    if options.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
