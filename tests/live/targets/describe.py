# SPDX-License-Identifier: MIT
"""Prints all that a process has from who started it."""

import json
import os
import sys

with open("/proc/self/status") as f:
    status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
umask = os.umask(0)
fds = {}
for fd in sorted(os.listdir("/proc/self/fd"), key=int):
    try:
        fds[fd] = os.readlink("/proc/self/fd/" + fd).split(":")[0]
    except OSError:  # the directory itself
        pass
print(
    json.dumps(
        {
            "argv": sys.argv,
            "environ": dict(os.environ),
            "cwd": os.getcwd(),
            "umask": umask,
            "nice": os.nice(0),
            "affinity": sorted(os.sched_getaffinity(0)),
            "policy": os.sched_getscheduler(0),
            "group": os.getpgrp(),
            "fds": fds,
            "signals": [status[n] for n in ("SigBlk", "SigIgn")],
            "capabilities": [status[n] for n in ("CapInh", "CapPrm", "CapEff", "NoNewPrivs")],
        }
    )
)
