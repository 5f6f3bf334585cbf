# SPDX-License-Identifier: MIT
"""The options of `python -m fireglass run`, which are also those of the variable FIREGLASS."""

import os
import sys

from . import _units

HELP = """\
usage: python -m fireglass run [OPTIONS] SCRIPT | -m MODULE | -c CODE [ARGUMENTS]

Samples a Python program from inside, which runs as `python` runs it. Put the interpreter's own options
before -m: python -X dev -m fireglass run app.py

  -o, --output FILE     where to write; its ending says what: .fgc is the capture itself, .html the report,
                        .svg a flame graph, and all others of `fireglass export`; may be given more than
                        once. Default: a new .fgc and .html in this directory
  -f, --format FORMAT   of the output; default: by the ending of FILE
  -r, --rate RATE       samples per second of each thread: 1000 (the default), 10khz, 250us, max
  --mode MODE           thread (the default), cpu (timers on the CPU clock of each thread) or python
  --children            also Python programs that it forks or starts: each into its own file, out.PID.fgc
  --no-jitter           samples at equal distances
  --keep TIME           flight recorder: only so much of the newest samples (10m)
  --max-size SIZE       flight recorder: only about so many bytes of them (64M)
  -q, --quiet           no summary
  -h, --help            this

What is shown of it in outputs other than .fgc (see docs/selecting.md):

  --wall --cpu --gil --all -x, --no-idle            which samples
  --thread --process --span REGEX                   of whom
  --focus --ignore --hide --root REGEX              which stacks
  --lines --functions --files --modules             how coarse
  --collapse-recursion --min-percent N -t, --threads
  --full-paths --no-lines --inverted --no-source
"""

_SHORT = {
    "-o": "--output",
    "-f": "--format",
    "-r": "--rate",
    "-q": "--quiet",
    "-h": "--help",
    "-t": "--threads",
    "-x": "--no-idle",
}
_WITH_VALUE = {
    "--output", "--format", "--rate", "--mode", "--keep", "--max-size", "--min-percent",
    "--thread", "--process", "--span", "--focus", "--ignore", "--hide", "--root",
}  # fmt: skip
_PATTERNS = ("thread", "process", "span", "focus", "ignore", "hide", "root")
_SHOWN = {
    "--wall": ("mode", "wall"),
    "--cpu": ("mode", "cpu"),
    "--gil": ("mode", "gil"),
    "--all": ("mode", "all"),
    "--no-idle": ("mode", "cpu"),
    "--lines": ("granularity", "lines"),
    "--functions": ("granularity", "functions"),
    "--files": ("granularity", "files"),
    "--modules": ("granularity", "modules"),
    "--collapse-recursion": ("collapse_recursion", True),
    "--threads": ("threads", True),
    "--full-paths": ("full_paths", True),
    "--no-lines": ("no_lines", True),
    "--inverted": ("inverted", True),
    "--source": ("source", True),
    "--no-source": ("source", False),
}
_RECORDED = {
    "--gil": ("gil", True),
    "--no-idle": ("idle", False),
    "--no-jitter": ("jitter", False),
}
_OWN = {"--children", "--quiet", "--help"}


class Usage(Exception):
    """Nothing is run: help was asked for, or the command line makes no sense."""

    def __init__(self, message=None):
        Exception.__init__(self, message or "this is no place for --help")
        self.message = message

    def tell(self):
        """Says it; the exit status."""
        if self.message is None:
            sys.stdout.write(HELP)
            return 0
        sys.stderr.write(
            "fireglass: %s; see python -m fireglass run --help\n" % self.message
        )
        return 2


class RunOptions:
    """words: the options again. outputs: paths. recorded: arguments of Profile.
    shown: of Capture.save()."""

    def __init__(self):
        self.words = []
        self.outputs = []
        self.format = None
        self.recorded = {}
        self.shown = {}
        self.children = self.quiet = False

    @classmethod
    def parse(cls, argv, needs_program=True):
        """(options, program). Raises Usage."""
        options, at = cls(), 0
        while at < len(argv):
            word = argv[at]
            if word == "--":
                at += 1
                break
            if word == "-" or word[:2] in ("-m", "-c") or word[:1] != "-":
                break
            at += options._take(argv, at)
        options._check()
        program = argv[at:]
        if needs_program and not program:
            raise Usage("what to run? give a script, -m MODULE or -c CODE")
        if program and program[0] in ("-m", "-c") and len(program) < 2:
            raise Usage("%s what?" % program[0])
        return options, program

    def _take(self, argv, at):
        """An option, or several of one letter each; how many words that were."""
        word, equals, value = argv[at].partition("=")
        if word[:2] != "--":
            word, value = argv[at][:2], argv[at][2:]
            name = _SHORT.get(word)
            if name is not None and name not in _WITH_VALUE and value:
                self._apply(name, None)
                return self._take(argv[:at] + ["-" + value] + argv[at + 1 :], at)
            word, equals = name or word, value
        if word not in _WITH_VALUE:
            if equals or not self._apply(word, None):
                raise Usage("unknown option '%s'" % argv[at])
            return 1
        if equals:
            self._apply(word, value)
            return 1
        if at + 1 == len(argv):
            raise Usage("%s needs a value" % word)
        self._apply(word, argv[at + 1])
        return 2

    def _apply(self, word, value):
        """False: there is none of this name."""
        try:
            known = self._flag(word) if value is None else self._value(word[2:], value)
        except ValueError as error:
            raise Usage(str(error)) from None
        if known:
            self.words.append(word if value is None else "%s=%s" % (word, value))
        return known

    def _flag(self, word):
        if word == "--help":
            raise Usage()
        if word in _RECORDED:
            self.recorded.update([_RECORDED[word]])
        if word in _SHOWN:
            self.shown.update([_SHOWN[word]])
        if word in _OWN:
            setattr(self, word[2:], True)
        return word in _RECORDED or word in _SHOWN or word in _OWN

    def _value(self, name, value):
        if name == "output":
            if not value:
                raise ValueError("the output has no name")
            self.outputs.append(value)
        elif name == "format":
            self.format = value
        elif name == "rate":
            self.recorded["rate"] = _units.rate(value)
        elif name == "keep":
            self.recorded["keep"] = _units.duration(value)
        elif name == "max-size":
            self.recorded["max_bytes"] = _units.size(value)
        elif name == "mode":
            self.recorded["mode"] = value
        elif name == "min-percent":
            self.shown["min_percent"] = float(value.rstrip(" %"))
        elif name in _PATTERNS:
            self.shown.setdefault(name, []).append(value)
        return True

    def _check(self):
        from ._capture import format_of, formats
        from ._profile import _MODES

        if self.recorded.get("mode", "thread") not in _MODES:
            raise Usage("unknown mode '%s'; there are thread, cpu and python" % self.recorded["mode"])
        known = [name for name, _, _ in formats()]
        if self.format is not None and self.format not in known:
            raise Usage(
                "unknown format '%s'; there are %s" % (self.format, ", ".join(known))
            )
        if "-" in self.outputs:
            raise Usage("the program has the standard output; give -o FILE")
        if self.format is None:
            for path in self.outputs:
                try:
                    format_of(path)
                except ValueError as error:
                    raise Usage(str(error)) from None
        if len(self.outputs) != len(set(self.outputs)):
            raise Usage("an output is given twice")

    # ---- outputs ---------------------------------------------------------------------------------

    def format_for(self, path):
        """As `fireglass record` chooses: of one output -f, of several the ending before it."""
        from ._capture import format_of

        if self.format is None or len(self.outputs) > 1:
            try:
                return format_of(path)
            except ValueError:
                pass
        return self.format

    def default_outputs(self, program):
        """A new capture and its page."""
        import time

        name = program[0] if program else "python"
        if name in ("-m", "-c", "-") or name[:2] in ("-m", "-c"):
            name = program[1] if name == "-m" and len(program) > 1 else name[2:] or "python"
            name = name if name.replace(".", "").replace("_", "").isalnum() else "python"
        name = os.path.splitext(os.path.basename(name.rstrip("/")))[0] or "python"
        stem = "fireglass-%s-%s" % (name, time.strftime("%Y%m%d-%H%M%S"))
        if self.format is not None:
            endings = {format: ending for format, ending, _ in _formats()}
            self.outputs = ["%s.%s" % (stem, endings[self.format])]
        else:
            self.outputs = [stem + ".fgc", stem + ".html"]
        for path in self.outputs:
            self.words.append("--output=" + path)


def _formats():
    from ._capture import formats

    return formats()
