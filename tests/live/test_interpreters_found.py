# SPDX-License-Identifier: MIT
"""What the other tests stand on."""

from harness import MINORS, Target, dump, need


def test_every_minor_is_here(interpreters):
    missing = [m for m in MINORS if m not in {i.minor for i in interpreters}]
    need(not missing, "no interpreter for %s" % ", ".join("%d.%d" % m for m in missing))


def test_free_threaded_are_here(interpreters):
    found = {i.minor for i in interpreters if i.free_threaded}
    missing = [m for m in MINORS if m >= (3, 13) and m not in found]
    need(not missing, "no free-threaded %s" % ", ".join("%d.%d" % m for m in missing))


def test_version_is_told(interp):
    with Target(interp, "-c", "import os; print('ready'); os.read(0, 1)") as target:
        assert dump(target.pid)["python"] == interp.version_text
