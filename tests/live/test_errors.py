# SPDX-License-Identifier: MIT
"""What goes wrong: the exit status, a text that a person can act on, and doctor's view of it."""

import os
import shutil
import subprocess

import pytest
from harness import (
    AS_NOBODY,
    BIN,
    DEADLINE,
    PARK,
    PLACES,
    Target,
    fireglass,
    need,
    need_root,
    need_tool,
    open_to_all,
    start_fireglass,
    task_ids,
    wait_blocked,
    wait_sampling,
    wait_state,
)
from oracle import read_folded, summary, total

FAILED, USAGE, PERMISSION, NOT_PYTHON = 1, 2, 3, 4


@pytest.fixture(scope="module")
def public_bin():
    """A copy that every user can start."""
    path = os.path.join(PLACES.outside(None), "fireglass")
    shutil.copy(BIN, path)
    os.chmod(path, 0o755)
    return path


def check(pid, status, *texts, tmp_path, doctor_status=None, doctor_texts=(), **options):
    """record and dump fail alike and leave nothing; doctor names the gate."""
    out = tmp_path / "o.svg"
    recorded = fireglass("record", "-p", pid, "-d", "0.1", "-o", out, **options)
    dumped = fireglass("dump", "-p", pid, **options)
    for result in (recorded, dumped):
        assert result.returncode == status, result.stderr
        assert result.stdout == ""
        assert result.stderr.startswith("fireglass: ")
        assert result.stderr.count("\n") == 1
        for text in texts:
            assert text in result.stderr
    assert not out.exists()
    doctor = fireglass("doctor", pid, **options)
    assert doctor.returncode == (status if doctor_status is None else doctor_status), doctor.stdout
    assert doctor.stderr == ""
    for text in doctor_texts:
        assert text in doctor.stdout
    return doctor.stdout


def started(*argv, **options):
    return subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options
    )


def end(process):
    process.kill()
    process.communicate()


# ---- the process ---------------------------------------------------------------------------------


def test_no_such_process(tmp_path):
    process = started("true")
    process.communicate()
    check(
        process.pid, FAILED, str(process.pid), "no process", tmp_path=tmp_path,
        doctor_texts=["there is no such process", "ps -ef"],
    )  # fmt: skip


def test_not_a_python(tmp_path):
    process = started("cat")
    try:
        check(
            process.pid, NOT_PYTHON, "no Python in it", "cat", tmp_path=tmp_path,
            doctor_texts=["no Python in it", "SHUT"],
        )  # fmt: skip
    finally:
        end(process)


def test_zombie(tmp_path):
    process = started("cat")
    process.stdin.close()
    process.stdin = None
    wait_state(process.pid, "Z")
    try:
        check(
            process.pid, FAILED, "zombie", str(os.getpid()), tmp_path=tmp_path,
            doctor_texts=["zombie"],
        )  # fmt: skip
    finally:
        process.communicate()


def test_kernel_thread(tmp_path):
    flags = 0
    if os.path.exists("/proc/2/stat"):
        with open("/proc/2/stat", encoding="utf-8") as f:
            flags = int(f.read().rsplit(")", 1)[1].split()[6])
    need(flags & 0x00200000, "process 2 is no kernel thread here")
    check(2, NOT_PYTHON, "kernel thread", tmp_path=tmp_path, doctor_texts=["kernel thread"])


def test_a_thread_is_not_a_process(python, start, tmp_path):
    target = start(python, "mixed.py")
    tid = task_ids(target.pid)[-1]
    for args in (["record", "-o", tmp_path / "o.svg", "-p"], ["dump", "-p"]):
        result = fireglass(*args, tid)
        assert result.returncode == USAGE
        assert "%d is a thread of process %d" % (tid, target.pid) in result.stderr
    assert os.listdir(str(tmp_path)) == []


def test_fireglass_itself(tmp_path):
    command = ["sh", "-c", 'exec "$0" record -p $$ -o o.svg', BIN]
    result = subprocess.run(command, stderr=subprocess.PIPE, cwd=str(tmp_path))
    assert result.returncode == USAGE
    assert b"is fireglass itself" in result.stderr
    assert os.listdir(str(tmp_path)) == []
    result = subprocess.run(["sh", "-c", 'exec "$0" dump -p $$', BIN], stderr=subprocess.PIPE)
    assert result.returncode in (USAGE, NOT_PYTHON)


def test_python_not_yet_ready_then_gone(python, tmp_path):
    """It ends before there is an interpreter."""
    out = tmp_path / "o.svg"
    result = fireglass("record", "-o", out, "--", *python.argv, "--version")
    assert result.returncode == 0
    assert not out.exists()
    assert "fireglass: " in result.stderr


# ---- versions ------------------------------------------------------------------------------------


@pytest.mark.only(lambda i: i.minor == (3, 15) and not i.free_threaded)
def test_newer_python_describes_itself(interp, start, tmp_path):
    """A 3.15 that says of itself that it is 3.16: read, with a warning."""
    exe = os.path.join(PLACES.outside(interp.root), "python-of-the-future")
    with open(interp.exe, "rb") as f:
        data = f.read()
    told = b"xdebugpy" + interp.hex.to_bytes(8, "little")
    assert data.count(told) == 1
    future = (0x03100000 | interp.hex & 0xFFFF).to_bytes(8, "little")
    with open(exe, "wb") as f:
        f.write(data.replace(told, b"xdebugpy" + future))
    os.chmod(exe, 0o755)
    inside = PLACES.inside(interp.root)
    env = ["env", "PYTHONHOME=" + os.path.dirname(os.path.dirname(interp.argv[-1]))]
    argv = interp.argv[:-1] + env + [inside + "/python-of-the-future"]
    target = start(interp, inside + "/calls.py", argv=argv)
    wait_blocked(target.pid)
    result = fireglass("record", "-p", target.pid, "-d", "50ms", "-o", tmp_path / "o.folded")
    assert result.returncode == 0, result.stderr
    assert "is newer than this fireglass" in result.stderr
    dumped = fireglass("dump", "-p", target.pid)
    assert dumped.returncode == 0 and "Shop.Till.ring (" in dumped.stdout
    doctor = fireglass("doctor", target.pid)
    assert doctor.returncode == 0 and "newer than this fireglass" in doctor.stdout


OLD = """
#include <stdio.h>
#include <unistd.h>
void *_PyThreadState_Current;
static void *interp_head;
void *PyInterpreterState_Head(void) { return interp_head; }
int main(void) { char c; puts("ready"); fflush(stdout); return (int)read(0, &c, 1); }
"""


def test_python_too_old(tmp_path):
    """What a 3.5 exports, in a program of its own."""
    need_tool("cc")
    (tmp_path / "old.c").write_text(OLD, encoding="utf-8")
    exe = str(tmp_path / "python3.5")
    subprocess.run(["cc", "-O2", "-rdynamic", "-o", exe, str(tmp_path / "old.c")], check=True)
    process = started(exe)
    try:
        assert process.stdout.readline() == b"ready\n"
        check(process.pid, NOT_PYTHON, "3.5", "2.7 and 3.6 to 3.15", tmp_path=tmp_path)
    finally:
        end(process)


# ---- permission ----------------------------------------------------------------------------------


def test_another_users_process(python, start, public_bin, tmp_path):
    need_root()
    need_tool("setpriv")
    target = start(python, "-c", PARK)
    open_to_all(tmp_path)
    check(
        target.pid, PERMISSION,
        "belongs to user 'root'", "CAP_SYS_PTRACE", "as root", "or as that user",
        "cannot read process %d" % target.pid,
        tmp_path=tmp_path, before=AS_NOBODY, program=public_bin,
        doctor_texts=["SHUT  user", "belongs to user 'root'", "  -> "],
    )  # fmt: skip


def test_own_process_without_privileges(system_python, public_bin):
    need_root()
    need_tool("setpriv")
    with Target(system_python, "-c", PARK, before=AS_NOBODY) as target:
        result = fireglass("dump", "-p", target.pid, before=AS_NOBODY, program=public_bin)
        assert result.returncode == 0, result.stderr
        doctor = fireglass("doctor", target.pid, before=AS_NOBODY, program=public_bin)
        assert doctor.returncode == 0, doctor.stdout
        assert "SHUT" not in doctor.stdout


NOT_DUMPABLE = "import ctypes; ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\n"


def test_not_dumpable(system_python, public_bin, tmp_path):
    need_root()
    need_tool("setpriv")
    open_to_all(tmp_path)
    with Target(system_python, "-c", NOT_DUMPABLE + PARK, before=AS_NOBODY) as target:
        check(
            target.pid, PERMISSION, "not dumpable", "PR_SET_DUMPABLE", tmp_path=tmp_path,
            before=AS_NOBODY, program=public_bin, doctor_texts=["SHUT  dumpable"],
        )  # fmt: skip
        result = fireglass("dump", "-p", target.pid)  # root may
        assert result.returncode == 0, result.stderr


def test_permission_lost_on_the_way(system_python, public_bin, tmp_path):
    """What was taken is written, and the status says why there is no more."""
    need_root()
    need_tool("setpriv")
    open_to_all(tmp_path)
    source = (
        "import ctypes, os, sys\nlibc = ctypes.CDLL(None)\nprint('ready'); sys.stdout.flush()\n"
        "os.read(0, 1)\nlibc.prctl(4, 0, 0, 0, 0)\nwhile True: pass\n"
    )
    out = tmp_path / "o.folded"
    with Target(system_python, "-c", source, before=AS_NOBODY) as target:
        process = subprocess.Popen(
            AS_NOBODY + [public_bin, "record", "-p", str(target.pid), "-o", str(out)],
            stderr=subprocess.PIPE,
        )
        try:
            wait_sampling(process)
            target.process.stdin.write(b"x")
            target.process.stdin.flush()
            _, err = process.communicate(timeout=DEADLINE)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == PERMISSION, err
    stacks = read_folded(out.read_text(encoding="utf-8"))
    assert total(stacks) == summary(err.decode())["samples"] >= 1


def test_doctor_of_a_readable_process(interp, start):
    target = start(interp, "-c", PARK)
    result = fireglass("doctor", target.pid)
    assert result.returncode == 0
    assert "SHUT" not in result.stdout
    last = result.stdout.splitlines()[-1]
    assert last.startswith("ok") and "Python" in last and interp.version_text in last
    assert ("free-threaded" in last) == interp.free_threaded
    names = [line[6:28].strip() for line in result.stdout.splitlines()]
    assert names[0] == "process" and len(names) == len(set(names)) >= 10


def test_doctor_of_nothing():
    result = fireglass("doctor")
    assert result.returncode == 0
    for name in ("Yama ptrace_scope", "system call filter", "reading a child"):
        assert name in result.stdout


def test_stopped_is_said_by_doctor(python, start):
    target = start(python, "-c", PARK)
    os.kill(target.pid, 19)
    wait_state(target.pid, "T")
    result = fireglass("doctor", target.pid)
    assert result.returncode == 0
    assert "stopped by a signal" in result.stdout and "SIGCONT" in result.stdout


def test_refused_system_call(python, start):
    """A filter that refuses process_vm_readv: /proc/PID/mem takes its place."""
    need_root()
    source = SECCOMP % (310, "errno.EPERM")
    target = start(python, "calls.py")
    wait_blocked(target.pid)
    result = subprocess.run(
        python.argv + ["-c", source, BIN, "dump", "-p", str(target.pid)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert b"shape_method (" in result.stdout
    result = subprocess.run(
        python.argv + ["-c", source, BIN, "doctor", str(target.pid)], stdout=subprocess.PIPE
    )
    assert b"process_vm_readv is refused" in result.stdout
    assert result.returncode == 0


# prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER): one system call fails, the rest works
SECCOMP = """
import ctypes, errno, os, struct, sys
def ins(code, jt, jf, k):
    return struct.pack("HBBI", code, jt, jf, k)
filter = (ins(0x20, 0, 0, 0) + ins(0x15, 0, 1, %d) + ins(0x06, 0, 0, 0x00050000 | %s)
          + ins(0x06, 0, 0, 0x7fff0000))
code = ctypes.create_string_buffer(filter, len(filter))
class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
program = Program(4, ctypes.addressof(code))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(program)) == 0, os.strerror(ctypes.get_errno())
os.execv(sys.argv[1], sys.argv[1:])
"""


# ---- usage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args,texts",
    [
        (["record"], ["what to record?", "-p PID"]),
        (["record", "-p", "1", "--", "true"], ["not both"]),
        (["record", "-p", "1", "true"], ["not both"]),
        (["record", "-p", "x"], ["bad process id 'x'"]),
        (["record", "-p", "0"], ["bad process id '0'"]),
        (["record", "-p", "-5"], ["bad process id '-5'"]),
        (["record", "-p", "99999999999"], ["bad process id"]),
        (["record", "-p"], ["a value is missing after '-p'"]),
        (["record", "--pid"], ["a value is missing after '--pid'"]),
        (["record", "--nonsense", "-p", "1"], ["unknown option '--nonsense'", "--help"]),
        (["record", "-Z", "-p", "1"], ["unknown option '-Z'"]),
        (["record", "-qZ", "-p", "1"], ["unknown option"]),
        (["record", "-p", "1", "-r", "0"], ["bad rate '0'", "10khz"]),
        (["record", "-p", "1", "-r", "-5"], ["bad rate '-5'"]),
        (["record", "-p", "1", "-r", "fast"], ["bad rate 'fast'"]),
        (["record", "-p", "1", "-r", "10 parsec"], ["bad rate"]),
        (["record", "-p", "1", "-r", "2mhz"], ["out of range"]),
        (["record", "-p", "1", "-r", "nan"], ["bad rate"]),
        (["record", "-p", "1", "-r", "inf"], ["bad rate"]),
        (["record", "-p", "1", "-r", "0x10"], ["bad rate"]),
        (["record", "-p", "1", "-r", ""], ["bad rate ''"]),
        (["record", "-p", "1", "-d", "0"], ["bad duration '0'"]),
        (["record", "-p", "1", "-d", "-1"], ["bad duration '-1'"]),
        (["record", "-p", "1", "-d", "soon"], ["bad duration 'soon'", "500ms"]),
        (["record", "-p", "1", "-d", "1khz"], ["bad duration"]),
        (["record", "-p", "1", "-d", "1e30"], ["out of range"]),
        (["record", "-p", "1", "-f", "pdf"], ["unknown format 'pdf'", "svg", "folded"]),
        (["record", "-p", "1", "-o", ""], ["the output has no name"]),
        (["record", "-p", "1", "--timestamps", "-f", "svg"], ["--timestamps"]),
        (["dump"], ["which process?", "-p PID"]),
        (["dump", "-p", "1", "2"], ["unexpected argument '2'"]),
        (["dump", "-p", "one"], ["bad process id 'one'"]),
        (["doctor", "x"], ["bad process id 'x'"]),
        (["doctor", "1", "2"], ["unexpected argument '2'"]),
        (["nonsense"], ["there is no command 'nonsense'", "--help"]),
    ],
    ids=lambda a: " ".join(a) if isinstance(a, list) else None,
)
def test_usage(args, texts, tmp_path):
    result = fireglass(*args, cwd=str(tmp_path))
    assert result.returncode == USAGE, result.stderr
    assert result.stdout == ""
    for text in texts:
        assert text in result.stderr
    assert os.listdir(str(tmp_path)) == []


def test_help():
    assert fireglass().returncode == USAGE
    for args in (["--help"], ["-h"], ["help"]):
        result = fireglass(*args)
        assert result.returncode == 0 and "record" in result.stdout and "doctor" in result.stdout
    for command in ("record", "dump", "doctor"):
        texts = {
            fireglass(*args).stdout
            for args in ([command, "--help"], [command, "-h"], ["help", command])
        }
        assert len(texts) == 1 and "fireglass %s" % command in texts.pop()
    assert fireglass("--version").stdout.startswith("fireglass ")


# ---- outputs -------------------------------------------------------------------------------------


def test_output_directory_is_missing(python, start, tmp_path):
    target = start(python, "-c", PARK)
    out = tmp_path / "no" / "o.svg"
    result = fireglass("record", "-p", target.pid, "-d", "0.1", "-o", out)
    assert result.returncode == FAILED
    assert "cannot write '%s': no such file or directory; choose another place with -o" % out in (
        result.stderr
    )


def test_command_is_not_started_without_an_output(python, tmp_path):
    source = "open(%r, 'w').close()" % str(tmp_path / "started")
    result = fireglass("record", "-o", tmp_path / "no" / "o.svg", "--", *python.argv, "-c", source)
    assert result.returncode == FAILED
    assert os.listdir(str(tmp_path)) == []


def test_output_is_not_writable(system_python, public_bin, tmp_path):
    need_root()
    need_tool("setpriv")
    open_to_all(tmp_path, 0o755)
    out = tmp_path / "o.svg"
    result = fireglass(
        "record", "-o", out, "--", *system_python.argv, "-c", "1",
        before=AS_NOBODY, program=public_bin,
    )  # fmt: skip
    assert result.returncode == FAILED
    assert "cannot write '%s': permission denied" % out in result.stderr


def test_output_is_a_directory(python, start, tmp_path):
    target = start(python, "-c", PARK)
    result = fireglass("record", "-p", target.pid, "-d", "0.1", "-o", tmp_path)
    assert result.returncode == FAILED
    assert "cannot write '%s'" % tmp_path in result.stderr


@pytest.mark.parametrize("kind", ["svg", "folded", "text"])
def test_disk_is_full(python, start, kind):
    need(os.path.exists("/dev/full"), "no /dev/full")
    target = start(python, "-c", PARK)
    result = fireglass("record", "-p", target.pid, "-d", "50ms", "-f", kind, "-o", "/dev/full")
    assert result.returncode == FAILED
    assert "no space left on device" in result.stderr and "/dev/full" in result.stderr
    assert "wrote" not in result.stderr


def test_disk_is_full_keeps_the_other_output(python, start, tmp_path):
    target = start(python, "-c", PARK)
    out = tmp_path / "o.svg"
    result = fireglass("record", "-p", target.pid, "-d", "50ms", "-o", "/dev/full", "-o", out)
    assert result.returncode == FAILED
    assert out.exists()


def test_an_existing_file_stays_until_the_new_one_is_whole(python, start, tmp_path):
    out = tmp_path / "o.folded"
    out.write_text("before", encoding="utf-8")
    target = start(python, "-c", PARK)
    process = start_fireglass("record", "-p", target.pid, "-o", out)
    wait_sampling(process)
    process.kill()
    process.communicate()
    assert out.read_text(encoding="utf-8") == "before"
