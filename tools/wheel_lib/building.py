# SPDX-License-Identifier: MIT
"""Compiling with meson, and making a wheel of what came out.

A wheel holds the package (ext/fireglass), one extension module and the command as a binary script. meson-python
was considered: it names a wheel after the interpreter that runs it, so that a cp38-abi3 one wants a Python 3.8,
and each free-threaded one its interpreter with pip, at hand; here all come out of one build.
"""

import os
import pathlib
import re
import sysconfig

from . import archive, metadata
from .common import ROOT, WheelError, run

PACKAGE = ROOT / "ext" / "fireglass"
OPTIONS = ["-Dtests=disabled", "-Doptimization=2", "-Ddebug=false"]
LINK_ARGS = ["-Wl,-s", "-Wl,--gc-sections"]


class Tags:
    """How an extension module's ABI, as meson is told it, is called in the name of a wheel."""

    def __init__(self, abi):
        self.abi = abi
        found = re.match(r"cpython-(\d+)(t?)(?:-|$)", abi)
        if abi == "abi3":
            self.python, self.abi_tag = "cp38", "abi3"
        elif found:
            self.python, self.abi_tag = "cp" + found[1], "cp" + found[1] + found[2]
        else:
            raise WheelError(f"'{abi}' is no ABI of an extension module")


def running_abi():
    """The ABI for the interpreter that runs this, and the directory of its headers."""
    headers = sysconfig.get_path("include")
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "abi3", headers
    return sysconfig.get_config_var("SOABI"), headers


def compile_all(build, abis, options=(), env=None):
    """Sets up and builds. `abis`: (ABI, directory with headers)."""
    for abi, headers in abis:
        if not (pathlib.Path(headers) / "Python.h").is_file():
            raise WheelError(f"the headers of Python are missing (for {abi}): no Python.h in {headers}")
    listed = ",".join(f"{abi}={headers}" for abi, headers in abis)
    words = ["meson", "setup", *OPTIONS, f"-Dpython_abis={listed}", *options]
    again = ["--reconfigure"] if (build / "build.ninja").is_file() else []
    run(*words, *again, build, ROOT, env=env)
    run("ninja", *jobs(), "-C", build, "fireglass", "ext/package.stamp", env=env)


def jobs():
    count = os.environ.get("FIREGLASS_JOBS")
    return [f"-j{count}"] if count else []


def module_of(build, abi):
    return build / "ext" / f"_fireglass-{abi}.so"


def package_files():
    """{name in a wheel: path} of the package."""
    return {
        "fireglass/" + path.relative_to(PACKAGE).as_posix(): path
        for path in sorted(PACKAGE.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }


def write_wheel(out, build, abi, platform, spdx=None, licenses=None):
    """One wheel in the directory `out`. With libraries linked into it: `spdx`, the licence of the whole, and
    `licenses`, {name: path} of theirs. Its name."""
    tags = Tags(abi)
    stem = f"fireglass-{metadata.version()}"
    tag = f"{tags.python}-{tags.abi_tag}-{platform}"
    name = f"{stem}-{tag}.whl"
    wheel = archive.Wheel(pathlib.Path(out) / name, f"{stem}.dist-info")
    for inside, path in package_files().items():
        wheel.add(inside, path.read_bytes())
    suffix = tags.abi if abi != "abi3" else "abi3"
    wheel.add(f"fireglass/_fireglass.{suffix}.so", module_of(build, abi).read_bytes(), True)
    wheel.add(f"{stem}.data/scripts/fireglass", (build / "fireglass").read_bytes(), True)
    for inside, content in dist_info(tag, spdx, licenses or {}).items():
        wheel.add(f"{stem}.dist-info/{inside}", content)
    wheel.finish()
    return name


def dist_info(tag, spdx, licenses):
    """{name: content} of the metadata's folder, but for RECORD."""
    about = metadata.core_metadata(spdx, sorted(licenses)).encode()
    files = {f"licenses/{name}": (ROOT / name).read_bytes() for name in metadata.license_files()}
    files.update((f"licenses/{name}", path.read_bytes()) for name, path in licenses.items())
    points = metadata.entry_points()
    if points:
        files["entry_points.txt"] = points.encode()
    described = f"Wheel-Version: 1.0\nGenerator: fireglass\nRoot-Is-Purelib: false\nTag: {tag}\n"
    return {"METADATA": about, "WHEEL": described.encode(), **files}
