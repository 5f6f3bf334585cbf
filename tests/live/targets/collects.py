# SPDX-License-Identifier: MIT
"""Collects garbage nearly all the time."""

import gc
import sys

kept = [[i] for i in range(300000)]
gc.disable()
sys.stdout.write("ready\n")
sys.stdout.flush()
while True:
    gc.collect()
