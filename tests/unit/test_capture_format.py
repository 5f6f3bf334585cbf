# SPDX-License-Identifier: MIT
"""Two readers of capture files, of which one was written from the format's description alone, agree.

tests/golden/capture.fgc is kept as it is for as long as its version is read, as is capture_spans.fgc; to
make a new one:

    raw_capture make tests/golden/capture.fgc 42 600    (of capture_spans.fgc: 43)
    raw_capture dump tests/golden/capture.fgc > tests/golden/capture.txt
"""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GOLDEN = ROOT / "tests" / "golden" / "capture.fgc"
READ_FGC = ROOT / "tests" / "tools" / "read_fgc.py"
# the tools lie beside each other
RAW_CAPTURE = pathlib.Path(
    os.environ.get("FIREGLASS_MAKE_PROFILE", "build/tests/make_profile")).with_name("raw_capture")


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, check=True).stdout


def read_by_c(path):
    return run(RAW_CAPTURE, "dump", path).decode().split("\n")


def read_by_python(path):
    return run(sys.executable, READ_FGC, path).decode().split("\n")


@pytest.mark.parametrize("name", ["capture", "capture_spans"])
def test_golden(name):
    golden = GOLDEN.with_name(f"{name}.fgc")
    wanted = golden.with_suffix(".txt").read_text(encoding="utf-8").split("\n")
    assert len(wanted) > 700
    assert any(line.startswith("span ") for line in wanted) == (name == "capture_spans")
    assert read_by_c(golden) == wanted
    assert read_by_python(golden) == wanted


@pytest.mark.parametrize("options", [[], ["-u"]], ids=["finished", "unfinished"])
@pytest.mark.parametrize("seed", range(1, 5))
@pytest.mark.parametrize("samples", [0, 1, 2000])
def test_made_up(tmp_path, samples, seed, options):
    path = tmp_path / "made.fgc"
    run(RAW_CAPTURE, "make", path, seed, samples, *options)
    by_c = read_by_c(path)
    assert sum(line.startswith("sample ") for line in by_c) == samples
    assert f"finished {int(not options)}" in by_c[0]
    assert read_by_python(path) == by_c


@pytest.mark.parametrize("name", ["capture", "capture_spans"])
def test_cut(tmp_path, name):
    path = tmp_path / "cut.fgc"
    whole = GOLDEN.with_name(f"{name}.fgc").read_bytes()
    lengths = set()
    for size in range(16, len(whole), len(whole) // 25):
        path.write_bytes(whole[:size])
        by_c = read_by_c(path)
        assert read_by_python(path) == by_c
        lengths.add(len(by_c))
    assert len(lengths) > 5
