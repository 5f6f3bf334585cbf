# SPDX-License-Identifier: MIT
"""record --children: every Python of a tree of processes, in one capture."""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile

import pytest
from harness import (
    AS_NOBODY,
    BIN,
    DEADLINE,
    Target,
    clean_env,
    command,
    fireglass,
    has_module,
    need_root,
    SLEEPS_OF_A_TICK,
    start_fireglass,
    wait_sampling,
    wait_state,
    wait_until,
    waits_of_threads,
)
from oracle import summary

WORK = {"first_work", "forked_work", "nested_work", "spawned_work"}


class Capture:
    """What `export -f jsonl` says of a capture, by process."""

    def __init__(self, path):
        result = fireglass("export", path, "-f", "jsonl")
        assert result.returncode == 0, result.stderr
        self.rows = [json.loads(line) for line in result.stdout.split("\n") if line]
        self.facts = self.rows[0]["facts"]
        tables = {}
        for row in self.rows[1:]:
            tables.setdefault(row["type"], {})[row.get("id")] = row
        self.processes = {p["pid"]: p for p in tables["process"].values()}
        self.markers = [r for r in self.rows if r["type"] == "marker"]
        pids = {p["id"]: p["pid"] for p in self.processes.values()}
        self.samples = {}  # by pid: lists of functions, root first
        self.times = {}
        self.tids = {}
        for row in self.rows:
            if row["type"] != "sample":
                continue
            thread = tables["thread"][row["thread"]]
            pid = pids[thread["process"]]
            self.tids.setdefault(pid, set()).add(thread["tid"])
            self.times.setdefault(pid, []).append(row["time_ns"])
            functions, stack = [], row["stack"]
            while stack is not None:
                frame = tables["frame"][tables["stack"][stack]["frame"]]
                functions.append(tables["function"][frame["function"]]["name"])
                stack = tables["stack"][stack]["parent"]
            self.samples.setdefault(pid, []).append(functions[::-1])

    def works(self, pid):
        """In which of the functions that tell processes apart it was."""
        found = set()
        for stack in self.samples.get(pid, []):
            found.update(WORK & {name.rsplit(".", 1)[-1] for name in stack})
        return found


def record(tmp_path, *options, **more):
    capture = tmp_path / "out.fgc"
    result = fireglass("record", "-o", capture, *options, **more)
    assert result.returncode == 0, result.stderr
    return Capture(capture), result.stderr


def threads_of(pid):
    return len(os.listdir("/proc/%d/task" % pid))


def wait_each_sampled(process, count):
    """Until each of so many processes has been sampled for a while: a thread each, and the first one."""

    def each():
        waits = waits_of_threads(process.pid)
        del waits[process.pid]
        return len(waits) >= count and min(waits.values()) > 20 * SLEEPS_OF_A_TICK

    wait_until(each, "a thread for each, and samples")


def record_all(tmp_path, target, *options):
    """Until each process of a tree has been sampled for a while."""
    out = tmp_path / "out.fgc"
    process = start_fireglass("record", "-p", target.pid, "--children", "-o", out, *options)
    try:
        wait_each_sampled(process, len(target.truth))
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=DEADLINE)[1].decode()
        assert process.returncode == 0, said
    finally:
        process.kill()
        process.wait()
    return Capture(out), said


def check_tree(capture, said):
    assert set(capture.processes) == {int(pid) for pid in said}
    for pid, name in said.items():
        pid = int(pid)
        assert capture.works(pid) == {name}, (pid, capture.works(pid))
        assert pid in capture.tids[pid]
        # the thread that forked is all that is left of its parent's
        assert len(capture.tids[pid]) == 1


@pytest.mark.parametrize("words", ["fork", "thread", "spawn", "fork nested spawn shell"])
def test_tree(interp, start, tmp_path, words):
    """Each process under its own id, in its own function and in no other's."""
    target = start(interp, "tree.py", *words.split())
    capture, said = record_all(tmp_path, target)
    check_tree(capture, target.truth)
    for process in capture.processes.values():
        assert process["end_ns"] is None
        assert re.search("python|pypy|embed", process["name"]), process
    assert "%d processes" % len(target.truth) in said


def test_only_the_first_without_it(python, start, tmp_path):
    target = start(python, "tree.py", "fork", "spawn")
    capture, _ = record(tmp_path, "-p", target.pid, "-d", "0.3")
    assert set(capture.processes) == {target.pid}


def test_numbers_add_up(python, start, tmp_path):
    """The samples of all processes are the summary's, and each has its share of the ticks."""
    target = start(python, "tree.py", "fork", "fork", "spawn")
    capture, said = record_all(tmp_path, target, "-r", "200")
    numbers = summary(said)
    assert sum(len(s) for s in capture.samples.values()) == numbers["samples"]
    assert int(capture.facts["ticks"]) == numbers["ticks"]
    # one thread each: one sample a tick
    assert numbers["samples"] == numbers["ticks"]
    # the clock of each runs from when it was found
    due = numbers["ticks"] + numbers["missed"]
    spans = [max(times) - min(times) for times in capture.times.values()]
    assert sum(spans) / 5e6 - 8 <= due <= 4 * (numbers["seconds"] + 0.1) * 200


def test_folded_has_all(python, start, tmp_path):
    target = start(python, "tree.py", "fork", "spawn")
    folded = tmp_path / "out.folded"
    record_all(tmp_path, target, "-o", folded)
    text = folded.read_text(encoding="utf-8")
    for name in ("first_work", "forked_work", "spawned_work"):
        assert name in text


# ---- children come and go ------------------------------------------------------------------------

COMES_AND_GOES = """
import os, sys, time
def child_work(n):
    end = time.time() + n
    while time.time() < end: sum(range(500))
def wait_for(pid):
    return os.waitpid(pid, 0)
for n in range(3):
    pid = os.fork()
    if pid == 0:
        child_work(0.8)
        os._exit(0)
    print(pid); sys.stdout.flush()
    wait_for(pid)
"""


def test_come_and_go(interp, tmp_path):
    source = COMES_AND_GOES
    if interp.minor < (3,):
        source = source.replace("print(pid)", "print pid")
    capture, _ = record(
        tmp_path, "--children", "--", *command(interp, "-c", source), env=clean_env()
    )
    assert len(capture.processes) == 4
    for process in capture.processes.values():
        assert process["start_ns"] < process["end_ns"]
        times = capture.times[process["pid"]]
        assert process["start_ns"] - 1e9 <= min(times) and max(times) <= process["end_ns"] + 1e9
    children = [p for p in capture.samples if any("wait_for" in s for s in capture.samples[p])]
    assert len(children) == 1  # only the parent waits
    for pid in set(capture.samples) - set(children):
        assert any("child_work" in s for s in capture.samples[pid])
    # one after the other
    spans = sorted((min(t), max(t)) for p, t in capture.times.items() if p not in children)
    assert all(a[1] < b[0] for a, b in zip(spans, spans[1:]))


def test_below_a_shell(interp, tmp_path):
    """What was launched is no Python, and never will be."""
    script = '"$@"; true'
    capture, _ = record(
        tmp_path, "--children", "--", "/bin/sh", "-c", script, "sh",
        *command(interp, "-c", "import time\nend = time.time() + 0.5\nwhile time.time() < end: pass"),
        env=clean_env(),
    )  # fmt: skip
    assert len(capture.processes) <= 2
    named = [p for p in capture.processes.values() if p["pid"] in capture.samples]
    assert len(named) == 1
    assert any("<module>" in s for s in capture.samples[named[0]["pid"]])


def test_attached_to_a_shell(python, tmp_path):
    source = "print('ready', flush=True)\nimport time\nend = time.time() + 3\nwhile time.time() < end: pass"
    with subprocess.Popen(
        ["/bin/sh", "-c", '"$@"; true', "sh"] + command(python, "-c", source),
        stdout=subprocess.PIPE, env=clean_env(),
    ) as shell:  # fmt: skip
        try:
            assert shell.stdout.readline() == b"ready\n"
            capture, _ = record(tmp_path, "-p", shell.pid, "--children", "-d", "0.5")
            refused = fireglass("record", "-p", shell.pid, "-o", tmp_path / "x.fgc")
        finally:
            shell.wait()
    assert len(capture.samples) == 1 and shell.pid not in capture.samples
    assert refused.returncode == 4


def test_no_python_anywhere(tmp_path):
    with subprocess.Popen(["/bin/sh", "-c", "read x; true"], stdin=subprocess.PIPE) as shell:
        result = fireglass("record", "-p", shell.pid, "--children", "-o", tmp_path / "x.fgc")
        shell.stdin.close()
    assert result.returncode == 4
    assert "no Python" in result.stderr or "nor has one that it started" in result.stderr


OUTLIVED = """
import os, sys, time
if os.fork() == 0:
    first = os.getppid()
    while os.getppid() == first: sum(range(500))
    def alone():
        end = time.time() + 0.6
        while time.time() < end: sum(range(500))
    alone()
    os._exit(0)
end = time.time() + 0.6
while time.time() < end: sum(range(500))
sys.exit(7)
"""


def test_outlives_its_parent(python, tmp_path):
    """The recording lasts until the last of them has ended; the status is still the command's."""
    out = tmp_path / "out.fgc"
    result = fireglass("record", "--children", "-o", out, "--", *command(python, "-c", OUTLIVED))
    assert result.returncode == 7, result.stderr
    capture = Capture(out)
    assert len(capture.processes) == 2
    assert any("alone" in s for samples in capture.samples.values() for s in samples)
    assert all(p["end_ns"] for p in capture.processes.values())


def test_a_child_is_killed(python, start, tmp_path):
    """The others are sampled on."""
    target = start(python, "tree.py", "fork", "fork")
    victim = max(int(pid) for pid, name in target.truth.items() if name == "forked_work")
    out = tmp_path / "out.fgc"
    process = start_fireglass("record", "-p", target.pid, "--children", "-o", out)
    try:
        wait_each_sampled(process, 3)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: threads_of(process.pid) == 3, "its thread gone")
        wait_state(victim, "Z")
        wait_sampling(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.communicate()
    capture = Capture(out)
    ended = capture.processes[victim]["end_ns"]
    assert ended
    for pid, times in capture.times.items():
        assert (max(times) > ended) == (pid != victim)


MANY = """
import os, subprocess, sys
def many():
    for i in range(300):
        subprocess.call(["/bin/true"])
many()
"""


def test_hundreds_of_others(python, tmp_path):
    """Children that are no Pythons are nobody's business, and nothing is said of them."""
    capture, said = record(
        tmp_path, "--children", "--", *command(python, "-c", MANY), env=clean_env()
    )
    pids = {pid for pid, samples in capture.samples.items() if len(samples) > 2}
    assert len(pids) == 1
    assert any("many" in s for s in capture.samples[pids.pop()])
    assert "could not be sampled" not in said


POOL = """
import multiprocessing, os, sys, time
def task(n):
    end = time.time() + 0.5
    while time.time() < end: sum(range(500))
    return os.getpid()
if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    with multiprocessing.Pool(3) as pool:
        print(len(set(pool.map(task, range(6), 1))))
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(python, tmp_path, method):
    assert has_module(python, "multiprocessing")
    script = tmp_path / "pool.py"
    script.write_text(POOL, encoding="utf-8")
    capture, _ = record(
        tmp_path, "--children", "--", *python.argv, script, method, env=clean_env()
    )
    workers = [
        pid for pid, samples in capture.samples.items()
        if any(s and s[-1] == "task" or "task" in s for s in samples)
    ]  # fmt: skip
    assert len(workers) == 3


PREFORK = """
import os, signal, sys, time
def serve():
    end = time.time() + 0.6
    while time.time() < end: sum(range(500))
def worker():
    serve()
    os._exit(0)
def start():
    pid = os.fork()
    if pid == 0: worker()
    return pid
workers = {start() for _ in range(4)}
for n in range(8):  # as one ends another takes its place
    pid, _ = os.wait()
    workers.discard(pid)
    if n < 4: workers.add(start())
"""


def test_prefork(python, tmp_path):
    capture, _ = record(
        tmp_path, "--children", "-r", "200", "--", *command(python, "-c", PREFORK), env=clean_env()
    )
    assert len(capture.processes) == 9
    serving = [p for p, s in capture.samples.items() if any("serve" in stack for stack in s)]
    assert len(serving) == 8


EXECS = """
import os, sys, time
def before():
    end = time.time() + 0.5
    while time.time() < end: sum(range(500))
pid = os.fork()
if pid == 0:
    before()
    os.execv(sys.executable, [sys.executable, "-c", '''
import time
def after():
    end = time.time() + 0.5
    while time.time() < end: sum(range(500))
after()
'''])
os.waitpid(pid, 0)
"""


def test_child_becomes_another_program(interp, tmp_path):
    capture, _ = record(
        tmp_path, "--children", "--", *command(interp, "-c", EXECS), env=clean_env()
    )
    assert len(capture.processes) == 2
    child = [s for s in capture.samples.values() if any("after" in x for x in s)]
    assert len(child) == 1
    assert any("before" in s for s in child[0])


# ---- refused -------------------------------------------------------------------------------------

REFUSES = """
import ctypes, os, sys, time
pid = os.fork()
if pid == 0:
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
end = time.time() + 1.5
while time.time() < end: sum(range(500))
if pid: os.waitpid(pid, 0)
"""


@pytest.fixture
def place():
    path = tempfile.mkdtemp(prefix="fireglass-children-", dir="/tmp")
    shutil.copy(BIN, path + "/fireglass")
    os.chmod(path, stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
    yield path
    shutil.rmtree(path)


def test_child_that_is_refused(system_python, place):
    """It is said, with the reason; the others are sampled."""
    need_root()
    out = place + "/out.fgc"
    result = fireglass(
        "record", "--children", "-o", out, "--", *command(system_python, "-c", REFUSES),
        before=AS_NOBODY, program=place + "/fireglass", env=clean_env(),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("cannot sample process") == 1
    assert "1 processes could not be sampled" in result.stderr
    capture = Capture(out)
    assert len(capture.samples) >= 1


def test_ends_at_the_duration(python, start, tmp_path):
    target = start(python, "tree.py", "fork", "fork")
    capture, said = record(tmp_path, "-p", target.pid, "--children", "-d", "0.5")
    seconds = summary(said)["seconds"]
    assert 0.5 <= seconds < 0.8
    with Target(python, "-c", "print('ready', flush=True)\nwhile True: pass") as other:
        assert other.pid not in capture.processes
