# SPDX-License-Identifier: MIT
"""`go tool pprof` and `protoc` on the pprof export."""

import collections
import gzip
import os
import pathlib
import re
import subprocess

import pytest

pytest_plugins = ["exported"]

HERE = pathlib.Path(__file__).resolve().parent
UNIT = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
# Names with line breaks, or that pprof changes for display, cannot be read back from its tables.
READABLE = ["nothing", "empty", "one", "deep", "wide", "unicode", "recursion", "threads",
            "processes", "states", "gaps", "counts", "origins"]
ALL = ["-nodecount=1000000", "-nodefraction=0", "-edgefraction=0"]


def pprof(path, *options):
    done = subprocess.run(["go", "tool", "pprof", *options, str(path)], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=dict(os.environ, PPROF_TMPDIR=str(path.parent),
                                   GOFLAGS="-mod=mod", GOTOOLCHAIN="local"))
    return done.stdout.decode()


# ---- pprof's own numbers -------------------------------------------------------------------------

def read_top(text):
    """{name: (flat, cum)}."""
    body = text.split("flat  flat%   sum%        cum   cum%\n", 1)[1]
    rows = {}
    for line in body.rstrip("\n").split("\n") if body else []:
        flat, _, _, cum, _, name = line.split(None, 5)
        assert name not in rows
        rows[name] = (int(flat), int(cum))
    return rows


@pytest.mark.parametrize("case", READABLE, indirect=True)
def test_top(exported, truth):
    found = read_top(pprof(exported("pprof"), "-top", "-sample_index=samples", *ALL))
    wanted = truth.self_and_total(lambda frame: frame[0].name or "?")
    assert found == {name: tuple(pair) for name, pair in wanted.items()}


@pytest.mark.parametrize("case", READABLE, indirect=True)
def test_top_lines(exported, truth):
    """At the granularity of lines, with files."""
    found = read_top(pprof(exported("pprof"), "-top", "-lines", "-sample_index=samples", *ALL))

    def key(frame):
        function, line = frame
        place = f" {function.file}:{line}" if line else f" {function.file}" if function.file else ""
        return (function.name or "?") + place
    wanted = truth.self_and_total(key)
    assert found == {name: tuple(pair) for name, pair in wanted.items()}


@pytest.mark.parametrize("case", ["processes", "states", "gaps", "threads"], indirect=True)
@pytest.mark.parametrize("index", ["wall", "cpu"])
def test_time(exported, truth, index):
    """Times are the default: the samples times the period, and the CPU time that is known."""
    text = pprof(exported("pprof"), "-top", f"-sample_index={index}", "-unit=ns", *ALL)
    assert f"Type: {index}\n" in text
    found = read_top(re.sub(r"(\d)ns\b", r"\1", text))
    weight = {"wall": lambda sample: sample.count * truth.meta["period_ns"],
              "cpu": lambda sample: sample.cpu_ns}[index]
    wanted = truth.self_and_total(lambda frame: frame[0].name or "?", weight)
    # what has no weight is not in its table
    assert found == {name: tuple(pair) for name, pair in wanted.items() if any(pair)}


@pytest.mark.parametrize("case", ["states", "counts"], indirect=True)
def test_header(exported, truth):
    text = pprof(exported("pprof"), "-top")
    if truth.meta["period_ns"]:
        assert "Type: wall\nTime: 2023-11-14 22:13:20 UTC\nDuration: 10s" in text
        assert "File: shop.py\n" in text
    else:
        assert "Type: samples\n" in text and "Duration" not in text


@pytest.mark.parametrize("case", ["states"], indirect=True)
def test_comments(exported, truth):
    lines = pprof(exported("pprof"), "-comments").splitlines()
    facts = [f"{key}: {value}" for key, value in truth.meta["facts"].items()]
    assert lines == [*facts, "ticks missed: 5", "samples lost for room: 2",
                     "stacks not readable: 1", "stacks truncated: 1"]


GIL_AND_GC = {"holds_gil": ("gil", "holding"), "waits_for_gil": ("gil", "waiting"),
              "in_gc": ("gc", "collecting")}
STATES = {"running": "on-cpu", "runnable": "runnable", "waiting": "waiting", "stopped": "stopped"}


def labels_of(truth, sample):
    thread = truth.threads[sample.thread]
    process = truth.processes[thread["process"]]
    labels = {"thread": thread["name"], "thread id": str(thread["tid"] or ""),
              "process": process["name"], "pid": str(process["pid"] or ""),
              "state": STATES.get(sample.state, "")}
    labels.update(GIL_AND_GC[flag] for flag in sample.flags if flag in GIL_AND_GC)
    return {name: value for name, value in labels.items() if value}


def read_tags(text):
    tags, name = collections.defaultdict(dict), None
    for line in text.splitlines():
        head = re.fullmatch(r" *(\w[\w ]*): Total .*", line)
        row = re.fullmatch(r" *([\d.]+) \( *[\d.]+%\): (.*)", line)
        if head:
            name = head[1]
        elif row:
            tags[name][row[2]] = int(float(row[1]))
    return tags


@pytest.mark.parametrize("case", ["one", "unicode", "processes", "states", "threads", "counts"],
                         indirect=True)
def test_tags(exported, truth):
    wanted = collections.defaultdict(collections.Counter)
    for sample in truth.samples:
        for name, value in labels_of(truth, sample).items():
            wanted[name][value] += sample.count
    assert read_tags(pprof(exported("pprof"), "-tags", "-sample_index=samples")) == wanted


@pytest.mark.parametrize("case", ["processes"], indirect=True)
def test_tag_options(exported, truth):
    """-tagfocus cuts, -tagroot makes a frame of a label."""
    text = pprof(exported("pprof"), "-top", "-sample_index=samples", "-tagfocus=pid=200",
                 "-tagroot=thread", *ALL)
    wanted = collections.Counter(
        truth.threads[sample.thread]["name"] for sample in truth.samples
        if truth.processes[truth.threads[sample.thread]["process"]]["pid"] == 200)
    found = read_top(text)
    assert {name: found[name][1] for name in wanted} == wanted


@pytest.mark.parametrize("case", ["processes"], indirect=True)
def test_against_itself(exported):
    """As a base of itself nothing is left: stacks and labels are the same."""
    path = exported("pprof")
    text = pprof(path, "-top", "-sample_index=samples", f"-diff_base={path}", *ALL)
    assert set(read_top(text).values()) <= {(0, 0)}


def test_raw(exported, truth):
    """All of the file, as pprof prints it."""
    text = pprof(exported("pprof"), "-raw")
    types = re.search(r"^Samples:\n(.*)$", text, re.MULTILINE)[1].split()
    timed, cpu = truth.meta["period_ns"], any(sample.cpu_ns for sample in truth.samples)
    assert types == ["samples/count", *["wall/nanoseconds[dflt]"] * bool(timed),
                     *["cpu/nanoseconds"] * cpu]
    part = text.split("Samples:\n", 1)[1].rsplit("\nLocations", 1)[0]
    values = [[int(n) for n in row.split()] for row in
              re.findall(r"^ +((?:\d+ +)*\d+): (?:\d+ )+$", part, re.MULTILINE)]
    assert sum(row[0] for row in values) == truth.total
    if timed and values:
        assert all(row[1] == row[0] * timed for row in values)
    if cpu:
        assert sum(row[-1] for row in values) == sum(sample.cpu_ns for sample in truth.samples)


# ---- the bytes -----------------------------------------------------------------------------------

def unquote(text):
    """A string as protoc prints it."""
    named = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}

    def plain(match):
        escape = match[1]
        return bytes([int(escape, 8)]) if escape.isdigit() else named.get(escape, escape)
    return re.sub(rb"\\([0-7]{1,3}|.)", plain, text.encode()).decode()


def decode(path):
    """The profile as {field: [values]}, messages likewise, of protoc's text."""
    done = subprocess.run(["protoc", f"--proto_path={HERE}", "--decode=perftools.profiles.Profile",
                           "profile.proto"], input=gzip.decompress(path.read_bytes()), check=True,
                          capture_output=True)
    assert done.stderr == b""
    top = collections.defaultdict(list)
    stack = [top]
    for line in done.stdout.decode().split("\n"):
        line = line.strip()
        if line.endswith("{"):
            inner = collections.defaultdict(list)
            stack[-1][line[:-2]].append(inner)
            stack.append(inner)
        elif line == "}":
            stack.pop()
        elif line:
            name, value = line.split(": ", 1)
            plain = {"true": True, "false": False}
            stack[-1][name].append(unquote(value[1:-1]) if value[0] == '"' else
                                   plain[value] if value in plain else int(value))
    return top


def one(message, field):
    return (message[field] or [0])[0]


def test_bytes(exported, truth):
    """Each sample with its stack and labels, by protoc: no name is too odd."""
    profile = decode(exported("pprof"))
    strings = profile["string_table"]
    assert strings[0] == "" and len(set(strings)) == len(strings)
    functions = {one(f, "id"): f for f in profile["function"]}
    locations = {one(place, "id"): place for place in profile["location"]}
    assert 0 not in functions and 0 not in locations
    assert len(functions) == len(profile["function"])
    assert len(locations) == len(profile["location"])
    assert not any(one(f, "system_name") for f in functions.values())
    (mapping,) = profile["mapping"]
    assert all(one(mapping, f"has_{what}") for what in
               ("functions", "filenames", "line_numbers", "inline_frames"))

    def frame(number):
        (line,) = locations[number]["line"]
        function = functions[one(line, "function_id")]
        return (strings[one(function, "name")], strings[one(function, "filename")],
                one(function, "start_line"), one(line, "line"))
    found = collections.Counter()
    for sample in profile["sample"]:
        labels = frozenset((strings[one(label, "key")],
                            strings[one(label, "str")] or str(one(label, "num")))
                           for label in sample["label"])
        stack = tuple(frame(number) for number in reversed(sample["location_id"]))
        assert (stack, labels) not in found
        found[stack, labels] = sample["value"][0]
    wanted = collections.Counter()
    for sample in truth.samples:
        stack = tuple((function.name or "?", function.file, function.first_line, line)
                      for function, line in sample.stack)
        wanted[stack, frozenset(labels_of(truth, sample).items())] += sample.count
    assert found == wanted


@pytest.mark.parametrize("case", ["states"], indirect=True)
def test_same_every_time(exported, exports):
    again = exports("states", "pprof", "-m", "wall")
    assert again.read_bytes() == exported("pprof").read_bytes()


@pytest.mark.parametrize("case", ["recursion"], indirect=True)
def test_lines(exported):
    """-F: one location for each function, at its first line; -n: no lines."""
    merged, plain = decode(exported("pprof", "-F")), decode(exported("pprof", "-n"))
    for profile in (merged, plain):
        assert len(profile["location"]) == len(profile["function"]) == 4
    assert {one(place["line"][0], "line") for place in merged["location"]} == {1, 6}
    assert {one(place["line"][0], "line") for place in plain["location"]} == {0}
