# SPDX-License-Identifier: MIT
"""Free-threaded CPythons, from the wheels of freeze-core on PyPI.

freeze-core turns programs into executables. Its wheel for each free-threaded ABI carries a launcher
into which that CPython is linked whole (static, stripped, position-dependent), and the extension
modules of the standard library. The pure-Python part comes from a tree already in the cache.

The launcher's own main() wants a frozen program. Where it exports Py_BytesMain, main becomes that
(one immediate in _start, see elf.with_main); where it does not, plain_main.c is preloaded instead.
What results is CPython's own interpreter, started and behaving as `python3.14t` does.
"""

import os
import shutil
import sys
import zipfile

from . import debian, elf, find, standalone
from .build import ProvideError, making, remove_tree

RECIPE = 3
# tag: (version of the package, sha256 of its x86-64 wheel). Pinned: what a wheel holds changes.
WHEELS = {
    "3.13t": ("0.6.1", "ccd31f02d3f5b4492bb647859939a906f0c1b3615101a935beae75c81a3eafe6"),
    "3.14t": ("0.8.1", "b8547956f9cbeabaae9cc758bbc65531962c3fb4fa0c2431c802089e7ea86cca"),
    "3.15t": ("0.8.1", "a1c31d6740d6d7ae858ab9e02231928cd49ee5f68d7980a8760b65f333c48890"),
}
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64")
SHIM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "plain_main.c")
SYSCONFIG = """# written by tools/interpreters
build_time_vars = {
    "Py_GIL_DISABLED": 1, "abiflags": "t", "ABIFLAGS": "t",
    "SOABI": "cpython-@ABI@-x86_64-linux-gnu",
    "EXT_SUFFIX": ".cpython-@ABI@-x86_64-linux-gnu.so", "MULTIARCH": "x86_64-linux-gnu",
    "VERSION": "@MINOR@", "LDVERSION": "@MINOR@t", "Py_ENABLE_SHARED": 0, "Py_DEBUG": 0,
}
"""


def pip_argv(python, tag, directory, requirements):
    abi = tag.replace(".", "")
    argv = [python, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:"]
    argv += ["--implementation", "cp", "--python-version", tag[:-1], "--abi", "cp" + abi]
    for p in PLATFORMS:
        argv += ["--platform", p]
    return argv + ["--require-hashes", "-r", requirements, "-d", directory]


def python_with_pip(context, interpreters):
    """Any interpreter that has pip: this one, one of the machine's, a standalone one provided
    before, or Debian's after installing it."""
    others = [i["exe"] for i in reversed(interpreters) if not i["root"] and not i["free_threaded"]]
    others += [
        context.tree(standalone.name_of(m)) + "/bin/python" + m
        for m in reversed(list(standalone.VERSIONS))
    ]
    for exe in [sys.executable] + [o for o in others if os.path.exists(o)]:
        if debian.output_of([exe, "-m", "pip", "--version"]).startswith("pip "):
            return exe
    context.apt_install("python3-pip", "pip")
    return "/usr/bin/python3"


def stdlib(context, minor):
    """A directory with the pure-Python standard library of a minor."""
    places = [os.path.join(context.tree(debian.root_name("sid")), "usr", "lib", "python" + minor)]
    places.append(os.path.join(context.tree(standalone.name_of(minor)), "lib", "python" + minor))
    for place in places:
        if os.path.exists(os.path.join(place, "threading.py")):
            return place
    raise ProvideError(f"no standard library of {minor} in the cache; provide {minor} first")


def fetch(context, tag, interpreters, work):
    """The unpacked wheel."""
    version, digest = WHEELS[tag]
    requirements = os.path.join(work, "requirements.txt")
    with open(requirements, "w") as f:
        f.write(f"freeze-core=={version} --hash=sha256:{digest}\n")
    context.run(pip_argv(python_with_pip(context, interpreters), tag, work, requirements))
    wheels = [n for n in os.listdir(work) if n.endswith(".whl")]
    if len(wheels) != 1:
        raise ProvideError(f"pip downloaded {len(wheels)} wheels for {tag} instead of one")
    unpacked = os.path.join(work, "wheel")
    with zipfile.ZipFile(os.path.join(work, wheels[0])) as z:
        z.extractall(unpacked)
    return unpacked


def lay_out(context, tag, wheel, tree):
    """bin/python3.14t, lib/python3.14t/ and the libraries its modules are linked to; returns what
    the manifest says of it."""
    abi, minor = tag.replace(".", ""), tag[:-1]
    core, lib = os.path.join(wheel, "freeze_core"), os.path.join(tree, "lib", "python" + tag)
    skip = shutil.ignore_patterns(
        "lib-dynload", "__pycache__", "_sysconfigdata_*", "sitecustomize.py", "test", "*.a"
    )
    shutil.copytree(stdlib(context, minor), lib, ignore=skip)
    shutil.copytree(
        os.path.join(core, "lib"),
        os.path.join(lib, "lib-dynload"),
        ignore=shutil.ignore_patterns("*.py"),
    )
    # the modules look for them in $ORIGIN/../../freeze_core.libs
    shutil.copytree(
        os.path.join(wheel, "freeze_core.libs"), os.path.join(tree, "lib", "freeze_core.libs")
    )
    with open(os.path.join(lib, "_sysconfigdata_t_linux_x86_64-linux-gnu.py"), "w") as f:
        f.write(SYSCONFIG.replace("@ABI@", abi).replace("@MINOR@", minor))
    exe = os.path.join(tree, "bin", "python" + tag)
    os.makedirs(os.path.dirname(exe))
    with open(os.path.join(core, "bases", f"console-cpython-{abi}-x86_64-linux-gnu"), "rb") as f:
        launcher = f.read()
    python = {"exe": "bin/python" + tag}
    if elf.Elf(launcher).symbol("Py_BytesMain"):
        launcher = elf.with_main(launcher, "Py_BytesMain")
    else:
        shim = os.path.join(tree, "lib", "plain_main.so")
        cc = (
            os.environ.get("CC")
            or shutil.which("gcc")
            or shutil.which("clang")
            or context.need_tool("gcc", "gcc")
        )
        context.run(cc.split() + ["-O2", "-shared", "-fPIC", "-o", shim, SHIM, "-ldl"])
        python["env"] = {"LD_PRELOAD": "{tree}/lib/plain_main.so"}
    with open(exe, "wb") as f:
        f.write(launcher)
    os.chmod(exe, 0o755)
    return python


def provide(context, tag, interpreters):
    version, digest = WHEELS[tag]
    name, recipe = "pypi-" + tag, [RECIPE, version, digest]
    if context.has(name, recipe):
        return
    context.must_be_online(f"a free-threaded {tag}")
    if os.uname().machine != "x86_64":
        raise ProvideError(
            f"a free-threaded {tag} is known for x86-64 only; name one in FIREGLASS_PYTHONS"
        )
    stdlib(context, tag[:-1])
    find.say(f"making {tag} from freeze-core {version}")
    manifest = {"kind": "pypi", "origin": f"freeze-core {version}", "recipe": recipe}
    work = os.path.join(context.cache, f".tmp-pip-{os.getpid()}")
    os.makedirs(work)
    try:
        wheel = fetch(context, tag, interpreters, work)
        with making(context, name, manifest) as tree:
            manifest["pythons"] = [lay_out(context, tag, wheel, tree)]
    finally:
        remove_tree(work)
