# SPDX-License-Identifier: MIT
"""The sdist: the sources, and the viewer's pages built, so that no esbuild is needed to install it."""

import pathlib
import shutil
import subprocess
import tempfile

from build_page import ENTRIES

from . import archive, metadata
from .common import ROOT, WheelError, run

BUILT = "web/built/"
# Pictures, and what only tests read.
LEFT_OUT = ("docs/img/", "docs/report/", "tests/golden/", "tests/images/", "tests/fuzz/seeds/",
            "tests/import/", "bench/", ".ci/")


def names_by_git():
    """What git knows or would take; None where the sources are no checkout, or there is no git."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        return None
    # also a checkout that belongs to somebody else
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return listed.stdout.decode().split("\0") if listed.returncode == 0 else None


def names_by_looking():
    """All but what was built."""
    found = [path.relative_to(ROOT) for path in ROOT.rglob("*")]
    return [path.as_posix() for path in found
            if not {"__pycache__", "node_modules", "PKG-INFO"} & set(path.parts)
            and not path.parts[0].startswith(("build", "."))]


def source_files():
    names = names_by_git() or names_by_looking()
    return [name for name in names
            if name and not name.startswith(LEFT_OUT) and (ROOT / name).is_file()]


def built_page(name):
    """One of the pages, as esbuild makes it; or as it came with a release."""
    esbuild = shutil.which("esbuild")
    if not esbuild:
        if (ROOT / BUILT / name).is_file():
            return (ROOT / BUILT / name).read_bytes()
        raise WheelError("esbuild is missing, which builds the page: tools/deps build")
    with tempfile.TemporaryDirectory() as scratch:
        page = pathlib.Path(scratch) / name
        run("python3", ROOT / "tools" / "build_page.py", "bundle", "--esbuild", esbuild,
            "--entry", ENTRIES[name], ROOT / "web", page)
        return page.read_bytes()


def write(directory):
    """Its name."""
    top = f"fireglass-{metadata.version()}"
    files = {name: ((ROOT / name).read_bytes(), bool((ROOT / name).stat().st_mode & 0o111))
             for name in source_files()}
    files.update((BUILT + name, (built_page(name), False)) for name in ENTRIES)
    # wheels with libraries in them are under more licences
    about = metadata.core_metadata(dynamic=["License-Expression", "License-File"])
    files["PKG-INFO"] = (about.encode(), False)
    archive.write_sdist(pathlib.Path(directory) / f"{top}.tar.gz", top, files)
    return f"{top}.tar.gz"
