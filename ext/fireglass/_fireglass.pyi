# SPDX-License-Identifier: MIT
"""The extension module: what C gives to the package. Times are nanoseconds; `fd`s stay the caller's.

Errors: ValueError for what makes no sense, PermissionError for what the system refuses, OSError for
files, Error for the rest. Whatever takes long gives up the GIL.
"""

import os
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence, Tuple, Union

version: str

class Error(RuntimeError): ...

# ---- sampling: src/inside/session.h, ext/src/session_object.c -------------------------------------

class Session:
    """Samples this process into a file from its creation until stop()."""

    def __init__(
        self,
        fd: int,
        *,
        period_ns: int = 10_000_000,
        clock: str = "wall",  # or "cpu": timers on the CPU clock of each thread
        jitter: bool = True,
        idle: bool = True,
        gil_only: bool = False,
        spans_only: bool = False,  # keep only samples in spans that were chosen (span_choose)
        max_age_ns: int = 0,
        max_bytes: int = 0,
        command: Optional[str] = None,
    ) -> None: ...
    def stop(self) -> None: ...
    def flush(self) -> None: ...
    def dump(self, fd: int, *, last_ns: int = 0) -> None: ...
    def pause(self, paused: bool = True) -> None: ...
    def counts(self) -> Mapping[str, int]: ...
    def problem(self) -> Optional[str]:
        """The first error that writing had; samples were lost to it (counts: write_errors, lost)."""
    def abandon(self) -> None: ...
    left_behind: bool  # by a fork: it is the parent's, stop() and flush() raise ValueError

# ---- spans: src/inside/spans.h, ext/src/{span_object,spans_functions}.c -----------------------------
#
# Keys are those of src/inside/spans.h, 0: no span. In which span a context (a task, a greenlet, a
# thread) is goes with a context variable; samplers read it from memory.

class Span:
    """What span() returns: `with`, `async with`, or a decorator (of functions, coroutines, generators)."""

    key: int  # 0: not entered yet
    name: str
    text: str  # labels included
    def __enter__(self) -> "Span": ...
    def __exit__(self, *error: Any) -> None: ...
    async def __aenter__(self) -> "Span": ...
    async def __aexit__(self, *error: Any) -> None: ...
    def __call__(self, function: Any) -> Any: ...
    def describe(self, text: Optional[str] = None, **labels: Any) -> None: ...

def span(name: str, text: Optional[str] = None, **labels: Any) -> Span: ...
def span_open(parent: int, name: str, text: str = "") -> int: ...
def span_describe(key: int, text: str) -> None: ...
def span_close(key: int) -> None: ...
def span_enter(key: int) -> int:
    """This context is in it from now on; returns in which it was."""

def span_current() -> int: ...
def span_choose(key: int, chosen: bool = True) -> None: ...
def span_wanted() -> bool:
    """Whether there is any session, so that anybody will see spans."""

def span_follow() -> bool:
    """Whether samplers can read contexts in this Python (tried out at the first call); else they know
    only what each thread has entered last."""

# ---- captures: ext/src/capture_object.c ------------------------------------------------------------

class Capture:
    """A capture file, read. Everything may be called any number of times."""

    def __init__(self, path: Union[str, bytes, "os.PathLike[str]"], format: Optional[str] = None) -> None:
        """`format`: of a file of another profiler, if its content does not tell."""
    def facts(self) -> Mapping[str, str]: ...
    def processes(self) -> Sequence[Mapping[str, Any]]: ...
    def threads(self) -> Sequence[Mapping[str, Any]]: ...
    def spans(self) -> Sequence[Mapping[str, Any]]: ...
    def markers(self) -> Sequence[Mapping[str, Any]]: ...
    def losses(self) -> Mapping[str, int]: ...
    def extent(self) -> Mapping[str, Any]:
        """first_ns, last_ns, samples, period_ns (0: none), finished, cut."""
    # selections: see ext/src/capture_options.c, which has their words
    def functions(self, **selection: Any) -> Sequence[Mapping[str, Any]]: ...
    def lines(self, **selection: Any) -> Sequence[Mapping[str, Any]]: ...
    def counts(self, **selection: Any) -> Mapping[str, int]: ...
    def samples(self, **selection: Any) -> Iterator[Mapping[str, Any]]: ...
    def export(self, format: str, fd: Optional[int] = None, **options: Any) -> Optional[bytes]:
        """Without fd the bytes. A callable sources(file) gives (text, note) of a source file, or None."""

def formats() -> Sequence[Tuple[str, str, str]]: ...

class Builder:
    """Makes a capture of what somebody else has seen: a Python sampler, the tracer."""

    def __init__(self, fd: int, facts: Mapping[str, str]) -> None: ...
    def thread(self, tid: int, name: str, *, main: bool = False, start_ns: int = 0) -> int: ...
    def function(self, name: str, file: str, first_line: int) -> int: ...
    def stack(self, parent: int, function: int, line: int) -> int: ...
    def span(
        self, parent: int, thread: int, name: str, text: str, start_ns: int, end_ns: int
    ) -> int: ...
    def sample(
        self, thread: int, stack: int, time_ns: int, *, count: int = 1, cpu_ns: int = 0,
        state: int = 0, flags: int = 0, span: int = 0,
    ) -> None: ...
    def fact(self, key: str, value: str) -> None: ...
    def loss(self, kind: str, count: int) -> None: ...
    def flush(self) -> None: ...
    def finish(self) -> None: ...

def overlay(path: str, fd: int, calls: Sequence[Tuple[int, str, str, str, int, int]]) -> None:
    """Writes the capture `path` to the empty file `fd`, with calls as spans: (tid, thread's name, name,
    text, start_ns, end_ns), in any order; those of a thread lie within one another or do not overlap."""

# ---- parts of captures: ext/src/capture_cut.c ------------------------------------------------------

def capture_cut(fd: int, inputs: Sequence[Tuple[Capture, Sequence[int]]]) -> None:
    """Writes some spans of captures, with all that lies in them, to the empty file `fd`. inputs:
    (capture, rows of its spans), in order of time when they are put together."""

# ---- tracing: ext/src/trace_*.c --------------------------------------------------------------------

class Tracer:
    """Counts and times every call; any number of them at once, each on its own."""

    enabled: bool

    def __init__(
        self,
        *,
        builtins: Optional[bool] = None,  # C functions too; None: where it does not cost dear (not 3.11)
        threads: bool = True,  # all, those started later too; False: the calling thread only
        only: Optional[Sequence[Any]] = None,  # code objects: only these, at no cost for the others
        exact: bool = False,  # never let the interpreter leave out a call site
        timeline: bool = False,  # keep each call with its times, too
        max_events: int = 10_000_000,
        cpu: bool = False,  # thread CPU time besides wall time (dear: a system call per event)
        timer: Optional[Callable[[], Union[int, float]]] = None,
        timer_unit: float = 0.0,
    ) -> None: ...
    def enable(self, subcalls: bool = True, builtins: Optional[bool] = None) -> None: ...
    def disable(self) -> None: ...
    def clear(self) -> None: ...
    def entries(self) -> Sequence[Tuple[Any, ...]]:
        """One per function: (code object or text of a C function, calls, calls that were not
        recursive, total_ns, self_ns, total_cpu_ns, self_cpu_ns, callees), callees as: (index of the callee,
        calls, not recursive, total_ns, self_ns)."""
    def tree(self) -> Sequence[Tuple[Any, ...]]:
        """One per node of the call trees, parents first: (parent index or -1, thread row, code
        object or text, calls, total_ns, self_ns, self_cpu_ns)."""
    def threads(self) -> Sequence[Tuple[int, str]]: ...
    def calls(self) -> Iterator[Tuple[int, int, int, int]]:
        """With timeline: (thread row, tree node, start_ns, end_ns), by their ends."""
    def info(self) -> Mapping[str, Any]:
        """How it goes: backend, events, lost, overhead_ns per call as calibrated, notes for people."""
