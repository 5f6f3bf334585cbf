# SPDX-License-Identifier: MIT
"""python -m fireglass run PROGRAM: as `python PROGRAM`, side by side."""

import os
import signal
import subprocess
import zipfile

import pytest

from conftest import EXT

STATE = """
import os, sys
main = sys.modules["__main__"]
flags = sys.flags
print(__name__, globals().get("__file__"), __spec__ and __spec__.name, __package__)
print(type(__loader__).__name__ if not isinstance(__loader__, type) else __loader__.__name__)
print(sys.argv, sys.path, flags, getattr(sys, "orig_argv", None), sorted(vars(main)), main.__dict__ is globals())
print(sorted(name for name in sys.path_importer_cache if "_site" in name))
print({key: value for key, value in os.environ.items() if key.startswith(("PY", "FIREGLASS", "LC_"))})
below = sys._getframe().f_back
print("sitecustomize" in sys.modules, below and below.f_code.co_name, sys.getrecursionlimit(), sys.executable)
"""

# name, files, the interpreter's options and the program
CASES = {
    "script": ({"p.py": STATE}, ["p.py", "a", "-b", "--c=d e", ""]),
    "options": ({"p.py": STATE}, ["-X", "dev", "-O", "-W", "error", "-u", "p.py", "x"]),
    "directory-of-script": ({"d/p.py": STATE}, ["d/../d/p.py"]),
    "module": ({"pack/__init__.py": "", "pack/mod.py": STATE}, ["-m", "pack.mod", "x", "-m"]),
    "package": ({"pack/__init__.py": "", "pack/__main__.py": STATE}, ["-mpack", "-c", "x"]),
    "code": ({}, ["-c", STATE, "x", "-c"]),
    "directory": ({"app/__main__.py": STATE}, ["app", "x"]),
    "directory-by-detour": ({"d/app/__main__.py": STATE}, ["d/./../d/app"]),
    "zip": ({"app.zip": STATE}, ["app.zip", "x"]),
    "standard-input": ({"<": STATE}, ["-", "x"]),
    "own-customization": (
        {"sitecustomize.py": "import sys\nsys.own = __file__, __name__\n",
         "p.py": "import sys, sitecustomize\nprint(sys.own, sitecustomize, sys.path)"},
        ["p.py"],
    ),
    "exception": (
        {"p.py": "def f():\n    try:\n        1/0\n    except Exception:\n        raise OSError('x')\nf()\n"},
        ["p.py"],
    ),
    "exception-in-code": ({}, ["-c", "import json\njson.loads('{')"]),
    "exception-in-module": ({"m.py": "raise KeyError('x')"}, ["-m", "m"]),
    "own-excepthook": (
        {"p.py": "import sys, traceback\nsys.excepthook = lambda k, e, t: "
                 "print('hook', k, e, [f.name for f in traceback.extract_tb(t)])\n1/0\n"},
        ["p.py"],
    ),
    "syntax-error": ({"p.py": "x = = 1\n"}, ["p.py"]),
    "no-file": ({}, ["nowhere.py"]),
    "no-module": ({}, ["-m", "nowhere.at.all"]),
    "exit-status": ({"p.py": "import sys\nsys.exit(7)"}, ["p.py"]),
    "exit-none": ({"p.py": "import sys\nsys.exit()"}, ["p.py"]),
    "exit-text": ({"p.py": "raise SystemExit('bad: \\xe9')"}, ["p.py"]),
    "exit-at-once": ({"p.py": "import os\nprint('x', flush=True)\nos._exit(3)"}, ["p.py"]),
    "at-exit": (
        {"p.py": "import atexit, threading, time\natexit.register(print, 'end')\n"
                 "e = threading.Event()\nt = threading.Thread(target=lambda: (e.wait(), print('thread')))\n"
                 "t.start()\nprint('main')\ne.set()\n"},
        ["p.py"],
    ),
    "interrupted": ({"p.py": "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nimport time\ntime.sleep(60)"}, ["p.py"]),
    "killed": ({"p.py": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"}, ["p.py"]),
    "terminated": ({"p.py": "import os, signal, time\nprint(signal.getsignal(signal.SIGTERM), flush=True)\n"
                            "os.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(60)"}, ["p.py"]),
    "handlers": (
        {"p.py": "import signal\nprint([(s, signal.getsignal(s)) for s in range(1, 32)])\n"},
        ["p.py"],
    ),
    "recursion": (
        {"p.py": "def f(n):\n    try:\n        return f(n + 1)\n    except RecursionError:\n        return n\nprint(f(0))\n"},
        ["p.py"],
    ),
    "spawn": (
        {"p.py": "import multiprocessing as m\ndef f(x):\n    return __name__, x\n"
                 "if __name__ == '__main__':\n    m.set_start_method('spawn')\n"
                 "    with m.Pool(1) as p:\n        print(p.map(f, [1, 2]))\n"},
        ["p.py"],
    ),
    "subprocess": (
        {"p.py": "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', "
                 "'import os, sys; print(sorted(k for k in os.environ if k[:2] in (\"PY\", \"FI\")), "
                 "\"fireglass\" in sys.modules)'], stdout=subprocess.PIPE).stdout.decode())\n"},
        ["p.py"],
    ),
    "input": ({"p.py": "print(input('? '), input())", "<": "one\ntwo\n"}, ["p.py"]),
    "no-warnings": ({"p.py": "import os\npid = os.fork()\nif not pid:\n    os._exit(0)\nprint(os.waitpid(pid, 0)[1])\n"},
                    ["-W", "always", "p.py"]),
}  # fmt: skip


def lay_out(directory, files):
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".zip"):
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("__main__.py", text)
        elif name != "<":
            path.write_text(text)


def execute(interp, directory, words, text="", **environment):
    environment.setdefault("PYTHONPATH", EXT)
    base = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "FIREGLASS"))}
    done = subprocess.run(
        [interp.exe, *words],
        cwd=directory,
        env={**base, **interp.env, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def split(words):
    """The interpreter's options, and the program."""
    at = 0
    while words[at] in ("-X", "-W") or words[at] in ("-O", "-u"):
        at += 2 if words[at] in ("-X", "-W") else 1
    return words[:at], words[at:]


@pytest.mark.parametrize("case", CASES)
def test_as_without_it(interp, case, tmp_path):
    files, words = CASES[case]
    lay_out(tmp_path, files)
    options, program = split(words)
    out = str(tmp_path / "out.fgc")
    run = [*options, "-m", "fireglass", "run", "-q", "-o", out, *program]
    path = f"{tmp_path}{os.pathsep}{EXT}" if case == "own-customization" else EXT
    plain = execute(interp, tmp_path, words, files.get("<", ""), PYTHONPATH=path)
    ours = execute(interp, tmp_path, run, files.get("<", ""), PYTHONPATH=path)
    assert ours == plain
    assert os.path.getsize(out) > 0


# Where no environment may be read, the program runs in the interpreter that reads the command line.
WITHOUT_ENVIRONMENT = [
    "script", "directory-of-script", "module", "package", "code", "directory", "directory-by-detour",
    "zip", "exception", "exception-in-module", "own-excepthook", "no-file", "no-module", "exit-status",
    "exit-text", "interrupted", "at-exit", "syntax-error",
]  # fmt: skip


def _but_what_differs(text):
    for part in ("below and below.f_code.co_name, ", 'getattr(sys, "orig_argv", None), '):
        text = text.replace(part, "")
    return text


@pytest.mark.parametrize("case", WITHOUT_ENVIRONMENT)
def test_in_the_same_interpreter(interp, case, tmp_path):
    files, words = CASES[case]
    work = tmp_path / "work"
    work.mkdir()
    (work / "fireglass").symlink_to(os.path.join(EXT, "fireglass"))
    files = {name: _but_what_differs(text) for name, text in files.items()}
    words = [_but_what_differs(word) for word in words]
    lay_out(work, files)
    plain = execute(interp, work, ["-E", *words], files.get("<", ""))
    out = str(tmp_path / "out.fgc")
    ours = execute(interp, work, ["-E", "-m", "fireglass", "run", "-qo", out, *words])
    assert ours == plain
    assert os.path.getsize(out) > 0


# ---- what is written -----------------------------------------------------------------------------

BURN = """
import sys, time
def burn():
    return sum(i * i for i in range(2000))
end = time.process_time() + 0.1
while time.process_time() < end:
    burn()
"""


def test_outputs(interp, tmp_path):
    lay_out(tmp_path, {"p.py": BURN})
    words = "-m fireglass run -r 2khz -o out.fgc -o out.folded --output=out.html -o x -f text".split()
    status, out, err = execute(interp, tmp_path, [*words, "--functions", "--hide=burn", "p.py"])
    assert (status, out) == (0, ""), err
    assert "samples in" in err and err.count("fireglass: wrote") == 4
    folded = (tmp_path / "out.folded").read_text()
    assert "<module>" in folded and ":" in folded and "burn (" not in folded
    assert "fireglass" not in folded.split("\n")[0]
    assert (tmp_path / "out.html").stat().st_size > 10000
    assert "By self time" in (tmp_path / "x").read_text()


def test_default_outputs(python, tmp_path):
    lay_out(tmp_path, {"p.py": BURN, "m/__init__.py": "", "m/__main__.py": BURN})
    for words, name in ((["p.py"], "p"), (["-m", "m"], "m"), (["-c", "1"], "python")):
        status, _, err = execute(python, tmp_path, ["-m", "fireglass", "run", *words])
        assert status == 0
        made = sorted(path.suffix for path in tmp_path.glob(f"fireglass-{name}-2*"))
        assert made == [".fgc", ".html"], err
    status, _, err = execute(python, tmp_path, ["-m", "fireglass", "run", "-f", "svg", "p.py"])
    assert status == 0 and len(list(tmp_path.glob("fireglass-p-*.svg"))) == 1, err


@pytest.mark.parametrize(
    "words, said",
    [
        ([], "what to run"),
        (["--nope", "p.py"], "unknown option '--nope'"),
        (["-z", "p.py"], "unknown option '-z'"),
        (["-r", "fast", "p.py"], "bad rate 'fast'"),
        (["-r"], "needs a value"),
        (["--mode", "x", "p.py"], "unknown mode 'x'"),
        (["-f", "x", "p.py"], "unknown format 'x'"),
        (["-o", "x.nope", "p.py"], "no format"),
        (["-o", "-", "p.py"], "standard output"),
        (["-o", "a.svg", "-o", "a.svg", "p.py"], "twice"),
        (["--quiet=1", "p.py"], "unknown option"),
        (["-m"], "-m what?"),
    ],
)
def test_usage(python, tmp_path, words, said):
    lay_out(tmp_path, {"p.py": "print('ran')"})
    status, out, err = execute(python, tmp_path, ["-m", "fireglass", "run", *words])
    assert (status, out) == (2, "") and said in err and err.count("\n") == 1, err
    assert [path.name for path in tmp_path.iterdir()] == ["p.py"]


def test_help(python, tmp_path):
    for words in (["--help"], [], ["run", "--help"], ["run", "-h", "p.py"]):
        status, out, err = execute(python, tmp_path, ["-m", "fireglass", *words])
        assert (status, err) == (0, "") and out.startswith("usage: python -m fireglass")


def test_places_that_cannot_be_written(python, tmp_path):
    lay_out(tmp_path, {"p.py": "print('ran')"})
    words = ["-m", "fireglass", "run", "-o", "no/x.html", "p.py"]
    status, out, err = execute(python, tmp_path, words)
    assert (status, out) == (1, "") and "cannot write 'no/x.html'" in err


def test_children(interp, tmp_path):
    lay_out(
        tmp_path,
        {
            "p.py": BURN + "import multiprocessing as m, subprocess\n"
            "if __name__ == '__main__':\n"
            "    pids = []\n"
            "    for method in ('fork', 'spawn'):\n"
            "        p = m.get_context(method).Process(target=burn)\n"
            "        p.start(); p.join(); pids.append(p.pid)\n"
            "    p = subprocess.Popen([sys.executable, 'p2.py']); p.wait(); pids.append(p.pid)\n"
            "    print(*pids)\n",
            "p2.py": BURN,
        },
    )
    words = ["-m", "fireglass", "run", "--children", "-q", "-o", "out.fgc", "p.py"]
    status, out, err = execute(interp, tmp_path, words)
    assert (status, err) == (0, "")
    for pid in out.split():
        assert (tmp_path / f"out.{pid}.fgc").stat().st_size > 0, sorted(tmp_path.iterdir())


def test_variable(python, tmp_path):
    lay_out(tmp_path, {"p.py": BURN})
    site = os.path.join(EXT, "fireglass", "_site")
    path = f"{site}{os.pathsep}{EXT}"
    for value in ("out.fgc", "-r 500 -q -o out.fgc"):
        done = execute(python, tmp_path, ["p.py"], PYTHONPATH=path, FIREGLASS=value)
        assert done[:2] == (0, ""), done
        (tmp_path / "out.fgc").unlink()
    # what is wrong with it does not keep the program from running
    status, out, err = execute(python, tmp_path, ["-c", "print(1)"], PYTHONPATH=path, FIREGLASS="--nope")
    assert (status, out) == (0, "1\n") and "unknown option" in err


def test_other_commands(python, tmp_path):
    """They go to the program that is installed beside this Python."""
    fake = tmp_path / "bin" / "fireglass"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\necho "$@"\nexit 5\n')
    fake.chmod(0o755)
    words = ["-m", "fireglass", "record", "-p", "1", "a b"]
    done = execute(python, tmp_path, words, PATH=str(fake.parent))
    assert done == (5, "record -p 1 a b\n", "")
    status, out, err = execute(python, tmp_path, words, PATH=str(tmp_path))
    assert (status, out) == (2, "") and "not installed" in err


def test_refused(python, tmp_path):
    """A program is not run without what was asked for."""
    lay_out(tmp_path, {"p.py": "print('ran')"})
    words = ["-m", "fireglass", "run", "--mode", "python", "--keep", "5s", "-o", "x.fgc", "p.py"]
    status, out, err = execute(python, tmp_path, words)
    assert (status, out) == (1, "") and "keep" in err


def test_terminated_by_a_signal(interp, tmp_path):
    """The capture can be read up to where it was killed."""
    code = BURN + "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(60)\n"
    lay_out(tmp_path, {"p.py": code})
    words = ["-m", "fireglass", "run", "-q", "-o", "out.fgc", "-o", "out.folded", "p.py"]
    status, _, err = execute(interp, tmp_path, words)
    assert status == -signal.SIGTERM, err
    assert (tmp_path / "out.fgc").stat().st_size > 0
