# SPDX-License-Identifier: MIT
"""Which code to trace: functions, methods, classes and modules, or their names, as code objects.

    f, Class.method, a property, a partial     that function, without those defined in it
    Class                                      all that is defined in it
    module                                     all functions that live in its namespace
    "package.module", "package.module.name"    the same by name; imported if need be
    "package.*"                                a package and all of it that is imported
    code object                                itself
"""

import functools
import gc
import importlib
import importlib.util
import sys
import types


def code_of(only):
    """[code object], each once. ValueError, TypeError: for what has no code."""
    if isinstance(only, (str, types.ModuleType)) or not _is_collection(only):
        only = [only]
    found = {}
    for what in only:
        codes = _codes(what)
        if not codes:
            raise ValueError(
                "cannot trace %r: no Python code in it; name a Python function, class or module"
                % (what,)
            )
        found.update((id(code), code) for code in codes)
    return list(found.values())


def _is_collection(only):
    return isinstance(only, (list, tuple, set, frozenset)) or hasattr(only, "__next__")


def _codes(what):
    if isinstance(what, str):
        return _named(what)
    if isinstance(what, types.CodeType):
        return [what]
    if isinstance(what, types.ModuleType):
        return _module(what)
    if isinstance(what, type):
        return _class(what, set())
    return [f.__code__ for f in _functions(what)]


def _functions(what):
    """The Python functions behind a callable or an attribute of a class."""
    if isinstance(what, property):
        return [f for part in (what.fget, what.fset, what.fdel) if part for f in _functions(part)]
    for _ in range(100):  # a wrapper may claim to wrap itself
        if isinstance(what, (classmethod, staticmethod, types.MethodType)):
            what = what.__func__
        elif isinstance(what, (functools.partial, functools.partialmethod)):
            what = what.func
        elif isinstance(what, functools.cached_property):
            what = what.func
        elif hasattr(what, "__wrapped__"):
            what = what.__wrapped__
        else:
            break
    return [what] if isinstance(getattr(what, "__code__", None), types.CodeType) else []


def _nested(code, found):
    """A code object with all that is defined in it."""
    if id(code) in found:
        return
    found[id(code)] = code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            _nested(const, found)


def _class(cls, seen):
    found = {}
    seen.add(cls)
    for part in list(vars(cls).values()):
        if isinstance(part, type):
            inner = part.__qualname__.startswith(cls.__qualname__ + ".")
            codes = _class(part, seen) if inner and part not in seen else []
        else:
            codes = [f.__code__ for f in _functions(part)]
        for code in codes:
            _nested(code, found)
    return list(found.values())


def _module(module):
    """By their globals: also those that decorators have hidden."""
    namespace, found = vars(module), {}
    for function in gc.get_objects():
        if type(function) is types.FunctionType and function.__globals__ is namespace:
            _nested(function.__code__, found)
    return list(found.values())


def _named(name):
    if name.endswith(".*"):
        package = _import(name[:-2])
        names = [n for n in list(sys.modules) if n.startswith(package.__name__ + ".")]
        modules = [package] + [sys.modules[n] for n in names]
        return [code for m in modules if isinstance(m, types.ModuleType) for code in _module(m)]
    module, path = _split(name)
    what = module
    for part in path:
        if not hasattr(what, part):
            raise ValueError("cannot trace %r: %r has no %r" % (name, what, part))
        # what the class holds, not what access to it makes of it
        what = vars(what).get(part, getattr(what, part)) if isinstance(what, type) else getattr(
            what, part
        )
    return _codes(what)


def _import(name):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ValueError("cannot trace %r: cannot import it: %s" % (name, error)) from error


def _split(name):
    """The longest part of a dotted name that is a module, and the rest."""
    parts = name.replace(":", ".").split(".")
    for count in range(len(parts), 0, -1):
        module = ".".join(parts[:count])
        if module in sys.modules:
            return sys.modules[module], parts[count:]
        try:
            found = importlib.util.find_spec(module)
        except (ImportError, ValueError, AttributeError):
            continue  # its parent is no package
        if found:
            return _import(module), parts[count:]
    raise ValueError("cannot trace %r: no module %r; is it installed?" % (name, parts[0]))
