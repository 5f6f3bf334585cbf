# SPDX-License-Identifier: MIT
"""Applications under real servers, asked over loopback.

These run with the interpreter that pytest runs with, which has the frameworks of requirements.txt.
"""

import contextlib
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlencode

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
EXT = os.environ.get("FIREGLASS_EXT", str(ROOT / "build-gcc" / "ext"))
sys.path.insert(0, EXT)

TOKEN = "a-token-for-tests"
MOUNT = "/debug/fireglass"
DEADLINE_S = 60


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.text)


class Client:
    def __init__(self, port, process, log):
        self.port = port
        self.process = process
        self.log = log

    def ask(self, path, method="GET", headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        with contextlib.closing(connection):
            connection.request(method, path, headers=headers or {})
            try:
                return Answer(connection.getresponse())
            except TimeoutError:
                pytest.fail("no answer to %s %s\n%s" % (method, path, self.log.read_text()))

    def api(self, path, method="GET", **parameters):
        """One of the debug endpoints, with the token."""
        query = "?" + urlencode(parameters, doseq=True) if parameters else ""
        headers = {"Authorization": "Bearer " + TOKEN}
        return self.ask(MOUNT + path + query, method, headers)

    def capture(self, name, path):
        """The capture of this name, read."""
        import fireglass

        deadline = time.monotonic() + DEADLINE_S
        while True:
            answer = self.api("/api/v1/captures/" + name)
            if answer.status == 200:
                break
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.05)
        path.write_bytes(answer.body)
        return fireglass.load(str(path))

    def about(self, name):
        """What is told of it, once it is there."""

        def told():
            captures = self.api("/api/v1/captures").json["captures"]
            return next((about for about in captures if about["name"] == name), None)

        return self.until(told)

    def until(self, look):
        """What look() gives, as soon as it is something."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            found = look()
            if found:
                return found
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)


def free_port():
    """Below those that the kernel gives to connections: nobody takes it before the server does."""
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as taken:
            try:
                taken.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def wait_for_port(process, port, log):
    deadline = time.monotonic() + DEADLINE_S
    while True:
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)


@pytest.fixture
def environment(tmp_path):
    return dict(
        os.environ,
        PYTHONPATH=os.pathsep.join([EXT, str(HERE / "apps")]),
        PYTHONDONTWRITEBYTECODE="1",
        TEST_DIRECTORY=str(tmp_path / "kept"),
    )


@pytest.fixture
def serve(tmp_path, environment):
    """serve(*argv, **environment): a Client of the server, which is ended after the test. argv are words
    for the interpreter, or begin with a program beside it; PORT in them becomes a free port."""
    started = []

    def start(*argv, **more):
        port = free_port()
        log = tmp_path / "server.log"
        program = pathlib.Path(sys.executable)
        if not argv[0].startswith(("-", "/")):
            program, argv = program.parent / argv[0], argv[1:]
        argv = [str(program), *(str(word).replace("PORT", str(port)) for word in argv)]
        with log.open("ab") as out:
            process = subprocess.Popen(
                argv, cwd=str(tmp_path), env=dict(environment, **more),
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        started.append(process)
        wait_for_port(process, port, log)
        return Client(port, process, log)

    yield start
    for process in started:
        end(process)


def end(process):
    """The server and its workers, which are in a session of their own."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def functions_of(capture):
    """The names of all functions in stacks, with how many samples have them."""
    found = {}
    for sample in capture.samples():
        for name in {name for name, _, _ in sample["stack"]}:
            found[name] = found.get(name, 0) + sample["count"]
    return found


@pytest.fixture
def functions():
    return functions_of
