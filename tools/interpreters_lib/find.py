# SPDX-License-Identifier: MIT
"""Finding the CPythons on this machine without installing anything.

An interpreter is an ELF executable; scripts (pyenv's shims) are not. Two paths that resolve to
the same file are one interpreter, and a virtual environment is none of its own. What an interpreter
says of itself is asked once and remembered by (path, mtime, size): the next look is quick.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

from . import elf

PROBE_SCHEMA = 3
PROBE_SECONDS = 30
NAME = re.compile(r"^python(\d(\.\d+)?)?(t|d|td|m|dm)?$")
VERSION = re.compile(r"^(\d+)\.(\d+)\.(\d+)")

# Runs on 2.7 and everything later. /proc may be missing (a chroot).
PROBE = r"""
import sys, json, threading
lib = ""
try:
    for line in open("/proc/self/maps"):
        path = line.rstrip().split(" ")[-1]
        if "/libpython" in path:
            lib = path
            break
except (IOError, OSError):
    pass
print(json.dumps({
    "implementation": getattr(getattr(sys, "implementation", None), "name", "cpython"),
    "version": "%d.%d.%d" % sys.version_info[:3],
    "release": sys.version_info[3],
    "hex": "0x%08x" % sys.hexversion,
    "free_threaded": "t" in getattr(sys, "abiflags", ""),
    "debug": hasattr(sys, "gettotalrefcount"),
    "venv": sys.prefix != getattr(sys, "base_prefix", sys.prefix) or hasattr(sys, "real_prefix"),
    "libpython": lib,
}))
"""


def cache_dir(env=os.environ):
    base = env.get("XDG_CACHE_HOME") or os.path.join(
        env.get("HOME") or os.path.expanduser("~"), ".cache"
    )
    return os.path.join(base, "fireglass", "interpreters")


def pyenv_root(env=os.environ):
    return env.get("PYENV_ROOT") or os.path.join(
        env.get("HOME") or os.path.expanduser("~"), ".pyenv"
    )


def uv_root(env=os.environ):
    data = env.get("XDG_DATA_HOME") or os.path.join(
        env.get("HOME") or os.path.expanduser("~"), ".local", "share"
    )
    return env.get("UV_PYTHON_INSTALL_DIR") or os.path.join(data, "uv", "python")


def say(message):
    print("interpreters: " + message, file=sys.stderr, flush=True)


# --- candidates ---------------------------------------------------------------------------------


class Candidate:
    """A way to start what may be an interpreter. `exe` is a path on this machine, inside `root` if
    there is one; `kind` is where it came from; `env` what the command itself must set."""

    def __init__(self, exe, kind, root=None, env=None, origin=None):
        self.exe, self.kind, self.root = exe, kind, root
        self.env, self.origin = dict(env or {}), origin

    @property
    def argv(self):
        if self.root:
            return ["chroot", self.root, "/" + os.path.relpath(self.exe, self.root)]
        if self.env:
            return (
                ["env"] + ["{}={}".format(*pair) for pair in sorted(self.env.items())] + [self.exe]
            )
        return [self.exe]


def pythons_in(directory):
    """The executables in a directory that are named like an interpreter, sorted."""
    try:
        names = sorted(n for n in os.listdir(directory) if NAME.match(n))
    except OSError:
        return []
    return [
        os.path.join(directory, n) for n in names if os.access(os.path.join(directory, n), os.X_OK)
    ]


def installations(directory):
    """The interpreters of each installation below a directory (pyenv's, uv's)."""
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return []
    return [exe for n in names for exe in pythons_in(os.path.join(directory, n, "bin"))]


def from_variable(value):
    """The executables $FIREGLASS_PYTHONS names: each part a file, a bin directory, an installation,
    or a directory of installations. Says so if a part leads nowhere."""
    found = []
    for part in filter(None, value.split(":")):
        part = os.path.abspath(os.path.expanduser(part))
        if os.path.isdir(part):
            exes = pythons_in(part) + pythons_in(os.path.join(part, "bin")) + installations(part)
        else:
            exes = [part] if os.access(part, os.X_OK) else []
        if not exes:
            say(f"FIREGLASS_PYTHONS: no interpreter at '{part}'; name executables or directories")
        found += exes
    return found


def from_cache(cache):
    """What an earlier `provide` left: every <name>/manifest.json."""
    found = []
    try:
        names = sorted(os.listdir(cache))
    except OSError:
        return found
    for name in names:
        manifest = read_json(os.path.join(cache, name, "manifest.json"))
        for python in manifest.get("pythons", []) if not name.startswith(".") else []:
            tree = os.path.join(cache, name, "tree")
            env = {k: v.replace("{tree}", tree) for k, v in python.get("env", {}).items()}
            root = tree if manifest.get("chroot") else None
            exe = os.path.join(tree, python["exe"])
            found.append(Candidate(exe, manifest["kind"], root, env, manifest.get("origin")))
    return found


def candidates(env=os.environ, cache=None):
    found = from_cache(cache or cache_dir(env))
    found += [Candidate(p, "env") for p in from_variable(env.get("FIREGLASS_PYTHONS", ""))]
    found += [
        Candidate(p, "pyenv") for p in installations(os.path.join(pyenv_root(env), "versions"))
    ]
    found += [Candidate(p, "uv") for p in installations(uv_root(env))]
    for directory in filter(None, env.get("PATH", "").split(":")):
        found += [Candidate(p, "path") for p in pythons_in(directory)]
    return found


def classify(exe, kind, env=os.environ):
    """The kind of an interpreter, where it lies deciding before the way it was found."""
    if kind in ("path", "env"):
        for name, top in (
            ("pyenv", os.path.join(pyenv_root(env), "versions")),
            ("uv", uv_root(env)),
        ):
            if exe.startswith(os.path.realpath(top) + os.sep):
                return name
    return kind


def dedupe(found, env=os.environ):
    """One candidate for each real ELF file (hard links are one file) that is not in a virtual
    environment; first come wins."""
    kept = {}
    for c in found:
        real = os.path.realpath(c.exe)
        if c.root and not real.startswith(os.path.realpath(c.root) + os.sep):
            continue
        if not elf.is_elf(real):
            continue
        file = os.stat(real)
        key = (file.st_dev, file.st_ino)
        if key in kept:
            continue
        # a copied (not linked) python of a virtual environment
        if os.path.exists(os.path.join(os.path.dirname(os.path.dirname(real)), "pyvenv.cfg")):
            continue
        kept[key] = Candidate(real, classify(real, c.kind, env), c.root, c.env, c.origin)
    return list(kept.values())


# --- probing ------------------------------------------------------------------------------------


def read_json(path):
    try:
        with open(path, encoding="utf-8") as f:
            value = json.load(f)
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def write_json(path, value):
    """Whole or not at all."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    fd, temp = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".json-")
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as f:
            json.dump(value, f, indent=1, sort_keys=True)
        os.replace(temp, path)
    except BaseException:
        os.unlink(temp)
        raise


def stamp(path):
    st = os.stat(path)
    return [st.st_mtime_ns, st.st_size, PROBE_SCHEMA]


def clean_env(env=os.environ):
    return {k: v for k, v in env.items() if not k.startswith(("PYTHON", "LD_PRELOAD"))}


def parse_probe(text):
    """The probe's answer from an interpreter's output, or None if it is no CPython of its own."""
    lines = text.strip().splitlines()
    try:
        said = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return None
    if not isinstance(said, dict) or not VERSION.match(str(said.get("version", ""))):
        return None
    return said if said.get("implementation") == "cpython" and not said.get("venv") else None


def runtime_file(candidate, libpython):
    """The file that holds the interpreter: libpython where the executable is linked to it."""
    names = [os.path.basename(n) for n in elf.Elf.open(candidate.exe).needed()]
    names = [n for n in names if n.startswith("libpython")]
    if not names:
        return candidate.exe
    if libpython and not candidate.root:
        return libpython
    here = os.path.dirname(os.path.dirname(candidate.exe))
    for top in [here] + ([os.path.join(candidate.root, "usr")] if candidate.root else []):
        for sub in ("lib", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu"):
            if os.path.exists(os.path.join(top, sub, names[0])):
                return os.path.realpath(os.path.join(top, sub, names[0]))
    return None


def probe(candidate):
    """What a candidate says of itself and what its file shows, or None with the reason said."""
    try:
        done = subprocess.run(
            candidate.argv + ["-c", PROBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_SECONDS,
            env=clean_env(),
            text=True,
        )
    except (OSError, subprocess.TimeoutExpired) as e:
        say(f"{candidate.exe} does not run: {e}")
        return None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        say(f"{candidate.exe} does not run: {reason}")
        return None
    said = parse_probe(done.stdout)
    if said is None:
        return None
    try:
        exe, runtime = elf.Elf.open(candidate.exe), runtime_file(candidate, said["libpython"])
        stripped = elf.Elf.open(runtime or candidate.exe).stripped
    except (OSError, elf.ElfError) as e:
        say(f"{candidate.exe} cannot be read: {e}")
        return None
    keep = ("version", "release", "hex", "free_threaded", "debug")
    facts = {k: said[k] for k in keep}
    facts.update(shared=runtime != candidate.exe, stripped=stripped, pie=exe.pie)
    facts["libpython"] = runtime if runtime != candidate.exe else None
    return facts


def probe_all(found, cache):
    """[(candidate, facts)], asking only those whose file changed since they were last asked."""
    path = os.path.join(cache, "probes.json")
    known, fresh, result = read_json(path), {}, []
    for c in found:
        key = " ".join(c.argv)
        now = stamp(c.exe)
        old = known.get(key)
        if isinstance(old, dict) and old.get("stamp") == now:
            facts = old["facts"]
        else:
            facts = probe(c)
        if facts:
            fresh[key] = {"stamp": now, "facts": facts}
            result.append((c, facts))
    if fresh != known:
        try:
            write_json(path, fresh)
        except OSError as e:
            say(f"cannot write '{path}': {e.strerror}; the next look is as slow as this one")
    return result


# --- the list -----------------------------------------------------------------------------------


def tag(interpreter):
    """'3.14', '3.14t': what `--only` and the wanted list speak of."""
    major, minor = VERSION.match(interpreter["version"]).group(1, 2)
    return "{}.{}{}".format(major, minor, "t" if interpreter["free_threaded"] else "")


def sort_key(interpreter):
    numbers = tuple(int(n) for n in VERSION.match(interpreter["version"]).groups())
    return (interpreter["free_threaded"], numbers, interpreter["kind"], interpreter["exe"])


def with_ids(interpreters):
    """Sorted, each with an id that is unique and the same as long as the machine's set is."""
    result, taken = [], {}
    for i in sorted(interpreters, key=sort_key):
        suffix = ("t" if i["free_threaded"] else "") + ("d" if i["debug"] else "")
        name = "{}{}-{}".format(i["version"], suffix, i["kind"])
        taken[name] = taken.get(name, 0) + 1
        if taken[name] > 1:
            name += f"-{taken[name]}"
        result.append(dict({"id": name}, **i))
    return result


def describe(candidate, facts):
    entry = dict(facts)
    entry.update(kind=candidate.kind, exe=candidate.exe, argv=candidate.argv)
    entry.update(env=candidate.env, root=candidate.root, origin=candidate.origin)
    return entry


def by_loader(entry):
    """A second way to start an interpreter of a root: outside it, by the root's own dynamic loader.
    The process's executable is then the loader: a target of another shape. None if it has none."""
    root = entry["root"]
    loader = os.path.join(root or "/nonexistent", "lib64", "ld-linux-x86-64.so.2")
    if not root or not os.path.exists(loader):
        return None
    libs = ":".join(
        os.path.join(root, d) for d in ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu")
    )
    home = {"PYTHONHOME": os.path.join(root, "usr")}
    argv = ["env", "PYTHONHOME=" + home["PYTHONHOME"], loader, "--library-path", libs, entry["exe"]]
    return dict(entry, kind="loader", root=None, env=home, argv=argv)


def discover(env=os.environ, cache=None, loader=False):
    """Every interpreter of this machine that runs, as the dictionaries `list --json` prints."""
    cache = cache or cache_dir(env)
    found = dedupe(candidates(env, cache), env)
    if os.geteuid() != 0:
        inside = [c for c in found if c.root]
        found = [c for c in found if not c.root]
        if inside:
            say(f"{len(inside)} interpreters need chroot; run as root to use them")
    entries = [describe(c, facts) for c, facts in probe_all(found, cache)]
    if loader:
        entries += [e for e in map(by_loader, entries) if e]
    return with_ids(entries)


def shapes(i):
    """The words that say how an interpreter is built."""
    words = ["shared" if i["shared"] else "static", "pie" if i["pie"] else "exec"]
    words += ["stripped"] if i["stripped"] else []
    words += ["free-threaded"] if i["free_threaded"] else []
    words += ["debug"] if i["debug"] else []
    words += ["chroot"] if i["root"] else []
    return words


def table(interpreters):
    rows = [("ID", "HEX", "BUILD", "COMMAND")]
    rows += [(i["id"], i["hex"], " ".join(shapes(i)), " ".join(i["argv"])) for i in interpreters]
    widths = [max(len(r[c]) for r in rows) for c in range(3)] + [0]
    return "\n".join("  ".join(w.ljust(n) for w, n in zip(r, widths)).rstrip() for r in rows)
