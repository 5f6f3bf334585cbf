# SPDX-License-Identifier: MIT
"""One recording: the session, its file, its outputs."""

import os

from . import _paths
from ._fireglass import Session


class Recording:
    """Of a Profile, from its start to its stop."""

    def __init__(self, number, owner):
        self.pid = os.getpid()
        self.paths = [_paths.expand(path, number) for path in owner.paths]
        self.session = None
        self._mode = owner.mode
        self._options = owner._options
        self._file = None
        self._captured = next((p for p in self.paths if _paths.is_capture(p)), None)

    def begin(self):
        others = [path for path in self.paths if path != self._captured]
        for path in others:
            _check_output(path)
        created = False
        if self._captured:
            self._file, created = _paths.open_kept(self._captured)
        else:
            self._file = _paths.nameless()
        try:
            self.session = _open_session(self._mode, self._file, self._options)
        except BaseException:
            os.close(self._file)
            if created:
                os.unlink(self._captured)
            raise
        return self.session

    def _readable(self):
        # by its descriptor: the name may have become another's, the directory may have changed
        return "/proc/self/fd/%d" % self._file

    def capture(self):
        from ._capture import Capture

        capture = Capture(self._readable())
        capture._path = self._captured
        os.close(self._file)
        return capture

    def so_far(self):
        from ._capture import Capture

        recorder = "max_age_ns" in self._options or "max_bytes" in self._options
        if not recorder:
            self.session.flush()
            return Capture(self._readable())
        copy = _paths.nameless()
        try:
            self.session.dump(copy)
            return Capture("/proc/self/fd/%d" % copy)
        finally:
            os.close(copy)

    def end(self):
        self.session.stop()

    def write(self, capture):
        for path in self.paths:
            if path != self._captured:
                capture.save(path)

    def abandon(self):
        session, self.session = self.session, None
        if session is not None:
            session.abandon()
            os.close(self._file)


def _check_output(path):
    from ._capture import format_of

    format_of(path)
    _paths.check_writable(path)


def _open_session(mode, fd, options):
    if mode == "python":
        return _python_session(fd, options)
    if mode == "cpu":
        return Session(fd, clock="cpu", **options)
    try:
        return Session(fd, **options)
    except PermissionError as error:
        import warnings

        warnings.warn(
            "fireglass: %s; a Python thread samples instead (mode='python')" % error,
            RuntimeWarning,
            stacklevel=5,
        )
        return _python_session(fd, options)


def _python_session(fd, options):
    from ._thread_sampler import PythonSession

    return PythonSession(fd, **options)
