# SPDX-License-Identifier: MIT
"""The wheels that tools/wheel made, in $FIREGLASS_WHEELS (else build-wheel): what is in them, and whether
they work where they are installed.

`wheel` is each of those of this machine's architecture. `installed(interp)` is a site directory into which pip
put the wheel for that interpreter. `pip` is a directory with pip in it, which any interpreter can run.
"""

import os
import pathlib
import platform
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "live"))
sys.path.insert(0, str(ROOT / "tools"))
import harness  # noqa: E402
from wheel_lib import toolchain  # noqa: E402

WHEELS = pathlib.Path(os.environ.get("FIREGLASS_WHEELS") or ROOT / "build-wheel").resolve()
INTERPRETERS = [i for i in harness.find_interpreters() if i.minor >= (3, 8)]

# A recording of itself with a known function in it: written, and read again by the command.
SAMPLE_ITSELF = """
import os, sys
import fireglass
from fireglass._fireglass import Session

def burn():
    enough = session.counts()["samples"] + 20
    while session.counts()["samples"] < enough:
        sum(i * i for i in range(1000))

fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
session = Session(fd, period_ns=2000000)
burn()
session.stop()
os.close(fd)
print(fireglass.__version__, fireglass._fireglass.__file__)
"""


def wheel_paths():
    return sorted(WHEELS.glob(f"fireglass-*_{platform.machine()}.whl"))


def pytest_sessionstart(session):
    if not wheel_paths():
        pytest.exit(f"no wheels in {WHEELS}: tools/wheel makes them", 1)


def pytest_generate_tests(metafunc):
    if "interp" in metafunc.fixturenames:
        metafunc.parametrize("interp", INTERPRETERS, ids=lambda i: i.id)
    if "wheel" in metafunc.fixturenames:
        metafunc.parametrize("wheel", wheel_paths(), ids=lambda path: path.name)


def clean_env(**more):
    """No variable of pip's or Python's of the one who tests."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON", "FIREGLASS"))}
    kept.update(PYTHONDONTWRITEBYTECODE="1", PIP_DISABLE_PIP_VERSION_CHECK="1", **more)
    return kept


def checked(argv, **options):
    """A command that ends well; what it printed."""
    options.setdefault("env", clean_env())
    options.setdefault("timeout", 300)
    done = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False, **options)
    assert done.returncode == 0, f"{argv}: {done.stdout}"
    return done.stdout


# Into an interpreter's root, a /proc that goes when the command has ended. What follows "$0" is run.
WITH_PROC = 'mount -t proc proc "$0/proc" && exec "$@"'


class Site:
    """A directory with the package and the command, as an interpreter that may live in a root sees it."""

    def __init__(self, interp, outside):
        self.interp, self.outside = interp, outside
        self.inside = "/" + os.path.relpath(outside, interp.root) if interp.root else str(outside)
        self.before = []
        if interp.root:
            self.before = ["unshare", "--mount", "sh", "-c", WITH_PROC, interp.root]

    def python(self, *words, **options):
        """Runs the interpreter with the package."""
        env = clean_env(PYTHONPATH=self.inside, **self.interp.env)
        argv = [*self.before, *self.interp.argv, *words]
        return checked(argv, env=env, cwd=self.outside, **options)

    def command(self, *words, **options):
        """Runs the program fireglass, in the interpreter's root if it has one."""
        enter = [*self.before, "chroot", self.interp.root] if self.interp.root else []
        options.setdefault("cwd", self.outside)
        return checked([*enter, f"{self.inside}/bin/fireglass", *words], **options)


def pip_tags(interp):
    """What pip asks wheels for when it installs for another interpreter."""
    short = f"cp{interp.minor[0]}{interp.minor[1]}"
    abi = short + "t" if interp.free_threaded else "abi3"
    words = ["--only-binary", ":all:", "--implementation", "cp", "--abi", abi,
             "--python-version", "%d.%d" % interp.minor]
    for minor in range(17, 37):
        words += ["--platform", f"manylinux_2_{minor}_{platform.machine()}"]
    return words


@pytest.fixture(scope="session")
def pip():
    """That of tools/wheel: a system's Python may come without one, or with one too old for newer Pythons."""
    return next(toolchain.environment().glob("lib/python*/site-packages/pip"))


def pip_target(pip, interp, site):
    """The wheel for an interpreter into a directory, by another one's pip."""
    checked([sys.executable, pip, "install", "-q", "--no-index", "--no-deps", "--find-links", WHEELS,
             "--target", site, *pip_tags(interp), "fireglass"])


@pytest.fixture
def installed(tmp_path, pip):
    """installed(interp): a Site."""
    made = []

    def install(interp):
        folder = tmp_path
        if interp.root:
            harness.need_tool("unshare")
            folder = pathlib.Path(interp.root) / "tmp" / f"fireglass-wheel-{os.getpid()}-{len(made)}"
        site = folder / "site"
        site.mkdir(parents=True)
        made.append(folder)
        pip_target(pip, interp, site)
        return Site(interp, site)

    yield install
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)
