#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs everything that checks fireglass and closes with one line: N passed, N failed, N skipped.

    tools/run_tests.py [--only STAGE[,STAGE...]] [--fuzz-seconds N]

Stages, in order: lint, build, unit, asan, threads, cross, interpreters, python, web, commands,
live, inside, wheel, tui, browser, clients, serve, fuzz.
Build directories are build-gcc, build-clang, build-asan, build-tsan and build-cross beside the sources.
Exits 1 if anything failed. With FIREGLASS_CI=1 a skipped test is a failure.
"""

import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("FIREGLASS_CI") == "1"
# Where tests find what was built.
BUILT = {
    "FIREGLASS_BIN": str(ROOT / "build-gcc" / "fireglass"),
    "FIREGLASS_MAKE_PROFILE": str(ROOT / "build-gcc" / "tests" / "make_profile"),
    "FIREGLASS_MAKE_CAPTURE": str(ROOT / "build-gcc" / "tests" / "make_capture"),
    "FIREGLASS_DESCRIBE_CAPTURE": str(ROOT / "build-gcc" / "tests" / "describe_capture"),
    "FIREGLASS_TOP_DEMO": str(ROOT / "build-gcc" / "tests" / "top_demo"),
    "FIREGLASS_EXT": str(ROOT / "build-gcc" / "ext"),
}
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=1:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}


class Counts:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def run(*command, env=None, cwd=ROOT, **options):
    print("+", " ".join(str(word) for word in command), flush=True)
    merged = dict(os.environ, **(env or {}))
    return subprocess.run([str(word) for word in command], cwd=cwd, env=merged, check=False,
                          **options)


def check(*command, **options):
    """A command that counts as one test."""
    return Counts(passed=1) if run(*command, **options).returncode == 0 else Counts(failed=1)


def junit_counts(path, returncode):
    """What a JUnit file says; a runner that failed without naming a failed test is one failure."""
    counts = Counts()
    try:
        cases = list(xml.etree.ElementTree.parse(path).iter("testcase"))
    except (OSError, xml.etree.ElementTree.ParseError) as error:
        print(f"no result file {path}: {error}")
        return Counts(failed=1)
    for case in cases:
        if case.find("failure") is not None or case.find("error") is not None:
            counts.failed += 1
            print(f"FAILED: {case.get('classname')} {case.get('name')}")
        elif case.find("skipped") is not None:
            counts.skipped += 1
            print(f"skipped: {case.get('classname')} {case.get('name')}")
        else:
            counts.passed += 1
    if not cases or (returncode != 0 and counts.failed == 0):
        counts.failed += 1
    return counts


def tracked(*patterns):
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", *patterns],
                            cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    files = [name for name in listed.stdout.split("\n") if name and (ROOT / name).is_file()]
    if files or listed.returncode == 0:
        return files
    # a tarball has no git: whatever lies there
    return [str(path.relative_to(ROOT)) for pattern in patterns for path in ROOT.rglob(pattern)]


# ---- stages --------------------------------------------------------------------------------------

def lint():
    counts = check("tools/check_floors.py")
    scripts = [name for name in tracked("tools/*", ".ci/run", "tests/*.sh")
               if (ROOT / name).read_bytes()[:32].split(b"\n")[0] in
               (b"#!/bin/sh", b"#!/usr/bin/env bash", b"#!/bin/bash")]
    counts += check("shellcheck", *scripts)
    texts = tracked("*.c", "*.h", "*.def", "*.py", "*.md", "*.js", "*.mjs", "*.ts", "*.css",
                    "web/src/*.html", "Makefile")
    # a camelCase name is no word
    counts += check("codespell", "-I", "tools/codespell.txt", "--ignore-regex", "[a-z]+[A-Z]\\w*",
                    *texts)
    counts += check("cppcheck", "--quiet", "--error-exitcode=1", "--inline-suppr", "--std=c11",
                    "--enable=warning,portability", "--suppress=missingIncludeSystem",
                    "--suppressions-list=tools/cppcheck.txt", "--library=python", "-Isrc",
                    "-Iext/src", "-j2", "src",
                    "ext/src")
    counts += check("tools/check_package.py")
    return counts


def setup(directory, *options, env=None):
    path = ROOT / directory
    if (path / "build.ninja").is_file():
        return True
    shutil.rmtree(path, ignore_errors=True)
    return run("meson", "setup", directory, "--werror", *options, env=env,
               stdout=subprocess.DEVNULL).returncode == 0


def compile_in(directory, *options, env=None):
    if not setup(directory, *options, env=env):
        return Counts(failed=1)
    return check("ninja", "-C", directory, "--quiet")


def python_abis():
    """The option for extension modules of free-threaded Pythons, too, where their headers can be had."""
    done = run("tools/wheel", "--print-abis", stdout=subprocess.PIPE, text=True)
    return [f"-Dpython_abis={done.stdout.strip()}"] if done.returncode == 0 else []


def build():
    abis = python_abis()
    ninja = ROOT / "build-gcc" / "build.ninja"
    if abis and ninja.is_file() and "_fireglass-cpython-" not in ninja.read_text():
        run("meson", "configure", "build-gcc", *abis)
    counts = compile_in("build-gcc", "-Dtests=enabled", *abis, env={"CC": "gcc"})
    counts += compile_in("build-clang", "-Dtests=enabled", env={"CC": "clang"})
    return counts


def meson_test(directory, env=None):
    result = run("meson", "test", "-C", directory, "--no-rebuild", "--print-errorlogs", "-q",
                 "--num-processes", "2", env=env)
    return junit_counts(ROOT / directory / "meson-logs" / "testlog.junit.xml", result.returncode)


def unit():
    counts = meson_test("build-gcc")
    counts += meson_test("build-clang")
    return counts


def asan():
    counts = compile_in("build-asan", "-Dtests=enabled", "-Dfuzzers=true",
                        "-Db_sanitize=address,undefined", "-Db_lundef=false", env={"CC": "clang"})
    counts += meson_test("build-asan", env=SANITIZER_ENV)
    return counts


# Four processes that compute, one second each, one after the other and side by side.
FAMILY = """
import multiprocessing, time
def burn(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end: sum(range(1000))
for _ in range(2):
    children = [multiprocessing.get_context("fork").Process(target=burn, args=(1,)) for _ in range(2)]
    for child in children: child.start()
    for child in children: child.join()
"""


def threads():
    """Recordings under ThreadSanitizer: the sampling threads and the one that collects."""
    counts = compile_in("build-tsan", "-Dtests=disabled", "-Db_sanitize=thread")
    if counts.failed:
        return counts
    capture = ROOT / "build-tsan" / "threads.fgc"
    counts += check(
        "build-tsan/fireglass", "record", "-q", "-r", "5khz", "-o", str(capture), "-o",
        str(capture.with_suffix(".folded")), "--", "python3", "demo/press", "--seconds", "2")
    counts += check("build-tsan/fireglass", "record", "-q", "--children", "-r", "2khz", "--every", "1s", "-o",
                    str(ROOT / "build-tsan" / "family-%n.fgc"), "--", "python3", "-c", FAMILY)
    return counts


def cross():
    """aarch64: only data differs, so that it must compile, all of it."""
    return compile_in("build-cross", "--cross-file", "tools/aarch64.ini", "-Dtests=disabled")


def interpreters():
    """Old releases come from no registry: on a user's machine they may be missing, in CI not."""
    counts = check("tools/interpreters", "provide")
    if counts.failed and not IN_CI:
        return Counts(skipped=1)
    return counts


def pytest(directory, *options, interpreter=None, env=None):
    report = ROOT / "build-gcc" / f"pytest-{pathlib.Path(directory).name}.xml"
    report.parent.mkdir(exist_ok=True)
    result = run(interpreter or pytest_python(), "-m", "pytest", "-q",
                 f"--junitxml={report}", *options, directory,
                 env=dict(BUILT, PYTHONDONTWRITEBYTECODE="1", **(env or {})))
    return junit_counts(report, result.returncode)


def side_by_side(share="worksteal"):
    """For suites whose tests mostly wait: pytest-xdist, in what client_python() provides. "loadfile" where
    the tests of a file share what is dear to prepare."""
    return ("-n", str(max(2, min(os.cpu_count() or 1, 8))), "--dist", share)


def pytest_python():
    return sys.executable if has_pytest() else "/usr/bin/python3"


def has_pytest():
    return subprocess.run([sys.executable, "-c", "import pytest, pexpect"], check=False,
                          stderr=subprocess.DEVNULL).returncode == 0


def python():
    return pytest("tests/unit", "-p", "no:cacheprovider")


def web():
    """The viewer: types, lint, unit tests, and whether it is small enough for a page."""
    directory = ROOT / "web"
    modules = client_modules(directory)
    if not modules:
        return Counts(failed=1)
    tools, env = modules / ".bin", {"FIREGLASS_WEB_MODULES": str(modules)}
    counts = check(tools / "tsc", "--noEmit", "--typeRoots", modules / "@types", cwd=directory)
    counts += check(tools / "biome", "ci", "--colors=off", cwd=directory)
    counts += node_counts("node", "tools/test.mjs", "--", "--test-reporter=tap", cwd=directory,
                          env=env)
    counts += check("node", "tools/size.mjs", cwd=directory, env=env)
    return counts


def commands():
    """Those that read captures: no process to look at."""
    return pytest("tests/commands", "-p", "no:cacheprovider")


# They measure what sampling costs others, or a rate that must be kept: with nothing beside them.
LIVE_ALONE = ("test_harmless.py", "test_serve_safety.py")


def live():
    directory = ROOT / "tests" / "live"
    interpreter = client_python(directory)
    if not interpreter:
        return Counts(failed=1)
    counts = pytest("tests/live", "-p", "no:cacheprovider", *side_by_side(),
                    *(f"--ignore={directory / name}" for name in LIVE_ALONE), interpreter=interpreter)
    for name in LIVE_ALONE:
        counts += pytest(f"tests/live/{name}", "-p", "no:cacheprovider")
    # what strangers can do to a server, with every access checked
    checked = ROOT / "build-asan" / "fireglass"
    if checked.exists():
        counts += pytest("tests/live/test_serve_safety.py", "-p", "no:cacheprovider",
                         env=dict(SANITIZER_ENV, FIREGLASS_BIN=str(checked)))
    return counts


def inside():
    """The package, in every interpreter; its web parts with the frameworks, in one of their own."""
    directory = ROOT / "tests" / "inside"
    counts = Counts()
    if not list((ROOT / "build-gcc" / "ext").glob("*.so")):
        print("no extension module was built: the headers of a Python are missing")
        return Counts(failed=1) if IN_CI else Counts(skipped=1)
    apart = [path.parent for path in sorted(directory.glob("*/requirements.txt"))]
    for path in [directory, *apart]:
        interpreter = client_python(path)
        if not interpreter:
            counts.failed += 1
            continue
        options = [f"--ignore={other}" for other in apart if path == directory]
        if path.name in ("inside", "web"):
            options += side_by_side()
        counts += pytest(str(path.relative_to(ROOT)), "-p", "no:cacheprovider", *options,
                         interpreter=interpreter)
    return counts


def wheel():
    """The wheels, as users get them: built, looked at, installed into bare environments, tried."""
    made = ROOT / "build-wheel"
    counts = check("tools/wheel", "--out", made)
    if counts.failed:
        return counts
    counts += pytest("tests/wheel", "-p", "no:cacheprovider", env={"FIREGLASS_WHEELS": str(made)})
    return counts


def browser():
    directory = ROOT / "tests" / "browser"
    if not (shutil.which("chromium") or shutil.which("google-chrome")):
        print("skipped: no chromium")
        return Counts(skipped=1)
    if not (directory / "node_modules" / "playwright-core").is_dir():
        if run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=directory,
               stdout=subprocess.DEVNULL).returncode != 0:
            return Counts(failed=1)
    tests = sorted(str(path) for path in directory.glob("*.test.mjs"))
    return node_counts("node", "--test", "--test-concurrency=2", "--test-reporter=tap", *tests,
                       cwd=directory, env=BUILT)


def node_counts(*command, **options):
    """What node's test runner says; one that failed without a failed test is one failure."""
    result = run(*command, stdout=subprocess.PIPE, text=True, **options)
    print(result.stdout)
    totals = dict(re.findall(r"^# (pass|fail|cancelled|skipped|todo) (\d+)$", result.stdout, re.M))
    counts = Counts(int(totals.get("pass", 0)),
                    int(totals.get("fail", 0)) + int(totals.get("cancelled", 0)),
                    int(totals.get("skipped", 0)) + int(totals.get("todo", 0)))
    if not counts.passed or (result.returncode != 0 and not counts.failed):
        counts.failed += 1
    return counts


def client_cache(name, *parts):
    """A folder outside of the checkout, another one when one of the parts (bytes) changes."""
    digest = hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "fireglass" / "clients" / f"{name}-{digest}"


def client_modules(directory):
    """node_modules with the clients that come from npm; None if they cannot be had."""
    files = [directory / "package.json", directory / "package-lock.json"]
    folder = client_cache("npm", *(path.read_bytes() for path in files))
    if not (folder / "node_modules" / ".package-lock.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        for path in files:
            shutil.copy(path, folder)
        if run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder,
               stdout=subprocess.DEVNULL).returncode != 0:
            return None
    return folder / "node_modules"


def client_python(directory):
    """Python with the clients that come from PyPI, and pytest; None if they cannot be had."""
    wanted = directory / "requirements.txt"
    folder = client_cache("venv", wanted.read_bytes(), pytest_python().encode())
    interpreter = folder / "bin" / "python"
    if (folder / "complete").is_file():
        return interpreter
    shutil.rmtree(folder, ignore_errors=True)
    make = (pytest_python(), "-m", "venv", "--system-site-packages", folder)
    install = (interpreter, "-m", "pip", "install", "-q", "--disable-pip-version-check",
               "-r", wanted)
    if any(run(*command).returncode != 0 for command in (make, install)):
        return None
    (folder / "complete").touch()
    return interpreter


def clients():
    """Exports, judged by the programs that people open them with."""
    directory = ROOT / "tests" / "clients"
    modules, interpreter = client_modules(directory), client_python(directory)
    if not modules or not interpreter:
        return Counts(failed=1)
    return pytest("tests/clients", "-p", "no:cacheprovider", *side_by_side("loadfile"),
                  interpreter=interpreter,
                  env={"FIREGLASS_CLIENT_MODULES": str(modules),
                       "FIREGLASS_PROFILER_CLI": str(modules / ".bin" / "profiler-cli")})


def tui():
    """The terminal interface, in an emulated terminal and in tmux."""
    interpreter = client_python(ROOT / "tests" / "tui")
    if not interpreter:
        return Counts(failed=1)
    return pytest("tests/tui", "-p", "no:cacheprovider", interpreter=interpreter)


def serve():
    """The API of 'fireglass serve' and its description, as schemathesis sees them."""
    interpreter = client_python(ROOT / "tests" / "serve")
    if not interpreter:
        return Counts(failed=1)
    return pytest("tests/serve", "-p", "no:cacheprovider", interpreter=interpreter)


# Those that read whole files of others get more time.
LONG_FUZZERS = {"fuzz_capture_file", "fuzz_import", "fuzz_sample_block"}
LONG_FUZZ_SECONDS = 60


def fuzz(seconds=20):
    """Two fuzzers at a time, each for so many seconds."""
    counts = Counts()
    if not (ROOT / "build-asan" / "build.ninja").is_file():
        counts += asan()
    fuzzers = sorted(path for path in (ROOT / "build-asan" / "tests").glob("fuzz_*")
                     if path.is_file() and os.access(path, os.X_OK))
    fuzzers.sort(key=lambda path: path.name in LONG_FUZZERS)
    for start in range(0, len(fuzzers), 2):
        running = [(path, start_fuzzer(path, seconds)) for path in fuzzers[start:start + 2]]
        for path, process in running:
            output = process.communicate()[0]
            print(f"{path.name}: {last_line(output)}")
            if process.returncode == 0:
                counts.passed += 1
            else:
                print(output[-4000:])
                counts.failed += 1
    if not fuzzers:
        counts.failed += 1
    return counts


def start_fuzzer(path, seconds):
    if path.name in LONG_FUZZERS:
        seconds = max(seconds, LONG_FUZZ_SECONDS)
    corpus = ROOT / "build-asan" / "corpus" / path.name
    corpus.mkdir(parents=True, exist_ok=True)
    seeds = ROOT / "tests" / "fuzz" / "seeds" / path.name.removeprefix("fuzz_")
    artifacts = ROOT / "build-asan" / "artifacts" / path.name
    artifacts.mkdir(parents=True, exist_ok=True)
    command = [str(path), f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048",
               f"-artifact_prefix={artifacts}/", str(corpus)]
    if seeds.is_dir():
        command.append(str(seeds))
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            errors="replace", env=dict(os.environ, **SANITIZER_ENV))


def last_line(text):
    lines = [line for line in text.strip().split("\n") if line]
    return lines[-1] if lines else "said nothing"


STAGES = {
    "lint": lint, "build": build, "unit": unit, "asan": asan, "threads": threads, "cross": cross,
    "interpreters": interpreters, "python": python, "web": web, "commands": commands, "live": live,
    "inside": inside, "wheel": wheel, "tui": tui, "browser": browser, "clients": clients,
    "serve": serve, "fuzz": fuzz,
}

# These measure no time and leave a processor free: the next stage runs beside them.
BESIDE_THE_NEXT = {"serve"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--only", help="stages, separated by commas")
    parser.add_argument("--fuzz-seconds", type=int, default=20, help="for each fuzzer")
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else list(STAGES)
    for name in wanted:
        if name not in STAGES:
            parser.error(f"there is no stage '{name}'; there are {', '.join(STAGES)}")
    total, summary = Counts(), []

    def finish(name):
        print(f"\n== {name}", flush=True)
        began = time.monotonic()
        counts = fuzz(options.fuzz_seconds) if name == "fuzz" else STAGES[name]()
        return counts, f"{name:13} {time.monotonic() - began:6.0f} s  {counts}"

    with concurrent.futures.ThreadPoolExecutor() as pool:
        going = []
        for name in wanted:
            going.append(pool.submit(finish, name))
            if name not in BESIDE_THE_NEXT:
                concurrent.futures.wait(going)
        for stage in going:
            counts, line = stage.result()
            summary.append(line)
            total += counts
    print("\n" + "\n".join(summary))
    if IN_CI and total.skipped:
        print("in CI nothing may be skipped")
    print(total)
    return 1 if total.failed or (IN_CI and total.skipped) else 0


if __name__ == "__main__":
    sys.exit(main())
