# SPDX-License-Identifier: MIT
"""A Profile as a decorator."""

import functools

_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200


def _flags(function):
    while isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, "__func__", function)
    return getattr(getattr(function, "__code__", None), "co_flags", 0)


def decorate(profile, function):
    """A function that does what the given one does, while `profile` records. It has it as `.profile`."""
    flags = _flags(function)
    if flags & _ASYNC_GENERATOR:
        made = _asynchronous_generator(profile, function)
    elif flags & _COROUTINE:
        made = _coroutine(profile, function)
    elif flags & _GENERATOR:
        made = _generator(profile, function)
    else:
        made = _plain(profile, function)
    made = functools.wraps(function)(made)
    made.profile = profile
    return made


def _plain(profile, function):
    def call(*args, **kwargs):
        profile._call_begins()
        try:
            return function(*args, **kwargs)
        finally:
            profile._call_ends()

    return call


def _generator(profile, function):
    def call(*args, **kwargs):
        profile._call_begins()
        try:
            return (yield from function(*args, **kwargs))
        finally:
            profile._call_ends()

    return call


def _coroutine(profile, function):
    async def call(*args, **kwargs):
        profile._call_begins()
        try:
            return await function(*args, **kwargs)
        finally:
            profile._call_ends()

    return call


def _asynchronous_generator(profile, function):
    async def call(*args, **kwargs):
        profile._call_begins()
        try:
            inner = function(*args, **kwargs)
            step = inner.__anext__()
            while True:
                try:
                    value = await step
                except StopAsyncIteration:
                    return
                try:
                    step = inner.asend((yield value))
                except GeneratorExit:
                    await inner.aclose()
                    raise
                except BaseException as error:
                    step = inner.athrow(error)
        finally:
            profile._call_ends()

    return call
