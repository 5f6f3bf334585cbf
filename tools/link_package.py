#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a build directory's copy of the Python package: links to its sources and to the modules.

    link_package.py SOURCE_DIR BUILD_DIR STAMP MODULE...

A module is built as _fireglass-ABI.so, and named as Python looks for it: _fireglass.ABI.so.
"""

import os
import pathlib
import shutil
import sys


def main():
    source, build, stamp, *modules = (pathlib.Path(arg).resolve() for arg in sys.argv[1:])
    shutil.rmtree(build, ignore_errors=True)
    for path in sorted(source.rglob("*")):
        if path.is_dir() or "__pycache__" in path.parts:
            continue
        link = build / path.relative_to(source)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
    for module in modules:
        name = module.name.replace("_fireglass-", "_fireglass.")
        (build / name).symlink_to(os.path.relpath(module, build))
    stamp.touch()


main()
