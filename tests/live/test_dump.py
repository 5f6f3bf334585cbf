# SPDX-License-Identifier: MIT
"""dump: the shape of both outputs, states, the GIL's holder."""

import json
import re

import pytest
from harness import by_tid, dump, fireglass, frames, task_ids, wait_blocked, wait_until


def test_json_shape(interp, start):
    target = start(interp, "names.py")
    wait_blocked(target.pid)
    dumped = dump(target.pid)
    assert list(dumped) == ["pid", "python", "exe", "command", "threads"]
    assert dumped["pid"] == target.pid
    assert dumped["python"] == interp.version_text
    assert dumped["command"].endswith("names.py") and dumped["exe"].startswith("/")
    assert len(dumped["threads"]) == 43
    for thread in dumped["threads"]:
        assert [key for key in thread if key != "waits_for"] == [
            "tid", "name", "main", "state", "syscall", "gil", "gil_wait", "gc", "frames",
        ]  # fmt: skip
        waits_for = thread.pop("waits_for", None)
        assert waits_for is None or list(waits_for) == ["lock", "name", "forever", "owner"]
        types = (int, str, bool, str, str, bool, bool, bool, list)
        assert tuple(type(v) for v in thread.values()) == types
        for frame in thread["frames"]:
            assert list(frame) == ["function", "file", "line"]
            assert tuple(type(v) for v in frame.values()) == (str, str, int)
    assert {t["tid"] for t in dumped["threads"]} == set(task_ids(target.pid))
    assert [t["main"] for t in dumped["threads"]] == [True] + [False] * 42  # main first
    root = dumped["threads"][0]["frames"][0]
    assert (root["function"], root["line"] > 1) == ("<module>", True)


def test_text_says_the_same(interp, start):
    target = start(interp, "names.py")
    wait_blocked(target.pid)
    dumped = dump(target.pid)
    result = fireglass("dump", "-p", target.pid, "--full-paths")
    assert result.returncode == 0 and result.stderr == ""
    head, *threads = result.raw.decode("utf-8").rstrip("\n").split("\n\n")
    if dumped.get("all_wait"):
        assert threads.pop().startswith("All threads wait for locks")
    assert head.splitlines()[0].startswith("Process %d: " % target.pid)
    assert "names.py" in head
    assert head.splitlines()[1].startswith("Python %s (" % interp.version_text)
    assert len(threads) == len(dumped["threads"])
    for text, thread in zip(threads, dumped["threads"]):
        first, *lines = text.split("\n")
        wanted = 'Thread %d "%s": %s' % (thread["tid"], thread["name"], thread["state"])
        wanted += " in " + thread["syscall"]
        assert first == wanted + (", main" if thread["main"] else "")
        if "waits_for" in thread:
            assert lines.pop(0).startswith("    waits for ")
        assert lines == [
            "    %s (%s:%d)" % (f["function"], f["file"], f["line"])
            for f in reversed(thread["frames"])
        ]
    assert "\033" not in result.stdout


def test_text_shortens_paths(python, start):
    target = start(python, "names.py")
    text = fireglass("dump", "-p", target.pid).stdout
    assert re.search(r"^    Thread\.run \(threading\.py:\d+\)$|^    run \(threading\.py:\d+\)$",
                     text, re.MULTILINE)  # fmt: skip


def test_pid_without_p(python, start):
    target = start(python, "names.py")
    assert fireglass("dump", target.pid).returncode == 0


def test_control_characters_are_not_printed(interp, start):
    """Names come from the target: none may steer the terminal."""
    target = start(interp, "nonascii.py")
    wait_blocked(target.pid)
    text = fireglass("dump", "-p", target.pid).raw.decode("utf-8")
    for c in "\u200b\u202e\u2028\t\r\x1b":
        assert c not in text
    assert "\\u202e" in text
    target = start(interp, "dynamic.py")
    wait_blocked(target.pid)
    assert "tab\\tnewline\\nreturn" in fireglass("dump", target.pid).stdout.replace("\\x09", "\\t").replace("\\x0a", "\\n")  # fmt: skip # noqa: E501


def test_states(interp, start):
    target = start(interp, "mixed.py")

    def waiter_waits():
        states = {t["name"]: t["state"] for t in dump(target.pid)["threads"]}
        # a thread that has just started is not known to threading yet
        if set(states) != {"MainThread", "waiter"}:
            return False
        assert states["MainThread"] == "running"
        return states["waiter"] == "waiting"

    wait_until(waiter_waits, "the waiter waiting")
    for _ in range(3):
        assert waiter_waits()


def test_gil_holder(interp, start):
    """Exactly one of two that burn holds it; none on a build that runs without."""
    target = start(interp, "mixed.py", "1")
    held = []
    for _ in range(10):
        holders = [t["name"] for t in dump(target.pid)["threads"] if t["gil"]]
        assert len(holders) <= 1
        assert "waiter" not in holders
        held += holders
    if interp.free_threaded:
        assert held == []
    else:
        assert len(held) >= 3
        text = fireglass("dump", "-p", target.pid).stdout
        assert text.count("holds the GIL") <= 1


def test_waiting_for_the_gil(interp, start):
    """Of three that burn two wait for it, where there is one and its place is known."""
    target = start(interp, "mixed.py", "2")
    threads = [t for _ in range(10) for t in dump(target.pid)["threads"]]
    waits = [t for t in threads if t["gil_wait"]]
    if interp.free_threaded or interp.version < (3, 7):
        assert waits == []
        return
    assert len(waits) >= 5
    for thread in waits:
        assert thread["name"] != "waiter"
        assert (thread["state"], thread["syscall"], thread["gil"]) == ("waiting", "futex", False)
    # a moment between two holders has none that waits
    texts = [fireglass("dump", "-p", target.pid).stdout for _ in range(10)]
    assert sum("waiting for the GIL" in text for text in texts) >= 5


def test_collecting_garbage(interp, start):
    target = start(interp, "collects.py")
    seen = [dump(target.pid)["threads"][0]["gc"] for _ in range(10)]
    known = interp.version >= (3, 9) and not interp.free_threaded
    assert seen.count(True) >= 5 if known else not any(seen)
    if known:
        wait_until(
            lambda: "collecting garbage" in fireglass("dump", "-p", target.pid).stdout,
            "it to be said",
        )


def test_nobody_holds_the_gil(interp, start):
    target = start(interp, "calls.py")
    wait_blocked(target.pid)
    assert not any(t["gil"] for t in dump(target.pid)["threads"])
    assert "GIL" not in fireglass("dump", "-p", target.pid).stdout


@pytest.mark.only(lambda i: i.free_threaded)
def test_free_threaded_with_a_gil(interp, start):
    """PYTHON_GIL=1 brings the GIL back."""
    target = start(interp, "mixed.py", "1", env={"PYTHON_GIL": "1"})
    held = [t["name"] for _ in range(10) for t in dump(target.pid)["threads"] if t["gil"]]
    assert held and set(held) <= {"MainThread", "burner"}


def test_a_running_thread(interp, start):
    target = start(interp, "mixed.py")
    for _ in range(5):
        main = by_tid(dump(target.pid))[target.pid]
        assert [f[0] for f in frames(main)][:2] == ["<module>", "main"]
        assert frames(main)[2:] == [] or frames(main)[2][0] == "burning"


def test_json_is_one_document(python, start):
    target = start(python, "names.py")
    result = fireglass("dump", "-p", target.pid, "--json")
    assert result.stdout.endswith("\n}\n")
    assert json.loads(result.stdout)
