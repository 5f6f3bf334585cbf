# SPDX-License-Identifier: MIT
"""Packages of a Debian suite that is not the machine's, verified by apt, without touching its lists."""

import os

from interpreters_lib import debian

from .common import WheelError, cache_dir, run


class Archive:
    """The suite at the machine's mirror; `kind` is deb or deb-src."""

    def __init__(self, suite, kind):
        folder = cache_dir() / f"apt-{suite}-{kind}"
        for name in ("lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        keys = next((path for path in debian.KEYRINGS if os.path.exists(path)), None)
        if not keys:
            raise WheelError("Debian's archive keyring is missing; tools/deps test")
        listed = folder / "sources.list"
        listed.write_text(f"{kind} [signed-by={keys}] {debian.machine_mirror()} {suite} main\n")
        self._words = [
            "apt-get", "-q", "-o", f"Dir::Etc::sourcelist={listed}", "-o",
            "Dir::Etc::sourceparts=/dev/null", "-o", f"Dir::State::lists={folder}/lists", "-o",
            f"Dir::Cache={folder}/cache", "-o", "APT::Sandbox::User=root"]
        if not (folder / "updated").is_file():
            run(*self._words, "update")
            (folder / "updated").touch()

    def apt(self, *words, cwd):
        return run(*self._words, *words, cwd=cwd)
