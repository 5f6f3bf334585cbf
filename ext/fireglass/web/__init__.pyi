# SPDX-License-Identifier: MIT
from typing import Any, Callable, Dict, List, Mapping, Optional, Pattern, Union

__all__ = ["Match", "Profiler", "Request", "Waiting"]

_Headers = Mapping[str, Union[str, Pattern[str]]]

class Match:
    headers: Dict[str, Union[str, Pattern[str]]]
    method: Optional[str]
    path: Optional[str]
    route: Optional[str]
    slower_than_ms: float
    def __init__(
        self,
        route: Optional[str] = None,
        path: Optional[str] = None,
        method: Optional[str] = None,
        headers: Optional[_Headers] = None,
        slower_than_ms: float = 0,
    ) -> None: ...

class Request:
    id: str
    key: int
    kind: str
    method: str
    path: str
    route: Optional[str]
    status: int
    start_ns: int
    @property
    def duration_ns(self) -> int: ...
    def enter(self) -> int: ...
    @staticmethod
    def leave(entered: int) -> int: ...
    def answered(self) -> None: ...
    def end(self) -> None: ...
    def about(self) -> Dict[str, Any]: ...

class Waiting:
    name: str
    @property
    def path(self) -> str: ...
    def wait(self, timeout_s: Optional[float] = None) -> Optional[Dict[str, Any]]: ...
    def cancel(self) -> bool: ...

class Profiler:
    active: bool
    mount: Optional[str]
    rate: float
    def __init__(
        self,
        token: Optional[str] = None,
        *,
        directory: Optional[str] = None,
        mount: Optional[str] = "/debug/fireglass",
        rate: float = 1000,
        recent_rate: float = 0,
        keep_s: float = 300,
        keep_bytes: int = ...,
        slow_ms: float = 100,
        slowest: int = 20,
        window_s: float = 3600,
        max_captures: int = 200,
        max_bytes: int = ...,
        at_once: int = 4,
    ) -> None: ...
    def has_news(self) -> bool: ...
    def begin(
        self,
        kind: str,
        method: str,
        path: str,
        header: Callable[[str], Optional[str]],
        *,
        asked: Optional[str] = None,
        resolve: Optional[Callable[[], Optional[str]]] = None,
        root: str = "",
        only_asked: bool = False,
    ) -> Optional[Request]: ...
    def next(
        self,
        count: int = 1,
        *,
        route: Optional[str] = None,
        path: Optional[str] = None,
        method: Optional[str] = None,
        headers: Optional[_Headers] = None,
        slower_than_ms: float = 0,
        rate: Optional[float] = None,
        singly: int = 5,
        timeout_s: float = 600,
    ) -> Waiting: ...
    def cancel(self) -> bool: ...
    def campaign(self) -> Optional[Dict[str, Any]]: ...
    def on_signal(self, signum: int = ..., count: int = 100, **match: Any) -> Any: ...
    def start_recent(self) -> None: ...
    def stop_recent(self) -> None: ...
    def slowest(self) -> List[Dict[str, Any]]: ...
    def link(self, name: str, root: str = "", mount: Optional[str] = None) -> str: ...
    def close(self) -> None: ...
