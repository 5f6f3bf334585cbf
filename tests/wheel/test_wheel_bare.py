# SPDX-License-Identifier: MIT
"""In a root that holds a C library, one Python and what the wheel brings: no shell, no compiler, no
terminfo, no other library. The command and the package must do all they do elsewhere.
"""

import os
import pathlib
import re
import shutil
import subprocess
import urllib.request

import harness
import pexpect
import pytest
from conftest import INTERPRETERS, SAMPLE_ITSELF, checked, clean_env, pip_target

# glibc's, and what any build of Python needs besides.
LIBRARIES = ("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1")
DEVICES = ("null", "urandom")
BURN = "import time\ndef burn():\n    while True: sum(i * i for i in range(1000))\nburn()\n"


def only_glibc(interp):
    """An interpreter that needs no library but glibc's, in a tree of its own."""
    if interp.root or interp.env or interp.free_threaded or "standalone" not in interp.id:
        return False
    needed = subprocess.run(["readelf", "-d", interp.exe], stdout=subprocess.PIPE, text=True,
                            check=True).stdout
    names = re.findall(r"\(NEEDED\).*\[(.*)\]", needed)
    return all(name in LIBRARIES or name.startswith(("ld-linux", "libpython")) for name in names)


def place_library(root, name):
    """Of this machine, where the loader looks first."""
    found = subprocess.run(["/sbin/ldconfig", "-p"], stdout=subprocess.PIPE, text=True, check=True)
    paths = re.findall(rf"^\s+{re.escape(name)} .*=> (/\S+)$", found.stdout, re.M)
    for path in paths[:1]:
        shutil.copy(path, root / "lib")


@pytest.fixture(scope="module")
def root(tmp_path_factory, pip):
    """The root: /python, /site with the wheel, /lib with glibc, an empty /proc and /tmp."""
    harness.need_root()
    harness.need_tool("unshare")
    chosen = [i for i in INTERPRETERS if only_glibc(i)]
    harness.need(chosen, "needs a standalone interpreter: tools/interpreters provide")
    interp = chosen[-1]
    top = tmp_path_factory.mktemp("bare")
    for name in ("lib", "proc", "tmp", "dev", "site"):
        (top / name).mkdir()
    for name in DEVICES:
        (top / "dev" / name).touch()
    for name in LIBRARIES:
        place_library(top, name)
    loader = re.search(r"interpreter: (/[^]]+)", subprocess.run(
        ["readelf", "-l", interp.exe], stdout=subprocess.PIPE, text=True, check=True).stdout)[1]
    (top / loader[1:]).parent.mkdir(exist_ok=True)
    shutil.copy(loader, top / loader[1:])
    tree = pathlib.Path(interp.exe).resolve().parent.parent
    shutil.copytree(tree, top / "python", symlinks=True, ignore=shutil.ignore_patterns("test"))
    pip_target(pip, interp, top / "site")
    (top / "dev" / "fd").symlink_to("/proc/self/fd")
    (top / "burn.py").write_text(BURN)
    (top / "burn_once.py").write_text(BURN.replace("while True:", "for _ in range(3000):"))
    (top / "itself.py").write_text(SAMPLE_ITSELF)
    (top / "exe").write_text(f"/python/bin/{os.path.basename(interp.exe)}")
    yield top
    shutil.rmtree(top)


def python_in(root):
    return (root / "exe").read_text()


def inside(root, *words):
    """The command line that runs one in the root, with a /proc of its own processes."""
    binds = " && ".join(f'mount --bind /dev/{name} "$0/dev/{name}"' for name in DEVICES)
    script = f'mount -t proc proc "$0/proc" && {binds} && exec chroot "$@"'
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, root, root,
            *words]


def outer_env():
    """unshare, sh, mount and chroot are this machine's."""
    return clean_env(PYTHONPATH="/site")


def bare(root, *words, **options):
    return checked(inside(root, *words), env=outer_env(), **options)


def test_package_samples(root):
    said = bare(root, python_in(root), "/itself.py", "/tmp/itself.fgc")
    assert "/site/fireglass/_fireglass.abi3.so" in said
    folded = bare(root, "/site/bin/fireglass", "export", "/tmp/itself.fgc", "-f", "folded", "-o", "-")
    assert "burn" in folded


def test_command_records(root):
    bare(root, "/site/bin/fireglass", "record", "-q", "-o", "/tmp/out.folded", "-o",
         "/tmp/out.html", "--", python_in(root), "/burn_once.py")
    assert "burn" in (root / "tmp" / "out.folded").read_text()
    assert "</html>" in (root / "tmp" / "out.html").read_text()


def test_module_runs_programs_and_the_command(root):
    said = bare(root, python_in(root), "-m", "fireglass", "--version")
    assert said == bare(root, "/site/bin/fireglass", "--version")


@pytest.mark.parametrize("term", ["xterm-256color", "screen", "linux", "vt100"])
def test_top_knows_terminals(root, term):
    """Without any terminfo in the root."""
    argv = [str(word) for word in inside(
        root, "/site/bin/fireglass", "top", "--", python_in(root), "/burn.py")]
    child = pexpect.spawn(argv[0], argv[1:], env=dict(outer_env(), TERM=term), timeout=120,
                          dimensions=(30, 100), encoding="utf-8", codec_errors="replace")
    try:
        child.expect("burn")
        child.send("q")
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)
    assert child.exitstatus == 0


def test_serve_serves(root):
    argv = inside(root, "/site/bin/fireglass", "serve", "--listen", "127.0.0.1:0", "--",
                  python_in(root), "/burn.py")
    with subprocess.Popen([str(word) for word in argv], env=outer_env(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as served:
        try:
            said = []
            for line in served.stdout:
                said.append(line)
                found = re.search(r"http://127\.0\.0\.1:\d+\S*", line)
                if found:
                    break
            else:
                pytest.fail("it named no address: " + "".join(said))
            with urllib.request.urlopen(found[0], timeout=60) as answer:
                assert answer.status == 200
                assert b"<html" in answer.read().lower()
        finally:
            served.kill()  # unshare takes no other; its child goes with it
            served.wait()
