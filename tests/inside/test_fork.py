# SPDX-License-Identifier: MIT
"""What a fork, in all the ways programs fork, does to sessions: nothing, in either process."""


import pytest
from test_session import COMMON, captured, told

FORKS = """
import ctypes, gc, subprocess

def status_of(pid):
    status = os.waitpid(pid, 0)[1]
    assert os.WIFEXITED(status), "signal %d" % os.WTERMSIG(status)
    return os.WEXITSTATUS(status)

def sample_a_while(path):
    with open(path, "w+b") as file:
        session = Session(file.fileno(), period_ns=1_000_000)
        until(lambda: session.counts()["samples"] > 3, "no samples")
        session.stop()
        return session.counts()["samples"]

def in_child(session):
    assert session.left_behind
    for call in (session.stop, session.flush):
        try:
            call()
        except ValueError:
            pass
        else:
            return 3
    session.pause()
    assert session.counts()["ticks"] == 0
    assert sample_a_while("child-%d.fgc" % os.getpid()) > 0
    return 7

file = open("out.fgc", "w+b")
session = Session(file.fileno(), period_ns=1_000_000)
until(lambda: session.counts()["samples"] > 3, "no samples")
"""

WAYS = {
    "fork": """
pid = os.fork()
if not pid:
    os._exit(in_child(session))
assert status_of(pid) == 7
""",
    "libc": """
pid = ctypes.CDLL(None).fork()
if not pid:
    os._exit(in_child(session))
assert status_of(pid) == 7
""",
    "normal-exit": """
pid = os.fork()
if not pid:
    busy(0.05)
    sys.exit(7)  # with atexit and all
assert status_of(pid) == 7
""",
    "dropped": """
pid = os.fork()
if not pid:
    del session
    gc.collect()
    os._exit(7)
assert status_of(pid) == 7
""",
    "daemon": """
r, w = os.pipe()
pid = os.fork()
if not pid:
    os.setsid()
    if os.fork():
        os._exit(7)
    os.closerange(3, w)
    os.closerange(w + 1, 256)
    os.write(w, b"%d" % in_child(session))
    os._exit(0)
os.close(w)
assert status_of(pid) == 7
assert os.read(r, 10) == b"7"
""",
    "in-thread": """
found = []
def forks():
    pid = os.fork()
    if not pid:
        os._exit(in_child(session))
    found.append(status_of(pid))
thread = threading.Thread(target=forks)
thread.start()
thread.join()
assert found == [7]
""",
    "subprocess": """
assert subprocess.call([sys.executable, "-c", "raise SystemExit(7)"]) == 7
assert subprocess.call([sys.executable, "-c", "raise SystemExit(7)"], preexec_fn=lambda: None) == 7
assert subprocess.call([sys.executable, "-c", "raise SystemExit(7)"], close_fds=False) == 7
""",
}


@pytest.mark.parametrize("way", WAYS)
def test_the_child_is_free_and_the_parent_goes_on(interp, run, tmp_path, way):
    code = """
ticks = session.counts()["ticks"]
until(lambda: session.counts()["ticks"] > ticks + 3, "the parent's goes on")
session.stop()
print("parent", os.getpid(), flush=True)
"""
    done = run(interp, COMMON + FORKS + WAYS[way] + code, env={"PYTHONWARNINGS": "ignore"})
    pid = int(done.stdout.split()[-1])
    info = captured(interp, run, tmp_path)
    assert info["finished"] and info["samples"] > 3
    assert {t["pid"] for t in info["threads"] if "pid" in t} <= {pid}


def test_exec_replaces_it(interp, run, tmp_path):
    code = """
session.flush()
os.execv(sys.executable, [sys.executable, "-c", "import os; print(len(os.listdir('/proc/self/task')))"])
"""
    assert run(interp, COMMON + FORKS + code).stdout == "1\n"
    info = captured(interp, run, tmp_path)
    assert info["samples"] > 0 and not info["finished"]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(interp, run, tmp_path, method):
    code = """
import multiprocessing

def work(n):
    return n, sample_a_while("worker-%d.fgc" % n)

def sample_a_while(path):
    with open(path, "w+b") as file:
        session = Session(file.fileno(), period_ns=1_000_000)
        until(lambda: session.counts()["samples"] > 3, "no samples")
        session.stop()
        return session.counts()["samples"]

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    file = open("out.fgc", "w+b")
    session = Session(file.fileno(), period_ns=1_000_000)
    with multiprocessing.Pool(2) as pool:
        found = dict(pool.map(work, range(6)))
    session.stop()
    tell(found=found, samples=session.counts()["samples"])
"""
    done = run(interp, COMMON + code, method, env={"PYTHONWARNINGS": "ignore"})
    found = told(done)
    assert sorted(map(int, found["found"])) == list(range(6))
    assert all(n > 0 for n in found["found"].values()) and found["samples"] > 0


def test_forks_while_threads_start_and_stop_sessions(interp, run, tmp_path):
    code = """
ending = threading.Event()

def starts(i):
    while not ending.is_set():
        with open("out%d.fgc" % i, "w+b") as file:
            s = Session(file.fileno(), period_ns=500_000)
            s.flush()
            s.stop()

threads = [threading.Thread(target=starts, args=(i,)) for i in range(4)]
for t in threads:
    t.start()
for i in range(100):
    pid = os.fork()
    if not pid:
        ok = session.left_behind
        if i % 10 == 0:
            ok = ok and sample_a_while("child.fgc") > 0
        os._exit(7 if ok else 1)
    assert status_of(pid) == 7
ending.set()
for t in threads:
    t.join()
session.stop()
print("done")
"""
    done = run(interp, COMMON + FORKS + code, env={"PYTHONWARNINGS": "ignore"})
    assert done.stdout == "done\n"


