# SPDX-License-Identifier: MIT
"""fireglass merge: one capture of several."""

import pytest
from conftest import SHOP
from running import export, fireglass, total

OTHER = """
fact host other
process 100 web
thread 0 100 MainThread
sample 500 300 0 cpu 1 main@/srv/shop/app.py:10
"""


@pytest.fixture
def pair(files):
    return files.capture("one.fgc"), files.capture("two.fgc", OTHER)


def test_merge(files, pair):
    out = files.path("all.fgc")
    fireglass("merge", *pair, "-o", out)
    assert files.names() == ["all.fgc", "one.fgc", "two.fgc"]
    stacks = export(out, "--full-paths")
    expected = export(pair[0], "--full-paths")
    for stack, count in export(pair[1], "--full-paths").items():
        expected[stack] = expected.get(stack, 0) + count
    assert stacks == expected
    # in order of time: 500 ms to 800 ms of both
    assert total(export(out, "--from", "0.5s", "--to", "0.6s")) == 100 + 100
    assert total(export(out, "--all")) == total(stacks) + 7


def test_offset(files, pair):
    out = files.path("all.fgc")
    fireglass("merge", *pair, "-o", out, "--offset", "2=2s", "--offset", "1=+0.5s")
    # the first sample is now at 0.5 s, the second capture's first at 2.5 s
    assert total(export(out, "--from", "2s", "--to", "2.3s", "--process", "web", "--cpu")) == 300
    fireglass("merge", *pair, "-o", out, "--offset", "2=-500ms")
    assert total(export(out, "--to", "0.3s")) == 300 + 200 + 300


def test_other_formats(files, pair):
    text = files.text("x.folded", "main;f 5\n")
    fireglass("merge", pair[1], text, "-o", files.path("all.fgc"))
    assert total(export(files.path("all.fgc"))) == 305


def test_unfinished(files, pair):
    live = files.capture("live.fgc", SHOP, "-u")
    result = fireglass("merge", live, pair[1], "-o", files.path("all.fgc"))
    assert "live.fgc has no end" in result.stderr
    assert total(export(files.path("all.fgc"))) == 5200 + 300


@pytest.mark.parametrize(
    "options,message",
    [
        ([], "what to merge?"),
        (["a", "b"], "where to? give -o FILE"),
        (["a", "-o", "-"], "a capture is no stream"),
        (["a", "-o", "a"], "'a' is both read and written"),
        (["a", "-o", "x", "-o", "y"], "one -o only"),
        (["-", "-", "-o", "x"], "the standard input can be read once only"),
        (["a", "-o", "x", "--offset", "2=1s"], "--offset 2=: there are only 1 captures"),
        (["a", "-o", "x", "--offset", "0=1s"], "bad offset '0=1s'"),
        (["a", "-o", "x", "--offset", "1=soon"], "bad duration 'soon'"),
    ],
)
def test_usage(options, message):
    assert fireglass("merge", *options, status=2).stderr.startswith("fireglass: " + message)


def test_a_missing_input_leaves_nothing(files, pair):
    fireglass("merge", pair[0], files.path("none"), "-o", files.path("all.fgc"), status=1)
    assert files.names() == ["one.fgc", "two.fgc"]


def test_no_room(files, pair):
    fireglass("merge", *pair, "-o", files.path("none/all.fgc"), status=1)
