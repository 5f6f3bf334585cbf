# SPDX-License-Identifier: MIT
"""pytest --fireglass, in runs of its own by the pytest that runs this."""

import os
import pathlib
import subprocess
import sys

import pytest
from conftest import EXT

TESTS = """
import time
import pytest

def burn(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end: pass
def hot(seconds): burn(seconds)

@pytest.fixture
def prepared():
    burn(0.06)
    yield
    burn(0.06)

def test_fast(): pass
def test_slow(): hot(0.3)
def test_prepared(prepared): pass
@pytest.mark.parametrize("x", ["a/b", "c d"])
def test_each(x): burn(0.02)
def test_wrong(): assert False
@pytest.mark.skip
def test_skipped(): pass
@pytest.mark.fireglass(fail_over=1e-6)
def test_marked(): burn(0.01)
"""


@pytest.fixture
def session(tmp_path):
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    def run(*words, plugin="fireglass.pytest_plugin", ini=""):
        if ini:
            (tmp_path / "pytest.ini").write_text("[pytest]\n" + ini)
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", plugin, "-p", "no:cacheprovider", "-q", *words],
            env=dict(os.environ, PYTHONPATH=EXT, PYTHONDONTWRITEBYTECODE="1"),
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120,
            check=False,
        )  # fmt: skip

    return run


def report(done):
    """The lines of the summary, without the rest."""
    return done.stdout.partition("slowest tests (fireglass)")[2].partition("short test summary")[0]


def test_the_slowest_with_flame_graphs(session, tmp_path):
    done = session("--fireglass", "--fireglass-slowest", "3")
    assert done.returncode == 1 and "2 failed, 5 passed, 1 skipped" in done.stdout, done.stdout
    lines = report(done).split("\n")
    slow = [line for line in lines if "test_it.py::test_slow" in line]
    assert slow and float(slow[0].split()[0]) >= 0.3
    assert "most in burn (test_it.py:5)" in report(done)
    assert sum(" s CPU " in line for line in lines) == 3
    folder = tmp_path / "fireglass-report"
    assert (folder / "tests.fgc").is_file()
    picture = (folder / "test_it.py__test_slow.svg").read_text()
    assert "hot" in picture and "test_it.py::test_slow" in picture and "prepared" not in picture


def test_each_test_is_a_span(session, tmp_path):
    session("--fireglass", "--fireglass-dir", "there", "--fireglass-rate", "500")
    code = """
import sys, fireglass
c = fireglass.load(sys.argv[1])
rows = c.spans()
tests = {row["text"].split("::")[1]: row for row in rows if row["name"] == "test"}
assert set(tests) == {"test_fast", "test_slow", "test_prepared", "test_each[a/b]", "test_each[c d]",
                      "test_wrong", "test_skipped", "test_marked"}, tests
parts = {row["name"]: row for row in rows if row["parent"] == tests["test_prepared"]["span"]}
assert set(parts) == {"setup", "call", "teardown"}
took = {name: row["end_ns"] - row["start_ns"] for name, row in parts.items()}
assert took["setup"] >= 60e6 and took["teardown"] >= 60e6 > took["call"] > 0
functions = {row["function"] for row in c.functions(span=tests["test_slow"]["span"])}
assert "hot" in functions and not any(name.startswith("prepared") for name in functions)
assert c.period == 0.002
"""
    subprocess.run(
        [sys.executable, "-c", code, "there/tests.fgc"], cwd=tmp_path, check=True,
        env=dict(os.environ, PYTHONPATH=EXT), timeout=60,
    )  # fmt: skip


def test_too_slow(session, tmp_path):
    """By the option for all, by a marker for one; what fails anyway says why itself."""
    done = session("--fireglass-fail-over", "0.25", "--fireglass-slowest", "0")
    assert done.returncode == 1
    for name, limit in (("test_slow", "0.25"), ("test_marked", "1e-06")):
        assert "FAILED test_it.py::%s - took " % name in done.stdout
        assert "is to take at most %s s" % limit in done.stdout
    assert "3 failed, 4 passed" in done.stdout
    names = sorted(path.name for path in (tmp_path / "fireglass-report").glob("*.svg"))
    assert "test_it.py__test_slow.svg" in names and "test_it.py__test_fast.svg" not in names
    done = session("-k", "slow", ini="fireglass_fail_over = 0.1\n")
    assert done.returncode == 1 and "at most 0.1 s" in done.stdout
    done = session("-k", "slow", "--fireglass-fail-over", "90", ini="fireglass_fail_over = 0.1\n")
    assert done.returncode == 0


def test_nothing_without_an_option(session, tmp_path):
    """Results, output and imports are what they are without the plugin."""
    (tmp_path / "conftest.py").write_text(
        "import sys\n"
        "def pytest_sessionfinish():\n"
        "    sys.stderr.write(repr(sorted(n for n in sys.modules if n.startswith('fireglass._'))))\n"
    )
    done = session()
    plain = session(plugin="no:fireglass")
    assert "1 failed, 6 passed, 1 skipped" in done.stdout
    assert done.stderr in ("[]", "['fireglass._fireglass']") and plain.stderr == "[]"
    assert not (tmp_path / "fireglass-report").exists()


def test_mistakes(session):
    for words, ini, said in (
        (["--fireglass", "--fireglass-rate", "0"], "", "numbers above 0"),
        (["--fireglass"], "fireglass_rate = often\n", "fireglass_rate = often is not a number"),
        (["--fireglass-rate", "often"], "", "--fireglass-rate"),
    ):
        done = session(*words, ini=ini)
        assert done.returncode == 4 and said in done.stdout + done.stderr, (words, done)


def test_a_report_that_cannot_be_written(session, tmp_path):
    """The tests count, not the report."""
    (tmp_path / "file").write_text("")
    done = session("--fireglass", "--fireglass-dir", "file/there", "-k", "fast")
    assert done.returncode == 4 and "cannot write" in done.stdout + done.stderr, done.stdout


def test_workers_of_xdist(session, tmp_path):
    done = session("--fireglass", "-n", "2", "-p", "xdist")
    assert "2 failed, 5 passed" in done.stdout, done.stdout + done.stderr
    assert "test_it.py::test_slow" in report(done)
    captures = sorted(pathlib.Path(tmp_path, "fireglass-report").glob("tests*.fgc"))
    assert [path.name for path in captures] == ["tests-gw0.fgc", "tests-gw1.fgc"]
