# SPDX-License-Identifier: MIT
"""Recordings that begin with the interpreter: of `python -m fireglass run`, of its children, and of
programs that were started with the variable FIREGLASS.

FIREGLASS has the options of `run`, or the name of an output: "out.fgc", "-r 100 -o out.%p.fgc".
"""

import os
import sys

VARIABLE = "FIREGLASS"
SITE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_site")
_SEPARATOR = "\x1f"  # where words may have spaces in them
_CHILD = "--child"  # this one was started by one that is recorded
_RUN = "--run"  # by the command: what fails is said, and nothing is run


def with_hook(environment, options):
    """The environment of an interpreter that is to begin so."""
    words = [_RUN] + options.words
    environment[VARIABLE] = _SEPARATOR.join(_absolute(words))
    before = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = SITE + (os.pathsep + before if before else "")
    return environment


def _absolute(words):
    """Outputs are where they would be now, wherever the program goes."""
    name = "--output="
    return [
        name + os.path.abspath(word[len(name) :]) if word.startswith(name) else word for word in words
    ]


def begin_from_variable():
    """Called when an interpreter starts. Starts what FIREGLASS asks for, and takes it out of the
    environment, unless children are wanted too. Never raises."""
    words = _words(os.environ.get(VARIABLE, ""))
    run, child = _RUN in words, _CHILD in words
    words = [word for word in words if word not in (_RUN, _CHILD)]
    if run or child:
        _unhook()
    try:
        _begin_words(words, run, child)
    except Exception as error:
        sys.stderr.write("fireglass: %s\n" % error)
        if run and not child:
            sys.stderr.flush()
            os._exit(_status_of(error))


def _words(text):
    words = text.split(_SEPARATOR) if _SEPARATOR in text else text.split()
    if len(words) == 1 and words[0][:1] != "-":
        return ["-o", words[0]]
    return words


def begin_here(options):
    """The same in an interpreter that has started: what fails ends it."""
    try:
        begin(options)
    except Exception as error:
        sys.stderr.write("fireglass: %s\n" % error)
        sys.exit(_status_of(error))


def _status_of(error):
    return 3 if isinstance(error, PermissionError) else 1


def _begin_words(words, run, child):
    from ._run_options import RunOptions

    options, _ = RunOptions.parse(words, needs_program=False)
    if options.children:
        _hook_children(words)
    else:
        os.environ.pop(VARIABLE, None)
    if child:
        from ._paths import of_child

        options.outputs = [of_child(path) for path in options.outputs]
        options.quiet = True
    begin(options, program=_program_words())


def _program_words():
    words = getattr(sys, "orig_argv", None) or []
    return words[1:]


# ---- the variables -------------------------------------------------------------------------------


def _unhook():
    """PYTHONPATH as the program would have it."""
    parts = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if SITE in parts:
        parts.remove(SITE)
    if parts:
        os.environ["PYTHONPATH"] = os.pathsep.join(parts)
    else:
        os.environ.pop("PYTHONPATH", None)


def _hook_children(words):
    os.environ[VARIABLE] = _SEPARATOR.join([_CHILD] + [word for word in words if word != _CHILD])
    before = os.environ.get("PYTHONPATH")
    if SITE not in (before or "").split(os.pathsep):
        os.environ["PYTHONPATH"] = SITE + (os.pathsep + before if before else "")


# ---- the recording -------------------------------------------------------------------------------


def begin(options, program=()):
    """Starts a recording that ends with the interpreter."""
    import atexit

    from ._profile import Profile

    if not options.outputs:
        options.default_outputs(list(program))
    ending = Ending(options)
    ending.profile = Profile(
        ending.captures[:1], fork="follow" if options.children else "ignore", **options.recorded
    )
    ending.profile._ended_by_owner = True
    for path in ending.others:
        from ._paths import check_writable

        check_writable(path)
    # first, so that it comes last: after all that the program does at its exit
    atexit.register(ending.finish)
    ending.profile.start()


class Ending:
    """What is written when the interpreter ends."""

    def __init__(self, options):
        self.options = options
        self.pid = os.getpid()
        formats = [(path, options.format_for(path)) for path in options.outputs]
        self.captures = [path for path, format in formats if format == "fgc"]
        self.others = [path for path, format in formats if format != "fgc"] + self.captures[1:]
        self.profile = None

    def finish(self):
        if os.getpid() != self.pid or not self.profile.running:
            return
        counts = {}
        try:
            counts = self.profile.counts()
            capture = self.profile.stop()
        except Exception as error:
            self._say("%s" % error)
            capture = self.profile.capture
        written = self.captures[:1]
        for path in self.others if capture is not None else ():
            try:
                self._write(capture, path)
                written.append(path)
            except Exception as error:
                self._say("cannot write '%s': %s" % (path, error))
        if not self.options.quiet:
            self._summary(counts, capture, written)

    def _write(self, capture, path):
        format = self.options.format_for(path)
        capture.save(path, format, **({} if format == "fgc" else self._shown(format)))

    def _shown(self, format):
        shown = dict(self.options.shown)
        if format == "html":
            shown.pop("inverted", None)
        return shown

    def _summary(self, counts, capture, written):
        from ._units import count

        if capture is not None:
            self._say(
                "%.1f s, %s samples in %s ticks; %s ticks missed, %s stacks truncated, %s reads failed"
                % ((capture.duration,) + tuple(
                    count(counts.get(name, 0))
                    for name in ("samples", "ticks", "missed", "truncated", "failed")
                ))
            )
        for path in written:
            self._say("wrote %s" % _short(path))

    def _say(self, text):
        try:
            sys.stderr.write("fireglass: %s\n" % text)
            sys.stderr.flush()
        except (OSError, AttributeError, ValueError):
            pass  # nobody reads it


def _short(path):
    try:
        relative = os.path.relpath(path)
    except OSError:
        return path
    return path if relative.startswith("..") else relative
