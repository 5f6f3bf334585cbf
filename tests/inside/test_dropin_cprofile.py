# SPDX-License-Identifier: MIT
"""fireglass.cprofile in the place of cProfile: the same calls, results, listings and files."""

import marshal
import pstats
import subprocess

import pytest
from conftest import environment

# Programs whose calls are counted by both. main() is what is profiled.
CORPUS = {
    "recursion": """
        def fact(n): return n * fact(n - 1) if n else 1
        def even(n): return n == 0 or odd(n - 1)
        def odd(n): return n != 0 and even(n - 1)
        def main():
            for n in range(10): fact(n); even(n); odd(n)
    """,
    "generators": """
        def count(n):
            for i in range(n): yield i
        def chain(n):
            yield from count(n)
            yield sum(count(n))
        def echo():
            got = None
            while True: got = yield got
        def main():
            list(chain(5))
            unfinished = chain(5); next(unfinished); del unfinished
            e = echo(); next(e)
            for i in range(3): e.send(i)
            try: e.throw(KeyError)
            except KeyError: pass
            [x for x in (y for y in range(4))]
    """,
    "exceptions": """
        def deep(n):
            if not n: raise ValueError
            deep(n - 1)
        def careful(n):
            try: deep(n)
            except ValueError: return n
            finally: clean()
        def clean(): pass
        class Box:
            def __enter__(self): return self
            def __exit__(self, *what): return True
        def main():
            for n in range(4): careful(n)
            with Box(): deep(2)
            try: int("x")
            except ValueError: pass
            getattr(main, "nothing", None)
    """,
    "callbacks": """
        import functools
        def key(x): return -x
        class Item:
            def __init__(self, n): self.n = n
            def __lt__(self, other): return self.n < other.n
            @property
            def twice(self): return self.n * 2
            @classmethod
            def make(cls, n): return cls(n)
            @staticmethod
            def nothing(): pass
            def __call__(self): return self.n
        @functools.lru_cache(None)
        def cached(n): return n
        def main():
            sorted(range(10), key=key)
            sorted([Item.make(n) for n in (3, 1, 2)])
            list(map(key, range(5)))
            functools.reduce(lambda a, b: a + b, range(5))
            Item(4).twice; Item.nothing(); Item(4)()
            for n in (1, 2, 1): cached(n)
            "a b".split(); [].append(1); {}.get(1); len("abc"); "".join(str(i) for i in range(3))
            max([1, 2], key=lambda x: x); isinstance(1, int); divmod(7, 2)
    """,
    "modules": """
        import re, json, textwrap, string
        def main():
            re.compile("(a|b)+c{2,3}[x-z]").findall("ababccxabccz" * 3)
            json.loads(json.dumps({"a": [1, 2, {"b": None}], "c": "d" * 50}, indent=1))
            textwrap.wrap("lorem ipsum dolor sit amet " * 10, 30)
            string.Template("$a and $b").substitute(a=1, b=2)
    """,
    "coroutines": """
        async def leaf(n): return n
        async def tree(n):
            return await leaf(n) if n < 2 else await tree(n - 1) + await tree(n - 2)
        class Wait:
            def __await__(self): yield 1
        async def waiting(): await Wait(); await Wait()
        async def numbers():
            for n in range(3): yield n
        async def reader(): return [n async for n in numbers()]
        def drive(c):
            try:
                while True: c.send(None)
            except StopIteration: pass
        def main():
            for c in (tree(6), waiting(), reader()): drive(c)
    """,
}

# Prints what both have counted, without the times and without themselves.
COMPARE = """
import cProfile, sys
import fireglass.cprofile

def own(key): return "lsprof" in key[2] or "fireglass" in key[2] or "fireglass" in key[0]

def counts(profile):
    profile.create_stats()
    return {
        key: (cc, nc, {k: c[:2] for k, c in callers.items() if not own(k)})
        for key, (cc, nc, tt, ct, callers) in profile.stats.items() if not own(key)
    }

found = []
for module in (cProfile, fireglass.cprofile):
    main()   # caches are warm
    profile = module.Profile(*options)
    profile.enable()
    main()
    profile.disable()
    found.append(counts(profile))
theirs, ours = found
assert len(theirs) > 2, theirs
for key in sorted(set(theirs) | set(ours)):
    if theirs.get(key) != ours.get(key):
        print(key, "cProfile:", theirs.get(key), "fireglass:", ours.get(key))
"""


def dedent(code):
    import textwrap

    return textwrap.dedent(code)


@pytest.mark.parametrize("program", CORPUS)
def test_counts_are_those_of_cprofile(interp, run, program):
    """Calls, primitive calls and callers, exactly."""
    done = run(interp, dedent(CORPUS[program]) + "options = ()\n" + COMPARE)
    assert done.stdout == ""


@pytest.mark.parametrize("program", ["recursion", "callbacks", "exceptions"])
def test_counts_without_builtins(interp, run, program):
    options = "options = (None, 0.0, True, False)\n"
    if interp.minor >= (3, 14):  # where enable() of cProfile forgets what its constructor was told
        options += "real = __import__('cProfile').Profile\n" \
            "real.enable = lambda self, enable=real.enable: enable(self, True, False)\n"
    done = run(interp, dedent(CORPUS[program]) + options + COMPARE)
    assert done.stdout == ""


def test_times(interp, run):
    """Of a clock that goes on by one whenever it is read they are whole, and agree with each other."""
    run(
        interp,
        """
import itertools
import fireglass.cprofile as cProfile

def leaf(): pass
def main():
    leaf(); leaf()

def check(profile, unit):
    profile.runcall(main)
    profile.create_stats()
    rows = {key[2]: row for key, row in profile.stats.items() if not key[2].startswith("<")}
    cc, nc, tt, ct, callers = rows["leaf"]
    assert (cc, nc) == (2, 2) and abs(tt - 2 * unit) < 1e-7 and abs(ct - tt) < 1e-9, rows
    (called,) = callers.values()
    assert called[:2] == (2, 2) and abs(called[3] - ct) < 1e-9
    cc, nc, tt, ct, callers = rows["main"]
    assert abs(tt - 3 * unit) < 1e-7 and abs(ct - 5 * unit) < 1e-7, rows

ticks = itertools.count()
check(cProfile.Profile(ticks.__next__, 0.001), 0.001)
check(cProfile.Profile(lambda: float(next(ticks))), 1)
check(cProfile.Profile(timer=ticks.__next__, timeunit=2.0, builtins=False), 2)
""",
    )


def test_a_timer_that_fails_does_not_reach_the_program(interp, run):
    run(
        interp,
        """
import fireglass.cprofile as cProfile

def timer(): raise KeyError("no time")
def f(): return 5
profile = cProfile.Profile(timer)
assert profile.runcall(f) == 5
profile.create_stats()
assert [row[1] for key, row in profile.stats.items() if key[2] == "f"] == [1]
""",
    )


def test_api(interp, run):
    run(
        interp,
        """
import contextlib, inspect, io, os, pstats, sys
import cProfile as original
import fireglass.cprofile as cProfile

def f(a, b=2):
    return [a, b]

# the names, and their arguments
theirs = original.Profile
for name in ("enable", "disable", "clear", "getstats", "create_stats", "snapshot_stats",
             "print_stats", "dump_stats", "run", "runctx", "runcall", "__enter__", "__exit__"):
    assert hasattr(theirs, name) and hasattr(cProfile.Profile, name), name
for name in ("run", "runctx"):
    assert inspect.signature(getattr(original, name)) == inspect.signature(getattr(cProfile, name))
p = cProfile.Profile(None, 0.0, True, True)
assert p.enable() is None and p.disable() is None and p.clear() is None
p = cProfile.Profile(timer=None, timeunit=0.0, subcalls=True, builtins=True)
assert p.runcall(f, 1, b=3) == [1, 3]
try:
    p.runcall()
except TypeError:
    pass
else:
    assert False

# entries
entries = {getattr(e.code, "co_name", e.code): e for e in p.getstats()}
e = entries["f"]
assert e.code is f.__code__ and e.callcount == 1 and e.reccallcount == 0
assert e[0] is e.code and len(e) == 6 and e.totaltime >= e.inlinetime > 0 and e.calls is None
p.clear()
assert p.getstats() == []
p.run("len('abc')")
e = [e for e in p.getstats() if not isinstance(e.code, str) and e.calls][0]
sub = e.calls[0]
assert sub.code == "<built-in method builtins.len>" and sub.callcount == 1 and len(sub) == 5
assert cProfile.label(sub.code) == ("~", 0, sub.code)
assert cProfile.label(f.__code__) == (f.__code__.co_filename, f.__code__.co_firstlineno, "f")

# statements
names = {"x": 1}
assert p.runctx("y = x + 1", names, names) is p and names["y"] == 2
assert p.run("z = 1") is p and z == 1
assert p.runctx(compile("w = 2", "<here>", "exec"), names, names) is p and names["w"] == 2
for bad in ("raise KeyError", "exit("):
    try:
        p.run(bad)
    except (KeyError, SyntaxError):
        pass
    else:
        assert False
before = len(p.getstats())
f(1)
p.snapshot_stats()
assert not any(key[2] == "f" for key in p.stats)   # it was off, in spite of the exceptions

# a context; and snapshots while it goes on
with cProfile.Profile() as p:
    f(1)
    p.snapshot_stats()
    assert [row[1] for key, row in p.stats.items() if key[2] == "f"] == [1]
    f(1)
f(1)
p.create_stats()
assert [row[1] for key, row in p.stats.items() if key[2] == "f"] == [2]
stats = pstats.Stats(p)
assert stats.total_calls >= 2
assert pstats.Stats(p, stream=io.StringIO()).add(stats)

# on again: goes on counting
p.enable(); f(1); p.disable()
p.create_stats()
assert [row[1] for key, row in p.stats.items() if key[2] == "f"] == [3]

# without callers
p = cProfile.Profile(subcalls=False)
p.runcall(lambda: f(1))
assert all(e.calls is None for e in p.getstats()) and len(p.getstats()) >= 2
p.create_stats()
assert all(not row[4] for row in p.stats.values())

# listings
def listing(call):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        call()
    return out.getvalue()

keys = [key for key in pstats.Stats.sort_arg_dict_default]
p = cProfile.Profile(); p.runcall(f, 1)
for key in keys + [-1, 0, 1, 2, pstats.SortKey.TIME]:
    assert "(f)" in listing(lambda: p.print_stats(key)), key
assert "Internal" not in listing(lambda: p.print_stats(sort=("time", "name")))
assert "Ordered by: internal time, function name" in listing(lambda: p.print_stats(("time", "name")))
assert "0 function calls" in listing(lambda: cProfile.Profile().print_stats())
text = listing(lambda: cProfile.run("f(1)", sort="cumulative"))
assert "Ordered by: cumulative time" in text and "(f)" in text
text = listing(lambda: cProfile.runctx("g(1)", {"g": f}, {}, None, "calls"))
assert "Ordered by: call count" in text
text = listing(lambda: cProfile.run("f(1); raise SystemExit(3)"))   # which just ends it
assert "(f)" in text
cProfile.run("f(1)", "out.prof")
assert any(key[2] == "f" for key in pstats.Stats("out.prof").stats)
""",
    )


def test_files_are_those_of_pstats(interp, run, tmp_path):
    """In every Python, as cProfile's own."""
    run(
        interp,
        """
import fireglass.cprofile as cProfile
def f(n): return f(n - 1) if n else 0
p = cProfile.Profile()
p.runcall(f, 3)
p.dump_stats("out.prof")
""",
    )
    whole = marshal.loads((tmp_path / "out.prof").read_bytes())
    (row,) = [row for key, row in whole.items() if key[2] == "f"]
    key = (str(tmp_path / "program.py"), 3, "f")
    assert row[:2] == (1, 4) and row[4][key][:2] == (3, 1)
    assert pstats.Stats(str(tmp_path / "out.prof")).total_calls >= 4
    done = subprocess.run(
        [interp.exe, "-m", "pstats", "out.prof"], cwd=tmp_path, env=environment(interp),
        input="sort calls\nstats\ncallers f\n",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    assert "4/1" in done.stdout and done.stderr == ""


def test_functions_of_one_label_are_added_up(interp, run):
    """cProfile keeps the last of them and forgets the others."""
    run(
        interp,
        """
import fireglass.cprofile as cProfile
functions = [(lambda x: x), (lambda x: [x])]; p = cProfile.Profile()
with p:
    for f in functions: f(1); f(2)
p.create_stats()
assert [row[1] for key, row in p.stats.items() if key[2] == "<lambda>"] == [4], p.stats
""",
    )


def test_several_at_once(interp, run):
    """Each with its own flags and counts, beside cProfile as well."""
    run(
        interp,
        """
import sys, cProfile as original
import fireglass.cprofile as cProfile

def f(): pass
def g(): f()
def calls(p):
    p.create_stats()
    return {key[2]: row[1] for key, row in p.stats.items() if key[2] in ("f", "g")}

a, b, c = cProfile.Profile(), cProfile.Profile(builtins=False), cProfile.Profile()
a.enable(); g()
b.enable(); g()
a.disable(); g()
c.runcall(f)
b.disable(); g()
assert calls(a) == {"f": 2, "g": 2} and calls(b) == {"f": 3, "g": 2} and calls(c) == {"f": 1}

# on 3.11 and older there is one place for them and cProfile, which puts back none
if sys.version_info >= (3, 12):
    theirs = original.Profile()
    a, b = cProfile.Profile(), cProfile.Profile()
    a.enable(); theirs.enable(); b.enable(); g(); b.disable(); theirs.disable(); a.disable()
    assert calls(a) == calls(b) == calls(theirs) == {"f": 1, "g": 1}
""",
    )


def test_a_profile_is_of_one_thread(interp, run):
    """Of the one that enabled it: others that run at the same time are neither in it nor mixed up
    with it, and may have profiles of their own."""
    run(
        interp,
        """
import threading
import fireglass.cprofile as cProfile

def work(n): return sum(unit(i) for i in range(n))
def unit(i): return i
def calls(p):
    p.create_stats()
    return {key[2]: row[1] for key, row in p.stats.items() if key[2] in ("work", "unit")}

def other(n, ready, go):
    ready.set(); go.wait()
    p = cProfile.Profile()
    for _ in range(50):
        p.runcall(work, n)
    results[n] = calls(p)

results, threads, go = {}, [], threading.Event()
for n in (3, 4):
    ready = threading.Event()
    threads.append(threading.Thread(target=other, args=(n, ready, go)))
    threads[-1].start(); ready.wait()
p = cProfile.Profile()
p.enable()
go.set()
for _ in range(50): work(5)
for t in threads: t.join()
p.disable()
assert calls(p) == {"work": 50, "unit": 250}, calls(p)
assert results == {n: {"work": 50, "unit": 50 * n} for n in (3, 4)}, results

# if asked, of all, without mixing up who called whom
p = cProfile.Profile(threads=True)
p.enable()
t = threading.Thread(target=work, args=(7,)); t.start(); t.join()
work(2)
p.disable()
assert calls(p) == {"work": 2, "unit": 9}, calls(p)
""",
    )


def test_nothing_is_left_behind(interp, run):
    run(
        interp,
        """
import gc, sys
import fireglass.cprofile as cProfile

p = cProfile.Profile()
with p: len([])
assert sys.getprofile() is None
p = cProfile.Profile()
p.enable()
del p; gc.collect()    # while it is on
def f(): pass
f()
""",
    )


SCRIPT = """
import sys
def f(): return 5
if __name__ == "__main__":
    import __main__
    assert __main__.f is f and sys.argv[1:] == ["-x", "y"], sys.argv
    print("ran", f())
    sys.exit(3)
"""


def test_as_a_command(interp, run, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "part.py").write_text("import script\nprint('module', script.f(), __name__)\n")

    def command(*words):
        code = "import runpy, sys\nrunpy.run_module('fireglass.cprofile', run_name='__main__')"
        return run(interp, code, *words, check=False)

    done = command("script.py", "-x", "y")
    assert done.returncode == 0 and done.stderr == "", done.stderr  # as cProfile has it
    lines = done.stdout.split("\n")
    assert lines[0] == "ran 5" and "function calls" in lines[1]
    assert "Ordered by: cumulative time" in done.stdout and "script.py:3(f)" in done.stdout
    done = command("-s", "calls", "-o", "out.prof", "script.py", "-x", "y")
    assert done.stdout == "ran 5\n" and done.returncode == 0
    assert any(key[2] == "f" for key in pstats.Stats(str(tmp_path / "out.prof")).stats)
    done = command("-m", "part")
    assert done.stdout.startswith("module 5 __main__\n") and "script.py:3(f)" in done.stdout
    done = command()
    assert done.returncode == 2
    done = command("-s", "nothing", "script.py")
    assert done.returncode == 2 and "nothing" in done.stderr
    done = command("-o", "/dev/full", "script.py", "-x", "y")
    assert done.returncode == 1 and "No space left" in done.stderr


# CPython's own tests of cProfile that ask for something else: who is behind sys.setprofile or
# sys.monitoring; that a second profiler is refused; `-m cProfile`; columns, compared below.
NOT_OURS = {
    "test_profile_as_context_manager", "test_profile_enable_disable", "test_second_profiler",
    "test_output_file_when_changing_directory", "test_run_profile_as_module", "test_cprofile",
}  # fmt: skip


@pytest.mark.needs("test.test_cprofile")
def test_the_tests_of_cpython(interp, run):
    """Its tests of cProfile; and the numbers that it expects of its sample program, all of them."""
    done = run(
        interp,
        "NOT_OURS = set(%r)\n" % sorted(NOT_OURS)
        + """
import sys, unittest
import fireglass.cprofile
sys.modules["cProfile"] = fireglass.cprofile
from test import test_cprofile
case = test_cprofile.CProfileTest
assert case.profilerclass is fireglass.cprofile.Profile

def plain(text):
    # names are padded to the longest: cProfile shows its own disable()
    return [" ".join(line.split()) for line in text.splitlines() if "_lsprof" not in line]

results = case.do_profiling()
expected = case("test_cprofile").get_expected_output()
assert results[0] == 1000, results[0]
assert len(results) == 1 + len(case.methodnames)
for name, found in zip(case.methodnames, results[1:]):
    assert plain(found) == plain(expected[name]), (name, found, expected[name])

names = set(unittest.defaultTestLoader.getTestCaseNames(case)) - NOT_OURS
suite = unittest.TestSuite(case(name) for name in sorted(names))
result = unittest.TextTestRunner(stream=sys.stderr).run(suite)
assert result.testsRun >= 4
sys.exit(not result.wasSuccessful())
""",
    )
    assert "OK" in done.stderr
