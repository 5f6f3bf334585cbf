# SPDX-License-Identifier: MIT
"""The engine, in the process that it samples."""

import json

import pytest

COMMON = """
import json, os, sys, threading, time
from fireglass._fireglass import Session

def burn():
    return sum(i * i for i in range(2000))

def busy(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        burn()

def until(condition, what):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.001)

def size(path):
    return os.stat(path).st_size

def alone():
    return len(os.listdir("/proc/self/task")) == 1

def samples_of(path):
    from fireglass._fireglass import Capture
    return sum(s.get("count", 1) for s in Capture(path).samples())

def tell(**found):
    print(json.dumps(found))
"""


def told(done):
    return json.loads(done.stdout)


BUSY = """
waiting = threading.Event()
thread = threading.Thread(target=waiting.wait, name="waiter")
thread.start()
with open("out.fgc", "w+b") as file:
    session = Session(file.fileno(), period_ns=1_000_000)
    busy(0.5)
    session.stop()
    tell(**session.counts())
waiting.set()
thread.join()
"""


@pytest.mark.every_build
def test_samples_all_threads(interp, run, tmp_path):
    counts = told(run(interp, COMMON + BUSY))
    assert counts["ticks"] + counts["missed"] >= 450
    assert counts["samples"] >= 1.5 * counts["ticks"]
    assert counts["failed"] <= 0.01 * counts["samples"]
    assert counts["lost"] == counts["write_errors"] == 0


def test_flush_makes_the_file_readable_while_it_goes_on(interp, run, tmp_path):
    code = """
with open("out.fgc", "w+b") as file:
    session = Session(file.fileno(), period_ns=1_000_000)
    until(lambda: session.counts()["ticks"] > 20, "no ticks")
    before = session.counts()["samples"]
    session.flush()
    first = size("out.fgc")
    busy(0.2)
    session.flush()
    second = size("out.fgc")
    after = session.counts()["samples"]
    session.stop()
    tell(before=before, first=first, second=second, after=after, end=size("out.fgc"))
"""
    found = told(run(interp, COMMON + code))
    assert 0 < found["first"] < found["second"] <= found["end"]
    assert found["after"] > found["before"]


def test_pause_takes_no_ticks_and_misses_none(interp, run, tmp_path):
    code = """
with open("out.fgc", "w+b") as file:
    session = Session(file.fileno(), period_ns=1_000_000)
    until(lambda: session.counts()["ticks"] > 20, "no ticks")
    session.pause()
    session.flush()
    first = session.counts()
    busy(0.3)
    session.flush()
    second = session.counts()
    session.pause(False)
    until(lambda: session.counts()["ticks"] > second["ticks"] + 20, "it does not go on")
    session.stop()
    tell(first=first, second=second)
"""
    found = told(run(interp, COMMON + code))
    # one that was under way when the pause began may come after the first count
    assert found["second"]["ticks"] - found["first"]["ticks"] <= 1
    assert found["second"]["missed"] - found["first"]["missed"] <= 1


def test_flight_recorder_writes_when_asked_and_at_the_end(interp, run, tmp_path):
    code = """
with open("out.fgc", "w+b") as file, open("all.fgc", "w+b") as whole, open("last.fgc", "w+b") as last:
    session = Session(file.fileno(), period_ns=1_000_000, max_age_ns=3600 * 10**9)
    busy(1.5)
    session.flush()
    before = size("out.fgc")
    session.dump(whole.fileno())
    busy(1.5)
    session.dump(last.fileno(), last_ns=10**9)
    busy(0.1)
    going = session.counts()
    session.stop()
    tell(before=before, all=samples_of("all.fgc"), last=samples_of("last.fgc"),
         end=samples_of("out.fgc"), going=going, counts=session.counts())
"""
    found = told(run(interp, COMMON + code))
    assert found["before"] == 0
    assert 0 < found["all"] < found["end"] == found["counts"]["samples"]
    assert 0 < found["last"] < found["end"]
    assert found["counts"]["samples"] > found["going"]["samples"] > 0


def test_a_full_disk_is_told_and_harms_nobody(interp, run, tmp_path):
    code = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open("out.fgc", "w+b") as file:
    session = Session(file.fileno(), period_ns=1_000_000)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
    end = time.monotonic() + 60
    depth = 0
    def deeper(n):
        return deeper(n - 1) if n else busy(0.05)
    while not session.counts()["write_errors"] and time.monotonic() < end:
        depth += 1
        deeper(depth % 100)
    counts, problem = session.counts(), session.problem()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    session.stop()
    tell(counts=counts, problem=problem, after=session.counts())
"""
    found = told(run(interp, COMMON + code))
    assert found["counts"]["write_errors"] > 0
    assert "too large" in found["problem"].lower() or "space" in found["problem"].lower()
    assert found["after"]["samples"] > 0


def test_a_file_that_cannot_be_written_is_an_error_at_once(python, run, tmp_path):
    code = """
try:
    Session(0)
except Exception as e:
    tell(error=str(e), kind=type(e).__name__)
"""
    found = told(run(python, COMMON + code))
    assert found["error"]


def test_no_file_descriptors_are_taken_from_the_program(interp, run, tmp_path):
    code = """
before = set(os.listdir("/proc/self/fd"))
with open("out.fgc", "w+b") as file:
    session = Session(file.fileno(), period_ns=1_000_000)
    seen = set()
    for _ in range(50):
        seen |= set(os.listdir("/proc/self/fd"))
        busy(0.005)
    # closing everything that may be ours does no harm
    os.closerange(max(map(int, seen)) + 1, 256)
    number = os.open("/dev/null", os.O_RDONLY)
    busy(0.1)
    os.close(number)
    counts = session.counts()
    session.stop()
    tell(before=sorted(before), seen=sorted(seen), ours=file.fileno(), number=number, counts=counts)
"""
    found = told(run(interp, COMMON + code))
    # the listing itself has one, the lowest that is free
    assert len(found["seen"]) <= len(found["before"]) + 1
    assert found["number"] <= found["ours"] + 1
    assert found["counts"]["samples"] > 0


def test_a_pipe_that_the_program_closes_is_closed(interp, run, tmp_path):
    code = """
r, w = os.pipe()
with open("out.fgc", "w+b") as file:
    session = Session(file.fileno(), period_ns=1_000_000)
    os.close(w)
    end = os.read(r, 1)
    session.stop()
    tell(end=len(end))
"""
    assert told(run(interp, COMMON + code, timeout=30))["end"] == 0


def test_closing_the_file_early_writes_into_no_other(interp, run, tmp_path):
    code = """
fd = os.open("out.fgc", os.O_RDWR | os.O_CREAT)
session = Session(fd, period_ns=1_000_000)
os.close(fd)
other = os.open("other", os.O_RDWR | os.O_CREAT)
assert other == fd
busy(0.1)
session.flush()
busy(0.1)
session.stop()
tell(size=size("out.fgc"), other=size("other"), counts=session.counts())
"""
    found = told(run(interp, COMMON + code))
    assert found["other"] == 0
    assert found["size"] > 100
    assert found["counts"]["write_errors"] == 0


def test_any_number_at_once_and_from_any_thread(interp, run, tmp_path):
    code = """
def one(i):
    with open("out%d.fgc" % i, "w+b") as file:
        for _ in range(10):
            file.truncate(0)
            file.seek(0)
            session = Session(file.fileno(), period_ns=500_000 * (i + 1))
            busy(0.01)
            session.counts()
            session.pause(i % 2)
            session.flush()
            session.stop()
            session.stop()

threads = [threading.Thread(target=one, args=(i,)) for i in range(8)]
for t in threads:
    t.start()
for t in threads:
    t.join()
until(alone, "threads are left")
tell(threads=1)
"""
    assert told(run(interp, COMMON + code))["threads"] == 1


def test_stopped_by_several_threads_at_once(interp, run, tmp_path):
    code = """
for _ in range(20):
    with open("out.fgc", "w+b") as file:
        session = Session(file.fileno(), period_ns=1_000_000)
        threads = [threading.Thread(target=session.stop) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
until(alone, "threads are left")
tell(threads=1)
"""
    assert told(run(interp, COMMON + code))["threads"] == 1


@pytest.mark.parametrize(
    "ending",
    [
        "",
        "sys.exit(3)",
        "raise KeyError('own')",
        "threading.Thread(target=lambda: (time.sleep(0.05), sys.exit(1))).start()",
        "threading.Thread(target=busy, args=(60,), daemon=True).start(); busy(0.05)",
    ],
    ids=["end", "exit", "exception", "exit-in-thread", "daemon"],
)
def test_a_session_that_nobody_stops_is_finished_at_exit(interp, run, tmp_path, ending):
    code = """
file = open("out.fgc", "w+b")
session = Session(file.fileno(), period_ns=1_000_000)
busy(0.1)
print("done", flush=True)
"""
    done = run(interp, COMMON + code + ending, check=False)
    assert done.stdout == "done\n"
    if "exit(3)" in ending:
        assert (done.returncode, done.stderr) == (3, "")
    elif "KeyError" in ending:
        assert done.returncode == 1
        assert done.stderr.strip().endswith("KeyError: 'own'")
    else:
        assert (done.returncode, done.stderr) == (0, "")
    info = captured(interp, run, tmp_path)
    assert info["finished"]


@pytest.mark.parametrize("ending", ["os._exit(0)", "os.kill(os.getpid(), 9)"], ids=["_exit", "kill"])
def test_what_was_flushed_can_be_read_after_a_sudden_end(interp, run, tmp_path, ending):
    code = """
file = open("out.fgc", "w+b")
session = Session(file.fileno(), period_ns=1_000_000)
busy(0.1)
session.flush()
"""
    run(interp, COMMON + code + ending, check=False)
    info = captured(interp, run, tmp_path)
    assert not info["finished"]
    assert info["samples"] > 0


def captured(interp, run, tmp_path):
    """What the capture out.fgc says, read by the package itself."""
    code = """
from fireglass._fireglass import Capture
c = Capture("out.fgc")
facts = c.facts()
print(json.dumps({"facts": dict(facts), "finished": "end_ns" in facts,
                  "samples": sum(s.get("count", 1) for s in c.samples()),
                  "threads": [dict(t) for t in c.threads()]}))
"""
    return told(run(interp, COMMON + code))


def test_facts_say_where_and_how(interp, run, tmp_path):
    run(interp, COMMON + BUSY)
    facts = captured(interp, run, tmp_path)["facts"]
    assert facts["cwd"] == str(tmp_path)
    assert facts["period_ns"] == "1000000"
    assert facts["python"].startswith("%d.%d" % interp.minor)
    assert int(facts["ticks"]) > 0
    assert int(facts["rung.direct"]) + int(facts["rung.coscheduled"]) > 0
    assert facts["tool"].startswith("fireglass")


@pytest.mark.needs("_interpreters", "_xxsubinterpreters")
def test_sub_interpreters_are_sampled_and_may_sample(interp, run, tmp_path):
    code = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
with open("out.fgc", "w+b") as file:
    session = Session(file.fileno(), period_ns=1_000_000)
    one = interpreters.create()
    interpreters.run_string(one, '''
import time
def inside():
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        sum(i * i for i in range(2000))
inside()
''')
    interpreters.destroy(one)
    session.stop()
print("ok")
"""
    assert run(interp, COMMON + code).stdout == "ok\n"
    info = captured(interp, run, tmp_path)
    assert info["samples"] > 100


CPU = """
def used(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        burn()

def waits(event):
    event.wait()

event = threading.Event()
waiter = threading.Thread(target=waits, args=(event,))
waiter.start()
with open("out.fgc", "w+b") as file:
    session = Session(file.fileno(), period_ns=1_000_000, clock="cpu")
    threads = [threading.Thread(target=used, args=(0.3,)) for _ in range(2)]
    for t in threads:
        t.start()
    used(0.6)
    for t in threads:
        t.join()
    event.set()
    waiter.join()
    session.stop()
    tell(**session.counts())
"""


def test_cpu_clock_counts_what_each_thread_uses(interp, run, tmp_path):
    counts = told(run(interp, COMMON + CPU))
    # 1.2 s of CPU time at 1 kHz; a thread's first milliseconds come before its timer
    assert 0.7 * 1200 <= counts["ticks"] <= 1.3 * 1200
    code = """
from fireglass._fireglass import Capture
found = {}
for s in Capture("out.fgc").samples():
    text = str(s["stack"])
    for name in ("used", "waits"):
        found[name] = found.get(name, 0) + (s.get("count", 1) if name in text else 0)
tell(**found)
"""
    found = told(run(interp, COMMON + code))
    assert found["used"] >= 0.9 * counts["samples"] * 0.9
    assert found["waits"] <= 20


def test_cpu_clock_beside_the_programs_own_signals(interp, run, tmp_path):
    code = """
import re, signal

def caught():
    # the real-time signals that have a handler, whoever set it
    with open("/proc/self/status") as f:
        mask = int(re.search(r"SigCgt:\\s+(\\w+)", f.read()).group(1), 16)
    return {n for n in range(signal.SIGRTMIN, signal.SIGRTMAX + 1) if mask >> (n - 1) & 1}

seen = []
others = caught()
signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
with open("out.fgc", "w+b") as file:
    session = Session(file.fileno(), period_ns=1_000_000, clock="cpu")
    ours = caught() - others
    busy(0.2)
    # the program takes the signal for itself
    mine = []
    for n in ours:
        signal.signal(n, lambda *_: mine.append(1))
    busy(0.2)
    before = session.counts()["ticks"]
    busy(0.2)
    late = len(mine)
    busy(0.2)
    session.flush()
    after = session.counts()["ticks"]
    session.stop()
signal.setitimer(signal.ITIMER_REAL, 0)
tell(seen=len(seen), ours=len(ours), late=len(mine) - late, before=before, after=after)
"""
    found = told(run(interp, COMMON + code))
    assert found["seen"] > 10
    assert found["ours"] == 1
    assert found["late"] == 0  # another one is used by then
    assert found["after"] > found["before"] > 0


def test_cpu_clock_needs_a_period(python, run, tmp_path):
    code = """
with open("out.fgc", "w+b") as file:
    for options in ({"clock": "cpu", "period_ns": 0}, {"clock": "sun"}):
        try:
            Session(file.fileno(), **options)
        except ValueError as e:
            print(e)
"""
    text = run(python, COMMON + code).stdout
    assert "needs a period" in text and "no clock 'sun'" in text


def test_samples_belong_to_the_span_that_their_thread_was_in(interp, run, tmp_path):
    code = """
from fireglass import _fireglass as fg
def alpha(): busy(0.25)
def beta(): busy(0.25)
with open("out.fgc", "w+b") as file:
    session = Session(file.fileno(), period_ns=1_000_000)
    outer = fg.span_open(0, "request", "outer")
    fg.span_enter(outer)
    alpha()
    inner = fg.span_open(outer, "step", "inner")
    fg.span_enter(inner)
    beta()
    fg.span_enter(outer)
    fg.span_close(inner)
    fg.span_describe(outer, "outer 200")
    alpha()
    fg.span_enter(0)
    fg.span_close(outer)
    beta()
    session.stop()
from fireglass._fireglass import Capture
c = Capture("out.fgc")
spans = c.spans()
found = {}
for s in c.samples():
    text = str(s["stack"])
    where = "alpha" if "alpha" in text else "beta" if "beta" in text else ""
    key = "%s %s" % (where, None if s["span"] is None else spans[s["span"]]["text"])
    found[key] = found.get(key, 0) + s.get("count", 1)
tell(found=found, texts=[s["text"] for s in spans], names=[s["name"] for s in spans])
"""
    told_all = told(run(interp, COMMON + code))
    found = told_all["found"]
    assert told_all["names"] == ["request", "step"]
    assert told_all["texts"] == ["outer 200", "inner"]
    assert found["alpha outer 200"] > 350
    assert found["beta inner"] > 150 and found["beta None"] > 150
    assert found.get("alpha None", 0) + found.get("beta outer 200", 0) <= 3
    assert "alpha inner" not in found


def test_only_chosen_spans_are_sampled(interp, run, tmp_path):
    code = """
from fireglass import _fireglass as fg
with open("out.fgc", "w+b") as file:
    session = Session(file.fileno(), period_ns=1_000_000, spans_only=True)
    busy(0.2)
    session.flush()
    idle = session.counts()
    for i in range(10):
        key = fg.span_open(0, "request", "r%d" % i)
        fg.span_enter(key)
        if i % 2:
            fg.span_choose(key)
        busy(0.06)
        if i % 5 == 0:
            child = fg.span_open(key, "step", "s%d" % i)
            fg.span_enter(child)
            busy(0.06)
            fg.span_close(child)
        fg.span_enter(0)
        fg.span_close(key)
    session.stop()
from fireglass._fireglass import Capture
c = Capture("out.fgc")
spans = c.spans()
of = {}
for s in c.samples():
    text = spans[s["span"]]["text"]
    of[text] = of.get(text, 0) + s.get("count", 1)
tell(of=of, idle=idle, spans=[s["text"] for s in spans], counts=session.counts())
"""
    found = told(run(interp, COMMON + code))
    assert found["idle"]["ticks"] == found["idle"]["samples"] == 0
    assert sorted(found["spans"]) == ["r1", "r3", "r5", "r7", "r9", "s5"]
    assert sorted(found["of"]) == sorted(found["spans"])
    assert all(n >= 20 for n in found["of"].values())
    assert found["counts"]["samples"] == sum(found["of"].values())
