# SPDX-License-Identifier: MIT
"""Captures, read: tables of rows for programs, pages and pictures for people."""

import os

from . import _fireglass

__all__ = ["Capture", "formats", "load"]

# Endings in use elsewhere, beside each format's own.
_OTHER_ENDINGS = {"txt": "folded", "collapsed": "folded", "prof": "pstats"}


def formats():
    """All formats that can be written, as a list of (name, ending of files, what it is)."""
    own = ("fgc", "fgc", "the capture itself: every sample, all else can be made of it")
    return [own] + _fireglass.formats()


def load(path, *, format=None):
    """Reads a capture (`*.fgc`), or a file of another profiler that `fireglass export` can read.

    `format` names the format if its content does not tell. Raises OSError if there is no such file,
    Error if it is none that can be read.
    """
    return Capture(path, format=format)


def format_of(path):
    """The format that a file's ending means. Raises ValueError if it means none."""
    name = os.path.basename(os.fspath(path)).lower()
    known = {ending: format for format, ending, _ in reversed(formats())}
    known.update(_OTHER_ENDINGS)
    for ending in sorted(known, key=len, reverse=True):
        if name.endswith("." + ending) and len(name) > len(ending) + 1:
            return known[ending]
    raise ValueError(
        "%r: the ending says no format; name one, or use .%s"
        % (os.fspath(path), ", .".join(sorted(known)))
    )


class Capture:
    """A recording, or a part of one: see select().

    All methods that look at samples take a selection, as `fireglass export` has it:

    - ``mode``: "wall" (all samples), "cpu" (of threads on a processor or ready for one), "gil" (that
      held the GIL), "all" (what was lost, too)
    - ``start``, ``end``: seconds after the first sample, negative ones before the last, or a datetime
    - ``span``: a regular expression for spans' names and texts, or the row of one; samples within it
    - ``thread``, ``process``: a regular expression for the name, or the id
    - ``focus``, ``ignore``, ``hide``, ``root``: regular expressions for "function (file:line)"
    - ``granularity``: "lines", "functions", "files", "modules"
    - ``collapse_recursion``, ``threads``, ``processes`` (as the roots of stacks): bool
    - ``min_percent``: what is less is pooled

    Regular expressions are POSIX extended ones; where one is taken, a list of them may be given.
    Times are integers of nanoseconds where a name ends in ``_ns`` (moments: since the epoch).
    A word that is not known is a TypeError, a value that makes no sense a ValueError.
    """

    def __init__(self, path, *, format=None):
        self._path = os.fspath(path)
        self._read = _fireglass.Capture(self._path, format)
        self._selection = {}

    @property
    def path(self):
        """The file that it was read from."""
        return self._path

    def select(self, **selection):
        """The same capture with a selection that all its methods go by; it adds to the one there is."""
        part = object.__new__(type(self))
        part.__dict__.update(self.__dict__, _selection=dict(self._selection, **selection))
        part._words({})  # what makes no sense is said here
        return part

    # ---- rows ------------------------------------------------------------------------------------

    def facts(self):
        """What was recorded, where and how: a dict of texts."""
        return self._read.facts()

    def processes(self):
        """A dict for each process: process (its row), pid, name, command, start_ns, end_ns (None:
        not ended)."""
        return self._read.processes()

    def threads(self):
        """A dict for each thread: thread (its row), process (row), pid, tid, name, main, start_ns,
        end_ns (None: not ended), samples, cpu_ns."""
        return self._read.threads()

    def spans(self, pattern=None):
        """A dict for each span: span (its row), name, text, process, thread, parent (rows, or None),
        start_ns, end_ns (None: not ended), and samples and cpu_ns of all that lies in it.

        `pattern`: a regular expression of Python's for "name text".
        """
        rows = self._read.spans()
        if pattern is None:
            return rows
        import re

        search = re.compile(pattern).search
        return [row for row in rows if search((row["name"] + " " + row["text"]).rstrip())]

    def markers(self):
        """A dict for each marker: name, text, process, thread (rows, or None), start_ns, end_ns."""
        return self._read.markers()

    def losses(self):
        """What could not be had: {"missed": ticks, "room": samples, "space": samples (disk full)}."""
        return self._read.losses()

    def counts(self, **selection):
        """How many samples are shown, left_out, unreadable, cut, lost."""
        return self._read.counts(**self._words(selection))

    def functions(self, **selection):
        """A dict for each function, the one with most samples of its own first.

        function, file, first_line, kind ("python", "mark": said of the sample, "thread", "place"), self and
        total (samples), self_ns and total_ns (None if samples are no time), self_cpu_ns, total_cpu_ns.
        """
        return self._read.functions(**self._words(selection))

    def lines(self, **selection):
        """As functions(), but a dict for each line, with line."""
        return self._read.lines(**self._words(selection))

    def samples(self, **selection):
        """An iterator of a dict for each sample, in order of time: time_ns, thread (row), tid, stack
        (a tuple of (function, file, line), the root first), count (ticks that it stands for), cpu_ns,
        state, span (row, or None), holds_gil, waits_for_gil, in_gc, cut, unreadable.
        """
        return self._read.samples(**self._words(selection))

    def stats(self, by="function", **selection):
        """Rows of numbers and texts, made for data frames: pandas.DataFrame(capture.stats()).

        ``by``: "function", "line", "file", "module", "thread" or "span". Each row has what it is of,
        self and total (samples), self_percent and total_percent (of the samples shown), self_s and
        total_s (seconds; None if samples are no time), cpu_s (of the total). Threads and spans have
        samples, percent, cpu_s instead, spans their duration_s, too.
        """
        from . import _stats

        return _stats.rows(self, by, self._with(selection))

    # ---- for people ------------------------------------------------------------------------------

    def top(self, n=10, *, shape="table", **options):
        """The n functions with most time as a text: "table", "callers", "callees" or "tree"."""
        options.setdefault("granularity", "functions")
        return self.export("text", rows=n, shape=shape, **options).decode()

    def to_folded(self, **options):
        """Folded stacks, for flamegraph.pl and many others: "root;child;leaf COUNT" lines."""
        return self.export("folded", **options).decode()

    def to_pprof(self, **options):
        """A profile of pprof's, gzipped: bytes."""
        return self.export("pprof", **options)

    def to_svg(self, **options):
        """A flame graph: one file that any browser opens."""
        return self.export("svg", **options).decode()

    def to_html(self, **options):
        """The report: a page with every sample, source files and a viewer. baseline=: another
        capture, to be compared with."""
        return self.export("html", **options).decode()

    def to_speedscope(self, **options):
        """JSON of speedscope's."""
        return self.export("speedscope", **options).decode()

    # ---- files -----------------------------------------------------------------------------------

    def export(self, format, fd=None, *, source=True, baseline=None, **options):
        """Writes it in a format (see formats()) to a file descriptor, or returns the bytes.

        Beside a selection: title, no_lines, full_paths, inverted (flame graph with the root on top),
        rows, shape and color (of "text"), source (False: pages without source files), baseline
        (another Capture; of pages).
        """
        words = self._words(options)
        if format == "html" and source:
            from ._sources import Sources

            words["sources"] = Sources(self.facts()) if source is True else source
        if baseline is not None:
            words["baseline"] = baseline._read
        return self._read.export(format, fd, **words)

    def save(self, path, format=None, **options):
        """Writes it to a file, in the format that its ending means (or `format`): .fgc, .html, .svg,
        .folded, .pb.gz, .speedscope.json, ... Options are those of export(). The file appears when it
        is complete, or not at all. Returns its path."""
        path = os.fspath(path)
        format = format or format_of(path)
        if _is_special(path):
            with open(path, "wb") as file:
                self.export(format, file.fileno(), **options)
            return path
        temporary = "%s.%d.tmp" % (path, os.getpid())
        try:
            with open(temporary, "wb") as file:
                self.export(format, file.fileno(), **options)
            os.replace(temporary, path)
        except BaseException:
            _remove(temporary)
            raise
        return path

    # ---- what it is ------------------------------------------------------------------------------

    @property
    def duration(self):
        """Seconds from the first sample to the last."""
        extent = self._read.extent()
        return (extent["last_ns"] - extent["first_ns"]) / 1e9

    @property
    def period(self):
        """Seconds between two samples of a thread; None if samples are just counts."""
        return self._read.extent()["period_ns"] / 1e9 or None

    @property
    def finished(self):
        """False: it is still being written, or was cut off."""
        return self._read.extent()["finished"]

    def __len__(self):
        """How many samples it has."""
        if self._selection:
            return self.counts()["shown"]
        return self._read.extent()["samples"]

    def __bool__(self):
        return True

    def __repr__(self):
        extent = self._read.extent()
        chosen = "".join(", %s=%r" % item for item in sorted(self._selection.items()))
        return "<fireglass.Capture: %d samples in %.3g s%s%s>" % (
            len(self),
            (extent["last_ns"] - extent["first_ns"]) / 1e9,
            "" if extent["finished"] else ", not finished",
            chosen,
        )

    def _repr_html_(self):
        """The report in a notebook, in a frame of its own."""
        import html

        return (
            '<iframe style="width: 100%%; height: 600px; border: 1px solid #8884" '
            'sandbox="allow-scripts allow-downloads allow-popups" srcdoc="%s"></iframe>'
            % html.escape(self.to_html(), quote=True)
        )

    # ---- selections ------------------------------------------------------------------------------

    def _with(self, selection):
        return dict(self._selection, **selection)

    def _words(self, given):
        """What the engine understands: times as moments, ids as texts."""
        words = self._with(given)
        for name, word in (("start", "from_ns"), ("end", "to_ns")):
            if name in words:
                words[word] = self._moment(words.pop(name))
        for name in ("thread", "process"):
            if isinstance(words.get(name), int):
                words[name] = str(words[name])
        if words.get("from_ns") and words.get("to_ns") and words["from_ns"] >= words["to_ns"]:
            raise ValueError("start is not before end")
        return {name: value for name, value in words.items() if value is not None}

    def _moment(self, value):
        if value is None:
            return None
        if hasattr(value, "timestamp"):
            return int(value.timestamp() * 1e6) * 1000
        extent = self._read.extent()
        base = extent["last_ns"] if value < 0 else extent["first_ns"]
        # 0 would be no limit
        return max(1, base + int(value * 1e9))


def _is_special(path):
    """A pipe, a terminal: not to be replaced by a file."""
    return os.path.exists(path) and not os.path.isfile(path)


def _remove(path):
    try:
        os.unlink(path)
    except OSError:
        pass
