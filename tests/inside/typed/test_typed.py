# SPDX-License-Identifier: MIT
"""What other people's tools make of the package: a type checker, data frames."""

import os
import pathlib
import subprocess
import sys

import pytest

EXT = os.environ.get(
    "FIREGLASS_EXT",
    str(pathlib.Path(__file__).resolve().parent.parent.parent.parent / "build-gcc" / "ext"),
)

# Each line that is wrong says with what code it must be found.
PROGRAM = '''
import asyncio
import datetime
import pathlib
from typing import AsyncIterator, Iterator, List, Optional

import fireglass
from fireglass import Capture, Profile

path = pathlib.Path("out.fgc")

@fireglass.profile
def bare(a: int) -> str:
    return str(a)

@fireglass.profile("x.html", rate="max", keep=2.5)
async def called(a: int) -> str:
    return str(a)

@fireglass.profile()
def generator() -> Iterator[int]:
    yield 1

@fireglass.profile(["a.fgc", path])
async def agen() -> AsyncIterator[int]:
    yield 1

def use(p: Profile) -> Optional[Capture]:
    text: str = bare(1)
    numbers: List[int] = list(generator())
    asyncio.run(called(2))
    p.pause()
    p.resume()
    print(p.running, p.path, p.counts()["ticks"], text, numbers)
    return p.capture

async def block() -> None:
    async with fireglass.profile() as p:
        p.flush()
    with fireglass.profile(path, mode="cpu", fork="follow") as q:
        use(q)

def read(c: Capture) -> None:
    part = c.select(thread=["a", "b"], start=0.5, end=datetime.datetime.now(), mode="cpu", span=3)
    for row in part.functions(granularity="files"):
        share: float = row["self"] / row["total"]
        print(share, row["self_ns"] or 0)
    for sample in part.samples():
        function, file, line = sample["stack"][0]
        print(function.upper(), file.upper(), line + 1, sample["holds_gil"])
    data: bytes = part.export("pprof")
    part.export("svg", 1, title="x")
    saved: str = part.save("x.html", baseline=c)
    print(len(c), data, saved, c.top(5, shape="tree"), c.to_pprof().hex(), c.to_folded().split())
    for span in c.spans("GET"):
        print(span["end_ns"] or span["start_ns"])

p = fireglass.start(rate=100)
read(fireglass.stop())
try:
    read(fireglass.load(path))
except fireglass.Error as error:
    print(error, fireglass.__version__)

p.stop().top("x")  # error: arg-type
fireglass.start(mode="native")  # error: arg-type
fireglass.start(speed=1)  # error: call-arg
p.nothing  # error: attr-defined
bare("x")  # error: arg-type
read(p.capture)  # error: arg-type
p.stop().export("svg", 1) + b""  # error: func-returns-value, operator
'''


def test_type_checker(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", tmp_path,
         "program.py"],
        cwd=tmp_path, env=dict(os.environ, MYPYPATH=EXT), stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    found = {}
    for line in done.stdout.splitlines():
        file, number, kind, rest = line.split(":", 3)
        if file == "program.py" and kind.strip() == "error":
            found.setdefault(int(number), set()).add(rest.rpartition("[")[2].rstrip("]"))
    wanted = {
        number: set(line.rpartition("# error: ")[2].split(", "))
        for number, line in enumerate(PROGRAM.splitlines(), 1)
        if "# error: " in line
    }
    assert {number: codes & wanted.get(number, codes) for number, codes in found.items()} == {
        number: codes & found.get(number, set()) for number, codes in wanted.items()
    }, done.stdout
    assert set(found) == set(wanted), done.stdout


@pytest.mark.parametrize("name", ["__init__", "_capture", "_profile"])
def test_stubs_are_strict(tmp_path, name):
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path,
         os.path.join(EXT, "fireglass", name + ".pyi")],
        cwd=tmp_path, env=dict(os.environ, MYPYPATH=EXT), stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    ours = [line for line in done.stdout.splitlines() if f"/{name}.pyi:" in line]
    assert not ours, done.stdout


def test_stubs_say_what_there_is():
    """Names and arguments of the stubs are those of the classes."""
    import ast
    import inspect

    sys.path.insert(0, EXT)
    import fireglass

    for module, kind in (("_capture", "Capture"), ("_profile", "Profile")):
        stub = pathlib.Path(EXT, "fireglass", module + ".pyi").read_text()
        body = next(n for n in ast.parse(stub).body if isinstance(n, ast.ClassDef) and n.name == kind)
        said = {n.name for n in body.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))}
        real = getattr(fireglass, kind)
        public = {name for name, value in vars(real).items()
                  if not name.startswith("_") or inspect.isfunction(value) and name.startswith("__")}
        assert public - said <= {"__repr__"}, public - said
        assert said - public <= {"_repr_html_"}, said - public
    for name in dir(fireglass):
        value = getattr(fireglass, name, None)
        if not name.startswith("_") and callable(value):
            assert value.__doc__, name
    arguments = set(inspect.signature(fireglass.Profile.__init__).parameters) - {"self"}
    for function in ("profile", "start"):
        tree = ast.parse(pathlib.Path(EXT, "fireglass", "_profile.pyi").read_text())
        found = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == function][-1]
        said = {a.arg for a in found.args.args + found.args.kwonlyargs}
        assert said == arguments, function


FRAMES = """
import sys, fireglass
def burn():
    return sum(i * i for i in range(2000))
p = fireglass.start("out.fgc")
while p.counts()["samples"] < 50:
    burn()
fireglass.stop()
"""


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    directory = tmp_path_factory.mktemp("frames")
    env = dict(os.environ, PYTHONPATH=EXT)
    subprocess.run([sys.executable, "-c", FRAMES], cwd=directory, env=env, check=True)
    sys.path.insert(0, EXT)
    import fireglass

    return fireglass.load(directory / "out.fgc")


@pytest.mark.parametrize("by", ["function", "line", "file", "module", "thread", "span"])
def test_data_frames(capture, by):
    import pandas
    import polars

    rows = capture.stats(by)
    for frame in (pandas.DataFrame(rows), polars.DataFrame(rows)):
        assert len(frame) == len(rows)
        if by not in ("thread", "span"):
            assert int(frame["self"].sum()) == len(capture)
            assert abs(float(frame["self_percent"].sum()) - 100) < 0.01


def test_frames_of_samples(capture):
    import pandas
    import polars

    frame = pandas.DataFrame(capture.samples())
    assert int(frame["count"].sum()) == len(capture)
    frame["time"] = pandas.to_datetime(frame["time_ns"])
    assert frame["time"].is_monotonic_increasing
    rows = [dict(row, stack=[frame[0] for frame in row["stack"]]) for row in capture.samples()]
    assert int(polars.DataFrame(rows)["count"].sum()) == len(capture)
