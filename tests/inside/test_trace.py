# SPDX-License-Identifier: MIT
"""The tracer: exact counts, times that add up, threads, several tracers at once."""

import json

HEAD = """
import gc, json, os, sys, threading, time
from fireglass._fireglass import Tracer

def named(entry):
    return entry[0] if isinstance(entry[0], str) else entry[0].co_name

def rows(tracer):
    return {named(e): e for e in tracer.entries()}

def calls(tracer):
    return {named(e): e[1] for e in tracer.entries()}

def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass

def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
"""


def result(run, interp, body, **options):
    """What the program prints as JSON in its last line."""
    done = run(interp, HEAD + body, **options)
    assert "unraisable" not in done.stderr and "Exception ignored" not in done.stderr, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_recursion(interp, run):
    out = result(
        run,
        interp,
        """
tracer = Tracer(builtins=True)
tracer.enable()
fib(12)
tracer.disable()
(entry,) = tracer.entries()
tree = tracer.tree()
print(json.dumps([entry[1:5], entry[7], len(tree), [n[0] for n in tree], sum(n[3] for n in tree)]))
""",
    )
    (calls, primitive, total, own), callees, nodes, parents, tree_calls = out
    assert (calls, primitive) == (465, 1)
    assert total == own  # no other function ran
    assert [c[:3] for c in callees] == [[0, 464, 1]] or callees[0][1] == 464
    assert nodes == 12 and parents == list(range(-1, 11))
    assert tree_calls == 465


def test_suspended_time_is_not_running_time(interp, run):
    out = result(
        run,
        interp,
        """
def numbers():
    for i in range(5):
        spin(0.002)
        yield i

def use():
    for i in numbers():
        spin(0.02)

tracer = Tracer()
tracer.enable()
use()
tracer.disable()
found = rows(tracer)
print(json.dumps([found["numbers"][1:5], found["use"][3], found["spin"][3]]))
""",
    )
    (calls, primitive, total, _), use, spun = out
    assert calls == primitive == 6  # five values and the end, as cProfile counts
    assert 10e6 <= total < use - 100e6 + 5e6
    assert spun <= use and use >= 110e6


def test_times_add_up(interp, run):
    out = result(
        run,
        interp,
        """
def inner(): spin(0.01)
def outer():
    inner(); inner()
    spin(0.01)
tracer = Tracer(builtins=True)
begin = time.perf_counter()
tracer.enable()
outer()
tracer.disable()
wall = (time.perf_counter() - begin) * 1e9
entries = tracer.entries()
top = rows(tracer)["outer"]
print(json.dumps([wall, top[3], sum(e[4] for e in entries),
                  min(e[4] for e in entries), sum(n[5] for n in tracer.tree())]))
""",
    )
    wall, outer, own, least, tree_own = out
    assert 30e6 <= outer <= wall
    assert abs(own - outer) < 1000 and abs(tree_own - outer) < 2000  # roundings
    assert least >= 0


def test_exceptions_leave_the_stack_balanced(interp, run):
    out = result(
        run,
        interp,
        """
def fails(n):
    if n == 0:
        raise ValueError
    fails(n - 1)

def catches():
    for _ in range(10):
        try:
            fails(3)
        except ValueError:
            pass
        try:
            int("x")
        except ValueError:
            pass
    after()

def after(): pass

tracer = Tracer(builtins=True)
tracer.enable()
catches()
tracer.disable()
tree = tracer.tree()
parent = {n[2] if isinstance(n[2], str) else n[2].co_name: n[0] for n in tree}
print(json.dumps([calls(tracer), parent["after"], tree[0][2].co_name, tracer.info()["resyncs"]]))
""",
    )
    counts, parent, first, resyncs = out
    assert counts == {"fails": 40, "catches": 1, "after": 1}
    assert parent == 0 and first == "catches"
    assert resyncs == 0


def test_threads_have_their_own_stacks(interp, run):
    out = result(
        run,
        interp,
        """
def early_work():
    for _ in range(50):
        fib(5)
        time.sleep(0)

go, done = threading.Event(), threading.Event()
def early():
    done.set()
    go.wait()
    early_work()

before = threading.Thread(target=early, name="before")
before.start()
done.wait()
tracer = Tracer()
tracer.enable()
after = threading.Thread(target=early_work, name="after")
after.start()
go.set()
early_work()
before.join(); after.join()
tracer.disable()
tree, threads = tracer.tree(), tracer.threads()
by_thread = {}
for node in tree:
    if getattr(node[2], "co_name", "") == "early_work":
        by_thread[threads[node[1]][1]] = node[3]
own = [t[0] for t in threads]
print(json.dumps([calls(tracer)["fib"], by_thread, len(set(own)), tracer.info()["resyncs"]]))
""",
    )
    fibs, by_thread, tids, resyncs = out
    assert fibs == 3 * 50 * 15
    assert by_thread == {"MainThread": 1, "before": 1, "after": 1}
    assert tids == 3 and resyncs == 0


def test_one_thread_only(interp, run):
    out = result(
        run,
        interp,
        """
tracer = Tracer(threads=False)
tracer.enable()
other = threading.Thread(target=fib, args=(10,))
other.start(); other.join()
fib(5)
tracer.disable()
print(json.dumps([calls(tracer)["fib"], len(tracer.threads())]))
""",
    )
    assert out == [15, 1]


def test_many_short_threads(interp, run):
    out = result(
        run,
        interp,
        """
tracer = Tracer()
tracer.enable()
for _ in range(40):
    several = [threading.Thread(target=fib, args=(6,)) for _ in range(5)]
    for t in several: t.start()
    for t in several: t.join()
tracer.disable()
print(json.dumps([calls(tracer)["fib"], len(tracer.threads())]))
""",
    )
    assert out == [200 * 25, 201]


def test_several_at_once(interp, run):
    out = result(
        run,
        interp,
        """
one, two = Tracer(), Tracer(builtins=False)
one.enable()
fib(5)
two.enable()
fib(6)
one.disable()
fib(7)
two.disable()
fib(8)
one.enable()
fib(4)
one.disable()
print(json.dumps([calls(one)["fib"], calls(two)["fib"]]))
""",
    )
    assert out == [15 + 25 + 9, 25 + 41]


def test_cprofile_beside_us(interp, run):
    """It keeps its own counts, and we ours, however they are nested."""
    out = result(
        run,
        interp,
        """
import cProfile
def counted(profile):
    return {e.code if isinstance(e.code, str) else e.code.co_name: e.callcount
            for e in profile.getstats()}
tracer, profile = Tracer(), cProfile.Profile()
profile.enable()
tracer.enable()
fib(7)
tracer.disable()
fib(6)
profile.disable()
fib(5)
print(json.dumps([calls(tracer)["fib"], counted(profile)["fib"]]))
""",
    )
    assert out == [41, 41 + 25]


def test_clear_while_calls_go_on(interp, run):
    out = result(
        run,
        interp,
        """
def before(): fib(5)
def after(): fib(6)
def whole():
    before()
    tracer.clear()
    after()
tracer = Tracer()
tracer.enable()
whole()
tracer.disable()
print(json.dumps(calls(tracer)))
""",
    )
    assert out["whole"] == 1 and out["after"] == 1 and out["fib"] == 25
    assert "before" not in out


def test_code_that_dies(interp, run):
    out = result(
        run,
        interp,
        """
tracer = Tracer()
tracer.enable()
for i in range(300):
    space = {}
    exec("def f%d():\\n    return len('a')" % i, space)
    space["f%d" % i]()
    del space
gc.collect()
tracer.disable()
names = [named(e) for e in tracer.entries()]
print(json.dumps([len(set(n for n in names if n[0] == "f" and n[1:].isdigit())), len(names) == len(set(map(id, (e[0] for e in tracer.entries()))))]))
""",
    )
    assert out[0] == 300


def test_a_timer_of_the_user(interp, run):
    out = result(
        run,
        interp,
        """
ticks = [0]
def timer():
    ticks[0] += 1
    return ticks[0]
def leaf(): pass
def root():
    leaf(); leaf()
tracer = Tracer(builtins=False, timer=timer, timer_unit=0.001, threads=False)
tracer.enable()
root()
tracer.disable()
found = rows(tracer)
print(json.dumps([found["root"][1:5], found["leaf"][1:5]]))
""",
    )
    # One reading per event: root, leaf, leaf ends, leaf, leaf ends, root ends.
    assert out == [[1, 1, 5_000_000, 3_000_000], [2, 2, 2_000_000, 2_000_000]]


def test_a_timer_that_fails(interp, run):
    done = run(
        interp,
        HEAD
        + """
def timer():
    raise RuntimeError("no time")
def meddler():
    tracer.disable()
for bad in timer, meddler, lambda: "text":
    tracer = Tracer(builtins=False, timer=bad, threads=False)
    tracer.enable()
    fib(3)
    tracer.disable()
    assert calls(tracer)["fib"] == 5, calls(tracer)
print("fine")
""",
    )
    assert done.stdout == "fine\n"
    assert "no time" in done.stderr


def test_a_tracer_that_is_dropped(interp, run):
    out = result(
        run,
        interp,
        """
for _ in range(20):
    tracer = Tracer()
    tracer.enable()
    fib(3)
    del tracer
other = Tracer()
other.enable()
fib(5)
other.disable()
print(json.dumps([calls(other)["fib"], sys.getprofile() is None]))
""",
    )
    assert out == [15, True]


def test_results_while_it_runs(interp, run):
    out = result(
        run,
        interp,
        """
def asks():
    spin(0.005)
    seen.append([calls(tracer), [n[4] for n in tracer.tree() if getattr(n[2], "co_name", "") == "asks"]])
seen = []
tracer = Tracer()
tracer.enable()
asks()
tracer.disable()
print(json.dumps([seen, calls(tracer)["asks"]]))
""",
    )
    ((counts, (so_far,)),), after = out
    assert "asks" not in counts and counts["spin"] == 1  # it has not ended
    assert so_far >= 5e6
    assert after == 1


def test_cpu_time(interp, run):
    out = result(
        run,
        interp,
        """
def sleeps(): time.sleep(0.05)
def burns():
    end = time.thread_time() + 0.02
    while time.thread_time() < end: pass
tracer = Tracer(cpu=True, builtins=False)
tracer.enable()
sleeps(); burns()
tracer.disable()
found = rows(tracer)
print(json.dumps([found["sleeps"][3], found["sleeps"][5], found["burns"][5], found["burns"][6]]))
""",
    )
    slept, slept_cpu, burnt_cpu, burnt_own = out
    assert slept >= 50e6 and slept_cpu < 20e6
    assert 20e6 <= burnt_cpu <= 25e6 and burnt_own == burnt_cpu


def test_timeline(interp, run):
    out = result(
        run,
        interp,
        """
def inner(): pass
def outer():
    for _ in range(3): inner()
tracer = Tracer(timeline=True, builtins=False)
begin = time.monotonic_ns()
tracer.enable()
outer()
tracer.disable()
end = time.monotonic_ns()
tree, made = tracer.tree(), list(tracer.calls())
names = [tree[c[1]][2].co_name for c in made]
inside = all(begin - 2e5 <= c[2] <= c[3] <= end + 2e5 for c in made)
print(json.dumps([names, inside, made == sorted(made, key=lambda c: c[3]),
    all(made[-1][2] <= c[2] and c[3] <= made[-1][3] for c in made)]))
""",
    )
    assert out == [["inner"] * 3 + ["outer"], True, True, True]


def test_a_timeline_that_is_full(interp, run):
    out = result(
        run,
        interp,
        """
tracer = Tracer(timeline=True, max_events=100)
tracer.enable()
fib(12)
tracer.disable()
print(json.dumps([len(list(tracer.calls())), calls(tracer)["fib"], tracer.info()["lost"] > 0]))
""",
    )
    assert out == [100, 465, True]


def test_chosen_functions(interp, run):
    out = result(
        run,
        interp,
        """
def chosen(n):
    if n == 0: raise KeyError
    return other(n)
def other(n): return fib(n)
def values():
    yield 1
    yield other(2)
whole = Tracer()
tracer = Tracer(only=[chosen.__code__, values.__code__])
for sets in (False, True):
    if sets: whole.enable()
    tracer.enable()
    for n in (3, 0, 2):
        try: chosen(n)
        except KeyError: pass
    list(values())
    thrown = values(); next(thrown)
    try: thrown.throw(ValueError)
    except ValueError: pass
    tracer.disable()
whole.disable()
found = rows(tracer)
print(json.dumps([sorted(found), found["chosen"][1], found["values"][1], calls(whole)["fib"], tracer.info()["resyncs"]]))
""",
    )
    # values: three resumes, one more, and one by throw(); twice.
    assert out == [["chosen", "values"], 6, 10, 5 + 3 + 3, 0]


def test_bad_arguments(interp, run):
    out = result(
        run,
        interp,
        """
def fails(**options):
    try:
        Tracer(**options)
    except Exception as e:
        return type(e).__name__
print(json.dumps([fails(only=[fib]), fails(timer=3), fails(nonsense=1), fails(only=3)]))
""",
    )
    assert out == ["TypeError"] * 4


def test_the_program_is_left_as_it_was(interp, run):
    out = result(
        run,
        interp,
        """
before = [sys.getprofile(), threading._profile_hook]
tracer = Tracer(builtins=True)
tracer.enable()
fib(3)
tracer.disable()
tools = [sys.monitoring.get_tool(i) for i in range(6)] if hasattr(sys, "monitoring") else []
print(json.dumps([before == [sys.getprofile(), threading._profile_hook], any(tools)]))
""",
    )
    assert out == [True, False]
