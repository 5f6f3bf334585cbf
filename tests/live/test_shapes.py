# SPDX-License-Identifier: MIT
"""Every shape of process: stripped, deleted, replaced, moved, in other roots and namespaces."""

import os
import shutil
import subprocess

import pytest
from harness import (
    PLACES,
    children_of,
    clean_env,
    dump,
    fireglass,
    frames,
    need_root,
    need_tool,
    task_ids,
    wait_blocked,
    wait_until,
)

HERE_ONLY = pytest.mark.only(lambda i: not i.root)


def check_parked(target, pid=None, tids=True):
    """As in test_stacks, by name where the target counts its threads differently from us."""
    pid = pid or target.pid
    wait_blocked(pid)
    truth = target.truth
    dumped = dump(pid)
    assert dumped["pid"] == pid
    assert dumped["python"] == target.interpreter.version_text
    got = {t["name"]: t for t in dumped["threads"]}
    for wanted in truth["threads"]:
        thread = got[wanted["name"]]
        assert frames(thread) == wanted["frames"]
        assert thread["main"] == wanted["main"]
        assert thread["state"] == "waiting"
        assert not tids or thread["tid"] == wanted["tid"]
    assert len(dumped["threads"]) == len(truth["threads"]) + 1
    assert {t["tid"] for t in dumped["threads"]} == set(task_ids(pid))
    result = fireglass("record", "-p", pid, "-d", "50ms", "-f", "folded", "-o", "-")
    assert result.returncode == 0, result.stderr
    assert "park (" in result.stdout


# ---- copies of an interpreter --------------------------------------------------------------------


class Copy:
    """An interpreter's executable and its libpython in a directory of their own.

    Its library is found where it was, by PYTHONHOME; a root is entered as for the original.
    """

    def __init__(self, interp, directory):
        self.interp = interp
        self.exe = os.path.join(directory, "bin", os.path.basename(interp.exe))
        os.makedirs(os.path.dirname(self.exe))
        shutil.copy(interp.exe, self.exe)
        self.files = [self.exe]
        self.env = dict(interp.env)
        if interp.libpython:
            lib = os.path.join(directory, "lib")
            os.makedirs(lib)
            shutil.copy(interp.libpython, lib)
            self.files.append(os.path.join(lib, os.path.basename(interp.libpython)))
            self.env["LD_LIBRARY_PATH"] = lib
        home = os.path.dirname(os.path.dirname(interp.exe))
        if interp.root:
            home = "/" + os.path.relpath(home, interp.root)
        self.env["PYTHONHOME"] = home

    def strip(self):
        if self.interp.stripped:
            return  # as it came; strip would break what patchelf has touched
        for path in self.files:
            os.chmod(path, 0o755)
            subprocess.run(["strip", path], check=True)

    def start(self, start, *what, **options):
        env = ["env"] + ["%s=%s" % pair for pair in sorted(self.env.items())]
        if self.interp.root:
            exe = "/" + os.path.relpath(self.exe, self.interp.root)
            argv = ["chroot", self.interp.root] + env + [exe]
            what = (PLACES.inside(self.interp.root) + "/" + what[0],) + what[1:]
        else:
            argv = env + [self.exe]
        target = start(self.interp, *what, argv=argv, **options)
        inside = "/proc/%d/maps" % target.pid
        with open(inside, encoding="utf-8", errors="replace") as f:
            maps = f.read()
        for path in self.files:
            assert path in maps, "the copy is not what runs"
        return target


@pytest.fixture
def copy(interp):
    """In a root of its own, somewhere in there."""
    if interp.root:
        need_root()
    directory = os.path.join(PLACES.outside(interp.root), "copy of %s" % interp.id)
    os.makedirs(directory)
    yield Copy(interp, directory)
    shutil.rmtree(directory)


def test_stripped(copy, start):
    need_tool("strip")
    copy.strip()
    check_parked(copy.start(start, "callbacks.py"))


def test_deleted(copy, start):
    target = copy.start(start, "callbacks.py")
    for path in copy.files:
        os.unlink(path)
    assert os.readlink("/proc/%d/exe" % target.pid).endswith(" (deleted)")
    check_parked(target)


def test_stripped_and_deleted(copy, start):
    need_tool("strip")
    copy.strip()
    target = copy.start(start, "callbacks.py")
    for path in copy.files:
        os.unlink(path)
    check_parked(target)


def test_replaced(copy, start, interpreters):
    """A package upgrade under a running program: other files at the same paths."""
    target = copy.start(start, "callbacks.py")
    other = next(i for i in interpreters if i.minor != copy.interp.minor and i.libpython)
    for path, replacement in zip(copy.files, (other.exe, other.libpython)):
        os.unlink(path)
        shutil.copy(replacement, path)
    check_parked(target)


def test_replaced_by_rubbish(copy, start):
    target = copy.start(start, "callbacks.py")
    for path in copy.files:
        os.unlink(path)
        with open(path, "wb") as f:
            f.write(b"\x7fELF" + os.urandom(5000))
    check_parked(target)


@HERE_ONLY
def test_other_name(copy, start):
    """An embedder's executable need not be called python."""
    name = os.path.join(os.path.dirname(copy.exe), "my server (1)")
    os.rename(copy.exe, name)
    copy.files[0] = copy.exe = name
    check_parked(copy.start(start, "callbacks.py"))


# ---- virtual environments ------------------------------------------------------------------------


@HERE_ONLY
@pytest.mark.since(3, 6)
def test_virtual_environment(interp, start, tmp_path):
    # 3.6 to 3.15 carry venv; some builds come without ensurepip
    env = clean_env(**interp.env)
    subprocess.run(
        interp.argv + ["-m", "venv", "--without-pip", str(tmp_path / "venv")], env=env, check=True
    )
    exe = str(tmp_path / "venv" / "bin" / "python")
    argv = ["env"] + ["%s=%s" % pair for pair in interp.env.items()] + [exe]
    target = start(interp, "callbacks.py", argv=argv)
    check_parked(target)
    assert exe in fireglass("dump", "-p", target.pid).stdout


# ---- namespaces and roots ------------------------------------------------------------------------


def test_other_pid_namespace(interp, start):
    """Its processes and threads have other numbers inside."""
    need_root()
    need_tool("unshare")
    target = start(interp, "callbacks.py", before=["unshare", "--pid", "--fork", "--kill-child"])
    [pid] = wait_until(lambda: children_of(target.pid), "the child")
    assert target.truth["pid"] == 1
    check_parked(target, pid, tids=False)
    dumped = dump(pid)
    assert [t["tid"] for t in dumped["threads"] if t["main"]] == [pid]


@HERE_ONLY
def test_other_mount_namespace(interp, copy, start):
    """Nothing of it is where its maps say, as we see them: an empty directory covers it inside."""
    need_root()
    need_tool("unshare")
    bin_dir = os.path.dirname(os.path.dirname(copy.exe))
    script = (
        'mkdir -p "$1/real" "$1/shown" && mount -t tmpfs none "$1/shown" && '
        'cp -a "$2/." "$1/shown/" && mount --bind "$1/shown" "$2" && shift 2 && exec "$@"'
    )
    aside = bin_dir + ".aside"
    os.makedirs(aside)
    before = ["unshare", "-m", "sh", "-c", script, "sh", aside, bin_dir]
    target = copy.start(start, "callbacks.py", before=before)
    # what we find at its path is another file
    for path in copy.files:
        os.unlink(path)
        with open(path, "wb") as f:
            f.write(b"not this one")
    assert os.stat("/proc/%d/exe" % target.pid).st_size != os.stat(copy.exe).st_size
    check_parked(target)
    shutil.rmtree(aside)


@pytest.mark.only(lambda i: i.root)
def test_chroot_is_one(interp, start):
    """What the other tests take for granted of the interpreters in a root of their own."""
    target = start(interp, "callbacks.py")
    assert os.readlink("/proc/%d/root" % target.pid) == interp.root
    check_parked(target)


@pytest.mark.only(lambda i: i.root)
def test_chroot_in_another_mount_namespace(interp, start):
    need_root()
    need_tool("unshare")
    check_parked(start(interp, "callbacks.py", before=["unshare", "-m"]))


@pytest.mark.only(lambda i: i.root)
def test_pivoted_root(interp, start, tmp_path):
    """As in a container: a root that does not exist for us, in namespaces of its own."""
    need_root()
    need_tool("unshare")
    need_tool("pivot_root")
    exe = interp.argv[-1]
    script = (
        'mount --rbind "$1" "$2" && cd "$2" && mkdir -p .old && mount -t proc none proc && '
        'pivot_root . .old && umount -l /.old && shift 2 && exec "$@"'
    )
    before = ["unshare", "-m", "--pid", "--fork", "--kill-child", "sh", "-c", script, "sh"]
    mount_point = tmp_path / "root"
    mount_point.mkdir()
    place = PLACES.inside(interp.root) + "/callbacks.py"
    target = start(interp, place, argv=[exe], before=before + [interp.root, str(mount_point)])
    try:
        [pid] = wait_until(lambda: children_of(target.pid), "the child")
        assert os.readlink("/proc/%d/root" % pid) == "/"
        check_parked(target, pid, tids=False)
    finally:
        target.end()
        old = os.path.join(interp.root, ".old")
        if os.path.isdir(old):
            os.rmdir(old)


# ---- builds --------------------------------------------------------------------------------------


def test_kinds_of_builds_are_here(interpreters):
    """The interpreters that the tests run on are static, shared, PIE and not, stripped and not."""
    with_exe = [(i, os.stat(i.exe).st_size) for i in interpreters]
    assert any(i.libpython for i, _ in with_exe)
    assert any(not i.libpython for i, _ in with_exe)
    assert any(i.root for i, _ in with_exe)


def test_command_line_is_shown(interp, start):
    target = start(interp, "names.py", "an argument")
    assert "an argument" in fireglass("dump", "-p", target.pid).stdout.splitlines()[0]
