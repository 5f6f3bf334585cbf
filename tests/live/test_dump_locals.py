# SPDX-License-Identifier: MIT
"""dump --locals: what a program says of its own variables, and what is read of them from outside."""

import json
import re

import pytest
from harness import BUSY, dump, fireglass, wait_blocked, wait_until


def started(start, interp, what):
    target = start(interp, "values.py", what)
    wait_blocked(target.pid)
    return target


def locals_of(dumped, function):
    """{name: local} of the main thread's innermost frame of that function."""
    for frame in reversed(dumped["threads"][0]["frames"]):
        if frame["function"].split(".")[-1] == function:
            return {local["name"]: local for local in frame["locals"]}
    raise AssertionError("no frame of " + function)


def values_of(dumped, function):
    return {name: local["value"] for name, local in locals_of(dumped, function).items()}


@pytest.mark.parametrize("what", ["numbers", "strings", "containers", "objects"])
def test_values_are_as_repr_has_them(interp, start, what):
    target = started(start, interp, what)
    truth = target.truth["repr"]
    assert len(truth) >= 12
    seen = values_of(dump(target.pid, "--locals", "--depth", 6), what)
    assert {name: seen.get(name) for name in truth} == truth


def test_types(interp, start):
    target = started(start, interp, "objects")
    seen = {n: v["type"] for n, v in locals_of(dump(target.pid, "--locals"), "objects").items()}
    assert seen["point"] == "__main__.Point"
    assert seen["named"] == "__main__.Pair"
    assert seen["plain"] == "object"
    assert seen["old"] == ("instance" if interp.version < (3,) else "__main__.Old")
    assert seen["module"] == "module"
    target = started(start, interp, "numbers")
    seen = {n: v["type"] for n, v in locals_of(dump(target.pid, "--locals"), "numbers").items()}
    assert seen["true"] == "bool" and seen["none"] == "NoneType" and seen["half"] == "float"
    assert seen["one"] == "int"
    assert seen["very"] == ("long" if interp.version < (3,) else "int")


def test_what_is_near_to_repr(interp, start):
    target = started(start, interp, "near")
    point, inner = target.truth["more"]
    seen = locals_of(dump(target.pid, "--locals"), "near")
    value = {name: local["value"] for name, local in seen.items()}
    u = "u" if interp.version < (3,) else ""
    b = "" if interp.version < (3,) else "b"
    assert value["names"] == "Names({'a': 1})"
    assert value["number"] == "Number(5)"
    assert value["table"] == "defaultdict({'x': [1]})"
    assert value["ordered"] == "OrderedDict({'k': 1})"
    assert value["error"] == "KeyError('k')"
    assert sorted(value["count"]) == sorted("Counter({'a': 2, 'b': 1})")
    assert value["point"] == "<__main__.Point object at %s>" % point.rstrip("L")
    assert value["many"] == "[%s, ... 980 more]" % ", ".join(map(str, range(20)))
    assert value["long_text"] == u + "'%s'... (1000 characters)" % ("y" * 200)
    assert value["long_bytes"] == b + "'%s'... (1000 bytes)" % ("z" * 200)
    assert value["table_of_many"].endswith("19: 19, ... 99980 more}")
    assert value["set_of_many"].count(",") == 20 and "... 99980 more" in value["set_of_many"]
    assert value["deep"] == "[1, [2, [3, [4, [... 2 items]]]]]"
    assert value["huge"] == "<int of about 100020 bits>"
    assert value["large"].startswith("1" + "0" * 99 + "...") and "300 digits" in value["large"]
    assert len(value["wide"]) < 200 * 33 + 200
    cut = {name for name, local in seen.items() if local.get("cut")}
    assert cut == {"many", "long_text", "long_bytes", "table_of_many", "set_of_many", "deep",
                   "huge", "large", "wide"}  # fmt: skip

    seen = values_of(dump(target.pid, "--attributes", "--items", 3, "--chars", 5, "--depth", 2), "near")
    outer = "<__main__.Point object at %s " % point.rstrip("L")
    inner = "<__main__.Point object at %s " % inner.rstrip("L")
    inners = [inner + "x='deep', y=None>", inner + "y=None, x='deep'>"]  # 2.7 has no order
    assert seen["point"] in ["%sx=3, y=%s>" % (outer, i) for i in inners] + [
        "%sy=%s, x=3>" % (outer, i) for i in inners
    ]
    assert seen["many"] == "[0, 1, 2, ... 997 more]"
    assert seen["long_text"] == u + "'yyyyy'... (1000 characters)"
    assert seen["deep"] == "[1, [2, [... 2 items]]]"
    if interp.version < (3,):
        assert re.match(r"<__main__.Old instance at 0x\w+ field='old o'\.\.\. \(7 bytes\)>", seen["old"])


def test_secrets_are_masked(interp, start):
    target = started(start, interp, "secrets")
    for form in ["--json", "--locals"]:
        shown = fireglass("dump", "-p", target.pid, "--locals", "--attributes", form)
        assert shown.returncode == 0, shown.stderr
        assert "geheim" not in shown.stdout
        assert "not secret 1" in shown.stdout and "not secret 2" in shown.stdout
        assert "db.example" in shown.stdout
    seen = locals_of(dump(target.pid, "--locals"), "secrets")
    assert seen["password"] == {
        "name": "password", "kind": "local", "type": "str", "value": None, "masked": True,
    }  # fmt: skip
    assert seen["token"]["value"] == "None" and "masked" not in seen["token"]
    assert "'db_password': <masked>" in seen["settings"]["value"]
    assert "'client_secret': <masked>" in seen["settings"]["value"]
    assert "'host': 'db.example'" in seen["settings"]["value"]
    assert seen["headers"]["value"] == "[('Authorization', <masked>), ('Host', 'example')]"
    text = fireglass("dump", "-p", target.pid, "--locals").stdout
    assert "        password = <str, masked>\n" in text

    shown = fireglass("dump", "-p", target.pid, "--attributes", "--show-secrets").stdout
    assert all("geheim-%d" % n in shown for n in range(1, 12))
    assert "masked" not in shown


def test_shared_variables(interp, start):
    target = started(start, interp, "shared")
    dumped = dump(target.pid, "--locals")
    inner = locals_of(dumped, "inner")
    truth = target.truth["repr"]
    assert {name: inner[name]["value"] for name in truth} == truth
    assert inner["step"]["value"] == "4" and inner["rest"]["value"] == "(5, 6)"
    assert inner["options"]["value"] == "{'key': 'word'}"
    assert inner["counter"]["kind"] == "free" and inner["unused"]["kind"] == "free"
    assert inner["own"]["kind"] == "local"
    outer = locals_of(dumped, "shared")
    assert (outer["counter"]["value"], outer["counter"]["kind"]) == ("[5]", "cell")
    assert (outer["unused"]["value"], outer["unused"]["kind"]) == ("'seen'", "cell")
    assert outer["late"]["value"] == "'bound'"


@pytest.mark.parametrize(
    "what, function",
    [("generators", "yielding"), ("class_body", "Body"), ("executed", "<module>")],
)
def test_other_frames(interp, start, what, function):
    target = started(start, interp, what)
    truth = target.truth["repr"]
    dumped = dump(target.pid, "--locals")
    seen = values_of(dumped, function)
    assert {name: seen.get(name) for name in truth} == truth
    if what == "class_body":
        assert "method" not in seen  # what is defined is no state
    module = {l["name"]: l["value"] for l in dumped["threads"][0]["frames"][0]["locals"]}
    assert module["MODULE_LEVEL"] == "{'kept': [1, 2]}" and module["LATER"] == "None"
    assert "wait" not in module and "os" not in module and "__name__" not in module


def test_unbound_variables_are_left_out(interp, start):
    target = started(start, interp, "unbound")
    assert locals_of(dump(target.pid, "--locals"), "unbound") == {}


def test_text(interp, start):
    target = started(start, interp, "shared")
    text = fireglass("dump", "-p", target.pid, "--locals").stdout
    lines = text.split("\n")
    at = [i for i, line in enumerate(lines) if re.match(r"    (shared\.<locals>\.)?inner \(", line)][0]
    assert lines[at + 1] == "        step = 4"
    assert "        unused = 'seen'" in lines[at:at + 9]
    assert "\033" not in text
    target = started(start, interp, "strings")
    result = fireglass("dump", "-p", target.pid, "--locals")
    assert not set(result.stdout) & set("\x1b\x7f\x00\u202e\u200b\u2028")


def test_without_it_nothing_is_said_of_variables(python, start):
    target = started(start, python, "secrets")
    dumped = dump(target.pid)
    assert all(set(f) == {"function", "file", "line"} for f in dumped["threads"][0]["frames"])
    assert "geheim" not in json.dumps(dumped)


CHANGING = """
import sys
def leaf(n, data):
    total = [n] * 3
    for i in range(50):
        total.append(str(i))
    return total
def outer():
    n = 0
    keep = {"outer": "kept"}
    print("ready"); sys.stdout.flush()
    while True:
        n += 1
        leaf(n, {"n": n, "text": "x" * (n % 50)})
outer()
"""


def test_a_program_that_runs(interp, start):
    """Whatever its leaf is doing, what stands still below it is told, and nothing goes wrong."""
    target = start(interp, "-c", CHANGING)
    for _ in range(20):
        dumped = dump(target.pid, "--locals")
        assert dumped["threads"][0]["moved"] is True
        seen = values_of(dumped, "outer")
        assert seen["keep"] == "{'outer': 'kept'}" and int(seen["n"]) >= 0
    assert target.process.poll() is None


def test_stopped_it_is_of_one_moment(interp, start):
    target = start(interp, "-c", CHANGING)
    leaves = 0
    for _ in range(40):
        dumped = dump(target.pid, "--locals", "--stop")
        thread = dumped["threads"][0]
        assert "moved" not in thread
        assert thread["state"] in ("running", "runnable", "waiting")
        frames = [f["function"] for f in thread["frames"]]
        if frames[-1] != "leaf":
            continue
        seen, outer = values_of(dumped, "leaf"), values_of(dumped, "outer")
        if "n" in seen and "data" in seen:
            leaves += 1
            assert seen["n"] == outer["n"]
            assert "'n': %s" % seen["n"] in seen["data"]
    assert leaves >= 5
    # and it goes on
    before = values_of(dump(target.pid, "--locals"), "outer")["n"]
    wait_until(lambda: values_of(dump(target.pid, "--locals"), "outer")["n"] != before, "it to go on")


def test_stop_is_refused_to_two(python, start):
    target = start(python, "-c", BUSY)
    tracer = start(python, "-c", (
        "import ctypes, os, sys\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "assert libc.ptrace(0x4206, %d, None, None) == 0\n"
        "print('ready'); sys.stdout.flush(); os.read(0, 1)\n") % target.pid)  # fmt: skip
    assert tracer.process.poll() is None
    result = fireglass("dump", "-p", target.pid, "--stop")
    tracer.end()  # a process that is traced cannot be waited for
    assert result.returncode == 3 and "leave out --stop" in result.stderr
    assert fireglass("dump", "-p", target.pid).returncode == 0


@pytest.mark.parametrize(
    "args, says",
    [
        (["--depth", "99"], "bad depth '99'"),
        (["--items", "-1"], "bad number of items '-1'"),
        (["--chars", "many"], "bad number of characters 'many'"),
    ],
)
def test_bad_limits(args, says):
    result = fireglass("dump", "-p", "1", *args)
    assert result.returncode == 2 and says in result.stderr
