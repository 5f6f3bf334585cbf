# SPDX-License-Identifier: MIT
"""The tracer where it is hard: deep recursion, forks, greenlets, other interpreters, endless paths."""

import json
import platform
import subprocess
import sys

import pytest
from conftest import INTERPRETERS, one_of_each

from test_trace import HEAD, result


def test_deep_recursion(interp, run):
    """No deeper than the program gets by itself, but so deep, and with exact counts."""
    out = result(
        run,
        interp,
        """
def deep(n):
    return 0 if n == 0 else 1 + deep(n - 1)

sys.setrecursionlimit(10**6)
DEPTH = 100_000 if sys.version_info >= (3, 11) else 15_000
deep(DEPTH)
found = []
for builtins in (None, True):
    tracer = Tracer(builtins=builtins)
    tracer.enable()
    assert deep(DEPTH) == DEPTH
    fib(5)
    tracer.disable()
    found.append([calls(tracer)["deep"] - DEPTH, calls(tracer)["fib"]])
print(json.dumps(found))
""",
    )
    assert out == [[1, 15]] * 2


def test_recursion_errors_stay(interp, run):
    out = result(
        run,
        interp,
        """
def endless(): return endless()
tracer = Tracer()
tracer.enable()
for _ in range(3):
    try:
        endless()
    except RecursionError:
        pass
fib(5)
tracer.disable()
tree = tracer.tree()
roots = {n[2].co_name for n in tree if n[0] == -1 and not isinstance(n[2], str)}
print(json.dumps([calls(tracer)["fib"], sorted(roots & {"endless", "fib"})]))
""",
    )
    assert out == [15, ["endless", "fib"]]


def test_more_paths_than_are_kept(interp, run):
    """The tree is begun anew now and then; the sums stay exact."""
    out = result(
        run,
        interp,
        """
def a(n):
    if n: a(n - 1); b(n - 1)
def b(n):
    if n: a(n - 1); b(n - 1)
DEPTH = 20
tracer = Tracer(builtins=False)
tracer.enable()
a(DEPTH)
tracer.disable()
found = rows(tracer)
pairs = sum(c[1] for name in "ab" for c in found[name][7])
print(json.dumps([found["a"][1] + found["b"][1], found["a"][2], pairs,
    tracer.info()["paths"], found["a"][3] >= found["b"][3] > 0, found["a"][4] + found["b"][4] - found["a"][3]]))
""",
    )
    total, primitive, pairs, paths, ordered, rest = out
    assert total == 2**21 - 1 and pairs == total - 1
    assert primitive == 1 and paths <= 2**20 and ordered
    assert abs(rest) < 1e6


def test_a_child_goes_on(interp, run):
    out = result(
        run,
        interp,
        """
stop = threading.Event()
other = threading.Thread(target=stop.wait)
other.start()
tracer = Tracer()
tracer.enable()
fib(5)
read, write = os.pipe()
pid = os.fork()
fib(4)
if pid == 0:
    thread = threading.Thread(target=fib, args=(4,))
    thread.start(); thread.join()
tracer.disable()
if pid == 0:
    os.write(write, str(calls(tracer)["fib"]).encode())
    os._exit(0)
status = os.waitpid(pid, 0)[1]
stop.set(); other.join()
print(json.dumps([calls(tracer)["fib"], int(os.read(read, 100)), status]))
""",
    )
    assert out == [15 + 9, 15 + 9 + 9, 0]


def test_many_forks_while_threads_trace(interp, run):
    out = result(
        run,
        interp,
        """
stop = False
def busy():
    while not stop: fib(6)
threads = [threading.Thread(target=busy) for _ in range(3)]
tracer = Tracer()
tracer.enable()
for t in threads: t.start()
failed = 0
for i in range(60):
    pid = os.fork()
    if pid == 0:
        fib(5)
        tracer.disable()
        os._exit(0 if calls(tracer)["fib"] else 1)
    failed += os.waitpid(pid, 0)[1] != 0
stop = True
for t in threads: t.join()
tracer.disable()
print(json.dumps(failed))
""",
    )
    assert out == 0


def test_tracers_come_and_go_under_load(interp, run):
    out = result(
        run,
        interp,
        """
stop = False
def busy():
    while not stop:
        fib(5); sorted([3, 1, 2], key=abs)
        try: int("x")
        except ValueError: pass
threads = [threading.Thread(target=busy) for _ in range(3)]
for t in threads: t.start()
for i in range(150):
    one, two = Tracer(builtins=bool(i % 3)), Tracer(only=[fib.__code__])
    one.enable(); two.enable()
    fib(6)
    assert one.entries() is not None
    if i % 2: one.clear()
    one.disable()
    fib(4)
    del one
    two.disable()
    assert calls(two)["fib"] >= 34, calls(two)
stop = True
for t in threads: t.join()
print(json.dumps("fine"))
""",
        timeout=600,  # without the GIL CPython stops all threads some 50 times in each round
    )
    assert out == "fine"


def test_exit_while_enabled(interp, run):
    done = run(
        interp,
        HEAD
        + """
import atexit
tracer = Tracer()
tracer.enable()
def busy():
    while True: fib(6)
threading.Thread(target=busy, daemon=True).start()
atexit.register(fib, 5)
fib(8)
print("fine")
""",
    )
    assert done.stdout == "fine\n" and not done.stderr


def test_other_interpreters(interp, run):
    """An interpreter within the process: it runs, whether it can trace itself or not."""
    done = run(
        interp,
        HEAD
        + """
try:
    import _interpreters as interpreters
except ImportError:
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        print("fine"); sys.exit()
CODE = '''
import sys
sys.path[:0] = %r
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
try:
    from fireglass._fireglass import Tracer
except ImportError:
    fib(6)
else:
    tracer = Tracer()
    tracer.enable()
    fib(6)
    tracer.disable()
    assert [e[1] for e in tracer.entries() if getattr(e[0], "co_name", "") == "fib"] == [25]
''' % sys.path
tracer = Tracer()
tracer.enable()
for legacy in (False, True):
    try:
        one = interpreters.create("legacy") if legacy else interpreters.create()
    except Exception:
        continue
    fib(5)
    problem = (getattr(interpreters, "run_string", None) or interpreters.exec)(one, CODE)
    assert not problem, problem
    fib(5)
    interpreters.destroy(one)
tracer.disable()
assert calls(tracer)["fib"] % 15 == 0, calls(tracer)
print("fine")
""",
    )
    assert done.stdout.endswith("fine\n")


# Those without a wheel: without the lock, greenlet begins with 3.14.
WITH_GREENLET = [
    i for i in one_of_each(INTERPRETERS) if i.minor >= (3, 14) or not i.free_threaded
]
GREENLETS_OF = {(3, 8): "3.1.1", (3, 9): "3.2.4"}


@pytest.fixture(scope="session")
def with_greenlet(tmp_path_factory):
    """with_greenlet(interp): a directory with the greenlet package. Not each interpreter has a pip."""
    made = {}

    def install(interp):
        if interp.id not in made:
            path = tmp_path_factory.mktemp("greenlet")
            words = ["--python-version", "%d.%d" % interp.minor, "--implementation", "cp",
                     "--abi", "cp%d%d%s" % (*interp.minor, "t" * interp.free_threaded)]  # fmt: skip
            for glibc in ("manylinux_2_28", "manylinux_2_24", "manylinux2014"):
                words += ["--platform", "%s_%s" % (glibc, platform.machine())]
            subprocess.run(
                [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                 "--no-deps", "--only-binary", ":all:", "--target", str(path), *words,
                 "greenlet==" + GREENLETS_OF.get(interp.minor, "3.5.6")],
                check=True,
            )  # fmt: skip
            made[interp.id] = path
        return made[interp.id]

    return install


GREENLETS = """
sys.path.insert(0, sys.argv[1])
import greenlet

seen = []
if sys.argv[2] == "traced":
    greenlet.settrace(lambda event, pair: seen.append(event))

def ping(n=10):
    for _ in range(n):
        spin(0.002)
        step("ping")

def pong(n=10):
    for _ in range(n):
        spin(0.004)
        step("pong")

def step(name):
    other[name].switch()

one, two = greenlet.greenlet(ping), greenlet.greenlet(pong)
other = {"ping": two, "pong": one}
tracer = Tracer(builtins=sys.argv[3] == "builtins")
begin = time.perf_counter()
tracer.enable()
one.switch()
while not one.dead or not two.dead:
    (two if one.dead else one).switch()
tracer.disable()
wall = (time.perf_counter() - begin) * 1e9
found = rows(tracer)
tree = tracer.tree()
names = [n[2] if isinstance(n[2], str) else n[2].co_name for n in tree]
under = sorted({(names[n[0]] if n[0] >= 0 else "-") for n, name in zip(tree, names) if name == "step"})
print(json.dumps([found["ping"][1], found["pong"][1], found["step"][1], found["ping"][3], found["pong"][3],
    under, len(seen), wall]))
"""


@pytest.mark.parametrize("interp", WITH_GREENLET, ids=lambda i: i.id)
@pytest.mark.parametrize("before", ["alone", "traced"])
@pytest.mark.parametrize("builtins", ["builtins", "functions"])
def test_greenlets(interp, run, with_greenlet, before, builtins):
    done = run(interp, HEAD + GREENLETS, str(with_greenlet(interp)), before, builtins)
    pings, pongs, steps, ping, pong, under, seen, wall = json.loads(done.stdout.splitlines()[-1])
    assert (pings, pongs, steps) == (1, 1, 20)
    assert under == ["ping", "pong"]
    # Neither has the time of the other.
    assert ping >= 19e6 and pong >= 39e6 and ping + pong <= 1.05 * wall
    assert (seen > 0) == (before == "traced")
