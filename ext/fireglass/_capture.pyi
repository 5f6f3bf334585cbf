# SPDX-License-Identifier: MIT
from datetime import datetime
from os import PathLike
from typing import (
    IO, Any, Callable, Dict, Iterator, List, Literal, Optional, Pattern, Sequence, Tuple,
    TypedDict, Union, overload,
)  # fmt: skip

__all__ = ["Capture", "formats", "load"]

_Path = Union[str, "PathLike[str]"]
_Patterns = Union[str, Sequence[str], None]
_Moment = Union[float, datetime, None]
_Mode = Literal["wall", "cpu", "gil", "all"]
_Granularity = Literal["lines", "functions", "files", "modules"]
_Shape = Literal["table", "callers", "callees", "tree"]
_Source = Union[bool, Callable[[str], Optional[Tuple[str, str]]]]
_Frame = Tuple[str, str, int]  # function, file, line

class ProcessRow(TypedDict):
    process: int
    pid: int
    name: str
    command: str
    start_ns: int
    end_ns: Optional[int]

class ThreadRow(TypedDict):
    thread: int
    process: int
    pid: int
    tid: int
    name: str
    main: bool
    start_ns: int
    end_ns: Optional[int]
    samples: int
    cpu_ns: int

class SpanRow(TypedDict):
    span: int
    name: str
    text: str
    process: int
    thread: Optional[int]
    parent: Optional[int]
    start_ns: int
    end_ns: Optional[int]
    samples: int
    cpu_ns: int

class MarkerRow(TypedDict):
    name: str
    text: str
    process: Optional[int]
    thread: Optional[int]
    start_ns: int
    end_ns: int

class FunctionRow(TypedDict):
    function: str
    file: str
    first_line: int
    kind: Literal["python", "mark", "thread", "place"]
    self: int
    total: int
    self_ns: Optional[int]
    total_ns: Optional[int]
    self_cpu_ns: int
    total_cpu_ns: int

class LineRow(FunctionRow):
    line: int

class SampleRow(TypedDict):
    time_ns: int
    thread: int
    tid: int
    stack: Tuple[_Frame, ...]
    count: int
    cpu_ns: int
    state: Literal["unknown", "on cpu", "runnable", "waiting", "stopped"]
    span: Optional[int]
    holds_gil: bool
    waits_for_gil: bool
    in_gc: bool
    cut: bool
    unreadable: bool

class Counts(TypedDict):
    shown: int
    left_out: int
    unreadable: int
    cut: int
    lost: int

class Losses(TypedDict):
    missed: int
    room: int
    space: int

def formats() -> List[Tuple[str, str, str]]: ...
def format_of(path: _Path) -> str: ...
def load(path: _Path, *, format: Optional[str] = None) -> Capture: ...

class Capture:
    def __init__(self, path: _Path, *, format: Optional[str] = None) -> None: ...
    @property
    def path(self) -> Optional[str]: ...
    @property
    def duration(self) -> float: ...
    @property
    def period(self) -> Optional[float]: ...
    @property
    def finished(self) -> bool: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> Literal[True]: ...
    def facts(self) -> Dict[str, str]: ...
    def processes(self) -> List[ProcessRow]: ...
    def threads(self) -> List[ThreadRow]: ...
    def spans(self, pattern: Union[str, Pattern[str], None] = None) -> List[SpanRow]: ...
    def markers(self) -> List[MarkerRow]: ...
    def losses(self) -> Losses: ...
    def _repr_html_(self) -> str: ...
    # selections, and options of exporters: see the class's docstring
    def select(
        self,
        *,
        mode: Optional[_Mode] = None,
        start: _Moment = None,
        end: _Moment = None,
        span: Union[int, _Patterns] = None,
        thread: Union[int, _Patterns] = None,
        process: Union[int, _Patterns] = None,
        focus: _Patterns = None,
        ignore: _Patterns = None,
        hide: _Patterns = None,
        root: _Patterns = None,
        granularity: Optional[_Granularity] = None,
        collapse_recursion: bool = False,
        threads: bool = False,
        processes: bool = False,
        min_percent: Optional[float] = None,
    ) -> Capture: ...
    def counts(
        self,
        *,
        mode: Optional[_Mode] = None,
        start: _Moment = None,
        end: _Moment = None,
        span: Union[int, _Patterns] = None,
        thread: Union[int, _Patterns] = None,
        process: Union[int, _Patterns] = None,
        focus: _Patterns = None,
        ignore: _Patterns = None,
        hide: _Patterns = None,
        root: _Patterns = None,
        granularity: Optional[_Granularity] = None,
        collapse_recursion: bool = False,
        threads: bool = False,
        processes: bool = False,
        min_percent: Optional[float] = None,
    ) -> Counts: ...
    def functions(
        self,
        *,
        mode: Optional[_Mode] = None,
        start: _Moment = None,
        end: _Moment = None,
        span: Union[int, _Patterns] = None,
        thread: Union[int, _Patterns] = None,
        process: Union[int, _Patterns] = None,
        focus: _Patterns = None,
        ignore: _Patterns = None,
        hide: _Patterns = None,
        root: _Patterns = None,
        granularity: Optional[_Granularity] = None,
        collapse_recursion: bool = False,
        threads: bool = False,
        processes: bool = False,
        min_percent: Optional[float] = None,
    ) -> List[FunctionRow]: ...
    def lines(
        self,
        *,
        mode: Optional[_Mode] = None,
        start: _Moment = None,
        end: _Moment = None,
        span: Union[int, _Patterns] = None,
        thread: Union[int, _Patterns] = None,
        process: Union[int, _Patterns] = None,
        focus: _Patterns = None,
        ignore: _Patterns = None,
        hide: _Patterns = None,
        root: _Patterns = None,
        granularity: Optional[_Granularity] = None,
        collapse_recursion: bool = False,
        threads: bool = False,
        processes: bool = False,
        min_percent: Optional[float] = None,
    ) -> List[LineRow]: ...
    def samples(
        self,
        *,
        mode: Optional[_Mode] = None,
        start: _Moment = None,
        end: _Moment = None,
        span: Union[int, _Patterns] = None,
        thread: Union[int, _Patterns] = None,
        process: Union[int, _Patterns] = None,
        focus: _Patterns = None,
        ignore: _Patterns = None,
        hide: _Patterns = None,
        root: _Patterns = None,
        granularity: Optional[_Granularity] = None,
        collapse_recursion: bool = False,
        threads: bool = False,
        processes: bool = False,
        min_percent: Optional[float] = None,
    ) -> Iterator[SampleRow]: ...
    def stats(
        self,
        by: Literal["function", "line", "file", "module", "thread", "span"] = "function",
        *,
        mode: Optional[_Mode] = None,
        start: _Moment = None,
        end: _Moment = None,
        span: Union[int, _Patterns] = None,
        thread: Union[int, _Patterns] = None,
        process: Union[int, _Patterns] = None,
        focus: _Patterns = None,
        ignore: _Patterns = None,
        hide: _Patterns = None,
        root: _Patterns = None,
        granularity: Optional[_Granularity] = None,
        collapse_recursion: bool = False,
        threads: bool = False,
        processes: bool = False,
        min_percent: Optional[float] = None,
    ) -> List[Dict[str, Any]]: ...
    def top(
        self,
        n: int = 10,
        *,
        shape: _Shape = "table",
        mode: Optional[_Mode] = None,
        start: _Moment = None,
        end: _Moment = None,
        span: Union[int, _Patterns] = None,
        thread: Union[int, _Patterns] = None,
        process: Union[int, _Patterns] = None,
        focus: _Patterns = None,
        ignore: _Patterns = None,
        hide: _Patterns = None,
        root: _Patterns = None,
        granularity: Optional[_Granularity] = None,
        collapse_recursion: bool = False,
        threads: bool = False,
        processes: bool = False,
        min_percent: Optional[float] = None,
        title: Optional[str] = None,
        no_lines: bool = False,
        full_paths: bool = False,
        inverted: bool = False,
        color: bool = False,
        source: _Source = True,
        baseline: Optional[Capture] = None,
    ) -> str: ...
    def to_folded(
        self,
        *,
        mode: Optional[_Mode] = None,
        start: _Moment = None,
        end: _Moment = None,
        span: Union[int, _Patterns] = None,
        thread: Union[int, _Patterns] = None,
        process: Union[int, _Patterns] = None,
        focus: _Patterns = None,
        ignore: _Patterns = None,
        hide: _Patterns = None,
        root: _Patterns = None,
        granularity: Optional[_Granularity] = None,
        collapse_recursion: bool = False,
        threads: bool = False,
        processes: bool = False,
        min_percent: Optional[float] = None,
        title: Optional[str] = None,
        no_lines: bool = False,
        full_paths: bool = False,
        inverted: bool = False,
        color: bool = False,
        source: _Source = True,
        baseline: Optional[Capture] = None,
    ) -> str: ...
    def to_pprof(
        self,
        *,
        mode: Optional[_Mode] = None,
        start: _Moment = None,
        end: _Moment = None,
        span: Union[int, _Patterns] = None,
        thread: Union[int, _Patterns] = None,
        process: Union[int, _Patterns] = None,
        focus: _Patterns = None,
        ignore: _Patterns = None,
        hide: _Patterns = None,
        root: _Patterns = None,
        granularity: Optional[_Granularity] = None,
        collapse_recursion: bool = False,
        threads: bool = False,
        processes: bool = False,
        min_percent: Optional[float] = None,
        title: Optional[str] = None,
        no_lines: bool = False,
        full_paths: bool = False,
        inverted: bool = False,
        color: bool = False,
        source: _Source = True,
        baseline: Optional[Capture] = None,
    ) -> bytes: ...
    def to_svg(
        self,
        *,
        mode: Optional[_Mode] = None,
        start: _Moment = None,
        end: _Moment = None,
        span: Union[int, _Patterns] = None,
        thread: Union[int, _Patterns] = None,
        process: Union[int, _Patterns] = None,
        focus: _Patterns = None,
        ignore: _Patterns = None,
        hide: _Patterns = None,
        root: _Patterns = None,
        granularity: Optional[_Granularity] = None,
        collapse_recursion: bool = False,
        threads: bool = False,
        processes: bool = False,
        min_percent: Optional[float] = None,
        title: Optional[str] = None,
        no_lines: bool = False,
        full_paths: bool = False,
        inverted: bool = False,
        color: bool = False,
        source: _Source = True,
        baseline: Optional[Capture] = None,
    ) -> str: ...
    def to_html(
        self,
        *,
        mode: Optional[_Mode] = None,
        start: _Moment = None,
        end: _Moment = None,
        span: Union[int, _Patterns] = None,
        thread: Union[int, _Patterns] = None,
        process: Union[int, _Patterns] = None,
        focus: _Patterns = None,
        ignore: _Patterns = None,
        hide: _Patterns = None,
        root: _Patterns = None,
        granularity: Optional[_Granularity] = None,
        collapse_recursion: bool = False,
        threads: bool = False,
        processes: bool = False,
        min_percent: Optional[float] = None,
        title: Optional[str] = None,
        no_lines: bool = False,
        full_paths: bool = False,
        inverted: bool = False,
        color: bool = False,
        source: _Source = True,
        baseline: Optional[Capture] = None,
    ) -> str: ...
    def to_speedscope(
        self,
        *,
        mode: Optional[_Mode] = None,
        start: _Moment = None,
        end: _Moment = None,
        span: Union[int, _Patterns] = None,
        thread: Union[int, _Patterns] = None,
        process: Union[int, _Patterns] = None,
        focus: _Patterns = None,
        ignore: _Patterns = None,
        hide: _Patterns = None,
        root: _Patterns = None,
        granularity: Optional[_Granularity] = None,
        collapse_recursion: bool = False,
        threads: bool = False,
        processes: bool = False,
        min_percent: Optional[float] = None,
        title: Optional[str] = None,
        no_lines: bool = False,
        full_paths: bool = False,
        inverted: bool = False,
        color: bool = False,
        source: _Source = True,
        baseline: Optional[Capture] = None,
    ) -> str: ...
    @overload
    def export(
        self,
        format: str,
        fd: None = None,
        *,
        mode: Optional[_Mode] = None,
        start: _Moment = None,
        end: _Moment = None,
        span: Union[int, _Patterns] = None,
        thread: Union[int, _Patterns] = None,
        process: Union[int, _Patterns] = None,
        focus: _Patterns = None,
        ignore: _Patterns = None,
        hide: _Patterns = None,
        root: _Patterns = None,
        granularity: Optional[_Granularity] = None,
        collapse_recursion: bool = False,
        threads: bool = False,
        processes: bool = False,
        min_percent: Optional[float] = None,
        title: Optional[str] = None,
        no_lines: bool = False,
        full_paths: bool = False,
        inverted: bool = False,
        rows: Optional[int] = None,
        shape: _Shape = "table",
        color: bool = False,
        source: _Source = True,
        baseline: Optional[Capture] = None,
    ) -> bytes: ...
    @overload
    def export(
        self,
        format: str,
        fd: Union[int, IO[Any]],
        *,
        mode: Optional[_Mode] = None,
        start: _Moment = None,
        end: _Moment = None,
        span: Union[int, _Patterns] = None,
        thread: Union[int, _Patterns] = None,
        process: Union[int, _Patterns] = None,
        focus: _Patterns = None,
        ignore: _Patterns = None,
        hide: _Patterns = None,
        root: _Patterns = None,
        granularity: Optional[_Granularity] = None,
        collapse_recursion: bool = False,
        threads: bool = False,
        processes: bool = False,
        min_percent: Optional[float] = None,
        title: Optional[str] = None,
        no_lines: bool = False,
        full_paths: bool = False,
        inverted: bool = False,
        rows: Optional[int] = None,
        shape: _Shape = "table",
        color: bool = False,
        source: _Source = True,
        baseline: Optional[Capture] = None,
    ) -> None: ...
    def save(
        self,
        path: _Path,
        format: Optional[str] = None,
        *,
        mode: Optional[_Mode] = None,
        start: _Moment = None,
        end: _Moment = None,
        span: Union[int, _Patterns] = None,
        thread: Union[int, _Patterns] = None,
        process: Union[int, _Patterns] = None,
        focus: _Patterns = None,
        ignore: _Patterns = None,
        hide: _Patterns = None,
        root: _Patterns = None,
        granularity: Optional[_Granularity] = None,
        collapse_recursion: bool = False,
        threads: bool = False,
        processes: bool = False,
        min_percent: Optional[float] = None,
        title: Optional[str] = None,
        no_lines: bool = False,
        full_paths: bool = False,
        inverted: bool = False,
        rows: Optional[int] = None,
        shape: _Shape = "table",
        color: bool = False,
        source: _Source = True,
        baseline: Optional[Capture] = None,
    ) -> str: ...
