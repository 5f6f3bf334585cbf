# SPDX-License-Identifier: MIT
"""Takes its time to be imported."""

import time


def compute():
    end = time.time() + 0.3
    while time.time() < end:
        pass
    return 3


STATUS = compute()
