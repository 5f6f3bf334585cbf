# SPDX-License-Identifier: MIT
"""The tools that release wheels are made with, from PyPI, pinned, in a virtual environment of ours.

zig is clang with the headers and symbol tables of every glibc and architecture: what is built with it
runs on systems much older than this one, and on others. A plain `pip install` of the sources needs
none of this: it takes the system's compiler. pip is the last one that runs on 3.8; tests lend it to Pythons without one.
"""

import hashlib
import os
import shutil
import sys

from .common import ROOT, TRIPLES, cache_dir, run

REQUIREMENTS = ROOT / "tools" / "wheel_lib" / "requirements.txt"
# The oldest glibc that wheels run on: RHEL 8, Debian 10, Ubuntu 18.10 and what came later.
GLIBC = "2.28"


def environment():
    """The virtual environment's directory, made if it is not there."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = cache_dir() / f"tools-{digest}"
    if not (folder / "complete").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        run(sys.executable, "-m", "venv", folder)
        run(folder / "bin" / "python", "-m", "pip", "install", "-q",
            "--disable-pip-version-check", "-r", REQUIREMENTS)
        (folder / "complete").touch()
    return folder


class Toolchain:
    """Compiler and tools for one architecture, as commands: `cc`, `ar`, `strip`, `ranlib`."""

    def __init__(self, arch, glibc=GLIBC):
        self.arch, self.glibc = arch, glibc
        self.venv = environment()
        self.triple = TRIPLES[arch]
        self.bin = self.venv / f"{self.triple}-{glibc}"
        self._write_commands()

    def _write_commands(self):
        zig = next(self.venv.glob("lib/python*/site-packages/ziglang/zig"))
        commands = {
            "cc": f"cc -target {self.triple}.{self.glibc}",
            "ar": "ar",
            "ranlib": "ranlib",
        }
        self.bin.mkdir(parents=True, exist_ok=True)
        # else in the user's, for ever
        cache = self.venv / "zig-cache"
        caches = f'ZIG_GLOBAL_CACHE_DIR="{cache}" ZIG_LOCAL_CACHE_DIR="{cache}"'
        for name, words in commands.items():
            path = self.bin / name
            path.write_text(f'#!/bin/sh\n{caches} exec "{zig}" {words} "$@"\n')
            path.chmod(0o755)

    def tool(self, name):
        """A program of the environment: meson, ninja, auditwheel."""
        return self.venv / "bin" / name

    def env(self):
        """For what runs a compiler or one of the tools."""
        return {
            "CC": str(self.bin / "cc"),
            "AR": str(self.bin / "ar"),
            "RANLIB": str(self.bin / "ranlib"),
            "PATH": f"{self.venv / 'bin'}{os.pathsep}{os.environ['PATH']}",
        }
