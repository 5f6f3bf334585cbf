# SPDX-License-Identifier: MIT
"""Headers of CPythons, from Debian's packages: in one directory for each release.

Those of a build with the lock serve for the free-threaded build of the same release: Py_GIL_DISABLED, which pyconfig.h
would define there, is given to the compiler (as it is on Windows, where both share their headers).
"""

import shutil

from .common import WheelError, cache_dir, run, say
from .debian_archive import Archive

SUITE = "sid"


def directory(minor):
    """Where the headers of a release are, fetched now if they are not in the cache."""
    folder = cache_dir() / f"headers-{minor}"
    if (folder / "complete").is_file():
        return folder / "include"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    package = f"libpython{minor}-dev"
    say(f"fetching {package}")
    Archive(SUITE, "deb").apt("download", package, cwd=folder)
    run("dpkg", "-x", next(folder.glob("*.deb")), folder / "root")
    headers = folder / "root" / "usr" / "include"
    configs = list(headers.glob(f"*-linux-gnu/python{minor}/pyconfig.h"))
    if len(configs) != 1:
        raise WheelError(f"'{package}' holds no pyconfig.h")
    shutil.copytree(headers / f"python{minor}", folder / "include")
    # in Debian's package a file that includes the one of the architecture
    shutil.copy(configs[0], folder / "include" / "pyconfig.h")
    shutil.rmtree(folder / "root")
    next(folder.glob("*.deb")).unlink()
    (folder / "complete").touch()
    return folder / "include"
