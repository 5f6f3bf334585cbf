# SPDX-License-Identifier: MIT
"""Where this directory is on PYTHONPATH: begins the recording that the variable FIREGLASS asks for, and
makes way for the sitecustomize that there is without it."""

import os
import sys


def _begin():
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    root = os.path.dirname(package)
    sys.path.insert(0, root)
    try:
        from fireglass._environment import begin_from_variable
    finally:
        sys.path.remove(root)
    begin_from_variable()


if os.environ.get("FIREGLASS"):
    _begin()
_here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if path != _here]
sys.path_importer_cache.pop(_here, None)
sys.modules.pop("sitecustomize", None)
import sitecustomize  # noqa: E402, F401
