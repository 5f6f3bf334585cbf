#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How quickly fireglass attaches, and what it costs while it records.

  bench/attach.py [--json] [--only ID,...] [--repeat N] [--seconds S]

For each interpreter that tools/interpreters finds: the time from starting fireglass to its first
sample (median of 10), then, over 10 s at 1 kHz on one busy thread, the largest resident size of
fireglass, the share of a core it used, and the ticks it missed. The program is $FIREGLASS_BIN, else
build/fireglass.
"""

import argparse
import json
import os
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
        "record", "-p", pid, "-r", "1000", "-d", "50ms", "--timestamps", "-o", "-"
    )
    if result.returncode != 0:
        raise SystemExit("bench/attach.py: %s" % result.stderr)
    return (int(result.stdout.split("\n", 1)[0]) / 1e6 - started) * 1e3


def cost(pid, seconds):
    """Of fireglass as the kernel counts it, its whole life long."""
    with tempfile.TemporaryDirectory() as directory:
        out = os.path.join(directory, "out.svg")
        process = subprocess.Popen(
            [harness.BIN, "record", "-p", str(pid), "-d", str(seconds), "-r", "1000", "-o", out],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        stderr = process.stderr.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stderr.close()
    if process.returncode != 0:
        raise SystemExit("bench/attach.py: %s" % stderr)
    numbers = oracle.summary(stderr)
    return {
        "max_rss_mb": usage.ru_maxrss / 1024.0,
        "cpu_percent": 100 * (usage.ru_utime + usage.ru_stime) / numbers["seconds"],
        "ticks": numbers["ticks"],
        "missed": numbers["missed"],
        "truncated": numbers["truncated"],
        "failed": numbers["failed"],
    }


def measure(interpreter, repeat, seconds):
    with harness.Target(interpreter, "burn.py") as target:
        times = [first_sample_ms(target.pid) for _ in range(repeat)]
        row = {
            "id": interpreter.id,
            "attach_ms": statistics.median(times),
            "attach_ms_max": max(times),
        }
        row.update(cost(target.pid, seconds))
    return row


COLUMNS = [
    ("id", "%-20s", "interpreter"),
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
    width = {"%-20s": "%-20s"}
    cells = [width.get(f, "%%%ss" % f[1:].split(".")[0].rstrip("df")) % h for _, f, h in COLUMNS]
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
            rows.append(measure(interpreter, options.repeat, options.seconds))
            if not options.json:
                print_row(rows[-1])
    finally:
        harness.PLACES.clean()
    if options.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
