# SPDX-License-Identifier: MIT
"""Pages: `record -o x.html`, with the sources as the program sees them."""

import json
import os
import sys

import pytest
from harness import TARGETS, TOP, fireglass, need_root, need_tool

sys.path.insert(0, os.path.join(TOP, "tests", "tools"))
import read_page


def page_of(path):
    text = path.read_text(encoding="utf-8")
    read_page.check_policy(text)
    return read_page.read_page(text)["capture"]


def source_of(page, name):
    """The text and the note of the file of this name."""
    found = [value for path, value in page.sources().items() if os.path.basename(path) == name]
    assert len(found) == 1, list(page.sources())
    return found[0]


def test_record_a_page(interp, start, tmp_path):
    target = start(interp, "mixed.py", "1")
    capture, html = tmp_path / "a.fgc", tmp_path / "a.html"
    result = fireglass("record", "-p", target.pid, "-d", "0.4", "-o", capture, "-o", html)
    assert result.returncode == 0, result.stderr
    assert "wrote %s" % html in result.stderr
    page = page_of(html)
    lines = fireglass("export", capture, "-f", "jsonl").raw.decode("utf-8").split("\n")
    samples = [json.loads(line) for line in lines if line.startswith('{"type":"sample"')]
    assert len(page.samples) == len(samples)
    assert page.json["timed"] and page.json["period_ns"] == 1000000
    assert {page.thread_name(sample.thread) for sample in page.samples} >= {"MainThread"}
    # rounded to 1/64 of the period, so that most times take one byte
    assert page.json["time_unit_ns"] % 15625 == 0
    with open(os.path.join(TARGETS, "mixed.py"), encoding="utf-8") as file:
        assert source_of(page, "mixed.py") == (file.read(), "")
    called = {sample.syscall for sample in page.samples} - {None}
    assert called >= {number for number, _ in page.json["syscalls"]}
    assert called and page.json["syscalls"]


@pytest.mark.only(lambda i: i.root)
def test_sources_of_a_capture_from_another_root(interp, start, tmp_path):
    """What it sees under these names is not what is here."""
    target = start(interp, "mixed.py", "1")
    capture, html = tmp_path / "a.fgc", tmp_path / "a.html"
    fireglass("record", "-p", target.pid, "-d", "0.2", "-q", "-o", capture)
    result = fireglass("report", capture, "-o", html)
    assert result.returncode == 0, result.stderr
    for text, note in page_of(html).sources().values():
        assert note == "cannot be read: no such file or directory" or (
            text and note.startswith("read where the page was made, not where the program ran")
        )


def test_without_sources(python, start, tmp_path):
    target = start(python, "mixed.py", "1")
    html = tmp_path / "a.html"
    fireglass("record", "-p", target.pid, "-d", "0.2", "-o", html, "--no-source")
    assert page_of(html).sources() == {}


def test_mounts_of_a_program_that_has_ended(python, tmp_path):
    """Its file is another one here; and its mounts are gone with it, but for us."""
    need_root()
    need_tool("unshare")
    seen, hidden = tmp_path / "seen", tmp_path / "hidden"
    for folder, what in ((seen, "# not this one"), (hidden, "# this one")):
        folder.mkdir()
        (folder / "program.py").write_text(
            what + "\nimport time\nend = time.time() + 0.5\nwhile time.time() < end: pass\n"
        )
    script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
    html = tmp_path / "a.html"
    result = fireglass(
        "record", "-o", html, "--", "unshare", "-m", "sh", "-c", script, "sh", hidden, seen,
        *python.argv, seen / "program.py",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    text, note = source_of(page_of(html), "program.py")
    assert text.startswith("# this one\n") and note == ""


def test_a_file_that_changed_while_it_ran(python, start, tmp_path):
    program = tmp_path / "changing.py"
    program.write_text("import sys\nprint('ready'); sys.stdout.flush()\nwhile True: pass\n")
    target = start(python, str(program))
    html = tmp_path / "a.html"
    future = os.stat(program).st_mtime + 3600
    os.utime(program, (future, future))
    fireglass("record", "-p", target.pid, "-d", "0.2", "-o", html)
    assert source_of(page_of(html), "changing.py")[1] == "changed after the recording"
