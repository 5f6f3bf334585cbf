# SPDX-License-Identifier: MIT
# fmt: off
"""Code made at run time: exec, eval, file names of every sort."""

from parked import park, run

FILES = [
    "generated.py",
    "a file with spaces.py",
    "semi;colon;.py",
    "paren (file:12).py",
    "ends in a number 17",
    "tab\tnewline\nreturn\r.py",
    'quote".py',
    "back\\slash.py",
    "<string>",
    "/very/long" + "/directory" * 300 + "/file.py",
    "x",
]

SOURCE = """
def outer():
    return inner(
        1,
        park(),
    )

def inner(*args):
    return args


outer()
"""


def in_file(filename):
    def execute():
        exec(compile(SOURCE, filename, "exec"), {"park": park})

    return execute


def evaluated():
    return eval("[f() for f in [park]][0]")


def nested():
    exec(
        compile(
            "exec(compile('\\n\\n\\npark()', 'second file', 'exec'), globals())",
            "first file",
            "exec",
        ),
        {"park": park},
    )


def gaps():
    """Lines far apart, forwards and backwards."""
    source = "def far():\n x = [\n" + "\n" * 200 + "  1,\n" + "\n" * 70000
    source += "  park(),\n ]\nfar()\n"
    exec(compile(source, "gaps", "exec"), {"park": park})


def wide():
    """Columns beyond what a line-table entry holds in a byte."""
    source = "def far():\n return [" + "1, " * 500 + "park(), " + "2, " * 500 + "]\nfar()\n"
    exec(compile(source, "wide", "exec"), {"park": park})


def one_line():
    exec("x = 1; y = [park() for z in [x]]", {"park": park})


def made_of_code():
    def template():
        return park()

    code = template.__code__
    if hasattr(code, "replace"):
        moved = code.replace(co_firstlineno=1000000, co_name="moved", co_filename="moved.py")
        template.__code__ = moved
    template()


THREADS = [(f[:20], in_file(f)) for f in FILES] + [
    (f.__name__, f) for f in (evaluated, nested, gaps, wide, one_line, made_of_code)
]

if __name__ == "__main__":
    run(THREADS)
