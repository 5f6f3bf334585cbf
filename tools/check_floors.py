#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the include law: which folder of src/ may include what, and who may touch the system.
ext/src/ is a floor as well: the extension module.

Prints one line per breach and exits 1 if there is any. docs/architecture.md explains the floors.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
EXT = ROOT / "ext" / "src"

# Which floors each floor may include (its own always).
FLOORS = {
    "base": set(),
    "fmt": {"base"},
    "os": {"base"},
    "pyabi": {"base", "os"},
    "store": {"base"},
    "sample": {"base", "os", "pyabi", "store"},
    "inside": {"base", "os", "pyabi", "store", "sample"},
    "export": {"base", "fmt", "store"},
    "import": {"base", "fmt", "store"},
    "tui": {"base", "store"},
    "http": {"base", "store", "export", "import"},
    "cmd": {"base", "fmt", "os", "pyabi", "store", "sample", "export", "import", "tui", "http"},
    "ext": {"base", "fmt", "os", "pyabi", "store", "sample", "export", "import", "inside"},
}

# Of these floors only some headers may be seen from above.
NARROW = {("pyabi", "os"): {"os/mem_reader.h", "os/maps.h", "os/elf.h"}}

# A third-party header is included by one file (or one pair of .c and .h) only.
THIRD_PARTY = {
    "libelf.h": {"os/elf_file.c"},
    "gelf.h": {"os/elf_file.c"},
    "xxhash.h": {"base/hash.c"},
    "jansson.h": {"fmt/json_reader.c"},
    "pb_decode.h": {"fmt/pb_reader.c"},
    "pb_encode.h": {"fmt/pb_writer.c"},
    "zlib.h": {"fmt/gzip.c", "fmt/gunzip.c"},
    "zstd.h": {"store/chunk.c", "fmt/unzstd.c"},
    "microhttpd.h": {"http/server.c"},
    "ncurses.h": {"tui/screen.c"},
    "curses.h": {"tui/screen.c"},
    "Python.h": {"ext/src/ext.h"},
}

# Only the os floor asks the kernel about other processes.
SYSTEM_HEADERS = {"sys/ptrace.h", "sys/uio.h", "sched.h", "linux/bpf.h", "linux/perf_event.h"}
# `"/proc/...` as text of the program; comments and messages may name it.
PROC_PATH = re.compile(r'"/proc/[^"\s]*"')
# Versions are data: no comparisons of them outside of the layout.
VERSION_TEST = re.compile(r"\b(?:if|while|switch)\s*\(.*\b(?:version_hex\s*[<>=!]=?|py_hex_minor|"
                          r"py_hex_major|PY_VERSION|layout(?:\.|->)(?:minor|major|name))")
VERSION_FILES = {"pyabi/layout.c"}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^">]+)[">]')
MAX_LINES = 800


def floor_and_name(path):
    """The floor of a file, and what this program calls it."""
    if path.is_relative_to(EXT):
        return "ext", path.relative_to(ROOT).as_posix()
    name = path.relative_to(SRC)
    return name.parts[0], name.as_posix()


def include_breaches(name, floor, number, quote, header):
    if header in THIRD_PARTY and name not in THIRD_PARTY[header]:
        yield f"{name}:{number}: {header} may only be included by {', '.join(sorted(THIRD_PARTY[header])) or 'nobody here'}"
    if header in SYSTEM_HEADERS and floor != "os":
        yield f"{name}:{number}: {header} belongs to the os floor"
    if quote == "<" or "/" not in header:
        return
    target = header.split("/")[0]
    if target == floor or target not in FLOORS:
        return
    if target not in FLOORS[floor]:
        yield f"{name}:{number}: {floor} may not include {target} ({header})"
    elif (floor, target) in NARROW and header not in NARROW[floor, target]:
        yield f"{name}:{number}: {floor} may not include {header}"


def text_breaches(name, floor, number, line):
    if floor != "os" and PROC_PATH.search(line):
        yield f"{name}:{number}: only the os floor reads /proc"
    if floor != "ext" and name not in VERSION_FILES and VERSION_TEST.search(line):
        yield f"{name}:{number}: compares versions outside of the layout"


def file_breaches(path):
    floor, name = floor_and_name(path)
    if floor not in FLOORS:
        yield f"{name}: '{floor}' is no floor"
        return
    lines = path.read_text(encoding="utf-8").splitlines()
    if len(lines) > MAX_LINES:
        yield f"{name}: {len(lines)} lines, more than {MAX_LINES}"
    if not lines or "SPDX-License-Identifier: MIT" not in lines[0]:
        yield f"{name}:1: no SPDX line"
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match:
            yield from include_breaches(name, floor, number, match[1], match[2])
        else:
            yield from text_breaches(name, floor, number, line)


def main():
    breaches = [breach
                for root in (SRC, EXT)
                for pattern in ("*.c", "*.h", "*.def")
                for path in sorted(root.rglob(pattern))
                for breach in file_breaches(path)]
    print("\n".join(breaches) if breaches else "floors: clean")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
