# SPDX-License-Identifier: MIT
from ._blocked import blocked_loops as blocked_loops
from ._capture import Capture as Capture, formats as formats, load as load
from ._fireglass import Error as Error
from ._profile import Profile as Profile, profile as profile, start as start, stop as stop
from ._spans import span as span
from .tracing import trace as trace

__version__: str

def load_ipython_extension(shell: object) -> None: ...
def unload_ipython_extension(shell: object) -> None: ...
