# SPDX-License-Identifier: MIT
"""python-build-standalone (what uv installs), as a Go module ships it: go-embed-python.

The go command fetches and verifies the module into a module cache of our own, which is thrown away.
"""

import gzip
import json
import os
import re
import shutil

from . import find
from .build import ProvideError, making, remove_tree

RECIPE = 1
MODULE = "github.com/kluctl/go-embed-python"
# One published version per minor. 3.14's executable is static and stripped, the others are small
# executables linked to an unstripped libpython built by clang.
VERSIONS = {
    "3.10": "v0.0.0-3.10.16-20241219-1",
    "3.11": "v0.0.0-3.11.11-20241219-1",
    "3.12": "v0.0.0-3.12.3-20240415-1",
    "3.13": "v0.0.0-3.13.1-20241219-1",
    "3.14": "v0.0.0-3.14.6-20260610-1",
}
MAX_FILE_BYTES = 1 << 30
GO_MODE_DIR, GO_MODE_SYMLINK = 1 << 31, 1 << 27


def safe_name(name):
    """A path that stays below the directory it is joined to."""
    parts = name.split("/")
    if not name or name.startswith("/") or ".." in parts or "" in parts:
        raise ProvideError(f"the module names a file outside its tree: '{name}'")
    return name


def unpack(data, tree):
    """Lay out the files that data/files.json lists (Go's fs.FileMode in `perm`) below tree."""
    with open(os.path.join(data, "files.json"), encoding="utf-8") as f:
        files = json.load(f)["files"]
    for entry in sorted(files, key=lambda e: e["name"]):
        target, mode = os.path.join(tree, safe_name(entry["name"])), entry["perm"]
        if entry.get("symlink"):
            safe_name(entry["symlink"])
            os.symlink(entry["symlink"], target)
        elif mode & GO_MODE_DIR:
            os.makedirs(target, exist_ok=True)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            unpack_file(os.path.join(data, entry["name"]), target, entry)


def unpack_file(source, target, entry):
    if entry.get("compressed"):
        with gzip.open(source + ".gz") as f:
            content = f.read(MAX_FILE_BYTES)
        with open(target, "wb") as f:
            f.write(content)
    else:
        shutil.copyfile(source, target)
    os.chmod(target, entry["perm"] & 0o777)


def platform():
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine)
    if not machine:
        raise ProvideError(f"the module has no build for {os.uname().machine}")
    return "linux-" + machine


def download(context, version, work):
    """The directory with the platform's files, in a module cache below work."""
    go = context.need_tool("go", "golang-go")
    env = dict(
        os.environ, GOMODCACHE=os.path.join(work, "mod"), GOFLAGS="-modcacherw", GO111MODULE="on"
    )
    module = os.path.join(work, "module")
    os.makedirs(module)
    with open(os.path.join(module, "go.mod"), "w") as f:
        f.write("module interpreters\n\ngo 1.18\n")
    context.run([go, "mod", "download", f"{MODULE}@{version}"], env, module)
    top = os.path.join(work, "mod", *(f"{MODULE}@{version}").split("/"))
    return os.path.join(top, "python", "internal", "data", platform())


def name_of(minor):
    return "standalone-" + minor


def is_provided(context, minor):
    return context.has(name_of(minor), [RECIPE, VERSIONS[minor]])


def at_hand(context, minor):
    """Whether providing it needs no more than what the machine has."""
    return is_provided(context, minor) or shutil.which("go") is not None


def provide(context, minor):
    version, name = VERSIONS[minor], name_of(minor)
    if is_provided(context, minor):
        return
    context.must_be_online(f"python-build-standalone {minor}")
    find.say("fetching python-build-standalone {}".format(re.sub(r"^v0\.0\.0-", "", version)))
    manifest = {"kind": "standalone", "origin": f"{MODULE}@{version}", "recipe": [RECIPE, version]}
    manifest["pythons"] = [{"exe": "bin/python" + minor}]
    work = os.path.join(context.cache, f".tmp-go-{os.getpid()}")
    os.makedirs(work)
    try:
        data = download(context, version, work)
        with making(context, name, manifest) as tree:
            unpack(data, tree)
    finally:
        remove_tree(work)
