# SPDX-License-Identifier: MIT
"""A function for each millisecond: the name of a sample's leaf tells when it was taken.

The function of the millisecond k of CLOCK_MONOTONIC is `at_<k % PHASES>`.
"""

import signal
import sys
import time

PHASES = 4000
SOURCE = "def at_%d(end):\n    while clock() < end: pass\n"
SPACE = {"clock": time.monotonic}
exec("".join(SOURCE % k for k in range(PHASES)), SPACE)
FUNCTIONS = [SPACE["at_%d" % k] for k in range(PHASES)]


def main():
    signal.alarm(1800)  # in case that nobody ends it
    while True:
        k = int(time.monotonic() * 1000)
        FUNCTIONS[k % PHASES]((k + 1) / 1000)


if __name__ == "__main__":
    print("ready")
    sys.stdout.flush()
    main()
