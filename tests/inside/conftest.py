# SPDX-License-Identifier: MIT
"""`import fireglass`, in real interpreters.

`interp` runs a test on every release of CPython from 3.8 on for which there is a build of the extension;
one marked `every_build` also on others of the same release (shared or static, optimised by others), one
marked `needs` on those that have a module, which not every build has. `python` is one of them. `run(interp, code, *args)` runs a program in it, with the package of the build directory.
"""

import functools
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "live"))
import harness  # noqa: E402

EXT = os.environ.get("FIREGLASS_EXT", str(ROOT / "build-gcc" / "ext"))


def has_module(interp):
    """Without the lock there is a module for each release, if the build directory was told to make them."""
    if not interp.free_threaded:
        return True
    named = "_fireglass.cpython-%d%dt-*.so" % interp.minor
    return bool(list(pathlib.Path(EXT, "fireglass").glob(named)))


INTERPRETERS = [
    i
    for i in harness.find_interpreters()
    if i.minor >= (3, 8) and not i.root and has_module(i)
]


def environment(interp, **more):
    """Of a process: ours, with the package of the build directory for that interpreter."""
    ours = {"PYTHONPATH": EXT, "PYTHONDONTWRITEBYTECODE": "1"}
    return {**os.environ, **interp.env, **ours, **more}


def one_of_each(interpreters):
    chosen = {}
    for interp in interpreters:
        chosen.setdefault((interp.minor, interp.free_threaded), interp)
    return list(chosen.values())


@functools.lru_cache(maxsize=None)
def those_with(*modules):
    return [i for i in INTERPRETERS if harness.has_module(i, *modules)]


def pytest_configure(config):
    config.addinivalue_line("markers", "since(major, minor): not on older interpreters")
    config.addinivalue_line("markers", "needs(module, ...): on interpreters that have one of them")
    config.addinivalue_line("markers", "every_build: on all interpreters, not one of each release")


def pytest_generate_tests(metafunc):
    if "interp" not in metafunc.fixturenames:
        return
    every = metafunc.definition.get_closest_marker("every_build")
    chosen = INTERPRETERS
    for mark in metafunc.definition.iter_markers("needs"):
        chosen = those_with(*mark.args)
    chosen = chosen if every else one_of_each(chosen)
    for mark in metafunc.definition.iter_markers("since"):
        chosen = [i for i in chosen if i.minor >= mark.args]
    if any("interp" in mark.args[0].split(",") for mark in metafunc.definition.iter_markers("parametrize")):
        return
    metafunc.parametrize("interp", chosen, ids=lambda i: i.id)


@pytest.fixture(scope="session")
def python():
    return [i for i in INTERPRETERS if not i.free_threaded][-1]


@pytest.fixture
def run(tmp_path):
    """run(interp, code, *args, check=True, **options): the finished process, in tmp_path."""

    def run_code(interp, code, *args, check=True, timeout=120, env=None, **options):
        script = tmp_path / "program.py"
        script.write_text(code)
        done = subprocess.run(
            [interp.exe, str(script), *args],
            env={**environment(interp), **(env or {})},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=timeout,
            check=False,
            **options,
        )
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    return run_code
