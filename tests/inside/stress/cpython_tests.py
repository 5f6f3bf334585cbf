#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""CPython's own tests with the sampler on: cpython_tests.py [--python ID,...] [--test NAME,...]
                                                    [--clock wall|cpu] [--period-ns N]

Each test runs in a process of its own, first plain, then in one that samples itself from its begin
(sitecustomize) to its end; so do all processes that the test starts, but for those that it forks. A test that passes plain and fails with the sampler on is a
failure. Interpreters without their tests (distributions strip them) are left out.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import conftest  # noqa: E402

TESTS = ["test_threading", "test_signal", "test_asyncio", "test_subprocess", "test_generators",
         "test_multiprocessing_fork", "test_multiprocessing_spawn",
         "test_multiprocessing_forkserver"]  # fmt: skip

# In sitecustomize: every process of the test samples itself, into files that are thrown away.
SITE = """
import tempfile
from fireglass._fireglass import Session
with tempfile.TemporaryFile() as file:  # the session keeps it open for itself
    session = Session(file.fileno(), period_ns=%d, clock=%r)
"""


def names(text):
    return [word for word in text.split(",") if word]


def parse(argv):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--python", type=names, default=None)
    p.add_argument("--test", type=names, default=TESTS)
    p.add_argument("--clock", default="wall")
    p.add_argument("--period-ns", type=int, default=1000000)
    p.add_argument("--minutes", type=float, default=20, help="for each test")
    p.add_argument("--verbose", action="store_true", help="what failed, as the test printed it")
    return p.parse_args(argv)


def run(interp, test, env, options):
    """(passed, seconds, output)"""
    command = [interp.exe, "-m", "test", "-v" if options.verbose else "-w", test]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            command, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip
        try:
            out = process.communicate(timeout=60 * options.minutes)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            out = process.communicate()[0] + "\nHANGS"
    return process.returncode == 0, time.monotonic() - began, out


def failures(out):
    return sorted({
        line.strip() for line in out.splitlines()
        if line.startswith(("FAIL:", "ERROR:", "HANGS", "Fatal"))
    })  # fmt: skip


def check(interp, test, site, options):
    plain = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    sampled = dict(plain, PYTHONPATH=os.pathsep.join([site, conftest.EXT]))
    first = run(interp, test, plain, options)
    second = run(interp, test, sampled, options)
    known = set(failures(first[2]))
    new = [f for f in failures(second[2]) if f not in known]
    good = second[0] or (not first[0] and not new)
    said = "plain %s %.0f s, sampled %s %.0f s" % (
        "passes" if first[0] else "fails", first[1], "passes" if second[0] else "fails", second[1],
    )  # fmt: skip
    print("%-20s %-32s %s %s" % (interp.id, test, "ok" if good else "FAILED", said), flush=True)
    if not good:
        print("\n".join("    " + f for f in new) or second[2][-3000:], flush=True)
    return good


def has_tests(interp):
    probe = [interp.exe, "-c", "import test.test_threading, test.libregrtest"]
    return subprocess.run(probe, stderr=subprocess.DEVNULL).returncode == 0


def main(argv):
    options = parse(argv)
    failed = 0
    with tempfile.TemporaryDirectory() as site:
        text = SITE % (options.period_ns, options.clock)
        pathlib.Path(site, "sitecustomize.py").write_text(text)
        for interp in conftest.INTERPRETERS:
            if options.python and interp.id not in options.python:
                continue
            if not has_tests(interp):
                print("%-20s has no tests" % interp.id)
                continue
            failed += sum(not check(interp, test, site, options) for test in options.test)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
