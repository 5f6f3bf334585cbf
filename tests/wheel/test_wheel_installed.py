# SPDX-License-Identifier: MIT
"""Installed by pip for each interpreter: the package samples it, the command comes with it."""

import json
import os
import shutil
import sys

import harness
import pytest
from conftest import INTERPRETERS, SAMPLE_ITSELF, WHEELS, checked, clean_env

# Those whose own pip can be expected to know what they want.
ORDINARY = [i for i in INTERPRETERS if not i.root and not i.free_threaded]


def looks_right(folded):
    return any("burn" in line for line in folded.split("\n"))


def test_samples_the_interpreter(interp, installed):
    site = installed(interp)
    (site.outside / "program.py").write_text(SAMPLE_ITSELF)
    said = site.python(f"{site.inside}/program.py", f"{site.inside}/itself.fgc")
    suffix = ".cpython-%d%dt-" % interp.minor if interp.free_threaded else ".abi3.so"
    assert suffix in said
    folded = site.command("export", f"{site.inside}/itself.fgc", "-f", "folded", "-o", "-")
    assert looks_right(folded), folded
    # the module finds the command that was installed with it
    version = site.command("--version")
    assert site.python("-m", "fireglass", "--version") == version


def test_free_threaded_interpreter_stays_so(installed):
    chosen = [i for i in INTERPRETERS if i.free_threaded]
    harness.need(chosen, "needs a free-threaded interpreter")
    for interp in chosen:
        site = installed(interp)
        said = site.python("-W", "error", "-c", "import sys; before = sys._is_gil_enabled()\n"
                           "import fireglass; print(before, sys._is_gil_enabled())")
        assert said.split() == ["False", "False"], interp.id
        shutil.rmtree(site.outside.parent)


class Venv:
    """A bare virtual environment, with pip of its own or, where Python comes without, the given one."""

    def __init__(self, interp, folder, pip):
        own = harness.has_module(interp, "ensurepip")
        checked([*interp.argv, "-m", "venv", *([] if own else ["--without-pip"]), folder],
                env=clean_env(**interp.env))
        self.python = folder / "bin" / "python"
        self.pip_words = ["-m", "pip"] if own else [pip]

    def pip(self, *words, **options):
        return checked([self.python, *self.pip_words, *words], **options)


@pytest.mark.parametrize("ordinary", ORDINARY, ids=lambda i: i.id)
def test_pip_installs_it_into_a_bare_venv(ordinary, tmp_path, pip):
    venv = Venv(ordinary, tmp_path / "venv", pip)
    python = venv.python
    venv.pip("install", "--no-index", "--find-links", WHEELS, "fireglass")
    bare = clean_env(PATH=str(tmp_path / "venv" / "bin"))
    version = checked([python, "-c", "import fireglass; print(fireglass.__version__)"], env=bare)
    command = tmp_path / "venv" / "bin" / "fireglass"
    assert version.strip() in checked([command, "--version"], env=bare)
    # the module finds the command beside its interpreter
    assert version.strip() in checked([python, "-m", "fireglass", "--version"], env=bare)
    (tmp_path / "burn.py").write_text(
        "import time\ndef burn():\n    end = time.process_time() + 0.3\n"
        "    while time.process_time() < end: pass\nburn()\n")
    checked([command, "record", "-q", "-o", tmp_path / "out.folded", "--", python,
             tmp_path / "burn.py"], env=bare)
    assert looks_right((tmp_path / "out.folded").read_text())
    checked([python, "-m", "fireglass", "run", "-o", tmp_path / "run.fgc", tmp_path / "burn.py"],
            env=bare)
    assert looks_right(
        checked([command, "export", tmp_path / "run.fgc", "-f", "folded", "-o", "-"], env=bare))
    venv.pip("uninstall", "-y", "fireglass")
    assert not command.exists()
    assert not list((tmp_path / "venv").glob("lib/python*/site-packages/fireglass*"))


def test_page_needs_nothing_else(tmp_path, pip):
    """One interpreter is enough: the page is in the command."""
    venv = Venv(ORDINARY[-1], tmp_path / "venv", pip)
    venv.pip("install", "--no-index", "--find-links", WHEELS, "fireglass")
    command = tmp_path / "venv" / "bin" / "fireglass"
    checked([command, "record", "-q", "-o", tmp_path / "out.html", "--", venv.python, "-c",
             "sum(i for i in range(3000000))"], env=clean_env(PATH=""))
    assert "</html>" in (tmp_path / "out.html").read_text()


def path_without(folder, left_out):
    """A PATH with all programs of this one but some."""
    folder.mkdir()
    names = {}
    for place in os.get_exec_path():
        for name in os.listdir(place) if os.path.isdir(place) else ():
            names.setdefault(name, os.path.join(place, name))
    for name, path in names.items():
        if name not in left_out:
            (folder / name).symlink_to(path)
    return str(folder)


def test_sdist_builds_where_a_compiler_is(tmp_path):
    """By pip, with what the system has but without esbuild: the wheel is for this machine, its version the same."""
    harness.need_tool("meson")
    checked([sys.executable, "-m", "venv", tmp_path / "venv"])
    python = tmp_path / "venv" / "bin" / "python"
    sdist = next(WHEELS.glob("fireglass-*.tar.gz"))
    env = clean_env(PATH=path_without(tmp_path / "programs", ["esbuild"]))
    for name in ("PIP_INDEX_URL", "PIP_CERT", "PIP_FIND_LINKS"):
        if name in os.environ:
            env[name] = os.environ[name]
    checked([python, "-m", "pip", "install", sdist], env=env, timeout=3600)
    said = checked([python, "-c", "import fireglass, json; print(json.dumps(fireglass.__version__))"])
    assert json.loads(said) in checked([tmp_path / "venv" / "bin" / "fireglass", "--version"])
