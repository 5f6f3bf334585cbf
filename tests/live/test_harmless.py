# SPDX-License-Identifier: MIT
"""Nothing is written into the target and it is never stopped: shown by the system calls made."""

import re
import subprocess

import pytest
from harness import BIN, PARK, clean_env, need_tool, proc_stat, task_ids, wait_blocked

FORBIDDEN = {
    "ptrace", "process_vm_writev", "kill", "tkill", "tgkill", "rt_sigqueueinfo",
    "rt_tgsigqueueinfo", "pidfd_send_signal", "process_madvise", "process_mrelease", "pidfd_getfd",
    "bpf", "perf_event_open", "kcmp", "setns", "mount", "move_pages", "migrate_pages", "unlink",
    "unlinkat",
}  # fmt: skip
CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)")


def calls(log):
    """[(name, arguments)], interrupted ones too."""
    found = []
    with open(str(log), encoding="utf-8", errors="replace") as f:
        for line in f:
            call = CALL.match(line)
            if call:
                found.append((call.group(1), call.group(2)))
    return found


def check(log, written):
    made = calls(log)
    names = {name for name, _ in made}
    assert "process_vm_readv" in names
    assert not names & FORBIDDEN
    for name, arguments in made:
        if name in ("open", "openat", "openat2", "creat"):
            if re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND", arguments):
                if "O_TMPFILE" in arguments:
                    continue  # samples on their way, in a file that has no name
                path = re.search(r'"([^"]*)"', arguments).group(1)
                assert any(path.startswith(w) for w in written), arguments
        elif name.startswith("sched_set"):
            assert re.match(r"0,", arguments), arguments  # of fireglass itself
        elif name in ("prlimit64", "setpriority", "ioprio_set"):
            assert re.match(r"0,|PRIO_PROCESS, 0,", arguments), arguments
    return made


def strace(log, *args, follow=True):
    need_tool("strace")
    command = ["strace", "-s", "200", "-o", str(log)] + (["-f"] if follow else [])
    return subprocess.run(
        command + [BIN] + [str(a) for a in args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_env(),
        timeout=60,
    )


@pytest.mark.parametrize("name", ["calls.py", "mixed.py"])
def test_dump(interp, start, tmp_path, name):
    target = start(interp, name)
    result = strace(tmp_path / "log", "dump", "-p", target.pid)
    assert result.returncode == 0, result.stderr
    check(tmp_path / "log", [])


@pytest.mark.parametrize("name", ["flutter.py", "mixed.py"])
def test_record(interp, start, tmp_path, name):
    """The hardest there is to read: every way of reading is taken."""
    target = start(interp, name)
    out = tmp_path / "out.svg"
    result = strace(tmp_path / "log", "record", "-p", target.pid, "-d", "0.3", "-o", out)
    assert result.returncode == 0, result.stderr
    made = check(tmp_path / "log", [str(out)])
    assert sum(name == "process_vm_readv" for name, _ in made) > 50
    assert proc_stat(target.pid)[0] in "RS"


def test_launched(python, tmp_path):
    """Of fireglass alone, not of its child."""
    out = tmp_path / "out.svg"
    source = "n = 0\nfor i in range(10**6): n += i\n"
    result = strace(
        tmp_path / "log", "record", "-o", out, "--", *python.argv, "-c", source, follow=False
    )
    assert result.returncode == 0, result.stderr
    check(tmp_path / "log", [str(out)])


def test_doctor(python, start, tmp_path):
    target = start(python, "-c", PARK)
    result = strace(tmp_path / "log", "doctor", target.pid)
    assert result.returncode == 0
    names = {name for name, _ in calls(tmp_path / "log")}
    assert not names & (FORBIDDEN - {"kill"})


def test_one_read_a_sample(python, start, tmp_path):
    """A thread that waits costs no read of its stack once it is known not to have moved."""
    target = start(python, "-c", PARK)
    wait_blocked(target.pid)
    result = strace(tmp_path / "log", "record", "-p", target.pid, "-d", "0.3", "-o", "/dev/null")
    assert result.returncode == 0, result.stderr
    ticks = int(re.search(rb"samples in ([\d ]+) ticks", result.stderr).group(1))
    reads = [a for n, a in calls(tmp_path / "log") if n == "process_vm_readv"]
    assert len(reads) < ticks * 2.2 + 200


def test_the_target_is_left_as_it_was(python, start, tmp_path):
    """Where its threads may run, their priorities and signals."""
    target = start(python, "mixed.py", "1")

    def state():
        found = {}
        for tid in task_ids(target.pid):
            with open("/proc/%d/task/%d/status" % (target.pid, tid), encoding="utf-8") as f:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
            keys = ("Cpus_allowed", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "TracerPid")
            with open("/proc/%d/task/%d/stat" % (target.pid, tid), encoding="utf-8") as f:
                priority = f.read().rsplit(")", 1)[1].split()[15:17]
            found[tid] = [status[k] for k in keys] + priority
        return found

    before = state()
    for args in (["record", "-d", "0.2", "-o", tmp_path / "o.svg", "-p"], ["dump", "-p"]):
        result = subprocess.run(
            [BIN] + [str(a) for a in args] + [str(target.pid)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
    assert state() == before
