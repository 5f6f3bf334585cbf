# SPDX-License-Identifier: MIT
"""Magics for IPython and Jupyter: `%load_ext fireglass`.

    %%fireglass [OPTIONS]        samples a cell: its flame graph, or a table in a terminal
    %fireglass [OPTIONS] CODE    a statement
    %%fireglass_line, %fireglass_line    the same, shown as time on each line of code

Options: see OPTIONS below, or `%fireglass?`. See docs/inside-tools.md.
"""

import contextlib
import html
import linecache
import re

OPTIONS = """
  -r HZ        how often to sample (1000)
  -o FILE      save it, too; the ending says as what (.html, .fgc, .svg, ...); more than once if need be
  -n N         rows of the table, functions of the line view (10, 5)
  -c NAME      the variable that the capture goes to (_fireglass)
  -f NAME      only functions whose names match this regular expression (fireglass_line)
  -p           the whole page instead of the flame graph
  -x           exact: trace every call instead of sampling
  -m           with what is below the cell: IPython's own frames, other threads
  -q           show nothing
"""


def load_ipython_extension(shell):
    for kind, name in (("line_cell", "fireglass"), ("line_cell", "fireglass_line")):
        shell.register_magic_function(_magic(shell, name), kind, name)


def unload_ipython_extension(shell):
    for kind in ("line", "cell"):
        for name in ("fireglass", "fireglass_line"):
            shell.magics_manager.magics[kind].pop(name, None)


def _magic(shell, name):
    show = {"fireglass": _show, "fireglass_line": _show_lines}[name]

    def magic(line, cell=None):
        options, code = _parse(shell, line)
        if cell is not None:
            code = cell if not code.strip() else code + "\n" + cell
        if not code.strip():
            from IPython.core.error import UsageError

            raise UsageError("nothing to run; options are:" + OPTIONS)
        _run(shell, code, options, show)

    magic.__name__ = name
    magic.__doc__ = "Where the time of a cell (%%%%%s) or a statement (%%%s) goes.\n%s" % (
        name, name, OPTIONS)  # fmt: skip
    return magic


# ---- options -------------------------------------------------------------------------------------


def _parse(shell, line):
    """(options, code): options end at the first word that is none."""
    options = {"r": "1000", "n": None, "c": "_fireglass", "o": [], "f": None}
    flags = set()
    rest = line.strip()
    while rest.startswith("-"):
        word, _, after = rest.partition(" ")
        name = word[1:2]
        if word in ("-p", "-x", "-m", "-q"):
            flags.add(name)
        elif name and name in "rncof":
            value, after = (word[2:], after) if word[2:] else after.lstrip().partition(" ")[::2]
            if not value:
                raise _usage("option -%s needs a value" % name)
            if name == "o":
                options["o"].append(value)
            else:
                options[name] = value
        else:
            raise _usage("there is no option %s" % word)
        rest = after.lstrip()
    options["flags"] = flags
    for name in "rn":
        if options[name] is not None:
            options[name] = _number(name, options[name])
    return options, rest


def _usage(text):
    from IPython.core.error import UsageError

    return UsageError("%s; options are:%s" % (text, OPTIONS))


def _number(name, text):
    if not text.isdigit() or int(text) == 0:
        raise _usage("-%s %s is not a number above 0" % (name, text))
    return int(text)


# ---- running -------------------------------------------------------------------------------------


def _run(shell, code, options, show):
    from . import tracing
    from ._profile import Profile

    if "x" in options["flags"]:
        recording = tracing.Trace()
    else:
        recording = Profile(rate=options["r"])
    with _Names(shell) as names:
        recording.start()
        try:
            # its error, if there is one, is shown as always; what was seen until then counts
            _run_cell(shell, code)
        finally:
            capture = recording.stop()
    if "x" in options["flags"]:
        capture = recording.capture()
    shell.user_ns[options["c"]] = recording if "x" in options["flags"] else capture
    for path in options["o"]:
        (recording if "x" in options["flags"] else capture).save(path)
    if "q" not in options["flags"]:
        show(capture if "m" in options["flags"] else names.select(capture), options)


class _Names:
    """Knows under which names the cell is compiled while it is run."""

    def __init__(self, shell):
        self._compile, self._names = shell.compile, []

    def __enter__(self):
        cache = self._compile.cache

        def named(*args, **kwargs):
            name = cache(*args, **kwargs)
            self._names.append(name)
            return name

        self._compile.cache = named
        return self

    def __exit__(self, *exc_info):
        del self._compile.cache

    def select(self, capture):
        """Without what is below the cell, and what shows its value."""
        special = re.compile(r"([][.()*+?{}|^$\\])")  # of POSIX expressions
        roots = [special.sub(r"\\\1", name) for name in self._names]
        if not roots:
            return capture
        return capture.select(root=roots, ignore=r"__call__ \(.*displayhook\.py")


def _run_cell(shell, code):
    """As a cell of its own. One that awaits, in a loop that runs already (Jupyter), gets a loop of its own
    in another thread: this one cannot wait for itself."""
    transformed = None
    if _loop_runs():
        # what it raises, run_cell() shows
        with contextlib.suppress(Exception):
            transformed = shell.transform_cell(code)
    if transformed is None or not shell.should_run_async(code, transformed_cell=transformed):
        shell.run_cell(code, store_history=False)
        return
    import asyncio
    import threading

    def run():
        cell = shell.run_cell_async(code, store_history=False, transformed_cell=transformed)
        asyncio.run(cell)

    thread = threading.Thread(target=run, name="fireglass cell")
    thread.start()
    thread.join()


def _loop_runs():
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


# ---- showing -------------------------------------------------------------------------------------


def _show(capture, options):
    from IPython.display import display

    if not capture.counts()["shown"]:
        print("fireglass: nothing was sampled: it was over before the first sample")
        return
    text = capture.top(options["n"] or 10)
    if "p" in options["flags"]:
        picture = capture._repr_html_()
    else:
        picture = _frame(capture.to_svg(inverted=True))
    display({"text/plain": text, "text/html": picture}, raw=True)


def _frame(svg):
    """A picture with its scripts, apart from the notebook's own."""
    height = 420
    return (
        '<iframe style="width: 100%%; height: %dpx; border: 1px solid #8884" '
        'sandbox="allow-scripts" srcdoc="%s"></iframe>' % (height, html.escape(svg, quote=True))
    )


def _show_lines(capture, options):
    from IPython.display import display

    if not capture.counts()["shown"]:
        print("fireglass: nothing was sampled: it was over before the first sample")
        return
    functions = _hot_functions(capture, options)
    if not functions:
        print("fireglass: no function matches %s" % options["f"])
        return
    shown = capture.counts()["shown"]
    parts = [_annotate(capture, function, lines, shown) for function, lines in functions]
    display(
        {
            "text/plain": "\n".join(_as_text(part) for part in parts),
            "text/html": "".join(_as_html(part) for part in parts),
        },
        raw=True,
    )


def _hot_functions(capture, options):
    """[(function, {line: row})], the one with most samples of its own first; what -f names, or those
    of cells and of the program's own files before any others."""
    wanted = re.compile(options["f"]).search if options["f"] else None
    lines = {}
    for row in capture.lines():
        if row["kind"] == "python" and (not wanted or wanted(row["function"])):
            key = (row["function"], row["file"], row["first_line"])
            lines.setdefault(key, {})[row["line"]] = row
    order = sorted(
        lines,
        key=lambda key: (_is_library(key[1]), -sum(row["self"] for row in lines[key].values()),
                         -sum(row["total"] for row in lines[key].values())),
    )  # fmt: skip
    return [(key, lines[key]) for key in order[: options["n"] or 5]]


def _is_library(file):
    return not linecache.getline(file, 1) or "site-packages" in file or "/lib/python" in file


def _annotate(capture, function, rows, shown):
    """(title, [(line, source, total %, self %, time)]) from the function's first line to the last seen."""
    name, file, first = function
    first = min([first or 1] + [line for line in rows if line])
    last = max(rows)
    while linecache.getline(file, last + 1)[:1] in (" ", "\t"):  # the rest of its body
        last += 1
        if last - first > 500:
            break
    out = []
    for line in range(first, last + 1):
        row = rows.get(line)
        total, own = (row["total"] / shown, row["self"] / shown) if row else (0, 0)
        out.append((line, linecache.getline(file, line).rstrip("\n"), total, own, row))
    return "%s (%s:%d)" % (name, file, first), out


def _percent(share):
    return "%5.1f%%" % (100 * share) if share else ""


def _time(row):
    from ._trace_text import duration

    return duration(row["total_ns"]) if row and row["total_ns"] else ""


def _as_text(part):
    title, lines = part
    out = [title, "%9s %7s %7s %5s  %s" % ("time", "total", "self", "line", "source")]
    out += [
        "%9s %7s %7s %5d  %s" % (_time(row), _percent(total), _percent(own), number, source)
        for number, source, total, own, row in lines
    ]
    return "\n".join(out) + "\n"


def _as_html(part):
    title, lines = part
    rows = "".join(
        '<tr style="background: rgba(255, 90, 20, %.2f)"><td>%s<td>%s<td>%s<td style="opacity: .5">%d'
        '<td style="text-align: left"><pre style="margin: 0; background: none">%s</pre>'
        % (
            0.6 * total, _time(row), _percent(total), _percent(own), number, html.escape(source),
        )
        for number, source, total, own, row in lines
    )  # fmt: skip
    head = "<tr><th>time<th>total<th>self<th>line<th style='text-align: left'>%s" % html.escape(title)
    return '<table style="font-size: 90%%">%s%s</table>' % (head, rows)
