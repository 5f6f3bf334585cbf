# SPDX-License-Identifier: MIT
"""The flame graph is well-formed XML that says what the profile says, whatever the names are.

$FIREGLASS_MAKE_PROFILE is the tool of tests/tools; the build sets it.
"""

import json
import os
import subprocess
import xml.etree.ElementTree as ET

import pytest

MAKE_PROFILE = os.environ.get("FIREGLASS_MAKE_PROFILE", "build/tests/make_profile")
SVG = "{http://www.w3.org/2000/svg}"

HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    "]]><script>alert(1)</script>",
    "--><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;",
    "\"' onload='alert(1)",
    "".join(chr(c) for c in range(1, 32)),
    "\x7f\x80\x85\x9f\u2028\u2029\u202e\ufeff\ufffe\uffff",
    "\U0001f525 \u0e01\u0e33 \u05e9\u05dc\u05d5\u05dd",
    "W" * 10_000,
]


def escape(name):
    plain = name.replace("\\", "\\\\")
    return "".join(
        f"\\x{ord(c):02x}" if ord(c) < 32 or c in "; (" or c == "\x7f" else c for c in plain
    )


def make_svg(folded, *options):
    made = subprocess.run(
        [MAKE_PROFILE, *options], input=folded.encode(), capture_output=True, check=True
    )
    return ET.fromstring(made.stdout)


def data_of(root):
    return json.loads(root.find(f"{SVG}script[@id='fireglass-data']").text)


@pytest.mark.parametrize("name", HOSTILE, ids=[f"name{i}" for i in range(len(HOSTILE))])
def test_hostile_name(name):
    part = escape(name)
    root = make_svg(f"{part};{part} ({part}:3#1) 10\n", "-t", name, "-c", name, "-u", name)
    data = data_of(root)
    assert name in data["names"]
    assert name in data["files"]
    assert data["title"] == data["command"] == data["unit"] == name
    # our own three, and no element that we do not write
    assert len(root.findall(f".//{SVG}script")) == 3
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {
        "svg",
        "title",
        "desc",
        "style",
        "g",
        "defs",
        "pattern",
        "rect",
        "path",
        "text",
        "script",
    }
    assert not [name for element in root.iter() for name in element.attrib if name.startswith("on")]


def test_nothing_from_elsewhere():
    root = make_svg("a;b 1\n")
    for element in root.iter():
        assert not {"href", "src", "{http://www.w3.org/1999/xlink}href"} & set(element.attrib)
    for style in root.findall(f"{SVG}style"):
        assert "@import" not in style.text
        assert "url(#" in style.text or "url(" not in style.text


def test_still_picture_sums_up():
    """At each level the drawn widths are those of the samples that reach it."""
    root = make_svg("a (x.py:1);b (x.py:2) 30\na (x.py:1);c (x.py:3) 50\nd 20\n")
    widths = {}
    for group in root.find(f"{SVG}g[@id='fireglass-still']").findall(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        widths.setdefault(float(rect.get("y")), []).append(float(rect.get("width")))
    rows = [sum(widths[y]) for y in sorted(widths)]
    assert rows == pytest.approx([0.8 * 1176, 1176, 1176], abs=3)


def test_many_frames_are_bounded_but_all_there():
    folded = "".join(f"root;f{i} ({i}.py:1) 1\n" for i in range(20_000))
    root = make_svg(folded)
    assert len(root.findall(f".//{SVG}rect")) < 4000
    assert len(data_of(root)["names"]) == 20_001
