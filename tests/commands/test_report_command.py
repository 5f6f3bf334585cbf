# SPDX-License-Identifier: MIT
"""fireglass report: what is in a page, against what `export -f jsonl` says; outputs, sources, ends."""

import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import time

import pytest
from conftest import ROOT, SHOP
from running import fireglass

sys.path.insert(0, str(ROOT / "tests" / "tools"))
import read_page

MAKE_CAPTURE = os.environ.get(
    "FIREGLASS_MAKE_CAPTURE", str(ROOT / "build" / "tests" / "make_capture")
)
GOLDEN = ["nothing", "empty", "one", "deep", "wide", "unicode", "hostile", "recursion", "threads",
          "processes", "states", "gaps", "counts", "origins", "big:3000"]  # fmt: skip
START_NS = 1700000000000000000


def report(capture, out, *options):
    """The pages in what was written, by their ids, and the text of the page."""
    fireglass("report", capture, "-o", out, *options)
    text = pathlib.Path(out).read_text(encoding="utf-8")
    read_page.check_policy(text)
    return read_page.read_page(text), text


def page_of(files, capture, *options):
    return report(capture, files.path("page.html"), *options)[0]["capture"]


def golden(files, name):
    path = files.path(name.replace(":", "-") + ".fgc")
    subprocess.run([MAKE_CAPTURE, name, "fgc", path], check=True)
    return path


# ---- against jsonl -------------------------------------------------------------------------------


class Lines:
    """What `export -f jsonl` gives, by type."""

    def __init__(self, capture, options):
        text = fireglass("export", capture, "-f", "jsonl", "-o", "-", *options).stdout
        self.of, self.ids = {}, {}
        for line in text.split("\n"):
            if line:
                item = json.loads(line)
                self.of.setdefault(item["type"], []).append(item)

    def rows(self, kind):
        return self.of.get(kind, [])

    def by_id(self, kind):
        if kind not in self.ids:
            self.ids[kind] = {item["id"]: item for item in self.rows(kind)}
        return self.ids[kind]

    def stack(self, row):
        stacks, frames, functions = map(self.by_id, ("stack", "frame", "function"))
        found = []
        while row is not None:
            frame = frames[stacks[row]["frame"]]
            function = functions[frame["function"]]
            found.append((function["name"], function["file"], frame["line"]))
            row = stacks[row]["parent"]
        return tuple(reversed(found))

    def is_bare(self, row):
        """Nothing is left of the stack but what its thread stands on."""
        if row is None:
            return True
        frame = self.by_id("frame")[self.by_id("stack")[row]["frame"]]
        return self.by_id("function")[frame["function"]]["kind"] == "thread"


def marks_of(sample, bare):
    """The marks that may end the stack of a sample."""
    if "cut" in sample["flags"]:
        return {"(truncated)"}
    if "unreadable" in sample["flags"]:
        return {"(not readable)"}
    return {"(no Python frame)", "(hidden)"} if bare else {None}


def assert_same_stack(lines, page, theirs, ours):
    frames = lines.stack(theirs["stack"])
    got = page.stack(ours.stack)
    marks = marks_of(theirs, lines.is_bare(theirs["stack"]))
    pooled = frames and frames[-1][0].startswith("(below ")
    if marks == {None} or pooled:
        assert got == frames
    else:
        assert got[:-1] == frames
        assert got[-1][0] in marks and got[-1][1:] == ("", 0)


def assert_same_samples(lines, page):
    timed = page.json["timed"]
    by_thread = {}
    for sample in lines.rows("sample"):
        by_thread.setdefault(sample["thread"], []).append(sample)
    theirs = [sample for thread in sorted(by_thread) for sample in by_thread[thread]]
    assert len(theirs) == len(page.samples)
    for a, b in zip(theirs, page.samples):
        assert b.time_ns == (a["time_ns"] if timed else 0)
        assert (b.weight, b.cpu_ns, b.state) == (a["count"], a["cpu_ns"], a["state"])
        assert list(b.flags) == a["flags"]
        assert b.syscall == a["syscall"]
        assert_same_stack(lines, page, a, b)


def assert_same_threads(lines, page):
    processes = lines.by_id("process")
    sampled = {sample["thread"] for sample in lines.rows("sample")}
    sampled |= {m["thread"] for m in lines.rows("marker") if m["thread"] is not None}
    threads = [t for t in sorted(lines.rows("thread"), key=lambda t: t["id"]) if t["id"] in sampled]
    assert len(threads) == len(page.json["threads"])
    start = int(page.json["start_ns"])
    for theirs, (process, tid, name, main, begin, end, _) in zip(threads, page.json["threads"]):
        assert (theirs["tid"], theirs["name"]) == (tid, page.strings[name])
        assert theirs["main"] is bool(main)
        if page.json["timed"]:
            assert begin == (theirs["start_ns"] - start if theirs["start_ns"] else 0)
            assert end == (theirs["end_ns"] - start if theirs["end_ns"] else None)
        if theirs["process"] is None:
            assert process == -1
            continue
        pid, own_name, command, *_ = page.json["processes"][process]
        expected = processes[theirs["process"]]
        assert (pid, page.strings[own_name]) == (expected["pid"], expected["name"])
        assert page.strings[command] == expected["command"]


def assert_same_events(lines, page):
    reasons = {"missed": "missed", "room": "no room", "space": "no space"}
    start, timed = int(page.json["start_ns"]), page.json["timed"]
    assert page.json["losses"] == [
        [loss["time_ns"] - start if timed else 0, reasons[loss["reason"]], loss["count"]]
        for loss in lines.rows("loss")
    ]
    assert [
        (page.strings[name], page.strings[text], begin, end)
        for begin, end, _, _, name, text in page.json["markers"]
    ] == [
        (m["name"], m["text"], *(m[k] - start if timed else 0 for k in ("start_ns", "end_ns")))
        for m in lines.rows("marker")
    ]


def assert_same(files, capture, *options):
    lines, page = Lines(capture, options), page_of(files, capture, *options)
    assert_same_samples(lines, page)
    assert_same_threads(lines, page)
    assert_same_events(lines, page)
    facts = lines.of["meta"][0]["facts"]
    added = {"selection", "left_out"} - set(facts)
    assert {k: v for k, v in page.facts.items() if k not in added} == facts
    assert page.json["period_ns"] == (lines.of["meta"][0]["period_ns"] or 0)
    return page


@pytest.mark.parametrize("name", GOLDEN)
def test_all_of_a_capture(files, name):
    page = assert_same(files, golden(files, name))
    assert "selection" not in page.facts
    used = {row for sample in page.samples for row in [sample.stack]}
    for row in sorted(used):
        while row is not None:
            used = used | {row}
            row = page.stacks[row][0]
    assert len(used) == len(page.stacks), "no stack that nobody uses"
    assert {frame for _, frame in page.stacks} == set(range(len(page.frames)))
    assert {func for func, _ in page.frames} == set(range(len(page.functions)))


@pytest.mark.parametrize(
    "options",
    [
        ["--cpu"],
        ["--gil"],
        ["--thread", "worker"],
        ["--process", "job"],
        ["--from", "1s", "--to", "2s"],
        ["--focus", "^get "],
        ["--ignore", "app.py"],
        ["--hide", "main"],
        ["--root", "^leaf"],
        ["--functions"],
        ["--files"],
        ["--modules"],
        ["--collapse-recursion"],
        ["--min-percent", "20"],
        ["-t"],
        ["--cpu", "--thread", "^Main", "--from", "0.5s", "-t", "--modules"],
    ],
)
def test_selections(files, shop, options):
    page = assert_same(files, shop, *options)
    assert page.facts["selection"]
    left_out = Lines(shop, options).of["end"][0]["left_out"]
    assert page.facts["left_out"] == str(left_out)


@pytest.mark.parametrize("options", [[], ["--cpu"], ["-t"]])
def test_selections_of_others(files, options):
    for name in ("processes", "threads", "states", "counts"):
        assert_same(files, golden(files, name), *options)


def test_the_selection_is_told(files, shop):
    options = ["--cpu", "--from", "0.5s", "--thread", "it's", "--thread", "Main", "--files"]
    assert page_of(files, shop, *options).facts["selection"] == (
        "--cpu --from 0.500000000s --thread 'it'\\''s' --thread 'Main' --files"
    )


def test_no_lines(files):
    description = "process 1 p\nthread 0 1 t\n" + "".join(
        f"sample {i} 1 0 cpu 1 f@/a.py:{line};g@/b.py:{line}\n" for i, line in enumerate((3, 5, 7))
    )
    page = page_of(files, files.capture("x.fgc", description), "--no-lines")
    assert [line for _, line in page.frames] == [0, 0]
    assert {page.stack(sample.stack) for sample in page.samples} == {
        (("f", "/a.py", 0), ("g", "/b.py", 0))
    }
    assert page.columns["functions.line"] == [0, 0]


# ---- what a page says ----------------------------------------------------------------------------


def test_scales(files, shop):
    page = page_of(files, shop)
    assert page.json["start_ns"] == str(START_NS)
    assert page.json["period_ns"] == 10**6
    # the last sample is at 3999 ms, and stands for one more
    assert page.json["duration_ns"] == 4000 * 10**6
    assert page.json["time_unit_ns"] == 10**6
    assert page.json["unit"] == "samples"
    assert page.json["title"] == "Python 3.12.1, 2 processes"
    assert "samples.weight" not in page.columns
    # 1 ms is one unit: a byte each, but where a thread begins later
    sizes = {name: (count, size) for name, count, size in page.json["columns"]}
    assert sizes["samples.time"] == (5200, 5201)
    assert sizes["samples.cpu"] == (5200, 5200)


def test_places(files, shop):
    assert page_of(files, shop, "--no-source").files() == {
        "/srv/shop/app.py": ("app.py", "app", "own"),
        "/srv/shop/job.py": ("job.py", "job", "own"),
        "/srv/shop/tree.py": ("tree.py", "tree", "own"),
        "/v/lib/python3.12/site-packages/requests/api.py": (
            "requests/api.py",
            "requests",
            "package",
        ),
        "/usr/lib/python3.12/json/__init__.py": ("json/__init__.py", "json", "stdlib"),
    }
    assert page_of(files, shop, "--full-paths").files()["/srv/shop/app.py"][0] == "/srv/shop/app.py"


def test_counts_only(files):
    page = page_of(files, files.text("x.folded", "main;f 500\nmain;g 3\nother 1\n"))
    assert page.json["timed"] is False
    assert page.json["period_ns"] == page.json["duration_ns"] == 0
    assert page.json["start_ns"] == "0"
    assert set(page.columns["samples.time"]) == {0}
    assert sorted(sample.weight for sample in page.samples) == [1, 3, 500]


def test_units(files):
    text = '{"$schema":"https://www.speedscope.app/file-format-schema.json","shared":{"frames":[{"name":"f"}]},"profiles":[{"type":"sampled","name":"x","unit":"bytes","startValue":0,"endValue":6,"samples":[[0],[0]],"weights":[2,4]}]}'
    page = page_of(files, files.text("x.speedscope.json", text))
    assert page.json["unit"] == "bytes"
    assert sum(sample.weight for sample in page.samples) == 6


def test_empty(files):
    page = page_of(files, files.capture("x.fgc", "process 1 p\nthread 0 1 t\n"))
    assert page.samples == [] and page.stacks == []
    result = fireglass("report", files.path("x.fgc"), "-o", files.path("y.html"))
    assert "x.fgc has no samples" in result.stderr


def test_nothing_selected(files, shop):
    result = fireglass("report", shop, "-o", files.path("x.html"), "--thread", "nobody")
    assert f"nothing of {shop} is selected" in result.stderr


def test_many_threads(files):
    description = "process 1 p\n" + "".join(f"thread 0 {i + 1} w-{i}\n" for i in range(3000))
    description += "".join(f"sample {i} 2 {i} cpu 1 f@/a.py:{i % 7 + 1}\n" for i in range(3000))
    page = assert_same(files, files.capture("x.fgc", description))
    assert len(page.json["threads"]) == 3000


def test_threads_take_turns(files):
    """Samples of several threads at the same times, one thread's twice at one."""
    description = "process 1 p\nthread 0 1 a\nthread 0 2 b\n" + "".join(
        f"sample {ms} 1 {thread} cpu 1 f@/a.py:{ms % 5 + 1}\n"
        for ms in range(50)
        for thread in (1, 0, 0)
    )
    page = assert_same(files, files.capture("x.fgc", description))
    assert [row[-1] for row in page.json["threads"]] == [100, 50]


# ---- hostile names -------------------------------------------------------------------------------

NAMES = [
    "</script><img src=x onerror=alert(1)>",
    "</SCRIPT\t><script>alert(2)</script>",
    "<!-- <script>",
    "@DATA@ @SCRIPT@ @TITLE@",
    "]]>",
    "\u2028\u2029",
    "\u202eevil",
    "'\"&amp;\\",
    "x" * 1_000_000,
    "\U0001f40d" * 1000,
]


def test_hostile_names(files):
    text = "".join(f"{name.replace(chr(92), chr(92) * 2).replace(';', chr(92) + 'x3b')} {i + 1}\n"
                   for i, name in enumerate(NAMES))
    capture = files.text("x.folded", text)
    page, html = report(capture, files.path("page.html"))
    assert sorted(page["capture"].strings[f[0]] for f in page["capture"].functions
                  if f[3] == 0) == sorted(NAMES)
    elements = read_page.parse_elements(html)
    assert not [e for e in elements if e["tag"] == "img"]
    # as many elements as a page of anything else
    plain = report(files.text("y.folded", "f 1\n"), files.path("plain.html"))[1]
    assert [e["tag"] for e in elements] == [e["tag"] for e in read_page.parse_elements(plain)]


def test_bytes_that_are_no_text(files):
    path = files.path("x.folded")
    pathlib.Path(path).write_bytes(b"bad\xff\xfename 1\nnul\\x00l 2\n")
    page = page_of(files, path, "--input-format", "folded")
    names = {page.strings[f[0]] for f in page.functions}
    assert names == {"bad\ufffd\ufffdname", "nul\x00l"}


@pytest.mark.parametrize(
    "title,shown",
    [
        ("</title><script>alert(1)</script>", "</title><script>alert(1)</script>"),
        ("@DATA@", "@DATA@"),
        ("a\u202eb\nc", "a\\u202eb\\x0ac"),
        ("&lt;", "&lt;"),
    ],
)
def test_hostile_titles(files, shop, title, shown):
    pages, html = report(shop, files.path("page.html"), "--title", title, "--no-source")
    assert pages["capture"].json["title"] == title
    elements = read_page.parse_elements(html)
    titles = [e["text"] for e in elements if e["tag"] == "title"]
    # U+202E and control characters would not be seen
    assert len(titles) == 1 and titles[0] == shown
    assert sum(e["tag"] == "script" for e in elements) == 2


def test_script_and_style_are_not_ended_early(files, shop):
    elements = read_page.parse_elements(report(shop, files.path("page.html"))[1])
    tags = [e["tag"] for e in elements]
    # what is after the script is the page's end
    assert tags.count("html") == tags.count("head") == tags.count("body") == 1
    assert len([e for e in elements if e["tag"] == "script"]) == 2


# ---- baseline ------------------------------------------------------------------------------------


def test_baseline(files, shop):
    before = files.capture("before.fgc", SHOP.replace("sample 0 1500", "sample 0 700"))
    pages, _ = report(shop, files.path("page.html"), "--baseline", before, "--cpu")
    assert set(pages) == {"capture", "baseline"}
    assert len(pages["capture"].samples) == 3000
    assert len(pages["baseline"].samples) == 2200
    assert pages["baseline"].facts["selection"] == "--cpu"
    assert pages["baseline"].json["sources"] == []


def test_baseline_of_another_format(files, shop):
    text = files.text("x.folded", "main;f 5\n")
    pages, _ = report(shop, files.path("page.html"), "--baseline", text)
    assert pages["baseline"].json["timed"] is False


def test_thread_roots_have_no_ids_when_compared(files, shop):
    pages, _ = report(shop, files.path("page.html"), "--baseline", shop, "-t")
    for page in pages.values():
        assert not any(c.isdigit() for f in page.functions if f[3] == 1
                       for c in page.strings[f[0]])


# ---- sources -------------------------------------------------------------------------------------


class Program:
    """Source files, and a capture that names them."""

    def __init__(self, files):
        self.files = files
        self.directory = files.directory / "program"
        self.directory.mkdir()
        self.facts = [f"fact start_ns {time.time_ns()}", f"fact host {os.uname().nodename}",
                      f"fact cwd {self.directory}"]  # fmt: skip

    def write(self, name, content, age=3600):
        path = self.directory / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.utime(path, (time.time() - age,) * 2)
        return str(path)

    def sources(self, names, *options):
        """{name: (text, note)} in a page of a capture with one sample in each."""
        description = "\n".join([*self.facts, "process 1 p", "thread 0 1 t", ""]) + "".join(
            f"sample {i} {len(names) - i} 0 cpu 1 f@{name}:1\n" for i, name in enumerate(names)
        )
        self.capture = self.files.capture("program.fgc", description)
        return page_of(self.files, self.capture, *options).sources()


@pytest.fixture
def program(files):
    return Program(files)


def test_sources(program):
    path = program.write("a.py", "def f():\n    return 'ä'\n")
    relative = program.write("b.py", "x = 1\n")
    assert program.sources([path, os.path.basename(relative), "<string>", "<frozen os>"]) == {
        path: ("def f():\n    return 'ä'\n", ""),
        "b.py": ("x = 1\n", ""),
    }
    assert program.sources([path], "--no-source") == {}
    assert path in program.sources([path], "--no-source", "--source")


def test_sources_that_changed(program):
    path = program.write("a.py", "x\n", age=-60)
    assert program.sources([path]) == {path: ("x\n", "changed after the recording")}


def test_sources_of_another_machine(program):
    path = program.write("a.py", "x\n")
    program.facts[1] = "fact host elsewhere.example"
    notes = program.sources([path])[path][1]
    assert notes == "read where the page was made, not where the program ran"
    program.facts[1] = f"fact host {os.uname().nodename}\nfact files elsewhere"
    assert program.sources([path])[path][1] == notes
    program.facts[0] = ""
    assert program.sources([path])[path][1] == notes + (
        "; may have changed: it is not known when the recording was made"
    )


@pytest.mark.parametrize(
    "content,text,note",
    [
        (b"\xef\xbb\xbfx = '\xc3\xa4'\n", "x = 'ä'\n", ""),
        (b"# -*- coding: latin-1 -*-\nx = '\xe4'\n", "# -*- coding: latin-1 -*-\nx = 'ä'\n", ""),
        (b"#!/x\n# vim: set fileencoding=ISO-8859-1 :\n\xe4\n",
         "#!/x\n# vim: set fileencoding=ISO-8859-1 :\nä\n", ""),
        (b"\n\n# coding: latin-1\n\xe4\n", "\n\n# coding: latin-1\n\ufffd\n",
         "not in UTF-8: some characters are replaced"),
        (b"# coding: koi8-r\n\xe4\n", "# coding: koi8-r\n\ufffd\n",
         "not in UTF-8: some characters are replaced"),
        (b"a\r\nb\rc\n\r\n", "a\nb\nc\n\n", ""),
        (b"a\0b", "", "left out: not a text"),
        (b"", "", ""),
        (b"</script><img src=x>", "</script><img src=x>", ""),
    ],
)  # fmt: skip
def test_codings(program, content, text, note):
    path = program.write("a.py", content)
    assert program.sources([path])[path] == (text, note)


def test_what_is_no_python_is_not_read(program):
    secret = program.write("id_rsa", "PRIVATE KEY\n")
    script = program.write("tool", "#!/usr/bin/env python3\nx\n")
    link = program.directory / "innocent.txt"
    link.symlink_to(secret)
    missing = str(program.directory / "gone.py")
    folder = program.directory / "folder.py"
    folder.mkdir()
    fifo = program.directory / "fifo.py"
    os.mkfifo(fifo)
    assert program.sources([secret, str(link), "/dev/zero", script, missing, str(folder),
                            str(fifo)]) == {  # fmt: skip
        script: ("#!/usr/bin/env python3\nx\n", ""),
        missing: ("", "cannot be read: no such file or directory"),
        str(folder): ("", "not a regular file"),
        str(fifo): ("", "not a regular file"),
    }


def test_sources_are_not_without_limit(program):
    full = program.write("full.py", "#" * (1 << 20))
    large = program.write("large.py", "#" * ((1 << 20) + 1))
    sources = program.sources([large, full])
    assert sources[full] == ("#" * (1 << 20), "")
    assert sources[large] == ("", "left out: larger than 1 MB")
    # the ones with most samples come first
    many = [program.write(f"m{i}.py", "#" * 1_000_000) for i in range(20)]
    sources = program.sources(many)
    assert [bool(sources[path][0]) for path in many] == [True] * 16 + [False] * 4
    assert sources[many[-1]][1] == "left out: the page has 16 MB of sources without it"
    result = fireglass("report", program.capture)
    assert "4 source files were left out" in result.stderr


def test_export_has_sources_too(files, program):
    path = program.write("a.py", "x\n")
    program.sources([path])
    fireglass("export", program.capture, "-f", "html", "-o", files.path("e.html"))
    assert read_page.read_file(files.path("e.html"))["capture"].sources() == {path: ("x\n", "")}
    fireglass("export", program.capture, "-o", files.path("f.html"), "--no-source")
    assert read_page.read_file(files.path("f.html"))["capture"].sources() == {}


# ---- outputs -------------------------------------------------------------------------------------


def test_default_output(files):
    capture = files.capture("my.app.fgc")
    result = fireglass("report", capture)
    assert files.names() == ["my.app.fgc", "my.app.html"]
    size = os.path.getsize(files.path("my.app.html"))
    assert result.stdout == ""
    assert result.stderr.startswith(f"fireglass: wrote {files.path('my.app.html')} (")
    unit = {"kB": 1e3, "MB": 1e6}[result.stderr.split()[-1].rstrip(")")]
    assert float(result.stderr.split("(")[1].split()[0]) == pytest.approx(size / unit, rel=0.01)


def test_a_file_without_ending(files):
    shutil.copy(files.capture("x.fgc"), files.path("capture"))
    fireglass("report", files.path("capture"))
    assert "capture.html" in files.names()


def test_standard_output(files, shop):
    result = fireglass("report", shop, "-o", "-", "--no-source")
    assert result.stderr == ""
    assert len(read_page.read_page(result.stdout)["capture"].samples) == 5200
    again = fireglass("report", shop, "-o", "-", "--no-source")
    assert again.stdout == result.stdout, "the same capture gives the same page"


def test_standard_input(files, shop):
    with open(shop, "rb") as file:
        fireglass("report", "-", "-o", files.path("x.html"), stdin=file)
    assert len(read_page.read_file(files.path("x.html"))["capture"].samples) == 5200


def test_unfinished(files):
    capture = files.capture("x.fgc", SHOP, "-u")
    result = fireglass("report", capture, "-o", files.path("x.html"))
    assert "has no end" in result.stderr
    assert len(read_page.read_file(files.path("x.html"))["capture"].samples) == 5200


@pytest.mark.parametrize(
    "options,message",
    [
        ([], "a report of what?"),
        (["a", "b"], "'b' is one file too many"),
        (["-"], "where to? give -o FILE"),
        (["a", "-o", "x", "-o", "y"], "one -o only: 'x' or 'y'"),
        (["a", "-o", "a"], "'a' is both read and written"),
        (["a.html"], "'a.html' is both read and written"),
        (["a", "--baseline", "b", "-o", "b"], "'b' is both read and written"),
        (["-", "--baseline", "-", "-o", "x"], "the standard input can be read once only"),
        (["a", "-o", ""], "the output has no name"),
    ],
)
def test_usage(options, message):
    assert fireglass("report", *options, status=2).stderr.startswith("fireglass: " + message)


def test_errors_leave_nothing(files, shop):
    fireglass("report", files.path("none.fgc"), status=1)
    fireglass("report", shop, "--baseline", files.path("none.fgc"), status=1)
    fireglass("report", shop, "--focus", "(", status=2)
    fireglass("report", files.text("x.py", "print()\n"), status=1)
    fireglass("report", shop, "-o", files.path("none/x.html"), status=1)
    assert files.names() == ["shop.fgc", "x.py"]


def test_no_room(shop):
    result = fireglass("report", shop, "-o", "/dev/full", status=1)
    assert "no space left on device" in result.stderr


def test_a_damaged_capture_leaves_nothing(files):
    capture = golden(files, "big:60000")
    data = bytearray(pathlib.Path(capture).read_bytes())
    data[len(data) // 2] ^= 0x55
    pathlib.Path(capture).write_bytes(data)
    fireglass("report", capture, status=1)
    assert files.names() == ["big-60000.fgc"]


def test_a_million_samples(files):
    """The page stays small, and the memory for it: some bytes a sample."""
    capture, out = golden(files, "large:1000000:100000"), files.path("x.html")
    limit = 48 << 20
    fireglass("report", capture, "-o", out,
              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)))  # fmt: skip
    assert os.path.getsize(out) < 10e6
    page = read_page.read_file(out)["capture"]
    assert len(page.samples) == 1_000_000
    assert len(page.stacks) == 100_000


def test_help():
    text = fireglass("report", "--help").stdout
    for option in ("--baseline", "--no-source", "--title", "--thread", "--from", "--output"):
        assert option in text
