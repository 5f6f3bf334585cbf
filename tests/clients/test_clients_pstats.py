# SPDX-License-Identifier: MIT
"""pstats: the marshal every Python reads, `python -m pstats`, snakeviz and gprof2dot."""

import io
import json
import pathlib
import pstats
import re
import subprocess
import sys

import pytest

pytest_plugins = ["exported"]

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOTE = "fireglass: all samples"


def key(frame):
    """What pstats calls a function."""
    function = frame[0]
    name = function.name or "?"
    return (function.file, function.first_line, name) if function.file else ("~", 0, name)


def without_note(stats):
    return {name: row for name, row in stats.items() if NOTE not in name[2]}


@pytest.fixture
def stats(exported):
    return pstats.Stats(str(exported("pstats")), stream=io.StringIO())


def test_numbers(stats, truth):
    wanted = truth.self_and_total(key)
    found = without_note(stats.stats)
    assert set(found) == {name for name, sums in wanted.items() if sums[1]}
    for name, (cc, nc, tt, ct, _) in found.items():
        self, total = wanted[name]
        assert cc == nc == total
        assert tt == pytest.approx(self * truth.period_s)
        assert ct == pytest.approx(total * truth.period_s)
    assert stats.total_tt == pytest.approx(truth.total * truth.period_s)


def test_callers(stats, truth):
    wanted = {pair: sums for pair, sums in truth.edges(key).items() if sums[1]}
    found = {}
    for name, row in without_note(stats.stats).items():
        for caller, (nc, cc, tt, ct) in row[4].items():
            assert cc == nc
            assert ct == pytest.approx(nc * truth.period_s)
            found[None if NOTE in caller[2] else caller, name] = [
                round(tt / truth.period_s), nc]
    assert found == wanted


def test_note_says_what_ncalls_are(stats, truth):
    notes = [name for name in stats.stats if NOTE in name[2]]
    assert len(notes) == 1
    assert "ncalls are samples" in notes[0][2]
    cc, nc, tt, ct, callers = stats.stats[notes[0]]
    assert cc == nc == truth.total
    assert tt == 0 and not callers
    assert ct == pytest.approx(truth.total * truth.period_s)


# ---- python -m pstats, of each release -----------------------------------------------------------

def interpreters():
    listed = subprocess.run([ROOT / "tools" / "interpreters", "list", "--json"], check=True,
                            capture_output=True).stdout
    newest = {}
    # the usual build of a release if there is one; those in a chroot do not see our files
    for one in sorted(json.loads(listed), key=lambda one: not one["free_threaded"]):
        if not one["root"]:
            newest[".".join(one["version"].split(".")[:2])] = one
    return newest


INTERPRETERS = interpreters()


def browse(argv, path, *commands):
    script = "".join(command + "\n" for command in commands)
    done = subprocess.run([*argv, "-m", "pstats", str(path)], input=script.encode(), check=True,
                          capture_output=True)
    assert done.stderr == b""
    return done.stdout.decode()


@pytest.mark.parametrize("case", ["empty", "unicode", "recursion", "processes"], indirect=True)
@pytest.mark.parametrize("version", INTERPRETERS)
def test_module(exported, truth, version):
    argv = INTERPRETERS[version]["argv"]
    path = exported("pstats")
    listing = browse(argv, path, "sort time", "stats", "callers", "callees")
    assert NOTE in listing
    assert f"in {truth.total * truth.period_s:.3f} seconds" in listing
    rows = {}
    for match in re.finditer(r"^ +(\d+) +([\d.]+) +[\d.]+ +([\d.]+) +[\d.]+ (.+:\d+\(.*\))$",
                             listing, re.MULTILINE):
        rows.setdefault(match[4], (int(match[1]), match[2], match[3]))
    wanted = {f"{file}:{line}({name})": (total, f"{self * truth.period_s:.3f}",
                                         f"{total * truth.period_s:.3f}")
              for (file, line, name), (self, total) in truth.self_and_total(key).items()
              if file != "~"}
    assert rows == wanted


@pytest.mark.parametrize("version", INTERPRETERS)
def test_loads_all_names(case, exported, version):
    """Names that would break a table's lines: read through the module."""
    program = ("import json, pstats, sys\n"
               "stats = pstats.Stats(sys.argv[1])\n"
               "print(json.dumps([list(k) + list(v[:4]) for k, v in stats.stats.items()]))\n")
    argv = INTERPRETERS[version]["argv"]
    done = subprocess.run([*argv, "-c", program, str(exported("pstats"))], check=True,
                          capture_output=True)
    here = pstats.Stats(str(exported("pstats")), stream=io.StringIO()).stats
    assert sorted(json.loads(done.stdout)) == sorted([*k, *v[:4]] for k, v in here.items())


# ---- viewers -------------------------------------------------------------------------------------

def test_snakeviz(stats, truth):
    """Its own code makes rows and the tree that its page draws."""
    snakeviz = pytest.importorskip("snakeviz.stats")
    rows = snakeviz.table_rows(stats)
    assert len(rows) == len(stats.stats)
    tree = snakeviz.json_stats(stats)
    json.dumps(tree)
    if not truth.total:
        return
    # it leaves out what neither calls nor is called: nothing is
    assert len(tree) == len({"{}:{}({})".format(*name) for name in stats.stats})
    roots = [name for name, node in tree.items() if not node["callers"]]
    assert len(roots) == 1 and NOTE in roots[0]
    assert tree[roots[0]]["stats"][3] == pytest.approx(truth.total * truth.period_s)


def test_gprof2dot(exported, truth):
    done = subprocess.run([sys.executable, "-m", "gprof2dot", "-f", "pstats", "--node-thres=0",
                           "--edge-thres=0", str(exported("pstats"))], check=True,
                          capture_output=True)
    graph = done.stdout.decode()
    assert graph.startswith("digraph")
    assert "error" not in done.stderr.decode()
    nodes = re.findall(r"^\t\d+ \[.*label=", graph, re.MULTILINE)
    assert len(nodes) == len([s for s in truth.self_and_total(key).values() if s[1]]) + 1
