# SPDX-License-Identifier: MIT
"""A Trace as a file. It appears when it is complete, or not at all."""

import os
import tempfile

ENDINGS = {
    ".prof": "pstats",
    ".pstats": "pstats",
    ".callgrind": "callgrind",
    ".txt": "text",
    ".text": "text",
    ".json": "json",
    ".fgc": "capture",
}
# of `fireglass export`, by their endings
EXPORTS = {
    ".html": "html",
    ".svg": "svg",
    ".folded": "folded",
    ".collapsed": "folded",
    ".speedscope.json": "speedscope",
    ".pb.gz": "pprof",
    ".firefox.json": "firefox",
    ".trace.json": "chrome",
    ".cpuprofile": "cpuprofile",
    ".perf": "perfscript",
    ".jsonl": "jsonl",
}


def format_of(path):
    """ValueError, naming those there are, if its ending says nothing."""
    name = os.path.basename(path)
    if name.startswith("callgrind.out"):
        return "callgrind"
    for endings in (EXPORTS, ENDINGS):
        for ending, format in endings.items():
            if name.endswith(ending):
                return format
    known = sorted({*ENDINGS, *EXPORTS})
    raise ValueError("cannot tell a format from the name %r; end it in one of %s"
                     % (name, " ".join(known)))


def save(trace, path, format=None):
    path = os.path.abspath(os.fspath(path))
    format = format or format_of(path)
    directory, name = os.path.split(path)
    fd, new = tempfile.mkstemp(prefix="." + name + ".", dir=directory)
    try:
        with os.fdopen(fd, "w+b") as file:
            _write(trace, file, format)
        os.chmod(new, 0o666 & ~_umask())
        os.replace(new, path)
    except BaseException:
        os.unlink(new)
        raise


def _umask():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    return 0o022


def _write(trace, file, format):
    if format == "pstats":
        import marshal

        marshal.dump(trace.to_pstats(), file)
    elif format == "callgrind":
        file.write(trace.to_callgrind().encode())
    elif format == "text":
        file.write(trace.top(n=1_000_000).encode("utf-8", "backslashreplace"))
    elif format == "json":
        import json

        whole = {"functions": trace.stats(), "calls": trace.calls_between()}
        file.write(json.dumps(whole, indent=1).encode())
    elif format == "capture":
        _write_capture(trace, file)
    else:
        _export(trace, file, format)


def _write_capture(trace, file):
    if trace._sampling:
        trace._sampling.write_with(trace, file)
        return
    from . import _trace_capture

    _trace_capture.write(trace, file.fileno())


def _export(trace, file, format):
    from ._capture import Capture

    with tempfile.NamedTemporaryFile(suffix=".fgc") as capture:
        _write_capture(trace, capture)
        Capture(capture.name).export(format, file.fileno())
