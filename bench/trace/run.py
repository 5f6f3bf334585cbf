#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What tracing costs, beside cProfile.

    bench/trace/run.py [--python 3.8,3.12] [--rounds N] [--exact] [--package DIRECTORY] [--json FILE]

For each interpreter and program (programs.py) a process takes turns: without a tracer, with cProfile,
with ours; the times of a turn are divided by each other, so that a change of the machine's speed meets
all of them, and the medians of these ratios are shown:

    cProfile  the program's time under cProfile / without
    ours      the same for fireglass
    excess    (ours - 1) / (cProfile - 1): the bar is 50 %
    functions the same with builtins=False, of both

Both see the same: all Python and C functions, but on 3.11, where ours leaves out C functions by default.
Nothing is measured of what happens when tracing starts and ends.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BAR = 0.5

INSIDE = r"""
import cProfile, gc, json, sys, time
sys.path[:0] = json.loads(sys.argv[1])
rounds, exact = int(sys.argv[2]), sys.argv[3] == "exact"
import programs
from fireglass._fireglass import Tracer

def plain(program):
    return None

def with_cprofile(builtins):
    return lambda: cProfile.Profile(builtins=builtins)

def with_ours(builtins):
    return lambda: Tracer(builtins=builtins, exact=exact)

WAYS = [None, with_cprofile(True), with_ours(None), with_cprofile(False), with_ours(False)]

def time_of(program, make):
    tracer = make() if make else None
    if tracer:
        tracer.enable()
    program()  # what is learnt in the beginning is no part of the cost of a call
    begin = time.perf_counter()
    program()
    took = time.perf_counter() - begin
    if tracer:
        tracer.disable()
    return took

gc.disable()
for program in programs.PROGRAMS:
    program()
    turns = []
    for _ in range(rounds):
        turns.append([time_of(program, make) for make in WAYS])
    print(json.dumps([program.__name__, turns]), flush=True)
"""


def interpreters(wanted):
    sys.path.insert(0, str(ROOT / "tests" / "live"))
    import harness

    found = [i for i in harness.find_interpreters() if i.minor >= (3, 8) and not i.free_threaded]
    if wanted:
        found = [i for i in found if any(i.version_text.startswith(w) for w in wanted.split(","))]
    return found


def command_of(interpreter):
    """argv and environment; of an interpreter in a root of its own, by that root's loader."""
    if not interpreter.root:
        return [interpreter.exe], dict(os.environ, **interpreter.env)
    root = interpreter.root
    libraries = ":".join(root + d for d in ("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu"))
    loader = [root + "/lib64/ld-linux-x86-64.so.2", "--library-path", libraries, interpreter.exe]
    return loader, dict(os.environ, PYTHONHOME=root + "/usr")


def measure(interpreter, options):
    argv, env = command_of(interpreter)
    env.update(PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="0")
    done = subprocess.run(
        argv + ["-c", INSIDE, json.dumps([str(HERE), options.package]), str(options.rounds),
                "exact" if options.exact else ""],
        env=env, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return dict(json.loads(line) for line in done.stdout.splitlines())


def ratios(turns):
    """Medians of the slowdowns: cProfile, ours, and both without C functions."""
    return [statistics.median(t[i] / t[0] for t in turns) for i in range(1, 5)]


def excess(ours, theirs):
    return (ours - 1) / (theirs - 1) if theirs > 1 else float("nan")


def show(name, measured):
    for program, turns in measured.items():
        cprofile, ours, cprofile_py, ours_py = ratios(turns)
        share = excess(ours, cprofile)
        mark = "" if share <= BAR else "  <-- above the bar"
        print(
            "%-20s %-11s %7.1f ms %9.2f %8.2f %6.0f %% %9.0f %%%s"
            % (name, program, 1000 * statistics.median(t[0] for t in turns), cprofile, ours,
               100 * share, 100 * excess(ours_py, cprofile_py), mark)
        )  # fmt: skip
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description="What tracing costs, beside cProfile.")
    parser.add_argument("--python", default="", help="versions, by how they begin")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--exact", action="store_true", help="Tracer(exact=True)")
    parser.add_argument("--package", default=str(ROOT / "build-gcc" / "ext"))
    parser.add_argument("--json", help="a file for the times")
    options = parser.parse_args()
    found = {}
    print("%-20s %-11s %10s %9s %8s %8s %11s"
          % ("python", "program", "plain", "cProfile", "ours", "excess", "functions"))  # fmt: skip
    for interpreter in interpreters(options.python):
        found[interpreter.id] = measure(interpreter, options)
        show(interpreter.id, found[interpreter.id])
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
