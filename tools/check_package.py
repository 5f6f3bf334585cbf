#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the sources of the Python package, ext/fireglass/.

Syntax of Python 3.8, an SPDX line, and nothing imported at the top but the standard library and the
package itself: what others bring (web frameworks, IPython, pytest) is imported where it is used, or in
the modules made for them. Prints one line per breach and exits 1 if there is any.
"""

import ast
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "ext" / "fireglass"
OLDEST = (3, 8)
# Made for one library each: they may import it at the top.
FOR_OTHERS = ("_site/", "web/", "pytest_plugin", "ipython", "_pytest", "_ipython")
MAX_LINES = 800


def imported(tree):
    """(line, name of the module) of each absolute import at the top."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.lineno, node.module.split(".")[0]


def breaches_of(path):
    name = path.relative_to(ROOT).as_posix()
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    if not lines or "SPDX-License-Identifier: MIT" not in lines[0]:
        yield f"{name}:1: no SPDX line"
    if len(lines) > MAX_LINES:
        yield f"{name}: {len(lines)} lines, more than {MAX_LINES}"
    try:
        tree = ast.parse(text, feature_version=OLDEST)
    except SyntaxError as error:
        yield f"{name}:{error.lineno}: not for Python {OLDEST[0]}.{OLDEST[1]}: {error.msg}"
        return
    if path.relative_to(PACKAGE).as_posix().startswith(FOR_OTHERS):
        return
    known = getattr(sys, "stdlib_module_names", None)  # 3.10
    for line, module in imported(tree) if known else ():
        if module not in known and module != "fireglass":
            yield f"{name}:{line}: imports '{module}', which the standard library does not have"


def main():
    sources = sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.pyi")])
    breaches = [breach for path in sources for breach in breaches_of(path)]
    print("\n".join(breaches) if breaches else f"package: clean ({len(sources)} files)")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
