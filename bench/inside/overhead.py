#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What sampling from inside costs the program: overhead.py [--python TAG,...] [--rounds N]
                                                             [--seconds S] [--cpu-time] [--json FILE]

In one process a program does the same work again and again, by turns alone and with a session of each
kind, in an order that changes; each piece with a session is compared with those alone before and
after it. Printed are the median of the ratios, in percent, and the half-width of its 95 % interval (by
drawing anew). The machine should be quiet: the interval tells. --cpu-time compares the CPU time of the
program's thread, which others disturb less, but which does not see waiting.

The second line of each program is what the kernel says of that waiting: of each second, for how many
microseconds the program's thread was ready to run and did not, more than alone; the median. It is what sampling
takes from the program at once, without what it does to its caches, and varies less than the ratios.
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
KINDS = {
    "alone": None,  # against itself: what chance does
    "100 Hz": {"period_ns": 10000000},
    "1 kHz": {"period_ns": 1000000},
    "10 kHz": {"period_ns": 100000},
    "cpu 100 Hz": {"period_ns": 10000000, "clock": "cpu"},
    "cpu 1 kHz": {"period_ns": 1000000, "clock": "cpu"},
}


# ---- in the interpreter that is measured --------------------------------------------------------------


def waited():
    """Seconds that this thread was ready to run and did not."""
    with open("/proc/thread-self/schedstat", "rb") as file:
        return int(file.read().split()[1]) / 1e9


def piece(work, times, options, clock=time.perf_counter):
    """Seconds for the work, with a session of these options or alone; its result; of each second, how
    much the thread waited for a processor."""
    from fireglass._fireglass import Session

    with tempfile.TemporaryFile() as file:
        session = Session(file.fileno(), **options) if options else None
        time.sleep(0.01)  # its first ticks learn the threads
        wait, began = waited(), clock()
        result = work(times)
        seconds = clock() - began
        wait = (waited() - wait) / seconds
        if session:
            session.stop()
    return seconds, result, wait


def calibrate(work, seconds):
    times = 1
    while True:
        took = piece(work, times, None)[0]
        if took > seconds / 4:
            return max(1, int(times * seconds / took))
        times *= 2


def measure(name, rounds, seconds, clock):
    from programs import PROGRAMS

    work = PROGRAMS[name]
    times = calibrate(work, seconds)
    right = work(times)
    found = {kind: {"ratios": [], "waits": []} for kind in KINDS}
    before, _, waited_before = piece(work, times, None, clock)
    for _ in range(rounds):
        kinds = list(KINDS)
        random.shuffle(kinds)
        for kind in kinds:
            under, result, wait = piece(work, times, KINDS[kind], clock)
            after, _, waited_after = piece(work, times, None, clock)
            assert result == right, "another result under %s" % kind
            found[kind]["ratios"].append(2 * under / (before + after))
            found[kind]["waits"].append(wait - (waited_before + waited_after) / 2)
            before, waited_before = after, waited_after
    return found


# ---- the runner ---------------------------------------------------------------------------------------


def interval(values, rounds=500):
    rng = random.Random(1)
    drawn = sorted(
        statistics.median(rng.choice(values) for _ in values) for _ in range(rounds)
    )
    return (drawn[int(rounds * 0.975)] - drawn[int(rounds * 0.025)]) / 2


def parse(argv):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--python", default="3.8,3.11,3.12,3.14")
    p.add_argument("--rounds", type=int, default=20)
    p.add_argument("--seconds", type=float, default=0.3, help="of each piece")
    p.add_argument("--cpu-time", action="store_true")
    p.add_argument("--json", metavar="FILE")
    p.add_argument("--inside", metavar="PROGRAM", help=argparse.SUPPRESS)
    return p.parse_args(argv)


def row(interpreter, name, options):
    command = list(interpreter.argv) + ["-B", str(HERE / "overhead.py"), "--inside", name]
    command += ["--rounds", str(options.rounds), "--seconds", str(options.seconds)]
    command += ["--cpu-time"] * options.cpu_time
    package = os.environ.get("FIREGLASS_EXT") or str(HERE.parent.parent / "build" / "ext")
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        command, env=dict(env, PYTHONPATH=package), stdout=subprocess.PIPE, check=True, text=True
    )
    return json.loads(done.stdout)


def main(argv):
    options = parse(argv)
    if options.inside:
        clock = time.thread_time if options.cpu_time else time.perf_counter
        print(json.dumps(measure(options.inside, options.rounds, options.seconds, clock)))
        return 0
    sys.path.insert(0, str(HERE.parent / "oracle"))
    import targets

    from programs import PROGRAMS

    found = [i for i in targets.find_interpreters() if not i.root]
    chosen, missing = targets.choose(options.python.split(","), found)
    for tag in missing:
        print("no interpreter %s here: see tools/interpreters" % tag, file=sys.stderr)
    rows = {}
    print("%-8s%-13s" % ("Python", "program") + "".join("%18s" % kind for kind in KINDS))
    for interpreter in chosen:
        for name in PROGRAMS:
            rows[interpreter.id + " " + name] = found = row(interpreter, name, options)
            cells = "".join(
                "%18s" % ("%+.2f ± %.2f %%" % (
                    100 * (statistics.median(of["ratios"]) - 1), 100 * interval(of["ratios"])))
                for of in found.values()
            )  # fmt: skip
            print("%-8s%-13s" % (interpreter.tag, name) + cells)
            waits = "".join(
                "%18s" % ("%.0f us/s" % (1e6 * statistics.median(of["waits"]))) for of in found.values()
            )
            print("%-21s" % "" + waits, flush=True)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump({"load": os.getloadavg(), "programs": rows}, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
