# SPDX-License-Identifier: MIT
"""Spans: what the program works on, by its own names. `fireglass.span` is made in C (span_object.c).

In which span a task or a greenlet is goes with its context variables, which all that switches tasks
switches, too; samplers read them from memory. What is left to do here: decorated functions, and the
threads that are handed work, which have contexts of their own.
"""

import functools
import os
import sys
from _thread import allocate_lock

from ._fireglass import (
    _span_carry,
    _span_outside,
    span,
    span_close,
    span_current,
    span_enter,
    span_open,
    span_wanted,
)

__all__ = ["drive", "span", "span_current"]

# ---- functions -----------------------------------------------------------------------------------

_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200


def _flags(function):
    while isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, "__func__", function)
    return getattr(getattr(function, "__code__", None), "co_flags", 0)


def decorate(function, name=None, text=None, labels=None):
    """A function that does what the given one does, each call in a span of its own."""
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(decorate(function.__func__, name, text, labels))
    if not callable(function):
        raise TypeError(f"a span decorates functions, not {function!r}")
    if name is None:
        name = getattr(function, "__qualname__", None) or repr(function)
    make = functools.partial(span, name, text, **(labels or {}))
    flags = _flags(function)
    if flags & _ASYNC_GENERATOR:
        made = _asynchronous_generator(make, function)
    elif flags & _COROUTINE:
        made = _coroutine(make, function)
    elif flags & _GENERATOR:
        made = _generator(make, function)
    else:
        made = _plain(make, function)
    return functools.wraps(function)(made)


def _plain(make, function):
    def call(*args, **kwargs):
        with make():
            return function(*args, **kwargs)

    return call


def _coroutine(make, function):
    async def call(*args, **kwargs):
        with make():
            return await function(*args, **kwargs)

    return call


def _opened(make):
    shape = make()
    return span_open(span_current(), shape.name, shape.text)


def _generator(make, function):
    # it is in the span while it runs, not while it waits for the next step: that is its caller's time
    def call(*args, **kwargs):
        inner = function(*args, **kwargs)
        key = _opened(make)
        step, argument = inner.send, None
        try:
            while True:
                before = span_enter(key)
                try:
                    value = step(argument)
                except StopIteration as end:
                    return end.value
                finally:
                    span_enter(before)
                try:
                    step, argument = inner.send, (yield value)
                except GeneratorExit:
                    before = span_enter(key)
                    try:
                        inner.close()
                    finally:
                        span_enter(before)
                    raise
                except BaseException as error:  # noqa: BLE001 - goes into the generator
                    step, argument = inner.throw, error
        finally:
            span_close(key)

    return call


def _asynchronous_generator(make, function):
    async def call(*args, **kwargs):
        inner = function(*args, **kwargs)
        key = _opened(make)
        step, argument = inner.asend, None
        try:
            while True:
                try:
                    value = await drive(step(argument), key)
                except StopAsyncIteration:
                    return
                try:
                    step, argument = inner.asend, (yield value)
                except GeneratorExit:
                    await drive(inner.aclose(), key)
                    raise
                except BaseException as error:  # noqa: BLE001 - goes into the generator
                    step, argument = inner.athrow, error
        finally:
            span_close(key)

    return call


async def drive(awaitable, key):
    """Awaits it, in the span with this key (which is neither opened nor closed)."""
    before = span_enter(key)
    try:
        return await awaitable
    finally:
        span_enter(before)


# ---- threads that are handed work ----------------------------------------------------------------
#
# concurrent.futures (so loop.run_in_executor, too) and threading.Thread are followed while a session
# runs. What others have made of their methods in the meantime is left alone: then ours does nothing.

_lock = allocate_lock()
_methods = []  # (class, name, what was there, ours)
_active = False


def _start_as_child():
    global _lock
    _lock = allocate_lock()


os.register_at_fork(after_in_child=_start_as_child)


def _sessions_are(there):
    """Called (by C) when spans are used and the first session has come, or the last one is gone."""
    global _active
    with _lock:
        _active = bool(there)
        if _active:
            _follow("threading", "Thread", "start", _start)
            _follow_pools()
        else:
            while _methods:
                owner, name, original, ours = _methods.pop()
                if owner.__dict__.get(name) is ours:
                    setattr(owner, name, original)


def _follow_pools():
    # not imported for it; but who has the package uses it, and asyncio imports the rest of it late
    if "concurrent.futures" in sys.modules:
        import concurrent.futures.thread  # noqa: F401

        _follow("concurrent.futures.thread", "ThreadPoolExecutor", "submit", _submit)


def _follow(module, owner, name, make):
    if any(method[1] == name for method in _methods):
        return
    owner = getattr(sys.modules.get(module), owner, None)
    original = owner.__dict__.get(name) if owner else None
    if original is None:
        return
    ours = functools.wraps(original)(make(original))
    setattr(owner, name, ours)
    _methods.append((owner, name, original, ours))


def _takes_objects(pool):
    """Pools of sub-interpreters are sent what they do, as text."""
    others = sys.modules.get("concurrent.futures.interpreter")
    return not (others and isinstance(pool, others.InterpreterPoolExecutor))


def _submit(original):
    outside = _span_outside(original)  # a thread that is started for it will do other things, too

    def submit(self, fn, /, *args, **kwargs):
        if _active and span_current() and span_wanted() and _takes_objects(self):
            return outside(self, _span_carry(fn), *args, **kwargs)
        return original(self, fn, *args, **kwargs)

    return submit


def _start(original):
    def start(self):
        # those with a run() of their own are mostly workers that wait for many things to do
        target = getattr(self, "_target", None)
        plain = type(self).run is sys.modules["threading"].Thread.run
        if _active and target and plain and span_current() and span_wanted():
            self._target = _span_carry(target)
        return original(self)

    return start
