# SPDX-License-Identifier: MIT
"""python -m fireglass run|trace PROGRAM, or any command of fireglass's."""

import sys

from fireglass._run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
