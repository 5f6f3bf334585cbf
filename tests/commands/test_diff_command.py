# SPDX-License-Identifier: MIT
"""fireglass diff: table, formats, the limit of pipelines."""

import json
import re

import pytest
from running import fireglass

HEAD = "process {pid} web\nthread 0 {pid} MainThread\nfact cwd {cwd}\n"


def describe(pid, cwd, counts):
    lines = [HEAD.format(pid=pid, cwd=cwd)]
    at = 0
    for stack, count in counts.items():
        lines.append(f"sample {at} {count} 0 cpu 1 {stack.replace('@', '@' + cwd + '/')}\n")
        at += count
    return "".join(lines)


BEFORE = {
    "main@a.py:1;slow@b.py:2": 3000,
    "main@a.py:1;same@b.py:9": 5000,
    "main@a.py:1;old@c.py:1": 2000,
}
AFTER = {
    "main@a.py:5;slow@b.py:4": 5000,
    "main@a.py:5;same@b.py:8": 5050,
    "main@a.py:5;fresh@d.py:1": 1000,
}


@pytest.fixture
def pair(files):
    return (
        files.capture("before.fgc", describe(1, "/srv/one", BEFORE)),
        files.capture("after.fgc", describe(2, "/home/two", AFTER)),
    )


def rows(text):
    """{function: (change, error)} of the first table."""
    table = text.split("\n\n")[1]
    found = re.findall(
        r"^ *([+-]\S+) ±(\S+) +\S+ +\S+ +(?:new |gone)? *(\S+) \(\S+\)$", table, re.MULTILINE
    )
    return {name: (float(change), float(error)) for change, error, name in found}


def test_table(pair):
    text = fireglass("diff", *pair).stdout
    assert text.startswith(
        "A  before.fgc: 10 000 samples of 1 ms\nB  after.fgc: 11 050 samples of 1 ms\n"
    )
    changes = rows(text)
    assert set(changes) == {"slow", "old", "fresh", "same"}
    assert changes["slow"][0] == pytest.approx(100 * 5000 / 11050 - 30, abs=0.01)
    assert changes["old"] == (-20, pytest.approx(1.1, abs=0.2))
    assert re.search(r"20\.00 +- gone old \(c\.py\)", text)
    assert re.search(r"- +9\.05 new  fresh \(d\.py\)", text)
    assert all(len(line) <= 80 for line in text.splitlines())


def test_the_same_twice(pair):
    text = fireglass("diff", pair[0], pair[0]).stdout
    assert rows(text) == {}
    assert text.count("none beyond the sampling error") == 2


def test_absolute(pair):
    changes = rows(fireglass("diff", *pair, "--absolute").stdout)
    assert changes["slow"][0] == 2
    assert "same" not in changes  # 50 ms of 5 s


def test_selection_applies_to_both(pair):
    changes = rows(fireglass("diff", *pair, "--focus", "slow").stdout)
    assert changes == {}
    changes = rows(
        fireglass("diff", *pair, "--from", "1s", "--absolute", "--ignore", "fresh").stdout
    )
    assert changes["slow"][0] == 2


def test_folded(pair, files):
    lines = fireglass("diff", *pair, "-f", "folded").stdout.splitlines()
    parsed = {line.rsplit(" ", 2)[0]: tuple(map(int, line.rsplit(" ", 2)[1:])) for line in lines}
    assert parsed["main (a.py);slow (b.py)"] == (3315, 5000)
    assert sum(a for a, _ in parsed.values()) == sum(b for _, b in parsed.values()) == 11050
    fireglass("diff", *pair, "--absolute", "-o", files.path("x.folded"))
    assert "main (a.py);slow (b.py) 3000 5000\n" in files.read("x.folded")


def test_svg(pair, files):
    fireglass("diff", *pair, "-o", files.path("x.svg"), "-o", files.path("x.text"))
    svg = files.read("x.svg")
    data = json.loads(
        re.search(r'<script id="fireglass-data"[^>]*>(.*?)</script>', svg, re.DOTALL)[1]
    )
    assert data["title"] == "after.fgc compared with before.fgc"
    assert data["diff"]["totals"] == [10000, 11050]
    assert data["count"] == 6
    assert files.read("x.text").startswith("A  before.fgc")


def test_files_of_one_name(files, pair):
    import os
    import shutil

    os.mkdir(files.path("old"))
    shutil.copy(pair[0], files.path("old/after.fgc"))
    text = fireglass("diff", files.path("old/after.fgc"), pair[1]).stdout
    assert text.startswith(f"A  {files.path('old/after.fgc')}: 10 000")


@pytest.mark.parametrize(
    "options,status",
    [
        (["--fail-over", "5%"], 1),  # 10 s to 11.05 s
        (["--fail-over", "10.4%"], 1),
        (["--fail-over", "10.6%"], 0),
        (["--fail-over", "11"], 0),
        (["--on", "slow", "--fail-over", "40%"], 1),  # 30 % to 45.2 %
        (["--on", "slow", "--fail-over", "55%"], 0),
        (["--on", "slow", "--fail-over", "15pp"], 1),
        (["--on", "slow", "--fail-over", "16pp"], 0),
        (["--on", "b.py", "--fail-over", "1%"], 1),
        (["--on", "fresh", "--fail-over", "1000%"], 1),  # new
        (["--on", "fresh", "--fail-over", "10pp"], 0),
        (["--on", "old", "--fail-over", "0%"], 0),  # gone
        (["--on", "old", "--on", "slow", "--fail-over", "5%"], 1),
        (["--on", "nothing", "--fail-over", "0%"], 0),
        (["--on", "slow", "--fail-over", "60%", "--absolute"], 1),  # 3 s to 5 s
        (["--on", "slow", "--fail-over", "70%", "--absolute"], 0),
    ],
)
def test_fail_over(pair, options, status):
    result = fireglass("diff", *pair, *options, status=status)
    assert ("over --fail-over" in result.stderr) == bool(status)


def test_noise_is_no_failure(files):
    """40 of 100 or 45 of 100: nobody knows."""
    one = files.capture("one.fgc", describe(1, "/a", {"f": 40, "g": 60}))
    two = files.capture("two.fgc", describe(1, "/a", {"f": 45, "g": 55}))
    limit = ("--fail-over", "5%", "--on", "^f$")
    result = fireglass("diff", one, two, *limit)
    assert "f$: +12.50 %, from 40.00 % to 45.00 %, sampling error 20.97 %: may be" in result.stderr
    assert "within the sampling error" in result.stderr
    fireglass("diff", one, two, *limit, "--strict", status=1)
    assert "none beyond the sampling error" in result.stdout


@pytest.mark.parametrize(
    "options,message",
    [
        (["--fail-over", "x"], "bad limit 'x'; give 5% (of A's value) or 2pp"),
        (["--fail-over", "-1%"], "bad limit '-1%'"),
        (["--fail-over", "2pp"], "the total is always 100 % of the whole"),
        (["--on", "f"], "--on says what --fail-over is about"),
        (["--strict"], "--strict says how --fail-over is meant"),
        (["--on", "(", "--fail-over", "1%"], "bad regular expression '(' for on"),
        (["-f", "speedscope"], "unknown format 'speedscope'; there are text, svg and folded"),
    ],
)
def test_usage(pair, options, message):
    result = fireglass("diff", *pair, *options, status=2)
    assert result.stderr.startswith("fireglass: " + message)
    assert result.stdout == ""


def test_one_file(pair):
    assert "give two captures" in fireglass("diff", pair[0], status=2).stderr


def test_missed_ticks_are_told(files, pair):
    late = describe(1, "/srv/one", BEFORE) + "fact ticks 10000\nloss 5 2500\n"
    path = files.capture("late.fgc", late)
    told = "late.fgc: 20.0 % of the ticks were missed, so its times are that much too small\n"
    assert told in fireglass("diff", path, pair[1], "--absolute").stderr
    assert fireglass("diff", path, pair[1]).stderr == ""


def test_threads_of_one_name_are_matched(files):
    one = "process 1 web\nthread 0 11 w\nthread 0 12 w\nsample 0 50 0 cpu 1 f\nsample 0 50 1 cpu 1 f\n"
    two = one.replace("process 1", "process 7").replace(" 11 w", " 71 w").replace(" 12 w", " 72 w")
    paths = files.capture("one.fgc", one), files.capture("two.fgc", two)
    assert fireglass("diff", *paths, "-t", "-f", "folded").stdout == "w;f 100 100\n"


def test_other_profilers(files):
    one = files.text("a.folded", "main;f 600\nmain;g 400\n")
    two = files.text("b.folded", "main;f 900\nmain;g 100\n")
    text = fireglass("diff", one, two).stdout
    assert re.search(r"\+30\.00 ±\S+ +60\.00 +90\.00 +f\n", text)
