# SPDX-License-Identifier: MIT
"""Tasks of Celery, in a pool of forked processes and in one of threads."""

import contextlib
import os
import subprocess
import sys
import time

import pytest
from conftest import TOKEN, end

SEND = """
import json, os, sys
import celery_app
sent = [getattr(celery_app, name).apply_async(headers=headers)
        for name, headers in json.loads(sys.argv[1])]
for task in sent:
    task.get(timeout=60, propagate=False)
"""


@contextlib.contextmanager
def worker(pool, tmp_path, environment):
    log = tmp_path / "worker.log"
    argv = [
        sys.executable, "-m", "celery", "-A", "celery_app", "worker", "-P", pool, "-c", "2",
        "-l", "info", "--without-gossip", "--without-mingle", "--without-heartbeat",
    ]  # fmt: skip
    with log.open("wb") as out:
        process = subprocess.Popen(
            argv, cwd=str(tmp_path), env=environment, stdin=subprocess.DEVNULL, stdout=out,
            stderr=out, start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while b" ready." not in log.read_bytes():
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield log
    finally:
        end(process)


def send(tasks, tmp_path, environment, log):
    import json

    done = subprocess.run(
        [sys.executable, "-c", SEND, json.dumps(tasks)], cwd=str(tmp_path), env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + log.read_text()


@pytest.mark.parametrize("pool", ["prefork", "threads", "gevent"])
def test_tasks(pool, tmp_path, environment, functions):
    import fireglass
    import fireglass.web

    os.mkdir(environment["TEST_DIRECTORY"], 0o700)
    profiler = fireglass.web.Profiler(TOKEN, directory=environment["TEST_DIRECTORY"], rate=500)
    with worker(pool, tmp_path, environment) as log:
        waiting = profiler.next(4, route="shop.checkout", method="TASK")
        send([("other", None), ("checkout", None)] * 6, tmp_path, environment, log)
        about = waiting.wait(60)
        assert about is not None, log.read_text()
        assert [request["route"] for request in about["requests"]] == ["shop.checkout"] * 4
        capture = fireglass.load(waiting.path)
        assert len(capture.spans()) == 4
        found = functions(capture)
        assert "checkout_work" in found
        assert "other_work" not in found

        # one that is asked for, and that fails
        tasks = [
            ("other", None),
            ("broken", {"fireglass": TOKEN}),
            ("checkout", {"fireglass": "x"}),
        ]
        send(tasks, tmp_path, environment, log)
        deadline = time.monotonic() + 60
        while not profiler.store.list("request"):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        (single,) = profiler.store.list("request")
        assert (single["route"], single["status"]) == ("shop.broken", 500)
        (span,) = fireglass.load(profiler.store.file(single["name"])).spans()
        assert span["name"] == "task"
        assert span["samples"] >= 5
