# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT
# fmt: off
"""Names and files beyond ASCII: Latin-1, UCS-2, UCS-4, half a surrogate; bytes on 2.7."""

import sys

from parked import park, run

NAMES = [
    u"latin_\u00e9\u00df",
    u"latin_\u00ff" * 60,
    u"ucs2_\u03a9\u0416\u4e2d\u6587",
    u"ucs2_\u4e2d" * 60,
    u"ucs4_\U00010400\U00020000",
    u"ucs4_\U0001d4d0" * 60,
    u"ascii" * 200,
]
FILES = [
    u"/tmp/\u00e9t\u00e9.py",
    u"/tmp/\u30d5\u30a1\u30a4\u30eb/\u4e2d.py",
    u"/tmp/\U0001f525 fire \U0001f600.py",
    u"/tmp/mixed \u00e9\u4e2d\U0001f525 %s.py" % (u"\u4e2d" * 300),
    u"zero\u200bwidth \u202eleft\u2028line.py",
    u"half \udcff surrogate.py",
    u"/tmp/ascii.py",
]
PYTHON2 = sys.version_info < (3,)
SOURCE = u"""
class {0}_class(object):
    def {0}(self):
        return park()
{0}_class().{0}()
"""


def bytes_named(filename, name):
    """2.7: an ASCII name in the source is replaced in the code object."""
    source = "def template():\n    return park()\n"
    namespace = {"park": park}
    exec(compile(source, filename, "exec"), namespace)
    f = namespace["template"]
    c = f.__code__
    f.__code__ = type(c)(
        c.co_argcount, c.co_nlocals, c.co_stacksize, c.co_flags, c.co_code, c.co_consts,
        c.co_names, c.co_varnames, filename, name, c.co_firstlineno, c.co_lnotab,
    )  # fmt: skip
    f()


def named(filename, name):
    def execute():
        if PYTHON2:
            bytes_named(filename.encode("utf-8"), name.encode("utf-8"))
        else:
            exec(compile(SOURCE.format(name), filename, "exec"), {"park": park})

    return execute


THREADS = [("t%d" % i, named(FILES[i], NAMES[i])) for i in range(len(NAMES))]
if PYTHON2:
    THREADS.append(("bytes", lambda: bytes_named(b"/tmp/latin-1 \xe9\xff.py", b"bad\x80\xc3")))

if __name__ == "__main__":
    run(THREADS)
