# SPDX-License-Identifier: MIT
"""Spans: selected, as roots, in every format that carries them, compared and merged."""

import gzip
import json
import sys

import pytest
from conftest import ROOT
from running import export, fireglass, total

sys.path.insert(0, str(ROOT / "tests" / "tools"))
import read_page

# Two requests by turns on one thread, the second with a query in it, and a job on another thread.
WEB = """
process 100 web
thread 0 100 loop
thread 0 101 pool
span 0 100 0 0 request GET /cart
span 50 200 0 0 request GET /page
span 100 150 0 2 query select
span 0 0 1 0 job -
in 1
sample 0 50 0 cpu 1 loop;cart
in 2
sample 50 25 0 cpu 1 loop;page
in 1
sample 75 25 0 cpu 1 loop;cart
in 3
sample 100 50 0 waiting 0 loop;page;query
in 2
sample 150 50 0 cpu 1 loop;page
in 0
sample 200 10 0 waiting 0 loop
in 4
sample 0 200 1 waiting 0 pool
"""


@pytest.fixture
def web(files):
    files.capture("web.fgc", WEB)
    return files.path("web.fgc")


@pytest.mark.parametrize(
    "options,samples",
    [
        ([], 410),
        (["--span", "^request"], 200),
        (["--span", "^request GET /page$"], 125),
        (["--span", "query"], 50),
        (["--span", "query", "--span", "cart"], 125),
        (["--span", "^job$"], 200),
        (["--span", "^$"], 10),
        (["--span", "page", "--cpu"], 75),
        (["--span", "page", "--from", "100ms"], 100),
        (["--span", "request", "--all"], 200),
    ],
)
def test_selected(web, options, samples):
    assert total(export(web, *options)) == samples


def test_nothing_matches(web):
    result = fireglass("export", web, "-f", "folded", "--span", "no such")
    assert result.stdout == ""
    assert "nothing" in result.stderr or "no sample" in result.stderr


def test_bad_pattern(web):
    result = fireglass("export", web, "-f", "folded", "--span", "(", status=2)
    assert "for span" in result.stderr


def test_as_roots(web):
    assert export(web, "--by-span") == {
        ("request GET /cart", "loop", "cart"): 75,
        ("request GET /page", "loop", "page"): 75,
        ("request GET /page", "query select", "loop", "page", "query"): 50,
        ("job", "pool"): 200,
        ("loop",): 10,
    }
    stacks = export(web, "--by-span", "-t", "--span", "query")
    assert list(stacks) == [
        ("loop", "request GET /page", "query select", "loop", "page", "query")
    ]


def test_jsonl(web):
    lines = [json.loads(line) for line in fireglass("export", web, "-f", "jsonl").stdout.splitlines()]
    spans = {line["id"]: line for line in lines if line["type"] == "span"}
    samples = [line for line in lines if line["type"] == "sample"]
    assert [(s["name"], s["text"], s["parent"]) for s in spans.values()] == [
        ("request", "GET /cart", None),
        ("request", "GET /page", None),
        ("query", "select", 1),
        ("job", "", None),
    ]
    assert spans[2]["end_ns"] - spans[2]["start_ns"] == 50_000_000
    assert spans[3]["end_ns"] is None
    assert sum(s.get("span") == 1 for s in samples) == 75
    assert sum("span" not in s for s in samples) == 10


def test_jsonl_of_a_part_has_what_is_around(web):
    out = fireglass("export", web, "-f", "jsonl", "--span", "query").stdout
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["id"] for line in lines if line["type"] == "span"] == [1, 2]


def test_chrome_and_firefox(web):
    events = json.loads(fireglass("export", web, "-f", "chrome").stdout)["traceEvents"]
    begun = [e for e in events if e.get("cat") == "span" and e["ph"] == "b"]
    assert [(e["name"], e["tid"], e["ts"]) for e in begun] == [
        ("request", 100, 0), ("request", 100, 50000), ("query", 100, 100000), ("job", 101, 0)
    ]  # fmt: skip
    assert begun[1]["args"] == {"detail": "GET /page"}
    profile = json.loads(fireglass("export", web, "-f", "firefox").stdout)
    texts = [
        [d["text"] for d in thread["markers"]["data"] if d["type"] == "span"]
        for thread in profile["threads"]
    ]
    assert texts == [["GET /cart", "GET /page", "select"], [""]]
    assert any(schema["name"] == "span" for schema in profile["meta"]["markerSchema"])


def test_pprof(web, files):
    fireglass("export", web, "-o", files.path("out.pb.gz"))
    with gzip.open(files.path("out.pb.gz")) as file:
        data = file.read()
    assert b"request GET /page > query select" in data and b"request GET /cart" in data


def test_page(web, files):
    fireglass("report", web, "-o", files.path("out.html"))
    with open(files.path("out.html"), encoding="utf-8") as file:
        page = read_page.read_page(file.read())["capture"]
    assert [(s.name, s.text, s.thread, s.parent) for s in page.spans] == [
        ("request", "GET /cart", 0, None), ("request", "GET /page", 0, None),
        ("query", "select", 0, 1), ("job", "", 1, None),
    ]  # fmt: skip
    assert page.spans[3].end_ns is None
    counts = [sum(s.span == row for s in page.samples) for row in (None, 0, 1, 2, 3)]
    assert counts == [10, 75, 75, 50, 200]
    fireglass("report", web, "-o", files.path("cut.html"), "--span", "query")
    with open(files.path("cut.html"), encoding="utf-8") as file:
        page = read_page.read_page(file.read())["capture"]
    assert [(s.name, s.parent) for s in page.spans] == [("request", None), ("query", 0)]
    assert page.facts["selection"] == "--span 'query'"


def test_pages_without_spans_have_none(shop, files):
    fireglass("report", shop, "-o", files.path("out.html"))
    with open(files.path("out.html"), encoding="utf-8") as file:
        page = read_page.read_page(file.read())["capture"]
    assert not any("span" in name for name, *_ in page.json["columns"])


def test_merged(web, files):
    fireglass("merge", web, web, "-o", files.path("both.fgc"))
    stacks = export(files.path("both.fgc"), "--by-span")
    assert stacks[("request GET /page", "query select", "loop", "page", "query")] == 100


def test_compared(web):
    out = fireglass("diff", web, web, "--span", "GET /page", "-f", "folded").stdout
    assert "cart" not in out and "query 50 50" in out
