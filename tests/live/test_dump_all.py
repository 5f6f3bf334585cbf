# SPDX-License-Identifier: MIT
"""dump --all: every Python process that may be read."""

import json
import shutil

import pytest
from harness import AS_NOBODY, BIN, PARK, fireglass, need_root, need_tool, open_to_all, wait_blocked


@pytest.fixture
def public_bin(tmp_path_factory):
    """A copy of the program where any user can run it."""
    folder = tmp_path_factory.mktemp("public")
    open_to_all(folder, 0o755)
    return shutil.copy(BIN, str(folder / "fireglass"))


def test_all_that_run(interp, start):
    """Beside others that nobody here has started."""
    first, second = start(interp, "values.py", "objects"), start(interp, "names.py")
    for target in (first, second):
        wait_blocked(target.pid)
    result = fireglass("dump", "--all", "--json")
    assert result.returncode == 0, result.stderr
    dumped = {p["pid"]: p for p in json.loads(result.stdout)["processes"]}
    assert dumped[first.pid]["python"] == interp.version_text
    assert dumped[first.pid]["command"].endswith("values.py objects")
    assert len(dumped[second.pid]["threads"]) == 43
    assert list(dumped) == sorted(dumped)


def test_text(python, start):
    first, second = start(python, "values.py", "near"), start(python, "values.py", "objects")
    result = fireglass("dump", "--all", "--locals")
    assert result.returncode == 0
    for target in (first, second):
        assert "\nProcess %d: " % target.pid in "\n" + result.stdout
    assert "__main__.Pair" not in result.stdout and "Pair(first=1, second='two')" in result.stdout


def test_what_may_not_be_read_is_counted(system_python, public_bin, start):
    need_root()
    need_tool("setpriv")
    mine = start(system_python, "-c", PARK, before=AS_NOBODY)
    others = start(system_python, "-c", PARK)
    result = fireglass("dump", "--all", "--json", before=AS_NOBODY, program=public_bin)
    dumped = json.loads(result.stdout)
    pids = [p["pid"] for p in dumped["processes"]]
    assert mine.pid in pids and result.returncode == 0
    assert others.pid not in pids
    assert dumped["refused"] >= 1
    assert "run as root" in result.stderr


INSIDE = """
import json, os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import os; print(1, flush=True); os.read(0, 1)"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
done = subprocess.run([sys.argv[1], "dump", "--all", "--json"], stdout=subprocess.PIPE)
child.kill()
child.wait()
found = json.loads(done.stdout)["processes"]
print(json.dumps([done.returncode, sorted(p["pid"] for p in found), sorted([os.getpid(), child.pid])]))
print("ready", flush=True)
"""


def test_a_pid_namespace_sees_its_own(system_python, start):
    need_root()
    need_tool("unshare")
    outside = start(system_python, "values.py", "objects")
    before = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    target = start(system_python, "-c", INSIDE, BIN, before=before)
    status, found, wanted = target.truth
    assert (status, found) == (0, wanted)
    assert outside.process.poll() is None


@pytest.mark.parametrize(
    "args, says",
    [
        (["--all", "-p", "1"], "exclude each other"),
        (["--all", "1"], "unexpected argument '1'"),
        (["-p", "1", "--exe", "/bin/true"], "--exe goes with --core"),
        (["--core", "x", "--stop"], "leave out --stop"),
        ([], "which process?"),
    ],
)
def test_usage(args, says):
    result = fireglass("dump", *args)
    assert result.returncode == 2 and says in result.stderr
