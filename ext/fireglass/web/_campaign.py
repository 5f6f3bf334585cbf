# SPDX-License-Identifier: MIT
"""The next N requests that match: sampled by whichever workers they come to, told as one capture.

In the store there is a directory for it while it goes on. A worker that samples has there PID.open,
which holds the name of its session's file, and PID.done with what it took instead when it is through.
Who finds that nobody is at it any more puts the parts together.
"""

import json
import os
import shutil
import time

from . import _cut
from ._log import log
from ._match import Match
from ._takers import write_json

GRACE_S = 10.0


class Campaign:
    def __init__(self, store, wanted):
        self.id = wanted["id"]
        self.match = Match.from_json(wanted["match"])
        self.count = wanted["count"]
        self.rate = wanted["rate"]
        self.singly = wanted["singly"]
        self.until = wanted["until"]  # time.time()
        self.began_ns = wanted["began_ns"]
        self.path = os.path.join(store.path, self.id)

    @staticmethod
    def wanted(store, match, count, rate, singly, timeout_s):
        """As it is told to all workers."""
        name = store.new_name("next")
        os.mkdir(os.path.join(store.path, name), 0o700)
        return {
            "id": name,
            "match": match.to_json(),
            "count": count,
            "rate": rate,
            "singly": singly,
            "until": time.time() + timeout_s,
            "began_ns": time.time_ns(),
        }

    # ---- in workers ------------------------------------------------------------------------------

    def note_open(self, pid, session_path):
        write_json(os.path.join(self.path, "%d.open" % pid), {"file": session_path})

    def note_done(self, pid, taken):
        path = os.path.join(self.path, "%d.open" % pid)
        with open(path, encoding="utf-8") as file:
            part = json.load(file)
        part["taken"] = taken
        write_json(os.path.join(self.path, "%d.done" % pid), part)
        os.unlink(path)

    # ---- the end ---------------------------------------------------------------------------------

    def is_complete(self):
        """Nobody is at it any more."""
        try:
            names = os.listdir(self.path)
        except FileNotFoundError:
            return True
        pids = [int(name[: -len(".open")]) for name in names if name.endswith(".open")]
        return not any(map(_is_alive, pids))

    def assemble_if_complete(self, store):
        if not self.is_complete():
            return
        try:
            # whose renaming works does it
            os.rename(self.path, self.path + ".whole")
        except OSError:
            return
        try:
            self._assemble(store)
        except (OSError, RuntimeError, ValueError) as error:
            log.error("fireglass: the capture of %s could not be made: %s", self.id, error)
            store.add_failure(self.id, dict(self._about([]), error=str(error)))
        finally:
            shutil.rmtree(self.path + ".whole", ignore_errors=True)

    def _assemble(self, store):
        parts, taken = self._parts()
        paths = [part["file"] for part in parts]
        taken.sort(key=lambda request: request["start_ns"])
        about = self._about(taken)
        slowest = sorted(taken, key=lambda request: -request["duration_ns"])[: self.singly]
        about["slowest"] = []
        for rank, request in enumerate(slowest, 1):
            name = "%s-slowest-%d" % (self.id, rank)
            own = dict(request, kind="single", of=self.id)
            store.add(name, _cut.cut_to_store(store, paths, {request["id"]}), own)
            about["slowest"].append(name)
        ids = {request["id"] for request in taken}
        store.add(self.id, _cut.cut_to_store(store, paths, ids), about)
        for path in paths:
            os.unlink(path)

    def _parts(self):
        parts, taken = [], []
        folder = self.path + ".whole"
        for name in sorted(os.listdir(folder)):
            if not name.endswith((".open", ".done")):
                continue
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                part = json.load(file)
            parts.append(part)
            # a worker that was killed told nothing: which of its requests count nobody knows
            taken += part.get("taken", [])
        return parts, taken

    def _about(self, taken):
        return {
            "kind": "next",
            "match": str(self.match),
            "wanted": self.count,
            "start_ns": self.began_ns,
            "duration_ns": time.time_ns() - self.began_ns,
            "requests": taken,
        }


def _is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
