# SPDX-License-Identifier: MIT
"""`python -m fireglass trace` and `python -m fireglass.cprofile`."""

import atexit
import getopt
import os
import signal
import sys

USAGE = """\
usage: python -m fireglass trace [OPTIONS] SCRIPT | -m MODULE | -c CODE [ARGUMENTS]

Counts and times every call of a Python program, which runs as `python` runs it. The result goes to
the standard error, or to files.

  -o, --output FILE    write a file; its ending says what: .prof .pstats .callgrind .txt .json .fgc .html
                       and all others of `fireglass export`; may be given more than once
  -s, --sort KEY       the listing of pstats by this key (cumulative, tottime, ncalls, name, ...)
  --top N              functions in the table (30)
  --only NAME          only calls of this function, class or module: shop.cart, shop.cart.Cart.add, shop.*;
                       imported before the program starts; may be given more than once
  --builtins           C functions, too (the default but on Python 3.11, where it slows down the program)
  --no-builtins        only Python functions
  --exact              see each call of a C function where one line calls Python and C by turns
  --cpu                CPU time besides (dear: a system call for each call)
  --timeline           keep each call with its begin and end, for .fgc, .html and the like
  -r, --rate HZ        sample the whole program as well, into the same timeline; implies --timeline
  -h, --help           this
"""

CPROFILE_USAGE = (
    "usage: python -m fireglass.cprofile [-o output_file_path] [-s sort] "
    "[-m module | scriptfile] [arg] ...\n"
)


class Usage(Exception):
    pass


def main(argv):
    """The command `trace`, with what follows that word. Ends as the program does."""
    try:
        options, program = _parse(argv)
        trace, outputs = _make(options, program)
    except (getopt.GetoptError, Usage, ValueError) as error:
        sys.stderr.write("fireglass: %s; see python -m fireglass trace --help\n" % error)
        sys.exit(2)
    ending = Ending(trace, outputs, options)
    ending.prepare()
    _run_program(program, trace)


# ---- options -------------------------------------------------------------------------------------

LONG = ["output=", "sort=", "top=", "only=", "builtins", "no-builtins", "exact", "cpu", "timeline",
        "rate=", "help"]  # fmt: skip


def _split_program(argv):
    """(options, program): the program begins at -m, -c, -- or what is no option."""
    takes = {"-o", "-s", "-r"} | {"--" + name[:-1] for name in LONG if name.endswith("=")}
    i = 0
    while i < len(argv):
        word = argv[i]
        if word == "--":
            return argv[:i], argv[i + 1 :]
        if word[:2] in ("-m", "-c") or not word.startswith("-") or word == "-":
            return argv[:i], argv[i:]
        i += 2 if word in takes else 1
    return argv, []


def _parse(argv):
    words, program = _split_program(argv)
    pairs, _ = getopt.gnu_getopt(words, "o:s:r:h", LONG)
    options = {"output": [], "only": []}
    names = {"-o": "output", "-s": "sort", "-r": "rate", "-h": "help"}
    for name, value in pairs:
        name = names.get(name, name[2:])
        if name in ("output", "only"):
            options[name].append(value)
        else:
            options[name] = value
    if "help" in options:
        sys.stdout.write(USAGE)
        sys.exit(0)
    if not program:
        raise Usage("no program to trace")
    return options, program


def _number(options, name, default):
    text = options.get(name)
    if text is None:
        return default
    if not text.isdigit() or int(text) == 0:
        raise Usage("--%s %s is not a number above 0" % (name, text))
    return int(text)


def _make(options, program):
    from ._trace_save import format_of
    from .tracing import Trace

    if "sort" in options:
        import pstats

        if options["sort"] not in pstats.Stats.sort_arg_dict_default:
            known = ", ".join(sorted(pstats.Stats.sort_arg_dict_default))
            raise Usage("cannot sort by '%s'; use one of %s" % (options["sort"], known))
    for path in options["output"]:
        format_of(path)
    builtins = True if "builtins" in options else False if "no-builtins" in options else None
    rate = _number(options, "rate", None)
    _number(options, "top", 30)
    if options["only"]:
        _set_path(program)
    trace = Trace(
        only=options["only"] or None,
        builtins=builtins,
        exact="exact" in options,
        timeline="timeline" in options or bool(rate),
        cpu="cpu" in options,
        rate=rate,
    )
    return trace, [os.path.abspath(path) for path in options["output"]]


def _set_path(program):
    """Modules of `only` are looked for where the program will look."""
    first = program[0]
    directory = os.getcwd() if first[:2] in ("-m", "-c") else os.path.dirname(os.path.abspath(first))
    sys.path[0] = directory


# ---- the end -------------------------------------------------------------------------------------


class Ending:
    """Writes and prints, once, in the process that was started: after all that the program itself
    does at its exit, and on SIGTERM, if the program leaves that to us."""

    def __init__(self, trace, outputs, options):
        self.trace, self.outputs, self.options = trace, outputs, options
        self.done = False

    def prepare(self):
        atexit.register(self.finish)
        os.register_at_fork(after_in_child=self.forked)
        if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self.terminated)

    def forked(self):
        """Children are not traced, and not slowed down."""
        if not self.done:
            self.trace.stop(save=False)
        self.done = True
        if signal.getsignal(signal.SIGTERM) == self.terminated:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def terminated(self, number, frame):
        self.finish()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def finish(self):
        if self.done:
            return
        self.done = True
        self.trace.stop()
        if not self.outputs:
            self._print()
        for path in self.outputs:
            try:
                self.trace.save(path)
            except (OSError, RuntimeError, ValueError) as error:
                sys.stderr.write("fireglass: cannot write '%s': %s\n" % (path, error))

    def _print(self):
        if sys.stderr is None:
            return
        try:
            if "sort" in self.options:
                self.trace.print_stats(self.options["sort"], stream=sys.stderr)
            else:
                rows = _number(self.options, "top", 30)
                sys.stderr.write("\n" + self.trace.top(rows))
            sys.stderr.flush()
        except OSError:
            pass  # nobody reads it


def _run_program(program, trace):
    """As run_program(), without what it does before the program begins."""
    from . import _run

    run = _run._prepare(list(program))
    trace.start()
    try:
        run()
    except SystemExit:
        raise
    except BaseException:
        _run._trim_traceback()
        raise


# ---- as cProfile does it -------------------------------------------------------------------------


def cprofile_main(argv=None):
    """`python -m cProfile`: its options, its output on the standard output, its exit status."""
    import pstats

    argv = sys.argv[1:] if argv is None else argv
    keys = pstats.Stats.sort_arg_dict_default
    words, program = _split_program(argv)
    try:
        pairs, _ = getopt.getopt(words, "o:s:h", ["outfile=", "sort=", "help"])
    except getopt.GetoptError as error:
        sys.stderr.write(CPROFILE_USAGE + "fireglass.cprofile: error: %s\n" % error)
        sys.exit(2)
    options = {name.lstrip("-")[0]: value for name, value in pairs}
    sort = options.get("s", 2)
    if "h" in options:
        sys.stdout.write(CPROFILE_USAGE)
        sys.exit(0)
    if not program or program[0].startswith("-c"):
        sys.stderr.write(CPROFILE_USAGE)
        sys.exit(2)
    if sort not in keys and sort != 2:
        known = ", ".join(sorted(keys))
        sys.stderr.write(
            CPROFILE_USAGE + "fireglass.cprofile: error: option -s: invalid choice: %r "
            "(choose from %s)\n" % (sort, known)
        )
        sys.exit(2)
    outfile = os.path.abspath(options["o"]) if "o" in options else None
    _cprofile_program(program, outfile, sort)


def _cprofile_program(program, outfile, sort):
    from . import cprofile

    globs, code = _program_code(program)
    try:
        cprofile.runctx(code, globs, None, outfile, sort)
    except BrokenPipeError as error:
        sys.stdout = None  # nothing to complain about at exit
        sys.exit(error.errno)


def _program_code(program):
    import io
    import types

    if program[0].startswith("-m"):
        import runpy

        # `-m name` or `-mname`
        name, rest = (program[0][2:], program[1:]) if program[0] != "-m" else (
            program[1], program[2:])  # fmt: skip
        sys.argv[:] = [name, *rest]
        sys.path[0] = os.getcwd()
        code = "run_module(modname, run_name='__main__', alter_sys=True)"
        return {"run_module": runpy.run_module, "modname": name}, code
    path = program[0]
    sys.argv[:] = program
    sys.path[0] = os.path.dirname(os.path.abspath(path))
    with io.open_code(path) as file:
        code = compile(file.read(), path, "exec")
    module = types.ModuleType("__main__")
    vars(module).update(__file__=path, __spec__=None, __package__=None, __builtins__=__builtins__)
    sys.modules["__main__"] = module
    return vars(module), code
