# SPDX-License-Identifier: MIT
"""The core metadata of the distribution, from pyproject.toml and meson.build."""

import re

from .common import ROOT, WheelError

try:
    import tomllib
except ImportError:  # before 3.11
    try:
        import tomli as tomllib
    except ImportError:
        tomllib = None


def project():
    """The [project] table, with the version."""
    if not tomllib:
        raise WheelError("reading pyproject.toml needs Python 3.11, or tomli: pip install tomli")
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return dict(table, version=version())


def version():
    found = re.search(r"^\s*version: '([^']+)'", (ROOT / "meson.build").read_text(), re.M)
    if not found:
        raise WheelError("meson.build names no version")
    return found[1]


def license_files():
    return project()["license-files"]


def core_metadata(spdx=None, more_licenses=(), dynamic=()):
    """METADATA of a wheel, PKG-INFO of an sdist. `spdx`: the licence, if it is not that of the sources alone;
    `more_licenses`: files of what is linked into it; `dynamic`: what may be another in a wheel."""
    table = project()
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {table['name']}",
        f"Version: {table['version']}",
        f"Summary: {table['description']}",
        *(f"Dynamic: {field}" for field in dynamic),
        f"License-Expression: {spdx or table['license']}",
        *(f"License-File: {name}" for name in [*license_files(), *more_licenses]),
        f"Keywords: {','.join(table['keywords'])}",
        *(f"Classifier: {line}" for line in table["classifiers"]),
        f"Requires-Python: {table['requires-python']}",
        "Description-Content-Type: text/markdown",
    ]
    readme = (ROOT / table["readme"]).read_text(encoding="utf-8")
    return "\n".join(lines) + "\n\n" + readme


def entry_points():
    """entry_points.txt, or nothing."""
    groups = project().get("entry-points", {})
    return "\n".join(
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in sorted(items.items()))
        for group, items in sorted(groups.items()))
