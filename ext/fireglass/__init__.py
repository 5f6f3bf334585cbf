# SPDX-License-Identifier: MIT
"""fireglass: where this program spends its time, seen from inside.

    with fireglass.profile("out.html"):
        work()

See start(), stop(), profile(), span(), trace() and load(). Importing it starts nothing and changes nothing.
"""

from ._fireglass import Error, version as __version__

# What is loaded when it is first asked for, and from where.
_LATER = {
    "Capture": "_capture",
    "blocked_loops": "_blocked",
    "formats": "_capture",
    "load": "_capture",
    "Profile": "_profile",
    "profile": "_profile",
    "start": "_profile",
    "stop": "_profile",
    "span": "_spans",
    "trace": "tracing",
}

__all__ = ["Error", "__version__"] + sorted(_LATER)


def __getattr__(name):
    module = _LATER.get(name)
    if module is None:
        raise AttributeError("module %r has no attribute %r" % (__name__, name))
    from importlib import import_module

    value = getattr(import_module("." + module, __name__), name)
    globals()[name] = value
    return value


def load_ipython_extension(shell):
    """%load_ext fireglass"""
    from .ipython import load_ipython_extension as load

    load(shell)


def unload_ipython_extension(shell):
    """%unload_ext fireglass"""
    from .ipython import unload_ipython_extension as unload

    unload(shell)


def __dir__():
    return sorted(set(globals()) | set(_LATER))
