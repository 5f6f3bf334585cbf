#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns files into a C source and header with one constant string each.

    embed.py OUT.c OUT.h NAME=FILE[,FILE...] ...

Files of one NAME are joined in the order given. JavaScript modules (.js) are made one script:
imports go, a leading `export ` goes, as do indentation and lines that are only a comment; so an
import must name one of the files, no two files may declare the same name at top level, and no
string may go over several lines.
The header declares, for each NAME, `extern const char NAME[];`.
"""

import pathlib
import re
import sys

DECLARED = re.compile(r"(?:const|let|function\*?|class)\s+(\w+)")


IMPORT = re.compile(r"^import\s[^;]*?\sfrom '\./([\w.]+)';$", re.MULTILINE)


def script_lines(path, names):
    text = path.read_text(encoding="utf-8")
    for name in IMPORT.findall(text):
        if name not in names:
            sys.exit(f"embed.py: {path} imports {name}, which is not among the files to join")
    for line in IMPORT.sub("", text).splitlines():
        stripped = line.strip()
        if stripped and not stripped.startswith("//"):
            yield line.removeprefix("export ")


def join_script(paths):
    seen = {}
    lines = []
    names = {path.name for path in paths}
    for path in paths:
        for line in script_lines(path, names):
            match = DECLARED.match(line)
            if match and seen.setdefault(match[1], path) != path:
                sys.exit(f"embed.py: '{match[1]}' is declared in {seen[match[1]]} and {path}")
            lines.append(line.strip())
    return "\n".join(lines) + "\n"


def join_text(paths):
    return "".join(path.read_text(encoding="utf-8") for path in paths)


def c_string(text, encoding="utf-8"):
    """One literal per line; every byte that is not plain ASCII as an octal escape."""
    rows = []
    for line in text.splitlines(keepends=True):
        escaped = "".join(
            chr(byte) if 32 <= byte < 127 and byte not in b'"\\?' else f"\\{byte:03o}"
            for byte in line.encode(encoding)
        )
        rows.append(f'\t"{escaped}"')
    return "\n".join(rows) or '\t""'


def read_resource(spec):
    name, _, files = spec.partition("=")
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", name) or not files:
        sys.exit(f"embed.py: '{spec}' is not NAME=FILE[,FILE...]")
    paths = [pathlib.Path(file) for file in files.split(",")]
    join = join_script if all(path.suffix == ".js" for path in paths) else join_text
    return name, join(paths)


def main(arguments):
    if len(arguments) < 3:
        sys.exit(__doc__)
    source, header = map(pathlib.Path, arguments[:2])
    resources = [read_resource(spec) for spec in arguments[2:]]
    guard = re.sub(r"\W", "_", header.name).upper()
    notice = "/* Made by tools/embed.py; do not edit. */\n"
    source.write_text(
        f'{notice}#include "{header.name}"\n'
        + "".join(f"\nconst char {name}[] =\n{c_string(text)};\n" for name, text in resources)
    )
    header.write_text(
        f"{notice}#ifndef {guard}\n#define {guard}\n\n"
        + "".join(f"extern const char {name}[];\n" for name, _ in resources)
        + "\n#endif\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
