# SPDX-License-Identifier: MIT
"""How a provided interpreter gets into the cache: whole or not at all, one `provide` at a time.

A thing in the cache is a directory <name>/ with the files below tree/ and a manifest.json that says
what is runnable in it. It is made in .tmp-<name>-<pid>/ and renamed when it is complete.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess

from . import find

LOG_LINES = 12


class ProvideError(Exception):
    """Why something could not be provided, and the remedy."""


class Context:
    def __init__(self, cache, offline=False):
        self.cache, self.offline, self.lock = cache, offline, None
        self.log = os.path.join(cache, "provide.log")

    def path(self, name):
        return os.path.join(self.cache, name)

    def tree(self, name):
        return os.path.join(self.cache, name, "tree")

    def has(self, name, recipe):
        return (
            find.read_json(os.path.join(self.path(name), "manifest.json")).get("recipe") == recipe
        )

    def must_be_online(self, what):
        if self.offline:
            raise ProvideError(f"{what} is not in the cache; run again without --offline")

    def run(self, argv, env=None, cwd=None):
        """Run a command, its output into the log; a failure shows the log's last lines. The command
        inherits the lock, so that one which outlives us still keeps others from its files."""
        with open(self.log, "ab") as log:
            log.write(f"\n$ {' '.join(argv)}\n".encode())
            log.flush()
            streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            keep = [self.lock] if self.lock is not None else []
            try:
                done = subprocess.run(argv, env=env, cwd=cwd, pass_fds=keep, check=False, **streams)
            except OSError as e:
                raise ProvideError(f"cannot run '{argv[0]}': {e.strerror}") from e
        if done.returncode:
            raise ProvideError(
                f"'{' '.join(argv)}' failed, the end of {self.log}:\n{self.log_tail()}"
            )

    def log_tail(self):
        with open(self.log, errors="replace") as log:
            return "\n".join("    " + line.rstrip() for line in log.readlines()[-LOG_LINES:])

    def need_tool(self, tool, package):
        """The tool's path; installed with apt if it is missing and we may."""
        found = shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/sbin")
        if found:
            return found
        self.apt_install(package, f"'{tool}'")
        return shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/sbin") or tool

    def apt_install(self, package, why):
        remedy = f"{why} is missing; run: apt-get install {package}"
        if self.offline or os.geteuid() != 0 or not shutil.which("apt-get"):
            raise ProvideError(remedy)
        find.say(f"installing {package}")
        apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=600"]
        env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        install = apt + ["install", "--no-install-recommends", package]
        try:
            self.run(install, env)
        except ProvideError:
            self.run(apt + ["update"], env)
            self.run(install, env)


@contextlib.contextmanager
def locked(context):
    """One `provide` at a time for a cache; the second one waits and then finds everything there."""
    try:
        os.makedirs(context.cache, exist_ok=True)
        lock = open(os.path.join(context.cache, ".lock"), "w")
    except OSError as e:
        problem = f"cannot write '{context.cache}': {e.strerror}; set XDG_CACHE_HOME"
        raise ProvideError(problem) from e
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            find.say("waiting for another 'interpreters provide'")
            fcntl.flock(lock, fcntl.LOCK_EX)
        context.lock = lock.fileno()
        for name in os.listdir(context.cache):
            if name.startswith(".tmp-"):
                remove_tree(os.path.join(context.cache, name))
        try:
            yield
        finally:
            context.lock = None


def mounts_below(path, mountinfo):
    """The mount points in the text of a mountinfo that lie at or below a path."""
    top = os.path.realpath(path)
    points = [line.split()[4] for line in mountinfo.splitlines() if len(line.split()) > 4]
    return [p for p in points if p == top or p.startswith(top + os.sep)]


def remove_tree(path):
    """Remove a tree, but never reach through a mount left in it into the machine's own files."""
    with open("/proc/self/mountinfo", errors="replace") as f:
        mounts = mounts_below(path, f.read())
    if mounts:
        raise ProvideError(
            "something is mounted in '{}'; run: umount {}".format(path, " ".join(reversed(mounts)))
        )
    shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def making(context, name, manifest):
    """A new tree for <name>: fill what is yielded; the cache has it when the block ends well."""
    temp = os.path.join(context.cache, f".tmp-{name}-{os.getpid()}")
    tree = os.path.join(temp, "tree")
    os.makedirs(tree)
    try:
        yield tree
        find.write_json(os.path.join(temp, "manifest.json"), manifest)
        final = context.path(name)
        if os.path.exists(final):
            old = os.path.join(context.cache, f".tmp-old-{name}-{os.getpid()}")
            os.rename(final, old)
            os.rename(temp, final)
            remove_tree(old)
        else:
            os.rename(temp, final)
    finally:
        if os.path.exists(temp):
            remove_tree(temp)
