# SPDX-License-Identifier: MIT
"""The magics of IPython and Jupyter, in a shell without a terminal."""

import os
import subprocess
import sys

import pytest
from conftest import EXT

# cells(*texts): what each showed, as {"text/plain": ..., "text/html": ...}, and printed.
SHELL = '''
import sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.core import displaypub
from IPython.utils.capture import capture_output

shell = InteractiveShell.instance()

def cell(text):
    with capture_output() as seen:
        result = shell.run_cell(text)
    shown = {}
    for output in seen.outputs:
        shown.update(output.data)
    return result.success, shown, seen.stdout + seen.stderr

assert cell("%load_ext fireglass")[0]
assert cell("""
import time
def burn(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
def other():
    burn(0.1)
""")[0]
'''


@pytest.fixture
def notebook(tmp_path):
    def run(code):
        script = tmp_path / "shell.py"
        script.write_text(SHELL + code)
        done = subprocess.run(
            [sys.executable, str(script)],
            env=dict(os.environ, PYTHONPATH=EXT, PYTHONDONTWRITEBYTECODE="1",
                     IPYTHONDIR=str(tmp_path / "ipython")),
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=240,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    return run


def test_a_cell(notebook):
    notebook(
        """
ok, shown, out = cell("%%fireglass\\nprint('hello')\\nburn(0.2)\\nother()\\nanswer = 42")
assert ok and out == "hello\\n", out
text = shown["text/plain"]
assert "burn" in text and "other" in text and "<module>" in text and "run_cell" not in text, text
assert shown["text/html"].startswith("<iframe") and "sandbox" in shown["text/html"]
assert "burn" in shown["text/html"]
assert shell.user_ns["answer"] == 42           # in the shell's own namespace
capture = shell.user_ns["_fireglass"]
assert 0.2 < capture.duration < 60

# a statement, options
ok, shown, out = cell("%fireglass -r 200 -n 1 -c mine -o out.svg -o out.fgc burn(0.1)")
assert ok and shell.user_ns["mine"].period == 0.005 and "more" in shown["text/plain"]
assert open("out.svg").read().startswith("<?xml") and open("out.fgc", "rb").read()
ok, shown, out = cell("%fireglass -q burn(0.05)")
assert ok and not shown and not out
ok, shown, out = cell("%%fireglass -p\\nburn(0.05)")
assert "srcdoc" in shown["text/html"]
ok, shown, out = cell("%%fireglass -m\\nburn(0.05)")
assert "run_cell" in shown["text/plain"]       # all that there is
""",
    )


def test_errors_are_those_of_the_cell(notebook):
    notebook(
        """
ok, shown, out = cell("%%fireglass\\nburn(0.1)\\n1 / 0")
assert "ZeroDivisionError" in out and "fireglass/ipython.py" not in out, out
assert "burn" in shown["text/plain"]           # what was seen until then
ok, shown, out = cell("%%fireglass\\npass")
assert ok and "nothing was sampled" in out or "samples" in shown["text/plain"]
for line, said in (("%fireglass -z", "no option -z"), ("%fireglass -r often 1", "not a number"),
                   ("%fireglass -o", "needs a value"), ("%fireglass", "nothing to run")):
    ok, shown, out = cell(line)
    assert not ok and said in out and "-r HZ" in out, (line, out)
# magics in it, and no hook left
ok, shown, out = cell("%%fireglass\\n%matplotlib_is_not_there")
assert "compile" not in out
assert "cache" not in vars(shell.compile)
""",
    )


def test_every_call(notebook):
    notebook(
        """
ok, shown, out = cell("%%fireglass -x -o out.prof\\nfor _ in range(3): burn(0.001)\\nother()")
assert ok and "burn" in shown["text/plain"] and "run_cell" not in shown["text/plain"], shown
trace = shell.user_ns["_fireglass"]
assert {row["name"]: row["calls"] for row in trace.stats()}["burn"] == 4
import pstats
assert any(key[2] == "other" for key in pstats.Stats("out.prof").stats)
""",
    )


def test_lines(notebook):
    notebook(
        """
ok, shown, out = cell("%%fireglass_line\\nother()\\nx = 1")
text = shown["text/plain"]
hot = [line for line in text.split("\\n") if "while time.perf_counter" in line]
assert hot and "%" in hot[0] and " 4 " in hot[0], text
assert any("def burn(seconds):" in line and "%" not in line for line in text.split("\\n"))
html = shown["text/html"]
assert html.startswith("<table") and "perf_counter() &lt; end" in html and "rgba" in html
ok, shown, out = cell("%fireglass_line -f ^other$ other()")
assert "def other" in shown["text/plain"] and "def burn" not in shown["text/plain"]
ok, shown, out = cell("%fireglass_line -f nothing other()")
assert "no function matches nothing" in out
""",
    )


def test_a_cell_that_awaits(notebook):
    """In IPython's own loop, and where one runs already, as in Jupyter."""
    notebook(
        """
text = "%%fireglass\\nimport asyncio\\nawait asyncio.sleep(0.01)\\nburn(0.1)\\ndone = True"
ok, shown, out = cell(text)
assert ok and "burn" in shown["text/plain"] and shell.user_ns.pop("done")

import asyncio
async def jupyter():
    with capture_output() as seen:
        result = await shell.run_cell_async(text, transformed_cell=shell.transform_cell(text))
    return result, seen
result, seen = asyncio.run(jupyter())
assert result.success and shell.user_ns.pop("done"), seen.stdout
assert "burn" in seen.outputs[0].data["text/plain"]
""",
    )


def test_unloading(notebook):
    notebook(
        """
assert cell("%unload_ext fireglass")[0]
ok, shown, out = cell("%fireglass burn(0.1)")
assert "not found" in out
assert cell("%load_ext fireglass")[0] and cell("%fireglass burn(0.05)")[0]
""",
    )
