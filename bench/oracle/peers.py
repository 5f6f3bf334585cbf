# SPDX-License-Identifier: MIT
"""The profilers: how each is had, started, ended and read.

Each samples wall-clock time of all threads that the program has. `start()` gives the command line;
`signal`: sent when the time is up, to those that cannot be told how long (py-spy counts samples,
not seconds); `read()` gives stacks and what the profiler itself says was lost.
"""

import dataclasses
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys

import mojo
from truth import Frame

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "fireglass", "peers"
)
VENV = os.path.join(CACHE, "venv")
PACKAGES = ["py-spy", "austin-dist"]
MAX_HZ = 1000000
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclasses.dataclass
class Reading:
    stacks: list  # [(frames root first, count)]
    missed: int = 0  # ticks for which there is no sample
    dropped: int = 0  # samples taken and thrown away
    truncated: int = 0
    note: str = ""
    seconds: float = None  # for how long it says it sampled
    spent: dict = None  # seconds per function, of a profiler that has no samples


def install(say=print):
    """Into a directory of ours; what cannot be had is missing later on."""
    if not os.path.exists(os.path.join(VENV, "bin", "pip")):
        os.makedirs(CACHE, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    for package in PACKAGES:
        command = [os.path.join(VENV, "bin", "pip"), "-q", "install", package]
        result = subprocess.run(
            command + ["--disable-pip-version-check"], stderr=subprocess.PIPE, text=True
        )
        if result.returncode:
            say("cannot install %s: %s" % (package, result.stderr.strip().splitlines()[-1]))


def runs(command):
    try:
        return (
            subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE).returncode == 0
        )
    except OSError:
        return False


def version_of(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.strip().splitlines()[-1].split()[-1] if done.stdout.strip() else "?"


def number(text, pattern, default=0):
    found = re.search(pattern, text)
    return int(found.group(1).replace(" ", "")) if found else default


def folded(text, parse_frame):
    stacks = []
    for line in text.splitlines():
        stack, count = line.rsplit(" ", 1)
        frames = [parse_frame(f) for f in stack.split(";")]
        stacks.append(([f for f in frames if f], int(count)))
    return stacks


FRAME = re.compile(r"^(.*) \((.*?)(?::(\d+))?\)$")


def frame_of(text):
    """`function (file:line)`; also marks, which have no file."""
    found = FRAME.match(text)
    if not found:
        return Frame(text, "", None)
    return Frame(found.group(1), found.group(2), int(found.group(3)) if found.group(3) else None)


class Profiler:
    name = None
    signal = None
    inprocess = None

    def version(self):
        return "?"

    def lacks(self, interpreter, rate):
        """Why it cannot be used there, or None."""
        return None

    def read(self, out, text):
        raise NotImplementedError


class Fireglass(Profiler):
    name = "fireglass"

    def __init__(self, binary, options=(), name="fireglass"):
        self.binary, self.options, self.name = binary, list(options), name
        help_text = subprocess.run([binary, "record", "--help"], stdout=subprocess.PIPE, text=True)
        self.has_max = re.search(r"\bmax\b", help_text.stdout) is not None

    def version(self):
        return version_of([self.binary, "--version"])

    def lacks(self, interpreter, rate):
        return "no -r max in this build" if rate == "max" and not self.has_max else None

    def start(self, pid, rate, seconds, out):
        return [self.binary, "record", "-p", str(pid), "-r", str(rate), "-d", str(seconds)] + (
            self.options + ["-f", "folded", "-o", out]
        )

    def read(self, out, text):
        with open(out, encoding="utf-8") as f:
            stacks = folded(f.read(), frame_of)
        return Reading(
            stacks,
            missed=number(text, r"([\d ]+) ticks? missed"),
            dropped=number(text, r"([\d ]+) (?:samples? )?lost"),
            truncated=number(text, r"([\d ]+) stacks? truncated")
            + number(text, r"([\d ]+) reads? failed"),
            note="; ".join(s for s in text.strip().splitlines() if "missed" in s),
        )


class PySpy(Profiler):
    signal = signal.SIGINT

    def __init__(self, nonblocking=False):
        self.nonblocking = nonblocking
        self.name = "py-spy --nonblocking" if nonblocking else "py-spy"
        self.binary = os.path.join(VENV, "bin", "py-spy")

    def version(self):
        return version_of([self.binary, "--version"])

    def lacks(self, interpreter, rate):
        return None if runs([self.binary, "--version"]) else "not installed"

    def start(self, pid, rate, seconds, out):
        hz = MAX_HZ if rate == "max" else rate
        # it counts samples: one that falls behind would go on for ever
        command = [self.binary, "record", "-p", str(pid), "-r", str(hz), "-i"]
        command += ["-d", str(int(seconds) + 3600), "-f", "raw", "-o", out]
        return command + ["--nonblocking"] * self.nonblocking

    def read(self, out, text):
        with open(out, encoding="utf-8") as f:
            stacks = folded(f.read(), frame_of)
        behind = re.findall(r"([\d.]+)s behind", text)
        return Reading(
            stacks,
            dropped=number(text, r"Errors: (\d+)"),
            note="%s s behind" % behind[-1] if behind else "",
        )


class Austin(Profiler):
    """Its build wants a newer libc than some systems have: then by the loader of another root."""

    name = "austin"

    def __init__(self, loader=()):
        binary = os.path.join(VENV, "bin", "austin")
        self.command = [binary] if runs([binary, "--version"]) else list(loader) + [binary]

    def version(self):
        return version_of(self.command + ["--version"])

    def lacks(self, interpreter, rate):
        return None if runs(self.command + ["--version"]) else "not installed, or does not start"

    def start(self, pid, rate, seconds, out):
        us = 1 if rate == "max" else max(1, 1000000 // int(rate))
        # -x takes whole seconds only
        return self.command + ["-i", str(us), "-p", str(pid), "-o", out]

    signal = signal.SIGINT

    def read(self, out, text):
        with open(out, "rb") as f:
            stacks = mojo.read(f.read())
        plain = ANSI.sub("", text)
        return Reading(stacks, dropped=number(plain, r"Error rate[ .]*(\d+)/"))


class Tachyon(Profiler):
    """profiling.sampling of 3.15, of targets of that very version."""

    def __init__(self, python, blocking=False):
        self.python, self.blocking = python, blocking
        self.name = "tachyon --blocking" if blocking else "tachyon"

    def version(self):
        return ".".join(map(str, self.python.version)) if self.python else "?"

    def lacks(self, interpreter, rate):
        if not self.python:
            return "no 3.15 that runs outside a root of its own"
        if interpreter.minor != self.python.minor:
            return "attaches to 3.15 only"
        return None

    def start(self, pid, rate, seconds, out):
        hz = MAX_HZ if rate == "max" else rate
        command = list(self.python.argv) + [
            "-m",
            "profiling.sampling",
            "attach",
            "-a",
            "-r",
            str(hz),
        ]
        command += ["-d", str(math.ceil(seconds)), "--collapsed", "-o", out]
        return command + ["--blocking"] * self.blocking + [str(pid)]

    @staticmethod
    def frame(text):
        if text.startswith("tid:"):
            return None
        parts = text.rsplit(":", 2)
        if len(parts) != 3:
            return Frame(text, "", None)
        return Frame(parts[1], parts[0], int(parts[2]) if parts[2].lstrip("-").isdigit() else None)

    def read(self, out, text):
        with open(out, encoding="utf-8") as f:
            stacks = folded(f.read(), self.frame)
        captured = number(text, r"Captured ([\d,]+) samples".replace(",", ""))
        errors = re.search(r"Error rate: ([\d.]+)", text)
        lasted = re.search(r"samples in ([\d.]+) seconds", text)
        missed = re.search(r"[Mm]issed samples: \d+ expected.*?\(([\d.]+)", text)
        return Reading(
            stacks,
            dropped=round(captured * float(errors.group(1)) / 100) if errors else 0,
            note="missed %s %%" % missed.group(1) if missed else "",
            seconds=float(lasted.group(1)) if lasted else None,
        )


class InProcess(Profiler):
    """Those that live in the program: it starts and stops them between two signals."""

    def __init__(self, name):
        self.name = self.inprocess = name
        self.newer = (
            ">=5" if name == "pyinstrument" else ""
        )  # before, its C part was another package
        self.found = {}

    def version(self):
        return "of the interpreter" if self.name == "cProfile" else "newest for each interpreter"

    def folder(self, interpreter):
        return os.path.join(CACHE, "%s-%s" % (self.name, interpreter.tag))

    def install(self, interpreter):
        folder = self.folder(interpreter)
        if os.path.exists(folder):
            return True
        tag = "%d%d" % interpreter.minor
        command = [os.path.join(VENV, "bin", "pip"), "-q", "install", "--no-deps", "--target"]
        command += [
            folder,
            "--only-binary=:all:",
            "--implementation",
            "cp",
            "--python-version",
            tag,
        ]
        command += ["--abi", "cp" + tag + "t" * interpreter.free_threaded]
        for platform in ("manylinux2014_x86_64", "manylinux_2_5_x86_64", "manylinux_2_17_x86_64"):
            command += ["--platform", platform]
        done = subprocess.run(
            command + [self.name + self.newer], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
        return done.returncode == 0

    def lacks(self, interpreter, rate):
        if self.name == "cProfile":
            return None if rate == 1000 else "takes no samples: once, at 1000"
        if rate == "max":
            return "no such rate"
        if interpreter.id not in self.found:
            self.found[interpreter.id] = self.install(interpreter)
        return None if self.found[interpreter.id] else "no wheel for this interpreter"

    def environment(self, interpreter, places, rate, out):
        """For the target. Packages are copied to where the interpreter sees them."""
        where = places.inside(interpreter.root)
        if self.name != "cProfile":
            outside = os.path.join(places.outside(interpreter.root), "peer-" + interpreter.tag)
            if not os.path.exists(outside):
                shutil.copytree(self.folder(interpreter), outside)
            where = os.path.join(where, "peer-" + interpreter.tag)
        return {"ORACLE_INPROCESS": "%s %s %s" % (self.name, 1.0 / rate, out), "PYTHONPATH": where}

    def read(self, out, text):
        with open(out, encoding="utf-8") as f:
            found = json.load(f)
        stacks = [([Frame(*frame) for frame in frames], count) for frames, count in found["stacks"]]
        return Reading(stacks, spent=found.get("spent"))


class Inside(InProcess):
    """`import fireglass` in the program itself."""

    def __init__(self, binary, package, name="inside"):
        self.name, self.inprocess = name, "fireglass" + name[len("inside") :]
        self.binary, self.package = binary, package

    def version(self):
        return version_of([self.binary, "--version"])

    def lacks(self, interpreter, rate):
        if interpreter.minor < (3, 8):
            return "needs 3.8"
        if interpreter.root:
            return "needs libraries that its root lacks"
        command = list(interpreter.argv) + ["-c", "import fireglass"]
        done = subprocess.run(
            command, env=dict(os.environ, PYTHONPATH=self.package), stderr=subprocess.PIPE
        )
        return "cannot be imported there" if done.returncode else None

    def environment(self, interpreter, places, rate, out):
        interval = 0 if rate == "max" else 1.0 / rate
        return {
            "ORACLE_INPROCESS": "%s %r %s" % (self.inprocess, interval, out),
            "PYTHONPATH": self.package,
        }

    def read(self, out, text):
        with open(out + ".counts", encoding="utf-8") as f:
            counts = json.load(f)
        os.unlink(out + ".counts")
        command = [self.binary, "export", out, "-f", "folded", "-o", "-"]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
        return Reading(
            folded(done.stdout, frame_of),
            missed=counts["missed"],
            dropped=counts["lost"],
            truncated=counts["truncated"] + counts["failed"],
        )


def all_profilers(binary, interpreters_with_loader):
    """`interpreters_with_loader`: of targets.find_interpreters(loader=True)."""
    package = os.environ.get("FIREGLASS_EXT") or os.path.join(os.path.dirname(binary), "ext")
    outside = [i for i in interpreters_with_loader if not i.root and not i.free_threaded]
    newest = [i for i in outside if i.minor == (3, 15)]
    loaders = [i for i in outside if i.kind == "loader"]
    loader = loaders[0].argv[:-1] if loaders else []
    tachyon = newest[-1] if newest else None
    return [
        Fireglass(binary),
        PySpy(),
        PySpy(nonblocking=True),
        Austin([word for word in loader if not word.startswith("PYTHONHOME=")]),
        Tachyon(tachyon),
        Tachyon(tachyon, blocking=True),
        Inside(binary, package),
        Inside(binary, package, "inside-cpu"),
        InProcess("pyinstrument"),
        InProcess("cProfile"),
    ]
