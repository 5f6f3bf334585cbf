# SPDX-License-Identifier: MIT
"""Interpreters, and programs of the oracle running under them. Each process ends by its own pid."""

import glob
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(HERE, "programs")
TOP = os.path.dirname(os.path.dirname(HERE))
DEADLINE = 60
# Builds that distributions ship come before those made here; roots of their own last.
KINDS = ["path", "standalone", "uv", "pypi", "pyenv", "debian"]


class TargetError(Exception):
    pass


class Interpreter:
    def __init__(self, found):
        self.id, self.argv, self.env = found["id"], found["argv"], found["env"]
        self.root, self.exe, self.kind = found["root"], found["exe"], found["kind"]
        self.version = tuple(int(n) for n in found["version"].split("."))
        self.minor = self.version[:2]
        self.free_threaded = found["free_threaded"]
        self.tag = "%d.%d%s" % (self.minor + ("t" if self.free_threaded else "",))

    def __repr__(self):
        return self.id


def find_interpreters(loader=False):
    command = [sys.executable, os.path.join(TOP, "tools", "interpreters"), "list", "--json"]
    found = subprocess.run(
        command + ["--loader"] * loader, stdout=subprocess.PIPE, check=True
    ).stdout
    return [Interpreter(i) for i in json.loads(found) if not i["debug"]]


def choose(tags, interpreters):
    """One interpreter for each tag (3.11, 3.13t) or id; (chosen, tags for which there is none)."""
    chosen, missing = [], []
    for tag in tags:
        fitting = [i for i in interpreters if tag in (i.id, i.tag)]
        fitting.sort(key=lambda i: KINDS.index(i.kind) if i.kind in KINDS else len(KINDS))
        chosen += fitting[:1]
        missing += [] if fitting else [tag]
    return chosen, missing


class Places:
    """A directory for each root, with the programs in it."""

    def __init__(self):
        self.made = {}

    def outside(self, root):
        if root not in self.made:
            path = tempfile.mkdtemp(prefix="oracle-", dir=os.path.join(root or "/", "tmp"))
            os.chmod(path, 0o755)
            for name in glob.glob(os.path.join(PROGRAMS, "*.py")):
                shutil.copy(name, path)
            self.made[root] = path
        return self.made[root]

    def inside(self, root, name=""):
        outside = self.outside(root)
        path = "/" + os.path.relpath(outside, root) if root else outside
        return os.path.join(path, name) if name else path

    def clean(self):
        for path in self.made.values():
            shutil.rmtree(path, ignore_errors=True)
        self.made = {}

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.clean()


class Target:
    """A program, started, ready, and what it said of itself."""

    def __init__(self, places, interpreter, program, args=(), env=None, wrap=()):
        self.interpreter = interpreter
        path = places.inside(interpreter.root, program)
        command = list(wrap) + list(interpreter.argv) + ["-B", path] + [str(a) for a in args]
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        clean.update(env or {})
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=clean,
        )
        self.pid, self.rest, self.snapshots = self.process.pid, b"", None
        try:
            self.said = json.loads(self.line())
        except Exception:
            self.end()
            raise

    def line(self):
        end = time.monotonic() + DEADLINE
        fd = self.process.stdout.fileno()
        while b"\n" not in self.rest:
            ready, _, _ = select.select([fd], [], [], max(0, end - time.monotonic()))
            data = os.read(fd, 1 << 20) if ready else b""
            if not data:
                raise TargetError("%s: %s" % (self.process.args, self.error_text()))
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode("utf-8")

    def error_text(self):
        self.errors.seek(0)
        return self.errors.read().decode("utf-8", "replace").strip() or "it prints nothing"

    def finish(self):
        """Asks it to end and reads its snapshots."""
        if self.process.poll() is not None:
            raise TargetError(
                "the target ended with %s: %s" % (self.process.returncode, self.error_text())
            )
        self.process.send_signal(signal.SIGTERM)
        return json.loads(self.line())["snapshots"]

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.end()
