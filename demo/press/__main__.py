# SPDX-License-Identifier: MIT
"""python3 demo/press --seconds 6, or python3 -m press from the directory above."""

import os
import sys

if not __package__:
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from press.app import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
