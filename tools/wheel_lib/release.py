# SPDX-License-Identifier: MIT
"""Wheels for everybody: one architecture, all ABIs, old glibc, all libraries within."""

import re
import shutil

from . import building, headers, libraries, metadata, toolchain
from .common import WheelError, run, say

# Free-threaded releases; their modules are built for each, as is 3.15's: what PEP 803 offers for it and those after (abi3t)
# hides the object header, which the types of the module contain.
FREE_THREADED = ("3.13", "3.14", "3.15")
MAX_BYTES = 3_000_000

MACHINE = """[binaries]
c = '{cc}'
ar = '{ar}'
pkg-config = 'pkg-config'
python3 = '{python}'

[properties]
pkg_config_libdir = '{prefix}/lib/pkgconfig'
needs_exe_wrapper = true

[built-in options]
c_args = ['-I{prefix}/include', '-ffunction-sections', '-fdata-sections']
c_link_args = ['-L{prefix}/lib', {link_args}]

[host_machine]
system = 'linux'
cpu_family = '{arch}'
cpu = '{arch}'
endian = 'little'
"""


def abis_for(arch, only):
    """(ABI, directory with headers) of all modules, or of those in `only` (abi3, cp314t ...)."""
    found = [("abi3", headers.directory(FREE_THREADED[0]))]
    found += [(f"cpython-{minor.replace('.', '')}t-{arch}-linux-gnu", headers.directory(minor))
              for minor in FREE_THREADED]
    if only:
        found = [pair for pair in found if building.Tags(pair[0]).abi_tag in only]
    if not found:
        raise WheelError(f"none of {', '.join(only)} is an ABI; there are abi3, cp313t, cp314t ...")
    return found


def write_machine(tools, prefix, work):
    """The file from which meson knows compiler and libraries. What was built with others goes."""
    text = MACHINE.format(
        cc=tools.bin / "cc", ar=tools.bin / "ar", python=shutil.which("python3"), prefix=prefix,
        link_args=", ".join(f"'{word}'" for word in building.LINK_ARGS), arch=tools.arch)
    path = work / "machine.ini"
    if not path.is_file() or path.read_text() != text:
        shutil.rmtree(work / "meson", ignore_errors=True)
        path.write_text(text)


def build(out, arch, only, jobs):
    """The names of the wheels made in `out`."""
    abis = abis_for(arch, only)
    tools = toolchain.Toolchain(arch)
    prefix = libraries.build_libraries(tools, jobs)
    work = out / f"build-{arch}"
    work.mkdir(parents=True, exist_ok=True)
    write_machine(tools, prefix, work)
    say(f"compiling for {arch}, glibc {tools.glibc}")
    building.compile_all(work / "meson", abis,
                         ["--cross-file", work / "machine.ini", "-Dprefer_static=true"],
                         env={**tools.env(), "CC": "", "AR": ""})
    spdx = libraries.license_expression(metadata.project()["license"])
    licenses = libraries.license_files(prefix)
    platform = f"manylinux_{tools.glibc.replace('.', '_')}_{arch}"
    names = [building.write_wheel(out, work / "meson", abi, platform, spdx, licenses)
             for abi, _ in abis]
    for name in names:
        inspect(tools, out / name)
    return names


def inspect(tools, path):
    """Holds what its name promises, by auditwheel's judgement, and is not too large."""
    said = run(tools.tool("auditwheel"), "show", path, env=tools.env())
    found = re.search(r'platform tag:\s+"manylinux_2_(\d+)_', said)
    promised = int(tools.glibc.split(".")[1])
    if not found or int(found[1]) > promised:
        raise WheelError(f"'{path.name}' is no manylinux_2_{promised} wheel:\n{said}")
    size = path.stat().st_size
    say(f"{path.name}: {size / 1e6:.2f} MB; runs with glibc 2.{found[1]} and newer")
    if size > MAX_BYTES:
        raise WheelError(f"'{path.name}' is {size} bytes, more than {MAX_BYTES}")
