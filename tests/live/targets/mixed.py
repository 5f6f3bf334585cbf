# SPDX-License-Identifier: MIT
"""A main thread that burns, a thread that waits, one more that burns if asked to."""

import os
import sys
import threading


def waiting():
    return os.read(0, 1)


def burning(announce=False):
    n = 0
    if announce:
        print("ready")
        sys.stdout.flush()
    while True:
        n += 1


def main(burners):
    for name, function in [("waiter", waiting)] + [("burner", burning)] * burners:
        thread = threading.Thread(target=function, name=name)
        thread.daemon = True
        thread.start()
    burning(True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
