# SPDX-License-Identifier: MIT
"""dump --core: what a live dump of the same moment shows, from the kernel's core files, gdb's and
those of tests/tools/write_core.py; and what is said of files that cannot be read."""

import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys

import pytest
from harness import (
    AS_NOBODY,
    PARK,
    TOP,
    dump,
    fireglass,
    frames,
    need,
    need_root,
    need_tool,
    task_ids,
    wait_blocked,
    wait_until,
)

sys.path.insert(0, os.path.join(TOP, "tests", "tools"))
import write_core  # noqa: E402

PATTERN = "/proc/sys/kernel/core_pattern"


def unlimited():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@pytest.fixture(scope="session")
def core_name():
    """The kernel writes cores to files; where it gives them to a program, root can change that."""
    with open(PATTERN, encoding="ascii") as f:
        before = f.read().strip()
    if before.startswith("|") and os.access(PATTERN, os.W_OK):
        with open(PATTERN, "w", encoding="ascii") as f:
            f.write("core\n")
        yield "core"
        with open(PATTERN, "w", encoding="ascii") as f:
            f.write(before + "\n")
        return
    need(not before.startswith("|"), "the kernel gives cores to a program: " + before)
    yield before


def expand(pattern, target):
    """The name of a core, for the letters that can be told beforehand."""
    with open("/proc/%d/comm" % target.pid, encoding="utf-8") as f:
        comm = f.read().strip()
    names = {"p": str(target.pid), "P": str(target.pid), "i": str(target.pid), "e": comm,
             "s": "6", "u": str(os.geteuid()), "g": str(os.getegid()), "h": os.uname().nodename,
             "%": "%"}  # fmt: skip
    parts = pattern.split("%")
    name = parts[0] + "".join(names.get(p[:1], "") + p[1:] for p in parts[1:])
    with open("/proc/sys/kernel/core_uses_pid", encoding="ascii") as f:
        if f.read().strip() == "1" and "%p" not in pattern:
            name += ".%d" % target.pid
    return name


def kernel_core(target, tmp_path, core_name, number=signal.SIGABRT):
    """Ends it by a signal."""
    name = os.path.join(os.readlink("/proc/%d/cwd" % target.pid), expand(core_name, target))
    os.kill(target.pid, number)
    assert target.process.wait() == -number
    path = str(tmp_path / "kernel.core")
    shutil.move(name, path)
    return path


def gdb_core(target, tmp_path):
    need_tool("gcore")
    prefix = str(tmp_path / "gdb.core")
    subprocess.run(
        ["gcore", "-o", prefix, str(target.pid)], check=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return "%s.%d" % (prefix, target.pid)


def written_core(target, tmp_path, **how):
    path = str(tmp_path / "written.core")
    write_core.Core(target.pid).write(path, **how)
    return path


def root_of(interp):
    """The kernel names files as a program in a root of its own sees them; others as we do."""
    return ["--exe", interp.root] if interp.root else []


def dump_core(path, *args):
    result = fireglass("dump", "--core", path, "--json", *args)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return json.loads(result.raw.decode("utf-8"))


def moment(dumped):
    """What a core file and a live process can both say of a moment."""
    threads = [{k: v for k, v in t.items() if k != "note"} for t in dumped["threads"]]
    return dumped["pid"], dumped["python"], dumped["command"], threads


def check_moment(got, live):
    """Piece by piece first: of thousands of frames nobody finds the one that differs."""
    for one, other in zip(got["threads"], live["threads"]):
        for frame, live_frame in zip(one["frames"], other["frames"]):
            assert frame == live_frame, one["name"]
        assert len(one["frames"]) == len(other["frames"]), one["name"]
    assert moment(got) == moment(live)


def refused(path, *args):
    """The message; nothing else is printed."""
    result = fireglass("dump", "--core", path, *args)
    assert result.returncode != 0
    assert result.stdout == ""
    assert result.stderr.startswith("fireglass: ") and result.stderr.count("\n") == 1
    return result.stderr


# ---- the same as live ----------------------------------------------------------------------------


def check_same(live, path, *args):
    got = dump_core(path, "--locals", *args)
    assert sum(len(t["frames"]) for t in got["threads"]) > 3
    check_moment(got, live)
    return got


@pytest.mark.parametrize("name", ["names", "calls"])
def test_core_of_the_kernel(interp, name, start, tmp_path, core_name):
    target = start(interp, name + ".py", preexec_fn=unlimited)
    wait_blocked(target.pid)
    live = dump(target.pid, "--locals")
    path = kernel_core(target, tmp_path, core_name)
    got = check_same(live, path, *root_of(interp))
    assert ", killed by SIGABRT sent by process %d" % os.getpid() in got["note"]
    assert [t["tid"] for t in got["threads"] if "note" in t] == [target.pid]


@pytest.mark.parametrize("name", ["generators", "deep", "nonascii"])
def test_core_of_the_tool(interp, name, start, tmp_path):
    target = start(interp, name + ".py")
    wait_blocked(target.pid)
    live = dump(target.pid, "--locals")
    got = check_same(live, written_core(target, tmp_path))
    assert "killed" not in got["note"]


@pytest.mark.only(lambda i: not i.root)  # newer guard pages than gdb knows
def test_core_of_gdb(interp, start, tmp_path):
    target = start(interp, "calls.py")
    wait_blocked(target.pid)
    live = dump(target.pid, "--locals")
    got = check_same(live, gdb_core(target, tmp_path))
    assert "killed" not in got["note"]


def test_text(python, start, tmp_path):
    """The same text, but for the lines that say what it is of."""
    target = start(python, "calls.py")
    wait_blocked(target.pid)
    live = fireglass("dump", "-p", target.pid, "--full-paths").stdout.split("\n")
    path = written_core(target, tmp_path)
    text = fireglass("dump", "--core", path, "--full-paths").stdout.split("\n")
    assert text[0] == live[0]
    assert text[2] == "Core file '%s'" % path
    assert text[3:] == live[2:]


# ---- what threads were doing ---------------------------------------------------------------------


def test_the_gil(interp, start, tmp_path):
    """Of three that burn one has it at most, and the others that wait are seen to."""
    target = start(interp, "mixed.py", "2")
    waits = 0
    for _ in range(5):
        threads = dump_core(written_core(target, tmp_path))["threads"]
        assert len(threads) == 4
        assert len([t for t in threads if t["gil"]]) <= 1
        assert not [t for t in threads if t["gil"] and t["gil_wait"]]
        waits += len([t for t in threads if t["gil_wait"]])
        assert all(t["name"] != "waiter" for t in threads if t["gil_wait"])
    if interp.free_threaded or interp.version < (3, 7) or write_core.platform.machine() != "x86_64":
        assert waits == 0
    else:
        assert waits >= 3


CRASH = """
import ctypes, os, sys, threading
def crash():
    print("ready"); sys.stdout.flush()
    os.read(0, 1)
    ctypes.string_at(16)
if %d:
    thread = threading.Thread(target=crash, name="faulty")
    thread.start()
    thread.join()
else:
    crash()
"""


@pytest.mark.parametrize("in_thread", [0, 1])
def test_who_crashed(python, in_thread, start, tmp_path, core_name):
    target = start(python, "-c", CRASH % in_thread, preexec_fn=unlimited)
    name = os.path.join(os.readlink("/proc/%d/cwd" % target.pid), expand(core_name, target))
    faulty = max(task_ids(target.pid))
    target.process.stdin.write(b"x")
    target.process.stdin.flush()
    assert target.process.wait() == -signal.SIGSEGV
    path = shutil.move(name, str(tmp_path / "core"))
    got = dump_core(path)
    assert got["note"].endswith("killed by SIGSEGV at address 0x10")
    crashed = [t for t in got["threads"] if "note" in t]
    assert [(t["tid"], t["note"]) for t in crashed] == [(faulty, "got SIGSEGV at address 0x10")]
    assert crashed[0]["state"] == "running"
    assert crashed[0]["name"] == ("faulty" if in_thread else "MainThread")
    assert [f[::2] for f in frames(crashed[0])][-2] == ["crash", 6]
    text = fireglass("dump", "--core", path).stdout
    assert "got SIGSEGV at address 0x10\n    string_at (" in text


def test_pid_namespace(interp, start, tmp_path):
    """Written from outside: the ids of threads are ours, those in its memory are others."""
    need_root()
    need_tool("unshare")
    target = start(interp, "calls.py", before=["unshare", "--pid", "--fork", "--kill-child"])
    with open("/proc/%d/task/%d/children" % (target.pid, target.pid), encoding="ascii") as f:
        inner = int(f.read().split()[0])
    wait_blocked(inner)
    live = dump(inner)
    path = str(tmp_path / "core")
    write_core.Core(inner).write(path)
    got = dump_core(path)
    assert {t["tid"] for t in got["threads"]} == set(task_ids(inner))
    check_moment(got, live)


# ---- files that are missing ----------------------------------------------------------------------


def away(path):
    return "/nowhere" + path if path.startswith("/") else path


def test_files_are_elsewhere(interp, start, tmp_path):
    """Names of another machine: --exe names the directory that has its files."""
    target = start(interp, "calls.py")
    wait_blocked(target.pid)
    live = dump(target.pid, "--locals")
    path = written_core(target, tmp_path, rename=lambda name: "/gone" + name)
    if interp.minor < (3, 13):
        message = refused(path)
        assert "cannot find Python in core file '%s'" % path in message
        assert "'/gone/" in message and "which is not on this machine" in message
        assert "--exe" in message
    else:
        # it describes itself, in memory that is in the core
        got = dump_core(path)
        assert [frames(t) for t in got["threads"]] == [frames(t) for t in live["threads"]]
        # what calls __init__ is a constant of the interpreter, a frame that is never shown
        cut = [t["name"] for t in got["threads"] if "truncated" in t]
        assert set(cut) <= {"warm_init", "warm_class_in_list"}
        assert "not on this machine: what is only there is missing" in got["note"]
    tree = tmp_path / "tree"
    for piece in write_core.read_pieces(target.pid):
        if piece.inode and piece.path.startswith("/"):
            copy = tree / ("gone" + piece.path)
            if os.path.isfile(piece.path) and not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(piece.path, copy)
    got = dump_core(path, "--locals", "--exe", tree)
    check_moment(got, live)


def test_exe(python, start, tmp_path):
    """The program under another name; another program; none."""
    target = start(python, "-c", PARK)
    wait_blocked(target.pid)
    exe = os.readlink("/proc/%d/exe" % target.pid)
    path = written_core(target, tmp_path, rename=lambda n: away(n) if n == exe else n)
    copy = str(tmp_path / "renamed")
    shutil.copy(exe, copy)
    live = dump(target.pid)
    check_moment(dump_core(path, "--exe", copy), live)
    message = refused(path, "--exe", "/bin/sh")
    assert "'/bin/sh' is not the program that left it, which was '%s'" % away(exe) in message
    assert "cannot read '/nowhere': no such file or directory" in refused(path, "--exe", "/nowhere")


def test_exe_was_replaced(python, start, tmp_path):
    """An upgrade since: the file of that name is not read."""
    target = start(python, "-c", PARK)
    exe = os.readlink("/proc/%d/exe" % target.pid)
    other = str(tmp_path / "other")
    shutil.copy("/bin/sh", other)
    path = written_core(target, tmp_path, rename=lambda n: other if "python" in n else n)
    if python.minor < (3, 13):
        assert "is another one now" in refused(path)
    else:
        assert "'%s' is another one now" % other in dump_core(path)["note"]
    assert exe != other


def test_only_objects_are_read(python, start, tmp_path):
    """A core can name any file: what is no ELF object is not read."""
    target = start(python, "-c", PARK)
    secret = tmp_path / "secret"
    secret.write_bytes(b"root:secret\0" * 1000)
    path = written_core(
        target, tmp_path, rename=lambda n: str(secret) if "python" in n else n, heads=False
    )
    result = fireglass("dump", "--core", path, "--locals")
    assert "secret'" in (result.stderr or result.stdout)
    assert "root:" not in result.stdout + result.stderr


def test_nothing_to_compare(python, start, tmp_path):
    """coredump_filter without ELF headers: files are taken as they are."""
    target = start(python, "calls.py")
    wait_blocked(target.pid)
    live = dump(target.pid, "--locals")
    check_same(live, written_core(target, tmp_path, heads=False))


# ---- shapes of cores -----------------------------------------------------------------------------


def test_many_segments(python, start, tmp_path):
    target = start(python, "calls.py")
    wait_blocked(target.pid)
    live = dump(target.pid, "--locals")
    check_same(live, written_core(target, tmp_path, many=True))


def test_pieces_without_a_segment(python, start, tmp_path):
    """As gdb leaves out what is in files."""
    target = start(python, "calls.py")
    wait_blocked(target.pid)
    live = dump(target.pid, "--locals")
    path = written_core(target, tmp_path, drop=lambda p: p.inode and not p.changed)
    check_same(live, path)


def test_long_command_line(python, start, tmp_path):
    """The notes have 79 bytes of it."""
    target = start(python, "-c", PARK, "it's", "", *["argument-%d" % n for n in range(50)])
    got = dump_core(written_core(target, tmp_path))
    assert got["command"] == dump(target.pid)["command"]
    assert got["command"].endswith(" argument-49")
    short = dump_core(written_core(target, tmp_path, without=[write_core.NT_AUXV]))
    assert got["command"].startswith(python.exe) and len(short["command"]) < 80


def test_cut_short(python, start, tmp_path):
    """Whatever is there is shown, and that it is not all."""
    target = start(python, "calls.py")
    wait_blocked(target.pid)
    live = dump(target.pid)
    path = written_core(target, tmp_path)
    size = os.path.getsize(path)
    whole = {t["tid"]: frames(t) for t in live["threads"]}
    for part in range(19, -1, -1):
        os.truncate(path, size * part // 20)
        result = fireglass("dump", "--core", path, "--json")
        assert result.returncode in (0, 1, 4), result.stderr
        if result.returncode:
            assert "short" in result.stderr
            continue
        got = json.loads(result.stdout)
        assert "cut short: the last" in got["note"]
        for thread in got["threads"]:
            shown = frames(thread)
            # no frame that was not there
            assert all(f in whole[thread["tid"]] for f in shown)
            assert shown == whole[thread["tid"]] or thread.get("truncated") or not shown
    assert "too short" in refused(path)


# ---- what is no core of a Python -----------------------------------------------------------------


def patched(path, tmp_path, offset, data):
    with open(path, "rb") as f:
        head = bytearray(f.read(1 << 16))
    head[offset : offset + len(data)] = data
    other = tmp_path / "patched"
    other.write_bytes(head)
    return str(other)


@pytest.mark.parametrize(
    "offset, data, message",
    [
        (4, b"\x01", "it is of a 32-bit program; fireglass reads 64-bit ones"),
        (5, b"\x02", "another kind of machine (ELF machine %d, big-endian)" % (62 << 8)),
        (18, struct.pack("<H", 243), "another kind of machine (ELF machine 243, little-endian)"),
        (16, struct.pack("<H", 2), "it is a program or a library, not a core file"),
        (54, struct.pack("<H", 32), "it is damaged: its headers make no sense"),
        (32, struct.pack("<Q", 1 << 40), "it is cut short"),
        (0, b"MDMP", "it is no core file (not ELF)"),
        (0, b"\x28\xb5\x2f\xfd", "it is compressed; unpack it first, with 'zstd -d'"),
        (0, b"\x1f\x8b", "it is compressed; unpack it first, with 'gunzip'"),
    ],
)
def test_headers(python, offset, data, message, start, tmp_path):
    if data == b"\x02" and write_core.platform.machine() != "x86_64":
        message = "big-endian"
    target = start(python, "-c", PARK)
    path = patched(written_core(target, tmp_path), tmp_path, offset, data)
    assert message in refused(path)


def test_no_core_file(tmp_path):
    assert "no such file or directory" in refused(tmp_path / "nothing")
    assert "it is no regular file" in refused(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    assert "it is no regular file" in refused(tmp_path / "fifo")
    (tmp_path / "empty").touch()
    assert "it is no core file (too short)" in refused(tmp_path / "empty")
    assert "not a core file; give a program with --exe" in refused(sys.executable)


def test_denied(python, start, tmp_path):
    need_root()
    target = start(python, "-c", PARK)
    path = written_core(target, tmp_path)
    os.chmod(path, 0o600)
    result = fireglass("dump", "--core", path, before=AS_NOBODY)
    assert result.returncode == 3
    assert "permission denied" in result.stderr


def test_without_notes(python, start, tmp_path):
    target = start(python, "-c", PARK)
    wait_blocked(target.pid)
    message = refused(written_core(target, tmp_path, without=[write_core.NT_PRSTATUS]))
    assert "it says nothing of threads" in message
    without = [write_core.NT_PRPSINFO, write_core.NT_AUXV]
    path = written_core(target, tmp_path, without=without)
    assert dump_core(path)["threads"] == dump_core(written_core(target, tmp_path))["threads"]


def test_no_python(tmp_path):
    with subprocess.Popen(["sleep", "1000"]) as process:
        wait_until(lambda: os.readlink("/proc/%d/exe" % process.pid).endswith(
            ("sleep", "coreutils", "busybox")), "sleep to run")  # fmt: skip
        path = str(tmp_path / "core")
        write_core.Core(process.pid).write(path)
        process.kill()
    assert "has no Python in it" in refused(path)
    assert fireglass("dump", "--core", path).returncode == 4


def test_no_interpreter_any_more(python, start, tmp_path):
    """A core of a process that has ended its interpreter says so."""
    code = "import atexit, ctypes, sys\nprint('ready'); sys.stdout.flush()\nimport os\nos.read(0, 1)"
    target = start(python, "-c", code)
    path = written_core(target, tmp_path)
    with open(path, "r+b") as f:
        core = bytearray(f.read())
        # the interpreter's list, wherever it is, is gone with everything that can be written to
        for i in range(struct.unpack_from("<H", core, 56)[0]):
            header = struct.unpack_from("<IIQQQQQQ", core, 64 + 56 * i)
            if header[0] == 1 and header[1] & 2:
                core[header[2] : header[2] + header[5]] = bytes(header[5])
        f.seek(0)
        f.write(core)
    message = refused(path)
    assert "core file '%s'" % path in message


def test_names_do_not_steer_the_terminal(python, start, tmp_path):
    target = start(python, "-c", PARK)
    path = shutil.move(written_core(target, tmp_path), str(tmp_path / "a\033[31mred\ncore"))
    text = fireglass("dump", "--core", path).stdout
    assert "\033" not in text
    assert "red" in text.split("\n")[2]


def test_nothing_is_left_behind(python, start, tmp_path):
    """The process goes on after a core was written by the tool."""
    target = start(python, "calls.py")
    wait_blocked(target.pid)
    before = dump(target.pid)
    written_core(target, tmp_path)
    check_moment(dump(target.pid), before)
