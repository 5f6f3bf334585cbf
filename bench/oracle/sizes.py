#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How large captures are: fireglass's and austin's (MOJO), of the same programs, in turns.

    bench/oracle/sizes.py [--binary FILE] [--seconds S] [--python 3.11] [--program NAME,...]

At 1 kHz. "samples only" leaves out names, threads and facts; "press" is the service in demo/.
"""

import argparse
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers  # noqa: E402
import run  # noqa: E402
import targets  # noqa: E402

SAMPLES = 10  # kind of chunk: docs/capture-format.md
RATE = 1000


def sample_bytes(path):
    """Of the chunks with samples, as they are stored."""
    with open(path, "rb") as f:
        data = f.read()
    at, found = 16, 0
    while at + 20 <= len(data):
        kind, _, extra, stored = struct.unpack_from("<BBHI", data, at)
        size = 20 + extra + stored
        found += size if kind == SAMPLES else 0
        at += size
    return found


def count_samples(binary, path):
    command = [binary, "export", "-f", "jsonl", path]
    lines = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.splitlines()
    return sum(b'"type":"sample"' in line for line in lines)


def record(command, seconds, by_signal):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if by_signal:
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
    process.wait()


def measure(name, pid, binary, austin, seconds, folder):
    ours, theirs = os.path.join(folder, "a.fgc"), os.path.join(folder, "a.mojo")
    record([binary, "record", "-p", str(pid), "-r", str(RATE), "-d", str(seconds), "-o", ours],
           seconds, False)  # fmt: skip
    record(austin.start(pid, RATE, seconds, theirs), seconds, True)
    samples, other = count_samples(binary, ours), count_samples(binary, theirs)
    size, inner, mojo = os.path.getsize(ours), sample_bytes(ours), os.path.getsize(theirs)
    per, per_other = size / max(samples, 1), mojo / max(other, 1)
    print("%-14s %9d %9d %9d %9.2f %9.2f %10d %9.1f %7.1f" % (
        name, samples, size, inner, inner / max(samples, 1), per, mojo, per_other,
        per_other / per), flush=True)  # fmt: skip


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--binary", default="build/fireglass")
    p.add_argument("--seconds", type=int, default=10)
    p.add_argument("--python", default="3.11")
    p.add_argument("--program", type=run.names, default=[])
    options = p.parse_args()
    peers.install()
    found = targets.find_interpreters(loader=True)
    everyone = peers.all_profilers(options.binary, found)
    austin = [one for one in everyone if one.name == "austin"][0]
    interpreter = targets.choose([options.python], [i for i in found if i.kind != "loader"])[0][0]
    print("%-14s %9s %9s %9s %9s %9s %10s %9s %7s" % (
        "program", "samples", "bytes", "samples'", "each", "with all", "austin", "each", "ratio"))
    with tempfile.TemporaryDirectory() as folder, targets.Places() as places:
        for one in run.PROGRAMS:
            if options.program and one.name not in options.program:
                continue
            with targets.Target(places, interpreter, one.file, one.args) as target:
                measure(one.name, target.pid, options.binary, austin, options.seconds, folder)
        if not options.program or "press" in options.program:
            demo = os.path.join(targets.TOP, "demo", "press")
            command = interpreter.argv + ["-B", demo, "--seconds", str(3 * options.seconds + 5)]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as press:
                time.sleep(1)
                measure("press", press.pid, options.binary, austin, options.seconds, folder)
                press.terminate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
