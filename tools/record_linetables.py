#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Records tests/golden/linetables anew: line tables, and what Python itself says of them.

  tools/record_linetables.py [--only 3.11,3.14t]

Needs the interpreters that tools/interpreters finds.
"""

import argparse
import subprocess

from record_images import ROOT, environment, releases

LINETABLES = ROOT / "tests" / "golden" / "linetables"


def record(name, interpreter):
    shapes = (LINETABLES / "shapes.py").read_bytes()
    done = subprocess.run(
        [*interpreter["argv"], "-E", "-"],
        input=shapes,
        check=True,
        stdout=subprocess.PIPE,
        env=environment(interpreter),
    )
    (LINETABLES / f"{name}.txt").write_bytes(done.stdout)
    count = sum(line.startswith(b"code ") for line in done.stdout.splitlines())
    print(f"{name:6} {interpreter['id']:22} {len(done.stdout):7} bytes, {count} code objects")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", help="these releases: 3.11,3.14t")
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else None
    for name, interpreter in releases().items():
        if wanted is None or name in wanted:
            record(name, interpreter)


if __name__ == "__main__":
    main()
