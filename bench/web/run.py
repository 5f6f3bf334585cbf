#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What profiling requests costs those that are not profiled: processor time per request of a Flask worker.

    bench/web/run.py [--rounds N] [--requests N]

Needs an interpreter with flask and gunicorn (tests/inside/web/requirements.txt), and $FIREGLASS_EXT. One worker
with the middleware, one without; the states take turns in each round, in an order by chance, and what counts is
the time that the kernel says the worker's threads ran, so that a busy machine does little harm. Prints the
medians, and the ratio to the worker without the middleware: the median of the rounds' ratios, and quartiles.
"""

import argparse
import glob
import http.client
import os
import pathlib
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EXT = os.environ.get("FIREGLASS_EXT", str(ROOT / "build-gcc" / "ext"))
TOKEN = "a-token-for-benches"

APP = """
import flask, json, os, sys
app = flask.Flask(__name__)
ROWS = [{"name": "item %d" % i, "price": i * 1.5} for i in range(40)]
PAGE = "{% for row in rows %}<li>{{ row.name }}: {{ '%.2f' % row.price }}</li>{% endfor %}"

@app.route("/list/<int:number>")
def listing(number):
    return flask.render_template_string(PAGE, rows=ROWS)

@app.route("/checkout/<int:number>")
def checkout(number):
    return json.dumps(ROWS)

if os.environ["WITH"] == "1":
    from fireglass.web.flask import Fireglass
    Fireglass(app, token=os.environ["TOKEN"], directory=os.environ["KEPT"], rate=1000)
"""


class Worker:
    def __init__(self, folder, with_middleware):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]
        env = dict(
            os.environ, PYTHONPATH=os.pathsep.join([EXT, folder]),
            TOKEN=TOKEN, WITH=str(int(with_middleware)), KEPT=os.path.join(folder, "kept"),
        )  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--log-level", "error", "-k", "gthread", "--threads", "1",
             "--keep-alive", "60", "--bind", "127.0.0.1:%d" % self.port, "bench_app:app"],
            env=env, cwd=folder,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while True:
            try:
                self.ask("GET", "/list/1")
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        path = "/proc/%d/task/*/children" % self.process.pid
        (self.pid,) = [pid for name in glob.glob(path) for pid in open(name).read().split()]

    def ask(self, method, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, headers={"Authorization": "Bearer " + TOKEN})
        body = connection.getresponse().read()
        connection.close()
        return body

    def cpu_ns(self):
        """Of all threads that there are, ours as well."""
        total = 0
        for name in glob.glob("/proc/%s/task/*/schedstat" % self.pid):
            with open(name) as file:
                total += int(file.read().split()[0])
        return total

    def load(self, requests):
        """Nanoseconds of processor time per request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        began = self.cpu_ns()
        for i in range(requests):
            connection.request("GET", "/list/%d" % i)
            connection.getresponse().read()
        took = self.cpu_ns() - began
        connection.close()
        return took / requests

    def end(self):
        self.process.terminate()
        self.process.wait()


API = "/debug/fireglass/api/v1/"
STATES = {
    "nothing is asked for": ([], []),
    "campaign for others": (
        [("POST", API + "next?count=1000&route=/checkout/%3Cint:number%3E")],
        [("DELETE", API + "next")],
    ),
    "recorder at 50 Hz": ([("POST", API + "start")], [("POST", API + "stop")]),
    "these are profiled": (
        [("POST", API + "next?count=100000&route=/list/%3Cint:number%3E")],
        [("DELETE", API + "next")],
    ),
}


def measure(plain, worker, rounds, requests):
    found = {name: [] for name in ("no middleware", *STATES)}
    for _ in range(rounds):
        names = list(found)
        random.shuffle(names)
        for name in names:
            before, after = STATES.get(name, ([], []))
            for asked in before:
                worker.ask(*asked)
            used = plain if name == "no middleware" else worker
            used.load(10)
            found[name].append(used.load(requests))
            for asked in after:
                worker.ask(*asked)
            if after:
                time.sleep(0.3)  # what is finished later is not of the next state
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--requests", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "bench_app.py").write_text(APP)
        plain, worker = Worker(folder, False), Worker(folder, True)
        try:
            found = measure(plain, worker, options.rounds, options.requests)
        finally:
            plain.end()
            worker.end()
    base = found["no middleware"]
    print("%-24s %12s %8s   %s" % ("", "us / request", "ratio", "quartiles"))
    for name, times in found.items():
        ratios = [time_ns / other for time_ns, other in zip(times, base)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        print("%-24s %12.1f %8.3f   %.3f to %.3f"
              % (name, statistics.median(times) / 1e3, middle, low, high))  # fmt: skip


if __name__ == "__main__":
    main()
