# SPDX-License-Identifier: MIT
"""The Firefox Profiler's command line (profiler-cli), one profile at a time."""

import contextlib
import json
import subprocess
import time
import uuid

TRIES = 5
PATIENCE_S = 30  # it gives its daemon half a second to start: not enough on a busy machine


class FirefoxCli:
    """`command` is the program, `load` a profile; close() ends the daemon."""

    def __init__(self, command, environment=None):
        self.command, self.environment = [str(word) for word in command], environment
        self.session = None

    def run(self, *arguments):
        return subprocess.run([*self.command, *arguments], env=self.environment, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)

    def load(self, path):
        """None, or what it says when it cannot."""
        for _ in range(TRIES):
            self.session = uuid.uuid4().hex[:12]
            done = self.run("load", str(path), "--session", self.session)
            if done.returncode == 0:
                return None
            said = done.stdout.decode()
            if "did not become ready" in said and self.comes_up():
                return None
            with contextlib.suppress(subprocess.SubprocessError):
                self.run("stop", self.session)
            if "did not become ready" not in said:
                return said
        raise AssertionError(said)

    def comes_up(self):
        """True once the daemon, which may still be starting, answers."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if self.run("thread", "list", "--session", self.session).returncode == 0:
                return True
        return False

    def json(self, *arguments):
        done = self.run(*arguments, "--session", self.session, "--json")
        assert done.returncode == 0, done.stdout.decode()
        return json.loads(done.stdout)

    def close(self):
        self.run("stop", self.session)

    def threads(self):
        return self.json("thread", "list", "--limit", "0")["threads"]

    def functions(self, thread):
        """{(name, file): (self, total)} in samples."""
        said = self.json("thread", "functions", "--thread", thread["threadHandle"], "--limit", "0",
                         "--include-idle")
        return {(one["name"], one.get("library") or ""): (one["selfSamples"], one["totalSamples"])
                for one in said["functions"]}

    def markers(self, thread):
        """{name: count}."""
        said = self.json("thread", "markers", "--thread", thread["threadHandle"])
        return {one["markerName"]: one["count"] for one in said["byType"]}


@contextlib.contextmanager
def opened(path, command, environment=None):
    """The client with the profile loaded; an error of loading is raised."""
    cli = FirefoxCli(command, environment)
    said = cli.load(path)
    assert said is None, said
    try:
        yield cli
    finally:
        cli.close()


def refusal(path, command, environment=None):
    """What it says to a file that it does not take."""
    cli = FirefoxCli(command, environment)
    said = cli.load(path)
    if said is None:
        cli.close()
        raise AssertionError("it took the file")
    return said
