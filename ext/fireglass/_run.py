# SPDX-License-Identifier: MIT
"""`python -m fireglass`: which command, and programs as `python` runs them."""

import os
import sys

USAGE = """\
usage: python -m fireglass run [OPTIONS] SCRIPT | -m MODULE | -c CODE [ARGUMENTS]
       python -m fireglass trace [OPTIONS] SCRIPT | -m MODULE | -c CODE [ARGUMENTS]
       python -m fireglass COMMAND ...        the program fireglass: record, report, top, ...

  run      samples a program from inside; see python -m fireglass run --help
  trace    counts and times every call; see python -m fireglass trace --help
  site     prints the directory that on PYTHONPATH makes the variable FIREGLASS work: see docs/inside.md
"""


def main(argv):
    """The command line without the interpreter's words. Returns the exit status, if it returns."""
    command = argv[0] if argv else "--help"
    if command == "run":
        from ._run_options import RunOptions, Usage

        try:
            options, program = RunOptions.parse(argv[1:])
        except Usage as usage:
            return usage.tell()
        return _run(options, program)
    if command == "trace":
        from ._trace_main import main as trace

        return trace(argv[1:])
    if command == "site":
        from ._environment import SITE

        sys.stdout.write(SITE + "\n")
        return 0
    if command in ("-h", "--help"):
        sys.stdout.write(USAGE)
        return 0
    return _command(argv)


# ---- the real program ----------------------------------------------------------------------------


def _find_command():
    import shutil
    import sysconfig

    # beside the package, where `pip install --target` puts it
    site = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    places = [os.path.join(site, "bin")]
    places += [os.path.dirname(sys.executable or ""), sysconfig.get_path("scripts")]
    user = "%s_user" % os.name
    if user in sysconfig.get_scheme_names():
        places.append(sysconfig.get_path("scripts", user))
    if os.path.basename(site) in ("site-packages", "dist-packages"):
        # PREFIX/lib/pythonX.Y/site-packages of another prefix than the interpreter's
        places.append(os.path.normpath(os.path.join(site, "..", "..", "..", "bin")))
    found = shutil.which("fireglass", path=os.pathsep.join(place for place in places if place))
    return found or shutil.which("fireglass")


def _command(argv):
    found = _find_command()
    if found is None:
        sys.stderr.write(
            "fireglass: there is no command '%s' here, and the program fireglass is not installed beside "
            "this Python; see python -m fireglass --help\n" % argv[0]
        )
        return 2
    sys.stdout.flush()
    os.execv(found, [found] + argv)


# ---- run -----------------------------------------------------------------------------------------


def _run(options, program):
    """The program takes this process's place: nothing of ours is below its frames, and all that an
    interpreter does at its start and end, it does."""
    from . import _environment
    from ._paths import check_writable, expand

    if not options.outputs:
        options.default_outputs(program)
    try:
        for path in options.outputs:
            check_writable(expand(path, 1))
    except OSError as error:
        sys.stderr.write("fireglass: cannot write '%s': %s\n" % (path, error.strerror.lower()))
        return 1
    words = _interpreter_words()
    if words is None or sys.flags.no_site or sys.flags.ignore_environment:
        _environment.begin_here(options)
        return run_program(program)
    environment = _environment.with_hook(dict(os.environ), options)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, words + program, environment)


def _interpreter_words():
    """The interpreter and its own options, as they were given; None if that cannot be told."""
    words = getattr(sys, "orig_argv", None) or _command_line()
    if not words or not sys.executable:
        return None
    words = words[: len(words) - len(sys.argv) + 1]
    # "-m fireglass", "-um fireglass", "-mfireglass"
    if len(words) > 2 and words[-1] == "fireglass" and words[-2].endswith("m"):
        cluster = words[-2][:-1]
        words = words[:-2]
    elif len(words) > 1 and words[-1].endswith("mfireglass"):
        cluster = words.pop()[: -len("mfireglass")]
    else:
        return None
    if cluster == "-":
        return words
    return words + [cluster] if cluster[:1] == "-" and cluster[:2] != "--" else None


def _command_line():
    try:
        with open("/proc/self/cmdline", "rb") as file:
            return [os.fsdecode(word) for word in file.read().split(b"\0")[:-1]]
    except OSError:
        return None


# ---- a program in this interpreter ---------------------------------------------------------------


def run_program(program):
    """Runs a program as `python PROGRAM` does, in this interpreter, which is to end when it returns or
    raises: sys.argv, sys.path, __main__ are the program's, and its traceback has no frames of ours.

    program: ["script.py", ...] (or a directory, or a zip file), ["-m", "module", ...], ["-c", "code",
    ...] or ["-", ...] (the standard input). Returns None; raises what the program raises, SystemExit
    too.
    """
    run = _prepare(list(program))
    try:
        run()
    except SystemExit:
        raise
    except BaseException:
        _trim_traceback()
        raise


def _prepare(program):
    first = program[0]
    if first[:2] in ("-m", "-c"):
        # "-m name" and "-mname"
        value, rest = (first[2:], program[1:]) if len(first) > 2 else (program[1], program[2:])
        return (_module if first[1] == "m" else _code)(value, rest)
    if first == "-":
        return _stdin(program)
    if os.path.isdir(first) or _is_zip(first):
        return _directory(program)
    return _script(program)


def _is_zip(path):
    import zipimport

    try:
        zipimport.zipimporter(path)
    except ImportError:
        return False
    return True


def _shown(path):
    """The program's name as it is in sys.path, __file__ and messages."""
    if sys.version_info < (3, 9) or os.path.isabs(path):
        return path
    return os.path.join(os.getcwd(), path)


def _set_path(directory):
    """What `python` puts before all else of sys.path, instead of what `-m fireglass` did."""
    if not getattr(sys.flags, "safe_path", sys.flags.isolated):
        sys.path[0] = directory


def _new_main(**names):
    import builtins
    import types

    main = types.ModuleType("__main__")
    main.__dict__.update(names, __builtins__=builtins)
    if sys.version_info < (3, 14):
        main.__dict__.setdefault("__annotations__", {})
    sys.modules["__main__"] = main
    return main.__dict__


def _module(name, rest):
    import runpy

    sys.argv[:] = ["-m"] + rest
    _set_path(os.getcwd())
    _new_main()
    return lambda: runpy._run_module_as_main(name)


def _directory(program):
    import runpy

    sys.argv[:] = program
    # also where it is safe: it is where the program is
    path = _shown(program[0])
    if getattr(sys.flags, "safe_path", sys.flags.isolated):
        sys.path.insert(0, path)
    else:
        sys.path[0] = path
    _new_main()
    return lambda: runpy._run_module_as_main("__main__", False)


def _code(text, rest):
    import importlib.machinery

    sys.argv[:] = ["-c"] + rest
    _set_path("")
    names = _new_main(__loader__=importlib.machinery.BuiltinImporter)
    return lambda: exec(compile(text, "<string>", "exec"), names)


def _stdin(program):
    import importlib.machinery

    sys.argv[:] = program
    _set_path("")
    names = _new_main(__loader__=importlib.machinery.BuiltinImporter)
    return lambda: exec(compile(sys.stdin.read(), "<stdin>", "exec"), names)


def _script(program):
    from importlib import machinery

    sys.argv[:] = program
    path = program[0]
    shown = _shown(path)
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        sys.stderr.write(
            "%s: can't open file %r: [Errno %d] %s\n"
            % (sys.executable, shown, error.errno, error.strerror)
        )
        sys.exit(2)
    _set_path(os.path.dirname(os.path.realpath(path)))
    compiled = path.endswith(".pyc")
    kind = machinery.SourcelessFileLoader if compiled else machinery.SourceFileLoader
    names = _new_main(__file__=shown, __loader__=kind("__main__", shown))
    if sys.version_info < (3, 15):
        names["__cached__"] = None

    def run():
        code = kind("__main__", shown).get_code("__main__") if compiled else None
        exec(code or compile(source, shown, "exec"), names)

    return run


# ---- tracebacks ----------------------------------------------------------------------------------

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def _program_part(traceback):
    """The traceback from the program's first frame on: without the leading frames of `python -m`, up to
    the last of ours among them."""
    part, at = traceback, traceback
    while at is not None:
        file = at.tb_frame.f_code.co_filename
        if os.path.abspath(file).startswith(_PACKAGE):
            part = at.tb_next
        elif at.tb_frame.f_globals.get("__name__") != "runpy":
            break
        at = at.tb_next
    return part


def _trim_traceback():
    """Whoever shows the exception that is on its way out gets only the program's part of it."""
    shows = sys.excepthook

    def show(kind, error, traceback):
        sys.excepthook = shows
        traceback = _program_part(traceback)
        sys.last_traceback = traceback
        shows(kind, error.with_traceback(traceback), traceback)

    sys.excepthook = show
