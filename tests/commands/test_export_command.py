# SPDX-License-Identifier: MIT
"""fireglass export: selections, inputs, outputs, ends."""

import os
import pty
import re
import signal
import subprocess
import time

import pytest
from conftest import BIN
from running import export, fireglass, parse_folded, total

MAIN, WORKER, JOB = 4000, 1000, 200
ALL = MAIN + WORKER + JOB


# ---- selections ----------------------------------------------------------------------------------


def test_everything(shop):
    stacks = export(shop)
    assert total(stacks) == ALL
    assert stacks[("main (app.py:10)", "get (requests/api.py:7)")] == 1500
    assert stacks[("(not readable)",)] == 100


@pytest.mark.parametrize(
    "options,samples",
    [
        (["--wall"], ALL),
        (["--cpu"], 3000),
        (["--gil"], 3000),
        (["--all"], ALL + 7),
        (["--thread", "worker"], WORKER),
        (["--thread", "^Main"], MAIN + JOB),
        (["--thread", "101"], WORKER),
        (["--thread", "101", "--thread", "200"], WORKER + JOB),
        (["--process", "web"], MAIN + WORKER),
        (["--process", "200"], JOB),
        (["--focus", "^get "], 1500),
        (["--focus", "app.py", "--focus", "json"], 500),
        (["--ignore", "app.py"], WORKER + JOB),
        (["--root", "^leaf"], WORKER),
        (["--hide", "main"], ALL),
        (["--min-percent", "20"], ALL),
    ],
)
def test_what_is_selected(shop, options, samples):
    assert total(export(shop, *options)) == samples


# the last sample is at 3.999 s
@pytest.mark.parametrize(
    "options,samples",
    [
        (["--from", "3s"], 1000),
        (["--from", "3500ms"], 500),
        (["--from", "-1s"], 1001),
        (["--to", "-3.999s"], 0),
        (["--from", "2s", "--to", "2.5"], 500),
        (["--to", "0.1s"], 100 + 100),
        (["--from", "1s500ms", "--to", "0m2s"], 1000),
        (["--from", "2023-11-14T22:13:23.5Z"], 500),
        (["--from", "2023-11-15T00:13:23+02:00"], 1000),
        (["--from", "2023-11-14 22:13:23"], 1000),
        (["--from", "1h"], 0),
    ],
)
def test_times(shop, options, samples):
    assert total(export(shop, *options)) == samples


@pytest.mark.parametrize(
    "text",
    ["", "x", "1x", "-", "--", "1s2", "5 s", "2023-13-01T00:00:00", "2023-11-14T22:13:23Q", "nan"],
)
def test_bad_times(shop, text):
    if text == "1s2":  # seconds, as the last unit may be left out
        assert total(export(shop, "--from", text)) == 1000
        return
    error = fireglass("export", shop, "--from", text, status=2).stderr
    assert error.startswith(f"fireglass: bad time '{text}'; give")


def test_from_after_to(shop):
    error = fireglass("export", shop, "--from", "3s", "--to", "2s", status=2).stderr
    assert error == "fireglass: --from 3s is not before --to 2s\n"


def test_granularity(shop):
    assert export(shop, "--thread", "worker", "--lines") == {
        ("walk (tree.py:3)", "walk (tree.py:3)", "leaf (tree.py:9)"): 1000
    }
    functions = export(shop, "--functions", "--process", "web", "--ignore", "walk")
    assert sum(count for stack, count in functions.items() if stack[0].startswith("main")) == 4000
    assert {stack[0] for stack in functions} == {"main (app.py:1)"}
    assert export(shop, "--modules", "--cpu") == {
        ("app", "requests"): 1500,
        ("app", "json"): 500,
        ("tree",): 1000,
    }
    assert export(shop, "--files", "--cpu")[("app.py", "requests/api.py")] == 1500
    assert export(shop, "--thread", "worker", "--collapse-recursion") == {
        ("walk (tree.py:3)", "leaf (tree.py:9)"): 1000
    }


def test_threads_as_roots(shop):
    roots = {stack[:2] for stack in export(shop, "-t")}
    assert roots == {
        ("web (100)", "MainThread"),
        ("web (100)", "worker"),
        ("job (200)", "MainThread"),
    }


def test_labels(shop):
    assert ("main (/srv/shop/app.py:12)",) in export(shop, "--full-paths")
    assert ("main (app.py)",) in export(shop, "--no-lines")


def test_min_percent_keeps_the_total(shop):
    stacks = export(shop, "--min-percent", "20")
    assert total(stacks) == ALL
    assert stacks[("main (app.py:12)", "(below 20 %)")] == 500
    assert stacks[("main (app.py:10)", "get (requests/api.py:7)")] == 1500


@pytest.mark.parametrize("option", ["focus", "ignore", "hide", "root", "thread", "process"])
def test_bad_regular_expressions(shop, files, option):
    result = fireglass("export", shop, "--" + option, "a(", "-o", files.path("x.svg"), status=2)
    assert result.stderr.startswith(f"fireglass: bad regular expression 'a(' for {option}: ")
    assert files.names() == ["shop.fgc"]


def test_nothing_is_left(shop):
    result = fireglass("export", shop, "--thread", "nobody")
    assert (result.stdout, result.stderr) == ("", f"fireglass: nothing of {shop} is selected\n")


def test_an_empty_capture(files):
    path = files.capture("empty.fgc", "")
    result = fireglass("export", path)
    assert (result.stdout, result.stderr) == ("", f"fireglass: {path} has no samples\n")


# ---- inputs --------------------------------------------------------------------------------------


def test_another_profilers_file(files):
    path = files.text("old.txt", "main;f 3\nmain;g 4\n")
    assert export(path) == {("main", "f"): 3, ("main", "g"): 4}
    error = fireglass("export", path, "--from", "1s", status=2).stderr
    assert "have no times" in error
    error = fireglass("export", path, "--cpu").stderr
    assert "does not say what threads were doing" in error


def test_through_a_pipe(shop, files):
    with open(shop, "rb") as stream:
        content = stream.read()
    for given in (content, b"main;f 3\n"):
        read, write = os.pipe()
        process = subprocess.Popen(
            [BIN, "export", "-", "-f", "folded"], stdin=read, stdout=subprocess.PIPE
        )
        os.close(read)
        with os.fdopen(write, "wb") as pipe:
            pipe.write(given)
        output = process.communicate(timeout=60)[0].decode()
        assert process.returncode == 0
        assert total(parse_folded(output)) == (ALL if given is content else 3)
    with open(shop, "rb") as stream:
        assert total(export("-", stdin=stream)) == ALL


def test_not_a_capture(files):
    path = files.text("page.html", "<html>\n")
    error = fireglass("export", path, "-o", files.path("out.svg"), status=1).stderr
    assert error.startswith("fireglass: ") and "page.html" in error
    assert files.names() == ["page.html"]
    error = fireglass("export", files.path("none"), status=1).stderr
    assert error == f"fireglass: cannot read '{files.path('none')}': no such file or directory\n"


def test_a_capture_without_an_end(files):
    path = files.capture("live.fgc", "process 1 p\nthread 0 1 t\nsample 0 300 0 cpu 1 f\n", "-u")
    result = fireglass("export", path)
    assert result.stdout == "f 300\n"
    assert re.search(
        r"live\.fgc has no end .*: read 300 samples, the last at 22:13:20\n", result.stderr
    )


def test_a_capture_cut_off(shop, files):
    with open(shop, "rb") as stream:
        content = stream.read()
    with open(files.path("cut.fgc"), "wb") as stream:
        stream.write(content[: len(content) - 7])
    result = fireglass("export", files.path("cut.fgc"))
    assert "cut.fgc" in result.stderr and " samples" in result.stderr


# ---- outputs -------------------------------------------------------------------------------------


def test_several_outputs(shop, files):
    fireglass("export", shop, "-o", files.path("a.svg"), "-o", files.path("a.folded"))
    assert files.read("a.svg").startswith("<?xml")
    assert total(parse_folded(files.read("a.folded"))) == ALL
    assert files.names() == ["a.folded", "a.svg", "shop.fgc"]


def test_options_before_and_after(shop):
    expected = export(shop, "--cpu")
    assert parse_folded(fireglass("export", "--cpu", "-f", "folded", shop).stdout) == expected
    assert parse_folded(fireglass("export", "--cpu", "-f", "folded", "--", shop).stdout) == expected


def test_a_terminal_gets_a_table(shop):
    parent, child = pty.openpty()
    process = subprocess.Popen([BIN, "export", shop], stdout=child, stdin=subprocess.DEVNULL)
    os.close(child)
    output = b""
    while True:
        try:
            piece = os.read(parent, 65536)
        except OSError:
            break
        if not piece:
            break
        output += piece
    os.close(parent)
    assert process.wait(timeout=60) == 0
    assert "5200" in output.decode() and "self" in output.decode()


def test_format_and_ending(shop, files):
    fireglass("export", shop, "-f", "folded", "-o", files.path("x.svg"))
    assert total(parse_folded(files.read("x.svg"))) == ALL
    error = fireglass("export", shop, "-f", "nonsense", status=2).stderr
    assert error.startswith("fireglass: unknown format 'nonsense'; there are svg, folded, ")


@pytest.mark.parametrize(
    "options,message",
    [
        ([], "what to export?"),
        (["a", "b"], "'b' is one file too many"),
        (["--nonsense", "a"], "unknown option '--nonsense'"),
        (["--min-percent", "101", "a"], "bad percentage '101'"),
        (["--min-percent", "x", "a"], "bad percentage 'x'"),
        (["--rows", "0", "a"], "bad number of rows '0'"),
    ],
)
def test_usage(options, message):
    assert fireglass("export", *options, status=2).stderr.startswith("fireglass: " + message)


def test_the_input_is_not_overwritten(shop):
    before = os.stat(shop)
    error = fireglass("export", shop, "-o", shop, status=2).stderr
    assert "is both read and written" in error
    assert os.stat(shop).st_mtime_ns == before.st_mtime_ns


def test_full_disk(shop):
    error = fireglass("export", shop, "-f", "folded", "-o", "/dev/full", status=1).stderr
    assert "no space left" in error


def test_formats_are_listed():
    listed = fireglass("export", "--list-formats").stdout
    assert re.search(r"^svg +\.svg ", listed, re.MULTILINE) and re.search(
        r"^fgc ", listed, re.MULTILINE
    )


def temporary(files):
    return [name for name in files.names() if name.startswith("out.folded")]


def drain(fd):
    os.set_blocking(fd, False)
    try:
        while os.read(fd, 65536):
            pass
    except BlockingIOError:
        os.set_blocking(fd, True)


def test_interrupted(files):
    """The output waits for a reader; meanwhile the temporary file of the other one is there."""
    shop = files.capture("shop.fgc")
    os.mkfifo(files.path("pipe.folded"))
    keeper = os.open(files.path("pipe.folded"), os.O_RDWR)
    # more than a pipe holds, so that writing it blocks
    many = "".join(f"main;f{i} 1\n" for i in range(20000))
    path = files.text("many.txt", many)
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(
            [BIN, "export", path, "-o", files.path("pipe.folded"), "-o", files.path("out.folded")],
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while not temporary(files) and time.monotonic() < deadline:
            assert process.poll() is None
        assert temporary(files)
        # the pipe is full once a write to it waits
        os.read(keeper, 1)
        process.send_signal(number)
        assert process.wait(timeout=30) == -number
        assert temporary(files) == []
        drain(keeper)  # or the next one would seem to have written already
    os.close(keeper)
    assert os.path.exists(shop)
