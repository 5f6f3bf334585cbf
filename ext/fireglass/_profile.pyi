# SPDX-License-Identifier: MIT
from os import PathLike
from types import TracebackType
from typing import (
    Any, Callable, Dict, List, Literal, Optional, Sequence, Type, TypeVar, Union, overload,
)  # fmt: skip

from ._capture import Capture

__all__ = ["Profile", "profile", "start", "stop"]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Self = TypeVar("_Self", bound="Profile")
_Path = Union[str, "PathLike[str]"]
_Paths = Union[_Path, Sequence[_Path], None]
_Rate = Union[float, Literal["max"], None]
_Mode = Literal["thread", "cpu", "python"]
_Fork = Literal["ignore", "follow"]

class Profile:
    mode: _Mode
    fork: _Fork
    paths: List[str]
    def __init__(
        self,
        path: _Paths = None,
        *,
        rate: _Rate = None,
        mode: _Mode = "thread",
        idle: bool = True,
        gil: bool = False,
        jitter: bool = True,
        spans_only: bool = False,
        keep: Optional[float] = None,
        max_bytes: Optional[int] = None,
        fork: _Fork = "ignore",
        command: Optional[str] = None,
    ) -> None: ...
    @property
    def running(self) -> bool: ...
    @property
    def capture(self) -> Optional[Capture]: ...
    @property
    def path(self) -> Optional[str]: ...
    def start(self: _Self) -> _Self: ...
    def stop(self) -> Capture: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def flush(self) -> None: ...
    def dump(self, path: _Path, *, last: Optional[float] = None) -> Capture: ...
    def counts(self) -> Dict[str, int]: ...
    def __enter__(self: _Self) -> _Self: ...
    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None: ...
    async def __aenter__(self: _Self) -> _Self: ...
    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None: ...
    def __call__(self, function: _Function) -> _Function: ...

@overload
def profile(path: _Function) -> _Function: ...
@overload
def profile(
    path: _Paths = None,
    *,
    rate: _Rate = None,
    mode: _Mode = "thread",
    idle: bool = True,
    gil: bool = False,
    jitter: bool = True,
    spans_only: bool = False,
    keep: Optional[float] = None,
    max_bytes: Optional[int] = None,
    fork: _Fork = "ignore",
    command: Optional[str] = None,
) -> Profile: ...
def start(
    path: _Paths = None,
    *,
    rate: _Rate = None,
    mode: _Mode = "thread",
    idle: bool = True,
    gil: bool = False,
    jitter: bool = True,
    spans_only: bool = False,
    keep: Optional[float] = None,
    max_bytes: Optional[int] = None,
    fork: _Fork = "ignore",
    command: Optional[str] = None,
) -> Profile: ...
def stop() -> Capture: ...
