# SPDX-License-Identifier: MIT
"""A running `fireglass serve` and what speaks to it; no test here."""

import http.client
import json
import os
import re
import socket
import struct
import subprocess
import time
import urllib.parse

import harness

# Two functions that share the time, and a thread that only waits.
BUSY = """
import sys, threading, time
def spin_one(n):
    while n: n -= 1
def spin_two(n):
    while n: n -= 1
def doze():
    while True: time.sleep(0.02)
idle = threading.Thread(target=doze)
idle.daemon = True
idle.start()
print('ready'); sys.stdout.flush()
while True:
    spin_one(3000)
    spin_two(3000)
"""


class Server:
    """`fireglass serve` of a process or, with `command`, of what it starts; ends by its pid."""

    def __init__(self, *options, pid=None, command=None, listen="127.0.0.1:0", env=None):
        what = ["-p", str(pid)] if pid else ["--"] + list(command)
        self.process = harness.start_fireglass(
            "serve", "--listen", listen, *options, *what, env=harness.clean_env(**(env or {}))
        )
        self.ended = None
        self.errors = harness.Lines(self.process.stderr.fileno(), "fireglass serve")
        line = self.errors.next()
        found = re.fullmatch(r"fireglass: serving (?:http://(.*?)/(?:\?token=(.*))?|unix:(.*))", line)
        assert found, line
        self.authority, self.token, self.path = found.groups()

    def connect(self):
        if self.path:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(self.path)
        else:
            host, port = self.authority.rsplit(":", 1)
            connection = socket.create_connection((host, int(port)))
        connection.settimeout(harness.DEADLINE)
        return connection

    def ask(self, path, method="GET", headers=None, token=True):
        """(status, headers, body)"""
        connection = http.client.HTTPConnection("localhost", timeout=harness.DEADLINE)
        connection.sock = self.connect()
        sent = {"Authorization": "Bearer " + self.token} if token and self.token else {}
        sent.update(headers or {})
        connection.request(method, path, headers=sent)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, response.headers, body

    def get(self, path, **parameters):
        if parameters:
            path += "?" + urllib.parse.urlencode(parameters, doseq=True)
        status, _, body = self.ask(path)
        assert status == 200, body
        return body

    def json(self, path, **parameters):
        return json.loads(self.get(path, **parameters))

    def status(self):
        return self.json("/api/v1/status")

    def soon(self, condition, what):
        """Until it is so; asks less often than the server allows."""

        def look():
            time.sleep(0.03)
            return condition()

        return harness.wait_until(look, what)

    def wait_samples(self, count=1):
        self.soon(lambda: self.status()["samples"] >= count, "samples")

    def raw(self, data, read=True):
        """What the server says to these bytes."""
        with self.connect() as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                got = b""
                while read:
                    piece = connection.recv(65536)
                    if not piece:
                        return got
                    got += piece
            except OSError:
                return b""

    def pieces(self, since=0):
        """(start, the pieces of the stream as they come)"""
        connection = self.connect()
        request = "GET /api/v1/stream?since=%d HTTP/1.1\r\nHost: localhost\r\n" % since
        request += "Authorization: Bearer %s\r\n\r\n" % self.token
        connection.sendall(request.encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.status == 200, response.read()

        def each():
            while True:
                head = response.read(4)
                if len(head) < 4:
                    return
                yield response.read(struct.unpack("<I", head)[0])

        return int(response.headers["X-Fireglass-Start"]), each(), connection

    def end(self):
        if self.ended:
            return self.ended
        if self.process.poll() is None:
            self.process.terminate()
        out = self.process.stdout.read()
        rest = self.process.stderr.read()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
        self.ended = out, (self.errors.rest + rest).decode("utf-8", "replace")
        return self.ended

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        _, errors = self.end()
        assert "Sanitizer" not in errors, errors


def folded(text):
    """{(names of functions, root first): count}"""
    stacks = {}
    for line in text.decode().splitlines():
        stack, count = line.rsplit(" ", 1)
        names = tuple(frame.split(" (")[0] for frame in stack.split(";"))
        stacks[names] = stacks.get(names, 0) + int(count)
    return stacks


def self_times(text):
    times = {}
    for names, count in folded(text).items():
        times[names[-1]] = times.get(names[-1], 0) + count
    return times


def resident_kb(pid):
    with open("/proc/%d/status" % pid, encoding="utf-8") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def curl(*args):
    return subprocess.run(["curl", "-sS", "--max-time", "60", *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)


def go_tool_pprof(url, *options, directory):
    return subprocess.run(
        ["go", "tool", "pprof", *options, url], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        check=False, text=True, timeout=harness.DEADLINE,
        env=dict(os.environ, PPROF_TMPDIR=str(directory), GOTOOLCHAIN="local"))
