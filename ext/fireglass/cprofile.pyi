# SPDX-License-Identifier: MIT
from types import CodeType
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, TypeVar, Union
import os

__all__ = ["Profile", "label", "run", "runctx"]

_T = TypeVar("_T")
_Key = Tuple[str, int, str]
_Sort = Union[str, int, Tuple[Union[str, int], ...]]
_File = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]

class profiler_subentry(NamedTuple):
    code: Union[CodeType, str]
    callcount: int
    reccallcount: int
    totaltime: float
    inlinetime: float

class profiler_entry(NamedTuple):
    code: Union[CodeType, str]
    callcount: int
    reccallcount: int
    totaltime: float
    inlinetime: float
    calls: Optional[List[profiler_subentry]]

class Profile:
    stats: Dict[_Key, Tuple[int, int, float, float, Dict[_Key, Tuple[int, int, float, float]]]]
    def __init__(
        self,
        timer: Optional[Callable[[], Union[int, float]]] = None,
        timeunit: float = 0.0,
        subcalls: bool = True,
        builtins: bool = True,
        *,
        threads: bool = False,
    ) -> None: ...
    def enable(self, subcalls: Optional[bool] = None, builtins: Optional[bool] = None) -> None: ...
    def disable(self) -> None: ...
    def clear(self) -> None: ...
    def getstats(self) -> List[profiler_entry]: ...
    def print_stats(self, sort: _Sort = -1) -> None: ...
    def dump_stats(self, file: _File) -> None: ...
    def create_stats(self) -> None: ...
    def snapshot_stats(self) -> None: ...
    def run(self, cmd: Union[str, CodeType]) -> "Profile": ...
    def runctx(
        self, cmd: Union[str, CodeType], globals: Dict[str, Any], locals: Optional[Mapping[str, Any]]
    ) -> "Profile": ...
    def runcall(self, func: Callable[..., _T], /, *args: Any, **kw: Any) -> _T: ...
    def __enter__(self) -> "Profile": ...
    def __exit__(self, *exc_info: Any) -> None: ...

def label(code: Union[CodeType, str]) -> _Key: ...
def run(statement: str, filename: Optional[str] = None, sort: _Sort = -1) -> None: ...
def runctx(
    statement: Union[str, CodeType],
    globals: Dict[str, Any],
    locals: Optional[Mapping[str, Any]],
    filename: Optional[str] = None,
    sort: _Sort = -1,
) -> None: ...
def main(argv: Optional[Sequence[str]] = None) -> None: ...
