# SPDX-License-Identifier: MIT
"""CPythons from Debian's own binary packages, each release in a root made by debootstrap.

They run inside that root by chroot, so their newer or older C library matters to nobody, and the
root serves as a target in another mount namespace besides.
"""

import os
import re
import shutil
import stat
import subprocess

from . import find
from .build import ProvideError, making

RECIPE = 1
KEYRINGS = (
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
)
# Unstable has the newest; a released Debian still has 2.7.
SUITES = {"sid": ("3.13", "3.14", "3.15"), "bullseye": ("2.7", "3.9")}


# --- the machine's mirror -----------------------------------------------------------------------


def deb822_stanzas(text):
    """The stanzas of a .sources file: [{lower-case field: value}], continuation lines joined."""
    stanzas, current, field = [], {}, None
    for line in text.splitlines() + [""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if current:
                stanzas.append(current)
            current, field = {}, None
        elif line[0] in " \t" and field:
            current[field] += " " + line.strip()
        elif ":" in line:
            field, value = line.split(":", 1)
            field = field.strip().lower()
            current[field] = value.strip()
    return stanzas


def entries_of_sources(text):
    """[(uri, suite, components)] of a deb822 .sources file."""
    found = []
    for s in deb822_stanzas(text):
        if "deb" not in s.get("types", "").split() or s.get("enabled", "yes").lower() in (
            "no",
            "false",
            "0",
        ):
            continue
        components = tuple(s.get("components", "").split())
        found += [
            (u, suite, components)
            for u in s.get("uris", "").split()
            for suite in s.get("suites", "").split()
        ]
    return found


def entries_of_list(text):
    """[(uri, suite, components)] of a one-line-style sources.list."""
    found = []
    for line in text.splitlines():
        line = re.sub(r"^deb\s+\[[^]]*\]", "deb", line.split("#", 1)[0].strip())
        words = line.split()
        if len(words) >= 3 and words[0] == "deb":
            found.append((words[1], words[2], tuple(words[3:])))
    return found


def is_archive(uri):
    return uri.startswith(("http://", "https://", "file:"))


def mirror_of(entries, read, codename=None):
    """The URI of the machine's Debian archive among apt's entries, or None.

    The archive proper has the component main and, as a rule, a path that ends in 'debian'; failing
    that, it has the machine's own codename for a suite. Security and third parties have neither.
    `read` gives the text of a mirror list (the scheme mirror+file), a URI a line.
    """
    found = []
    for uri, suite, components in entries:
        if "main" not in components or "security" in suite or "/" in suite:
            continue
        if uri.startswith("mirror+file:"):
            lines = read(uri[len("mirror+file:") :]).splitlines()
            uris = [x.split()[0] for x in lines if x.strip() and not x.startswith("#")]
        else:
            uris = [uri]
        found += [(u, suite) for u in uris if is_archive(u)]
    named = [u for u, _ in found if u.rstrip("/").endswith("/debian")]
    own = [u for u, suite in found if suite == codename]
    return (named + own + [None])[0]


def codename_of(os_release):
    """The machine's Debian codename from the text of os-release; None on anything but Debian."""
    pairs = [line.split("=", 1) for line in os_release.splitlines() if "=" in line]
    values = {key: value.strip().strip("\"'") for key, value in pairs}
    return values.get("VERSION_CODENAME") if values.get("ID") == "debian" else None


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def machine_mirror(etc="/etc/apt"):
    entries = entries_of_list(read_text(os.path.join(etc, "sources.list")))
    parts = os.path.join(etc, "sources.list.d")
    for name in sorted(os.listdir(parts)) if os.path.isdir(parts) else []:
        text = read_text(os.path.join(parts, name))
        if name.endswith(".sources"):
            entries += entries_of_sources(text)
        elif name.endswith(".list"):
            entries += entries_of_list(text)
    return mirror_of(entries, read_text, codename_of(read_text("/etc/os-release")))


# --- a root -------------------------------------------------------------------------------------


def keyring(context):
    for attempt in range(2):
        for path in KEYRINGS:
            if os.path.exists(path):
                return path
        if attempt == 0:
            context.apt_install("debian-archive-keyring", "Debian's archive keyring")
    raise ProvideError("Debian's archive keyring is in none of: " + ", ".join(KEYRINGS))


def debootstrap_argv(tool, suite, tree, keys, mirror, unshare):
    """The command; in a mount namespace of its own where possible, so that no mount is left behind.
    Without a mirror of the machine's own (Ubuntu), debootstrap's default for the suite holds."""
    argv = [unshare, "--mount"] if unshare else []
    argv += [tool, "--variant=minbase", "--keyring=" + keys, suite, tree]
    return argv + ([mirror] if mirror else [])


def can_unshare(context):
    tool = shutil.which("unshare")
    if not tool:
        return None
    try:
        context.run([tool, "--mount", "true"])
    except ProvideError:
        return None
    return tool


def available(tree, wanted, run_output):
    """Those of the wanted versions for which the root's package lists have a package."""
    text = run_output(["chroot", tree, "apt-cache", "--names-only", "search", "^python[0-9.]+$"])
    names = {line.split()[0] for line in text.splitlines() if line.strip()}
    return [v for v in wanted if "python" + v in names]


def output_of(argv):
    """What a command prints, whatever its exit status; its complaints are not wanted."""
    null = subprocess.DEVNULL
    done = subprocess.run(
        argv, stdin=null, stdout=subprocess.PIPE, stderr=null, text=True, check=False
    )
    return done.stdout


def check_null(tree):
    """Python needs /dev/null; debootstrap makes it where device nodes are allowed."""
    null = os.path.join(tree, "dev", "null")
    if os.path.exists(null) and stat.S_ISCHR(os.stat(null).st_mode):
        return
    try:
        if os.path.lexists(null):
            os.unlink(null)
        os.mknod(null, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        os.chmod(null, 0o666)
    except OSError as e:
        raise ProvideError(
            f"cannot make /dev/null in the root: {e}; device nodes need CAP_MKNOD"
        ) from e


def root_name(suite):
    return "debian-" + suite


def provide_root(context, suite):
    """Make sure that the root of a suite is in the cache; returns its path."""
    name, wanted = root_name(suite), SUITES[suite]
    if context.has(name, RECIPE):
        return context.tree(name)
    context.must_be_online(f"the Debian {suite} root")
    if os.geteuid() != 0:
        raise ProvideError(f"the Debian {suite} root needs chroot; run as root")
    tool = context.need_tool("debootstrap", "debootstrap")
    keys = keyring(context)
    manifest = {"kind": "debian", "origin": "Debian " + suite, "recipe": RECIPE, "chroot": True}
    with making(context, name, manifest) as tree:
        find.say(f"making a Debian {suite} root (about a minute)")
        argv = debootstrap_argv(tool, suite, tree, keys, machine_mirror(), can_unshare(context))
        context.run(argv)
        os.chmod(tree, 0o755)
        check_null(tree)
        versions = available(tree, wanted, output_of)
        if not versions:
            raise ProvideError("Debian {} has none of Python {}".format(suite, ", ".join(wanted)))
        find.say("installing Python {} into it".format(", ".join(versions)))
        apt = ["chroot", tree, "apt-get", "-q", "-y", "install", "--no-install-recommends"]
        env = dict(
            os.environ,
            DEBIAN_FRONTEND="noninteractive",
            LC_ALL="C",
            PATH="/usr/sbin:/usr/bin:/sbin:/bin",
        )
        context.run(apt + ["python" + v for v in versions], env)
        context.run(["chroot", tree, "apt-get", "clean"], env)
        manifest["pythons"] = [{"exe": "usr/bin/python" + v} for v in versions]
    return context.tree(name)
