# SPDX-License-Identifier: MIT
"""fireglass.trace: every call of some code, as context, decorator and command, and its results."""

import json
import os
import pstats
import re
import signal
import subprocess

import harness
import pytest
from conftest import EXT, environment

# The start of all programs: work that is counted.
COMMON = """
import asyncio, json, os, sys, threading, time
import fireglass
from fireglass import trace

def leaf(): pass
def branch(n):
    for _ in range(n): leaf()
def fact(n): return n * fact(n - 1) if n else 1
def burn(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end: pass
def calls(t):
    here = [row for row in t.stats() if row["file"] == __file__]
    return {row["name"].split(".")[-1]: row["calls"] for row in here}
"""


def test_a_context(interp, run):
    run(
        interp,
        COMMON
        + """
with trace() as t:
    branch(3); fact(4)
leaf()
assert calls(t) == {"branch": 1, "leaf": 3, "fact": 5}, calls(t)
assert not t.running
rows = {row["name"]: row for row in t.stats()}
row = rows["fact"]
assert row["primitive_calls"] == 1 and row["line"] == fact.__code__.co_firstlineno
assert 0 < row["self_ns"] <= row["total_ns"]
# each of the three is rounded to nanoseconds by itself
parts = rows["branch"]["self_ns"] + rows["leaf"]["total_ns"]
assert abs(parts - rows["branch"]["total_ns"]) <= 1, rows
(pair,) = [p for p in t.calls_between() if p["callee"] == "leaf"]
assert (pair["caller"], pair["calls"], pair["caller_file"]) == ("branch", 3, __file__)
assert pair["total_ns"] == rows["leaf"]["total_ns"]

# goes on counting; forgets
t.start(); leaf(); t.stop(); t.stop()
assert calls(t)["leaf"] == 4
try:
    t.start().start()
except RuntimeError as e:
    assert "stop it first" in str(e)
else:
    assert False
t.stop(); t.clear()
assert t.stats() == []

# the exception goes on its way
try:
    with trace() as t: branch("many")
except TypeError:
    pass
else:
    assert False
leaf()
assert calls(t) == {"branch": 1}
assert "fireglass" not in repr([row["file"] for row in t.stats()]).replace(__file__, "")
""",
    )


def test_all_threads_each_with_its_own_callers(interp, run):
    run(
        interp,
        COMMON
        + """
def one(): branch(5)
def two(): fact(6)
before = threading.Event(); go = threading.Event()
def waits(): before.set(); go.wait(); two()
old = threading.Thread(target=waits); old.start(); before.wait()
with trace() as t:
    go.set()
    new = threading.Thread(target=one, name="new one"); new.start()
    new.join(); old.join(); branch(1)
assert calls(t) == {"one": 1, "two": 1, "branch": 2, "leaf": 6, "fact": 7}, calls(t)
pairs = {(p["caller"], p["callee"]): p["calls"] for p in t.calls_between()}
assert pairs["one", "branch"] == 1 and pairs["two", "fact"] == 1 and ("one", "fact") not in pairs
with trace(threads=False) as t:
    new = threading.Thread(target=one); new.start(); new.join(); fact(1)
assert calls(t) == {"fact": 2}, calls(t)
""",
    )


def test_decorators(interp, run):
    """Only what the function does, on whichever thread; of coroutines and generators what runs between
    their waits, and none of the others in the same loop."""
    run(
        interp,
        COMMON
        + """
import inspect

@trace
def plain(n, *, more=0):
    "its text"
    branch(n + more)
    return n
assert plain(1, more=1) == 1 and plain.__doc__ == "its text" and plain.__name__ == "plain"
leaf()
assert calls(plain.trace) == {"plain": 1, "branch": 1, "leaf": 2}

own = trace(builtins=False)
@own
def nested(n): return nested(n - 1) if n else leaf()
threads = [threading.Thread(target=nested, args=(2,)) for _ in range(3)]
for t in threads: t.start()
for t in threads: t.join()
assert calls(own) == {"nested": 9, "leaf": 3}, calls(own)

@trace
def numbers(n):
    got = 0
    for i in range(n):
        leaf()
        got = (yield i) or got
    return got
g = numbers(3); assert next(g) == 0
leaf(); branch(2)
assert g.send(7) == 1 and list(g) == [2]
def outer(): return (yield from numbers(2))
assert list(outer()) == [0, 1] and inspect.isgeneratorfunction(numbers)
# each time that it goes on is a call, as for cProfile
assert calls(numbers.trace) == {"numbers": 4 + 3, "leaf": 5}, calls(numbers.trace)
@trace
def stubborn():
    try: yield 1
    except KeyError: leaf(); yield 2
    finally: branch(1)
g = stubborn(); next(g); assert g.throw(KeyError()) == 2; g.close()
assert calls(stubborn.trace) == {"stubborn": 3, "leaf": 2, "branch": 1}, calls(stubborn.trace)

turns = []
@trace
async def task(n):
    for _ in range(n):
        leaf(); turns.append("task"); await asyncio.sleep(0)
    return n
async def other():
    for _ in range(20): fact(3); turns.append("other"); await asyncio.sleep(0)
@trace
async def stream(n):
    for i in range(n):
        leaf(); await asyncio.sleep(0); yield i
async def main():
    rest = asyncio.ensure_future(other())
    assert await task(4) == 4
    assert [i async for i in stream(3)] == [0, 1, 2]
    try:
        await asyncio.wait_for(slow(), 0.01)
    except asyncio.TimeoutError:
        pass
    await rest
@trace
async def slow():
    try: await asyncio.sleep(60)
    finally: leaf()
asyncio.run(main())
assert turns.index("other") < 4   # they did take turns
assert inspect.iscoroutinefunction(task) and inspect.isasyncgenfunction(stream)
assert calls(task.trace) == {"task": 5, "leaf": 4}, calls(task.trace)
got = calls(stream.trace)
assert got["leaf"] == 3 and "fact" not in got, got
assert calls(slow.trace)["leaf"] == 1

try:
    trace(type("Class", (), {}))
except TypeError as e:
    assert "only=[Class]" in str(e)
else:
    assert False
""",
    )


def test_a_part_of_what_threads_do(interp, run):
    run(
        interp,
        COMMON
        + """
t = trace(builtins=False)
def work(n):
    branch(1)
    with t.here():
        fact(n)
        with t.here(): leaf()
        leaf()
    branch(1)
threads = [threading.Thread(target=work, args=(3,)) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
work(1)
assert calls(t) == {"fact": 4 * 4 + 2, "leaf": 10}, calls(t)
""",
    )


def test_suspended_time_is_not_running_time(interp, run):
    run(
        interp,
        COMMON
        + """
def number():
    burn(0.01)
    yield 1
    burn(0.01)
async def waiting(): await asyncio.sleep(0.2)
with trace(builtins=False) as t:
    g = number(); next(g); time.sleep(0.2); list(g)
rows = {row["name"]: row for row in t.stats()}
assert 19e6 < rows["number"]["total_ns"] < 150e6, rows["number"]
with trace(builtins=False) as t:
    asyncio.run(waiting())
rows = {row["name"]: row for row in t.stats()}
assert rows["waiting"]["total_ns"] < 150e6, rows["waiting"]
""",
    )


def test_only_some_code(interp, run, tmp_path):
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("def top(): return inner()\ndef inner(): return 1\n")
    (package / "cart.py").write_text(
        "import functools\n"
        "def hidden(f):\n"
        "    def wrapper(*a): return f(*a)\n"
        "    return wrapper\n"
        "def shown(f):\n"
        "    @functools.wraps(f)\n"
        "    def wrapper(*a): return f(*a)\n"
        "    return wrapper\n"
        "class Cart:\n"
        "    def add(self, n): return [self.price(i) for i in range(n)]\n"
        "    def price(self, i): return i\n"
        "    @property\n"
        "    def total(self): return 5\n"
        "    @classmethod\n"
        "    def make(cls): return cls()\n"
        "    @staticmethod\n"
        "    def tax(): return 1\n"
        "    class Line:\n"
        "        def amount(self): return (lambda: 2)()\n"
        "@hidden\n"
        "def decorated(): return 1\n"
        "@shown\n"
        "def wrapped(): return 1\n"
    )
    run(
        interp,
        COMMON
        + """
import shop, functools, types
from shop import cart
from shop.cart import Cart

def work():
    c = Cart.make(); c.add(2); c.total; c.tax(); Cart.Line().amount()
    cart.decorated(); cart.wrapped(); shop.top(); branch(2)
def names(*only):
    with trace(only=list(only)) as t: work()
    found = {}
    for row in t.stats():
        name = row["name"].split(".")[-1]
        if name[0] != "<": found[name] = found.get(name, 0) + row["calls"]
    return found

assert names(leaf) == {"leaf": 2}
assert names(leaf, branch) == {"leaf": 2, "branch": 1}
assert names(branch.__code__) == {"branch": 1}
assert names(Cart.add, Cart.make, Cart.total, Cart.tax) == {"add": 1, "make": 1, "total": 1, "tax": 1}
assert names(Cart().price) == {"price": 2}
assert names(functools.partial(leaf)) == {"leaf": 2}
assert names(cart.wrapped) == {"wrapped": 1}
whole = {"add": 1, "price": 2, "total": 1, "make": 1, "tax": 1, "amount": 1}
assert names(Cart) == whole
assert names(cart) == names("shop.cart") == dict(whole, decorated=1, wrapper=2, wrapped=1), names(cart)
assert names("shop") == {"top": 1, "inner": 1}
assert names("shop.*") == dict(names(cart), top=1, inner=1)
assert names("shop.cart.Cart.add") == names("shop.cart:Cart.add") == {"add": 1}
assert names("shop.cart.Cart.total", "shop.cart.Cart.Line") == {"total": 1, "amount": 1}
assert names("__main__.leaf") == {"leaf": 2}
with trace(only=leaf) as t: work()        # one alone
assert calls(t) == {"leaf": 2}

# what is traced alone has all of its time; what is traced beside a callee has its own
def slow(): burn(0.02); quick()
def quick(): burn(0.01)
with trace(only=[slow, quick]) as t: slow()
rows = {row["name"]: row for row in t.stats()}
assert abs(rows["slow"]["total_ns"] - rows["slow"]["self_ns"] - rows["quick"]["total_ns"]) < 1000
assert rows["slow"]["self_ns"] >= 20e6 and rows["quick"]["self_ns"] >= 10e6

for bad, words in ((len, "no Python code"), ("nothing.there", "no module 'nothing'"),
                   ("shop.cart.nothing", "has no 'nothing'"), (5, "no Python code"), ([], None)):
    try:
        t = trace(only=[bad] if words else bad)
    except ValueError as e:
        assert words and words in str(e), (bad, e)
    else:
        assert not words
""",
    )


def test_files(interp, run, tmp_path):
    run(
        interp,
        COMMON
        + """
os.umask(0o027)
with trace("out.prof") as t:
    branch(3); fact(4); len("abc")
for name in ("out.pstats", "out.callgrind", "callgrind.out.5", "out.txt", "out.json"):
    t.save(name)
t.save("named", format="pstats")
assert (os.stat("out.prof").st_mode & 0o777) == 0o640
for bad in ("out.nothing", "out", os.path.join("no", "such", "out.prof")):
    try:
        t.save(bad)
    except (ValueError, OSError):
        pass
    else:
        assert False
assert not [name for name in os.listdir(".") if name.startswith(".")]   # nothing half done
stats = t.pstats()
assert stats.sort_stats("cumulative") is stats
text = t.top(2)
assert "more)" in text and all(len(line) < 110 for line in text.split("\\n"))
assert "branch (program.py:" in t.top() and "5/1" in t.top(sort="calls")
import io
out = io.StringIO(); t.print_stats("ncalls", out); assert "5/1" in out.getvalue()
try:
    t.top(sort="beauty")
except ValueError as e:
    assert "self, total, calls, name" in str(e)
else:
    assert False
""",
    )
    for name in ("out.prof", "out.pstats", "named"):
        stats = pstats.Stats(str(tmp_path / name)).stats
        (row,) = [row for key, row in stats.items() if key[2] == "fact"]
        assert row[:2] == (1, 5)
    assert (tmp_path / "callgrind.out.5").read_text() == (tmp_path / "out.callgrind").read_text()
    whole = json.loads((tmp_path / "out.json").read_text())
    assert {"name", "calls", "self_ns"} <= set(whole["functions"][0])
    assert {"caller", "callee", "calls"} <= set(whole["calls"][0])
    assert "fact" in (tmp_path / "out.txt").read_text()


def test_a_decorator_writes_its_file_at_the_end(interp, run, tmp_path):
    run(
        interp,
        COMMON
        + """
@trace("out.prof")
def f(): leaf()
f(); f()
if os.fork() == 0:
    f()
    sys.exit()
os.wait()
""",
    )
    stats = pstats.Stats(str(tmp_path / "out.prof")).stats
    assert {key[2]: row[1] for key, row in stats.items() if key[2] in ("f", "leaf")} == {
        "f": 2, "leaf": 2,
    }  # fmt: skip


# ---- callgrind ---------------------------------------------------------------------------------------

CALLGRIND = COMMON + """
def even(n): return n == 0 or odd(n - 1)
def odd(n): return n != 0 and even(n - 1)
class A:
    def run(self): burn(0.002); leaf()
class B:
    def run(self): A().run()
def worker(): even(4)
with trace(cpu=cpu) as t:
    A().run(); B().run(); fact(5); even(7)
    thread = threading.Thread(target=worker, name="worker"); thread.start(); thread.join()
t.save("out.callgrind")
json.dump([t.stats(), t.calls_between()], open("truth.json", "w"))
"""


ROW = re.compile(r"^ *([\d,.]+)(?: +\( *[\d.]+%\))?(?: +[\d,.]+(?: +\( *[\d.]+%\))?)? {2,}(\S.*)$")


def annotate(path, *options):
    """{function: first number}, and the program's total, as callgrind_annotate has them."""
    done = subprocess.run(
        ["callgrind_annotate", "--threshold=100", "--auto=no", *options, str(path)],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/", text=True,
    )  # fmt: skip
    assert "malformed" not in done.stderr and "WARNING" not in done.stderr, done.stderr
    rows, total = {}, None
    for match in filter(None, map(ROW.match, done.stdout.splitlines())):
        number = 0 if match[1] == "." else int(match[1].replace(",", ""))
        if match[2].startswith("PROGRAM TOTALS"):
            total = number
        else:
            rows[match[2][:-3] if match[2].endswith(" []") else match[2]] = number
    return rows, total


def near(number):
    """Each of a few sums of ticks is rounded to nanoseconds by itself."""
    return pytest.approx(number, abs=100)


@pytest.mark.parametrize("cpu", [False, True])
def test_callgrind(interp, run, tmp_path, cpu):
    """callgrind_annotate adds up what we do: self, inclusive (recursion, too) and calls."""
    run(interp, "cpu = %r\n" % cpu + CALLGRIND)
    functions, calls = json.loads((tmp_path / "truth.json").read_text())
    script = str(tmp_path / "program.py")
    mine = {row["name"]: row for row in functions if row["file"] == script}
    path = tmp_path / "out.callgrind"

    def names(row):
        """One name of one file for each; which is told apart by its line if it is shared."""
        return ["%s:%s" % (script, row["name"]), "%s:%s:%d" % (script, row["name"], row["line"])]

    self_times, total = annotate(path)
    assert total == near(sum(row["self_ns"] for row in functions))
    inclusive, _ = annotate(path, "--inclusive=yes")
    for row in mine.values():
        (name,) = [name for name in names(row) if name in inclusive]
        assert self_times.get(name, 0) == near(row["self_ns"]), name
        assert inclusive[name] == near(row["total_ns"]), name
    assert any("thread worker" in name for name in inclusive)
    text = path.read_text().split("\n")
    written = sum(int(line[6:].split()[0]) for line in text if line.startswith("calls="))
    assert written == sum(row["calls"] for row in functions)
    assert ("events: Wall_ns CPU_ns" in text) == cpu
    if cpu:
        cpu_times, total = annotate(path, "--show=CPU_ns", "--sort=CPU_ns")
        assert total == near(sum(row["self_cpu_ns"] for row in functions)) and total > 0


# ---- as a command ------------------------------------------------------------------------------------

PROGRAM = """
import atexit, os, signal, sys, threading
import part

def f(n): return n if n < 2 else f(n - 1) + f(n - 2)
def late(): part.unit(0)
if __name__ == "__main__":
    atexit.register(late)
    print("out", f(7), part.go(3), sys.argv[1:], flush=True)
    print("err", file=sys.stderr, flush=True)
    how = sys.argv[1]
    if how == "raise": raise KeyError("told")
    if how == "term": os.kill(os.getpid(), signal.SIGTERM)
    if how == "own": signal.signal(signal.SIGTERM, lambda *a: sys.exit(9)); os.kill(os.getpid(), signal.SIGTERM)
    if how == "fork":
        if os.fork() == 0: f(7); sys.exit(0)
        os.wait()
    if how == "thread": threading.Thread(target=f, args=(7,)).start()
    sys.exit(int(how) if how.isdigit() else 0)
"""
PART = "def go(n): return [unit(i) for i in range(n)]\ndef unit(i): return i * i\n"


@pytest.fixture
def command(tmp_path):

    (tmp_path / "script.py").write_text(PROGRAM)
    (tmp_path / "part.py").write_text(PART)

    def run_command(interp, *words):
        return subprocess.run(
            [interp.exe, *words],
            env=environment(interp), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120,
            check=False,
        )  # fmt: skip

    return run_command


TRACE = ["-m", "fireglass", "trace"]


def counts(path):
    return {key[2]: row[1] for key, row in pstats.Stats(str(path)).stats.items()}


@pytest.mark.parametrize("how", ["0", "3", "raise", "term", "own", "fork", "thread"])
def test_a_program_is_what_it_is_without(interp, command, tmp_path, how):
    """Status, output, traceback; and what it did is written, however it ends."""
    plain = command(interp, "script.py", how)
    done = command(interp, *TRACE, "-o", "out.prof", "script.py", how)
    assert (done.returncode, done.stdout, done.stderr) == (
        plain.returncode, plain.stdout, plain.stderr,
    )  # fmt: skip
    found = counts(tmp_path / "out.prof")
    f = 41 * (2 if how == "thread" else 1)
    assert found["f"] == f and found["go"] == 1
    # what is done at exit, unless it is killed
    assert found["unit"] == (3 if how == "term" else 4)


def test_modules_and_code(interp, command, tmp_path):
    plain = command(interp, "-m", "script", "0")
    done = command(interp, *TRACE, "-o", "out.prof", "-m", "script", "0")
    assert (done.stdout, done.returncode) == (plain.stdout, 0)
    assert counts(tmp_path / "out.prof")["f"] == 41
    done = command(interp, *TRACE, "-o", "out.prof", "-c", "import part; part.go(2)")
    assert done.returncode == 0 and counts(tmp_path / "out.prof")["unit"] == 2


def test_what_it_prints(interp, command):
    done = command(interp, *TRACE, "--top", "5", "script.py", "3")
    assert done.returncode == 3 and done.stdout == command(interp, "script.py", "3").stdout
    lines = done.stderr.split("\n")
    assert lines[0] == "err" and "calls of" in done.stderr and "more)" in done.stderr
    done = command(interp, *TRACE, "-s", "ncalls", "script.py", "0")
    assert "Ordered by: call count" in done.stderr and "41/1" in done.stderr
    done = command(interp, *TRACE, "--only", "part", "--only", "script.late", "script.py", "0")
    assert " unit (part.py:2)" in done.stderr and " f (" not in done.stderr


def test_usage(interp, command):
    for words, said in (
        ([], "no program"),
        (["-s", "nothing", "script.py"], "cumulative"),
        (["-o", "out.nothing", "script.py"], ".prof"),
        (["--top", "many", "script.py"], "not a number"),
        (["--only", "nothing.there", "script.py"], "no module 'nothing'"),
        (["--strange", "script.py"], "--strange"),
    ):
        done = command(interp, *TRACE, *words)
        assert done.returncode == 2 and said in done.stderr and done.stdout == "", (words, done)
        assert "Traceback" not in done.stderr
    done = command(interp, *TRACE, "--help")
    assert done.returncode == 0 and "--only" in done.stdout
    done = command(interp, *TRACE, "-o", "/no/such/out.prof", "script.py", "3")
    assert done.returncode == 3 and "cannot write '/no/such/out.prof'" in done.stderr


def test_a_signal_from_outside(python, command, tmp_path):
    """Also while it waits in a system call."""
    code = "import part, time; part.go(2); print('up', flush=True); time.sleep(60)"

    with subprocess.Popen(
        [python.exe, *TRACE, "-o", "out.prof", "-c", code],
        env=dict(os.environ, PYTHONPATH=EXT), cwd=tmp_path, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout.readline() == b"up\n"
        harness.wait_state(process.pid, "S")
        process.terminate()
        assert process.wait(60) == -signal.SIGTERM
    assert counts(tmp_path / "out.prof")["unit"] == 2
