# SPDX-License-Identifier: MIT
"""start, stop, profile, and the captures that come of them."""

import json

import pytest

# A program is asked until there are so many samples, not until so much time has passed.
HEAD = """
import asyncio, gzip, json, os, sys, threading, time, warnings
import fireglass

def burn():
    return sum(i * i for i in range(2000))

def busy(profile, samples=30):
    enough = profile.counts()["samples"] + samples
    while profile.counts()["samples"] < enough:
        # To ask is to give up the GIL: a Python thread that samples would see only that if it had not the
        # time, in between, to wait for its turn and to insist on getting the GIL.
        until = time.monotonic() + 4 * sys.getswitchinterval()
        while time.monotonic() < until:
            burn()

def raises(kind, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except kind as error:
        return str(error)
    raise AssertionError("%r did not raise" % function)
"""


@pytest.fixture
def program(run):
    """program(interp, code): what it prints as JSON in its last line."""

    def run_program(interp, code, **options):
        done = run(interp, HEAD + code, **options)
        lines = done.stdout.splitlines()
        return json.loads(lines[-1]) if lines else None

    return run_program


@pytest.mark.every_build
def test_start_and_stop(interp, program):
    program(
        interp,
        """
p = fireglass.start(rate=1000)
assert p.running and p.path is None and p.capture is not None
busy(p)
c = fireglass.stop()
assert not p.running and p.capture is c and c.path is None and c.finished
assert len(c) >= 30 and c.period == 0.001 and c.duration > 0
assert "burn" in c.top(50), c.top(50)
assert str(len(c)) in repr(c) and "stopped" in repr(p)
assert c.facts()["python"] == "%d.%d.%d" % sys.version_info[:3], c.facts()
assert [row["pid"] for row in c.processes()] == [os.getpid()]
main = [row for row in c.threads() if row["main"]]
assert [(row["tid"], row["pid"]) for row in main] == [(os.getpid(), os.getpid())]
assert raises(fireglass.Error, fireglass.stop)
assert raises(fireglass.Error, p.stop)
assert raises(fireglass.Error, p.flush)
p.start()
assert raises(fireglass.Error, p.start)
busy(p)
again = p.stop()
assert again is not c and len(c) >= 30
""",
    )


def test_every_format(interp, program, tmp_path):
    endings = program(
        interp,
        """
endings = [ending for name, ending, text in fireglass.formats()] + ["txt", "collapsed", "prof"]
with fireglass.profile(["out." + ending for ending in endings]) as p:
    busy(p)
    snapshot = p.capture
    assert len(snapshot) > 0 and not snapshot.finished
c = p.capture
assert c.path == p.path == "out.fgc"
assert sum(int(line.rpartition(" ")[2]) for line in c.to_folded().splitlines()) == len(c)
assert c.to_pprof()[:2] == b"\\x1f\\x8b" and b"burn" in gzip.decompress(c.to_pprof())
assert json.loads(c.to_speedscope())["profiles"]
assert c.to_html() and c.to_svg().startswith("<") and "srcdoc" in c._repr_html_()
assert len(fireglass.load("out.fgc")) == len(fireglass.load("out.folded")) == len(c)
assert c.save("again.fgc") == "again.fgc" and len(fireglass.load("again.fgc")) == len(c)
with open("by-number.svg", "wb") as file:
    assert c.export("svg", file.fileno()) is None
assert raises(ValueError, c.save, "out.nope") and raises(ValueError, c.export, "nope")
assert raises(ValueError, c.save, "part.fgc", focus="burn")
assert raises(OSError, c.save, "nowhere/out.svg")
assert raises(OSError, fireglass.load, "nowhere.fgc") and raises(fireglass.Error, fireglass.load, sys.argv[0])
print(json.dumps(endings))
""",
    )
    assert len(endings) > 10
    for ending in endings:
        assert (tmp_path / f"out.{ending}").stat().st_size > 0, ending
    assert (tmp_path / "out.html").read_text().lower().startswith("<!doctype html>")
    assert "burn" in (tmp_path / "by-number.svg").read_text()
    assert not list(tmp_path.glob("*.tmp"))


def test_refused_at_the_start(interp, program, tmp_path):
    program(
        interp,
        """
profile = fireglass.profile
for kind, path in ((FileNotFoundError, "no/x.fgc"), (FileNotFoundError, "no/x.html"), (ValueError, "x.nope")):
    raises(kind, profile(path).start)
    raises(kind, profile(["good.html", path]).start)
for wrong in ({"rate": 0}, {"rate": 1e9}, {"mode": "x"}, {"fork": "x"}, {"keep": -1}, {"max_bytes": 0}):
    assert raises(ValueError, profile, **wrong)
assert raises(TypeError, profile, None, nope=1)

# an earlier capture outlives a start that is refused
with open("old.fgc", "wb") as file:
    file.write(b"earlier")
from fireglass import _recording
session = _recording.Session
def refuse(*args, **kwargs):
    raise OSError("no more threads")
_recording.Session = refuse
raises(OSError, profile("old.fgc").start)
raises(OSError, profile("new.fgc").start)
_recording.Session = session
raises(ValueError, profile("old.fgc", mode="python", gil=True).start)
assert open("old.fgc", "rb").read() == b"earlier"
p = profile("old.fgc").start()
busy(p)
assert p.stop().finished and fireglass.load("old.fgc").finished
""",
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.fgc", "program.py"]


def test_nothing_is_raised_at_the_end_of_a_block(interp, program):
    program(
        interp,
        """
import shutil
os.mkdir("gone")
p = fireglass.profile("gone/x.html")
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    with p:
        shutil.rmtree("gone")
assert [w.category for w in told] == [RuntimeWarning] and "gone/x.html" in str(told[0].message), told
assert p.capture is not None and not p.running
os.mkdir("gone")
p.start()
shutil.rmtree("gone")
assert raises(OSError, p.stop) and not p.running

class Own(Exception):
    pass
def fail():
    with fireglass.profile() as p:
        busy(p, 5)
        raise Own("x")
assert raises(Own, fail) == "x"
""",
    )


def test_decorators(interp, program):
    program(
        interp,
        """
@fireglass.profile
def plain(a, *, b=2):
    "text"
    busy(plain.profile, 10)
    return a, b
assert plain(1, b=3) == (1, 3) and plain.__name__ == "plain" and plain.__doc__ == "text"
assert len(plain.profile.capture) >= 10

@fireglass.profile("gen.%n.fgc")
def generator(n):
    got = yield n
    try:
        yield got
    except KeyError:
        busy(generator.profile, 10)
    return 9
for number in (1, 2):
    g = generator(1)
    assert not generator.profile.running
    assert next(g) == 1 and g.send("x") == "x" and generator.profile.running
    try:
        g.throw(KeyError())
    except StopIteration as stop:
        assert stop.value == 9
    assert not generator.profile.running and generator.profile.path == "gen.%04d.fgc" % number
g = generator(1); next(g); g.close()
assert not generator.profile.running

@fireglass.profile()
async def coroutine(n):
    await asyncio.sleep(0)
    seen.append(coroutine.profile.running)
    if n:
        await asyncio.gather(coroutine(n - 1), coroutine(n - 1))
    return n
seen = []
assert asyncio.iscoroutinefunction(coroutine)
assert asyncio.run(coroutine(2)) == 2 and seen == [True] * 7 and not coroutine.profile.running

@fireglass.profile()
async def agen(n):
    try:
        for i in range(n):
            got.append((yield i))
    except KeyError:
        yield "caught"
    finally:
        got.append("end")
async def use():
    assert [i async for i in agen(2)] == [0, 1]
    g = agen(9)
    assert await g.__anext__() == 0 and await g.asend("sent") == 1 and agen.profile.running
    assert await g.athrow(KeyError()) == "caught"
    await g.aclose()
got = []
asyncio.run(use())
assert got == [None, None, "end", "sent", "end"] and not agen.profile.running, got

async def block():
    async with fireglass.profile() as p:
        await asyncio.sleep(0)
        busy(p, 5)
    return p.capture
assert len(asyncio.run(block())) >= 5

class K:
    @fireglass.profile
    def method(self):
        return self
k = K()
assert k.method() is k

def failing():
    raise OSError("own")
assert raises(OSError, fireglass.profile()(failing)) == "own"
""",
    )


def test_several_at_once(interp, program):
    program(
        interp,
        """
outer = fireglass.start("outer.fgc", rate=500)
inner = fireglass.start(rate=2000)
mine = fireglass.profile().start()
busy(outer), busy(inner), busy(mine)
assert fireglass.stop() is inner.capture
assert outer.running and mine.running
busy(outer)
assert fireglass.stop() is outer.capture and mine.running
busy(mine)
mine.stop()
assert outer.capture.period == 0.002 and inner.capture.period == 0.0005
assert min(len(p.capture) for p in (outer, inner, mine)) >= 30
""",
    )


def test_selections(interp, program):
    program(
        interp,
        """
waiting = threading.Event()
thread = threading.Thread(target=waiting.wait, name="waiter")
thread.start()
p = fireglass.start()
busy(p, 200)
c = fireglass.stop()
waiting.set()
part = c.select(thread="waiter")
assert 0 < len(part) < len(c) and "burn" not in part.top(50) and "wait" in part.top(50)
assert len(c.select(thread=thread.native_id)) == len(part)
assert len(part.select(thread=["MainThread", "waiter"])) == len(c)
assert len(c.select(focus="burn")) + len(c.select(ignore="burn")) == len(c)
assert sum(c.counts(end=0.05)[key] for key in ("shown", "left_out")) == len(c)
first, last = c.select(end=0.05), c.select(start=0.05)
assert 0 < len(first) and len(first) + len(last) == len(c)
assert len(c.select(start=-c.duration)) == len(c)
import datetime
assert len(c.select(start=datetime.datetime(2020, 1, 1), end=datetime.datetime.now())) == len(c)
assert "focus='burn'" in repr(c.select(focus="burn"))
for word, value in (("mode", "x"), ("granularity", "x"), ("focus", "("), ("min_percent", 101)):
    assert raises(ValueError, c.functions, **{word: value})
for word, value in (("nope", 1), ("focus", 3), ("mode", 3), ("title", "x")):
    assert raises(TypeError, c.functions, **{word: value})
assert raises(ValueError, c.functions, focus=["x"] * 17)
assert raises(ValueError, c.select, start=0.2, end=0.1)
assert c.functions(min_percent=None) == c.functions()
""",
    )


def test_rows(interp, program):
    program(
        interp,
        """
p = fireglass.start()
busy(p, 200)
c = fireglass.stop()
functions = c.functions()
burn = [row for row in functions if row["function"] == "burn"]
assert len(burn) == 1 and burn[0]["total"] >= 10 and burn[0]["file"].endswith("program.py")
assert burn[0]["first_line"] == 5 and burn[0]["kind"] == "python"
assert burn[0]["total_ns"] == burn[0]["total"] * 1000000
assert sum(row["self"] for row in functions) == len(c)
assert [row["self"] for row in functions] == sorted((row["self"] for row in functions), reverse=True)
lines = [row for row in c.lines() if row["function"] == "burn"]
# a call that begins is at its def: before its first instruction (to 3.10), or by its first one
assert {6} <= {row["line"] for row in lines} <= {5, 6}, lines
for by, name in (("function", "function"), ("line", "line"), ("file", "file"), ("module", "module")):
    rows = c.stats(by)
    assert abs(sum(row["self_percent"] for row in rows) - 100) < 0.01, rows
    assert all(isinstance(row[name], (str, int)) and row["self_s"] <= row["total_s"] for row in rows)
threads = c.stats("thread")
assert sum(row["samples"] for row in threads) == len(c) == sum(row["samples"] for row in c.threads())
assert c.stats("span") == [] == c.spans() and c.markers() == []
assert raises(ValueError, c.stats, "nope")
samples = list(c.samples())
assert len(samples) == len(c)
assert all(a["time_ns"] <= b["time_ns"] for a, b in zip(samples, samples[1:]))
deepest = max(samples, key=lambda row: len(row["stack"]))
assert deepest["stack"][0][0] == "<module>" and len(deepest["stack"][0]) == 3
assert deepest["tid"] == os.getpid() and deepest["span"] is None
assert {row["state"] for row in samples} <= {"unknown", "on cpu", "runnable", "waiting", "stopped"}
one = c.samples(focus="burn")
assert iter(one) is one and next(one)["count"] == 1
assert sum(1 for _ in one) == c.counts(focus="burn")["shown"] - 1
del c
samples = None
for row in one: raise AssertionError
for row in p.capture.threads():
    times = [sample["time_ns"] for sample in p.capture.samples() if sample["tid"] == row["tid"]]
    assert row["start_ns"] <= times[0] + 1000000 and times[-1] <= row["end_ns"] + 1000000, (row, times)
assert set(p.capture.losses()) == {"missed", "room", "space"}
""",
    )


def test_threads_use_one_capture(interp, program):
    program(
        interp,
        """
p = fireglass.start()
busy(p, 100)
c = fireglass.stop()
folded, wrong = c.to_folded(), []
def use():
    for _ in range(5):
        if c.to_folded() != folded or len(list(c.samples())) != len(c) or not c.functions():
            wrong.append(1)
threads = [threading.Thread(target=use) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
assert not wrong
""",
    )


def test_pauses(interp, program):
    program(
        interp,
        """
p = fireglass.start("out.fgc")
busy(p, 20)
p.pause()
p.flush()
before = p.counts()["ticks"]
end = time.monotonic() + 0.2
while time.monotonic() < end:
    burn()
# one tick may have been on its way
assert p.counts()["ticks"] <= before + 1
p.resume()
busy(p, 20)
assert len(fireglass.stop()) >= 40
""",
    )


def test_flight_recorder(interp, program):
    program(
        interp,
        """
p = fireglass.start("out.fgc", keep=60)
busy(p, 50)
assert len(p.capture) >= 50
dumped = p.dump("dumped.fgc")
assert dumped.finished and len(dumped) >= 50 and p.running
busy(p, 50)
assert len(fireglass.stop()) >= 100 > 0 and len(fireglass.load("out.fgc")) >= 100
""",
    )


def test_never_stopped(interp, program, tmp_path):
    program(
        interp,
        """
import atexit
p = fireglass.start(["out.fgc", "out.folded"])
q = fireglass.profile("thread.fgc").start()
@atexit.register
def late():
    busy(p, 20)
busy(p, 20)
print("[]")
""",
    )
    assert "late" in (tmp_path / "out.folded").read_text()
    assert (tmp_path / "thread.fgc").stat().st_size > 0


def test_forks(interp, program, tmp_path):
    program(
        interp,
        """
ignored = fireglass.start("ignored.fgc")
followed = fireglass.start(["followed.fgc", "followed.html"], fork="follow")
def inside():
    with fireglass.profile() as block:
        pid = os.fork()
        if pid:
            return block, pid
        assert not block.running
    assert block.capture is None
    assert not ignored.running and raises(fireglass.Error, ignored.stop) and followed.running
    busy(followed, 20)
    mine = fireglass.stop()
    assert mine is followed.capture and len(mine) >= 20
    assert mine.path == "followed.%d.fgc" % os.getpid()
    with fireglass.profile() as own:
        busy(own, 10)
    assert len(own.capture) >= 10
    return own, 0
try:
    block, pid = inside()
except BaseException:
    import traceback
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)
if not pid:
    os._exit(0)
assert os.waitpid(pid, 0) == (pid, 0)
busy(ignored, 20), busy(followed, 20)
assert followed.stop().processes()[0]["pid"] == os.getpid()
assert fireglass.stop().finished and fireglass.load("ignored.fgc").finished
child = fireglass.load("followed.%d.fgc" % pid)
assert child.finished and child.processes()[0]["pid"] == pid
assert os.path.getsize("followed.%d.html" % pid)

# one that leaves by the interpreter's own exit
p = fireglass.start("exit.fgc", fork="follow")
pid = os.fork()
if not pid:
    busy(p, 20)
    sys.exit(0)
assert os.waitpid(pid, 0) == (pid, 0)
p.stop()
assert fireglass.load("exit.%d.fgc" % pid).finished
""",
    )


def test_multiprocessing(interp, program):
    program(
        interp,
        """
import multiprocessing
def work(number):
    return sum(burn() for _ in range(number))
if __name__ == "__main__":
    for method in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        with fireglass.profile(method + ".fgc", fork="follow") as p:
            child = context.Process(target=work, args=(300,))
            child.start()
            child.join()
            assert child.exitcode == 0, (method, child.exitcode)
            with context.Pool(2) as pool:
                assert len(set(pool.map(work, [3, 3, 3, 3]))) == 1
        if method == "fork":
            assert fireglass.load("fork.%d.fgc" % child.pid).finished
    print("[]")
""",
    )


@pytest.mark.since(3, 12)
def test_no_warning_of_our_threads(interp, program):
    told = program(
        interp,
        """
def filters():
    # from 3.14 on those of a context may be asked before those of the module
    of_context = getattr(warnings, "_get_filters", list)
    return list(warnings.filters), list(of_context())
def forks():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        before = filters()
        with fireglass.profile():
            pid = os.fork()
            if not pid:
                os._exit(filters() != before)
            assert os.waitpid(pid, 0) == (pid, 0)
        assert filters() == before
    return [str(w.category.__name__) for w in told]
alone = forks()
event = threading.Event()
thread = threading.Thread(target=event.wait)
thread.start()
print(json.dumps([alone, forks()]), flush=True)
event.set()
""",
    )
    assert told == [[], ["DeprecationWarning"]]


def test_python_thread(interp, program):
    program(
        interp,
        """
waiting = threading.Event()
thread = threading.Thread(target=waiting.wait, name="waiter")
thread.start()
p = fireglass.start("out.fgc", mode="python", rate=500)
busy(p, 100)
assert len(p.capture) > 0
p.pause(); p.resume()
c = fireglass.stop()
waiting.set()
assert c.finished and len(c) >= 100 and "burn" in c.top(50)
assert len(c.select(thread="waiter", mode="cpu")) == 0 < len(c.select(thread="waiter"))
assert not any("_sample_until_stopped" in row["function"] for row in c.functions())
for wrong in ({"keep": 1}, {"max_bytes": 1}, {"gil": True}, {"spans_only": True}):
    assert raises(ValueError, fireglass.start, mode="python", **wrong)
assert p.capture.facts()["sampler"]
q = fireglass.start("fork.fgc", mode="python", fork="follow")
pid = os.fork()
if not pid:
    try:
        busy(q, 10)
        os._exit(len(fireglass.stop()) < 10)
    finally:
        os._exit(2)
assert os.waitpid(pid, 0) == (pid, 0)
fireglass.stop()

# where the system refuses
from fireglass import _recording
def refuse(*args, **kwargs):
    raise PermissionError("cannot read: refused; allow it")
_recording.Session = refuse
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    p = fireglass.start()
assert len(told) == 1 and "refused; allow it" in str(told[0].message) and told[0].filename == __file__, told
busy(p, 10)
assert len(fireglass.stop()) >= 10
""",
    )


def test_sources(interp, program):
    program(
        interp,
        """
import linecache
text = "def cell(p):\\n    busy(p, 20)  # a comment in a cell\\n"
linecache.cache["<cell-1>"] = (len(text), None, text.splitlines(True), "<cell-1>")
exec(compile(text, "<cell-1>", "exec"))
with fireglass.profile() as p:
    cell(p)
from fireglass._sources import Sources
find = Sources(p.capture.facts())
assert find("<cell-1>") == (text, "") and find("<nothing>") is None and find("/etc/passwd") is None
assert "def raises" in find(__file__)[0] and find("/nowhere/x.py")[1].startswith("cannot be read")
os.mkfifo("pipe.py")
assert find(os.path.abspath("pipe.py")) == ("", "cannot be read: not a regular file")
with open("latin.py", "wb") as file:
    file.write(b"# -*- coding: latin-1 -*-\\r\\n# \\xe9\\n")
assert find("latin.py")[0] == "# -*- coding: latin-1 -*-\\n# \\xe9\\n"
with open("large.py", "wb") as file:
    file.write(b"#" * (1 << 21))
assert "larger" in find("large.py")[1] and find.left_out == ["large.py"]
seen = []
p.capture.export("html", source=lambda file: seen.append(file))
assert "<cell-1>" in seen and __file__ in seen
assert raises(ZeroDivisionError, p.capture.export, "html", source=lambda file: 1 / 0)
with_sources, without = p.capture.to_html(), p.capture.to_html(source=False)
assert len(without) < len(with_sources)
p.capture.to_html(baseline=p.capture)
assert raises(RuntimeError, p.capture.export, "html", source=lambda file: p.capture.functions())
""",
    )


def test_other_files_are_read(interp, program, tmp_path):
    (tmp_path / "x.folded").write_text("main;slow 30\nmain;fast 10\n")
    program(
        interp,
        """
c = fireglass.load("x.folded")
assert [(row["function"], row["self"]) for row in c.functions()][:2] == [("slow", 30), ("fast", 10)]
assert len(c) == 40 and c.period is None and c.functions()[0]["self_ns"] is None
assert raises(fireglass.Error, fireglass.load, "x.folded", format="pprof")
""",
    )


def test_builder(interp, program):
    program(
        interp,
        """
from fireglass._fireglass import Builder
file = open("made.fgc", "w+b")
b = Builder(file.fileno(), {"unit": "ns", "own": "caf\\xe9"})
main = b.thread(17, "main", main=True, start_ns=10**18)
other = b.thread(18, "n\\udcff", start_ns=10**18)
f = b.function("outer", "/x/a.py", 3)
g = b.function("inn\\xe9r", "/x/a.py", 9)
assert b.function("outer", "/x/a.py", 3) == f != g
s = b.stack(-1, f, 4)
t = b.stack(s, g, 10)
assert b.stack(s, g, 10) == t != s
span = b.span(0, main, "request", "GET /", 10**18, 10**18 + 90)
part = b.span(span, main, "render", "a", 10**18 + 10, 10**18 + 30)
assert (span, part) == (1, 2)
for i in range(10):
    b.sample(main, t, 10**18 + i, count=5, cpu_ns=3, state=1, flags=1, span=part)
    b.sample(main, s, 10**18 + i, span=span)
b.sample(other, -1, 10**18, count=7)
b.fact("own", "changed")
b.loss("missed", 3)
for wrong in (
    lambda: b.sample(9, t, 1), lambda: b.sample(main, 99, 1), lambda: b.sample(main, t, 1, span=9),
    lambda: b.stack(99, f, 1), lambda: b.stack(-2, f, 1), lambda: b.stack(-1, 99, 1),
    lambda: b.span(9, main, "", "", 1, 2), lambda: b.span(0, 9, "", "", 1, 2), lambda: b.loss("x", 1),
    lambda: b.sample(main, t, 1, state=9), lambda: b.sample(main, t, 1, flags=1 << 12),
):
    assert raises(ValueError, wrong)
for wrong in (lambda: b.function(1, "", 1), lambda: b.fact("x", 1), lambda: b.sample(main, t)):
    assert raises(TypeError, wrong)
b.flush()
b.finish()
for after in (b.finish, b.flush, lambda: b.sample(main, t, 1)):
    assert raises(ValueError, after)
c = fireglass.load("made.fgc")
facts = c.facts()
assert facts["own"] == "changed" and facts["unit"] == "ns" and c.finished
assert [(r["function"], r["self"], r["total"], r["self_ns"]) for r in c.functions()[:2]] == [
    ("inn\\xe9r", 50, 50, 50), ("outer", 10, 60, 10)]
assert c.losses()["missed"] == 3
assert [r["name"] for r in c.threads()] == ["main", "n\\ufffd"]
sample = next(c.samples())
assert sample["cpu_ns"] == 3 and sample["holds_gil"] and sample["state"] == "on cpu"
assert sample["stack"] == (("outer", "/x/a.py", 4), ("inn\\xe9r", "/x/a.py", 10))
spans = c.spans()
assert [(r["name"], r["text"], r["parent"], r["samples"]) for r in spans] == [
    ("request", "GET /", None, 60), ("render", "a", 0, 50)], spans
assert len(c.spans("^render")) == 1 and len(c.spans("GET")) == 1
assert sample["span"] == 1 and c.counts(span="render")["shown"] == 50 == c.counts(span=1)["shown"]
assert c.counts(span="request")["shown"] == 60 and c.counts(span=["render", "nope"])["shown"] == 50
assert [r["duration_s"] for r in c.stats("span")] == [90e-9, 20e-9]
del b
file.close()
""",
    )


IMPORT = """
import json, sys, threading
before = set(sys.modules)
hooks = (sys.gettrace(), sys.getprofile(), sys.excepthook, threading.active_count())
import fireglass
assert hooks == (sys.gettrace(), sys.getprofile(), sys.excepthook, threading.active_count())
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_import_brings_nothing_with_it(interp, run):
    added = json.loads(run(interp, IMPORT).stdout)
    assert all(name.startswith("fireglass") for name in added), added
    assert len(added) <= 3, added
