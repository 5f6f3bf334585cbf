# SPDX-License-Identifier: MIT
"""What is in a wheel and in the sdist, and what it asks of a system."""

import base64
import csv
import hashlib
import io
import re
import subprocess
import tarfile
import zipfile

import pytest
from conftest import ROOT, WHEELS, wheel_paths

# Libraries of glibc; nothing else may be asked for.
OF_GLIBC = re.compile(r"(libc|libm|libpthread|libdl|librt|libutil)\.so\.\d+|ld-linux-[a-z0-9-]+\.so\.\d")
MAX_BYTES = 3_000_000


def readelf(path, *options):
    return subprocess.run(["readelf", "-W", *options, path], stdout=subprocess.PIPE, text=True,
                          check=True).stdout


@pytest.fixture
def unpacked(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path)
    return tmp_path


def binaries(unpacked):
    return [*unpacked.glob("fireglass/*.so"), *unpacked.glob("*.data/scripts/fireglass")]


def test_one_for_each_abi():
    found = {re.sub(r"-manylinux.*", "", path.name.split("-", 2)[2]) for path in wheel_paths()}
    assert found == {"cp38-abi3", "cp313-cp313t", "cp314-cp314t", "cp315-cp315t"}


def test_record_is_true(wheel):
    with zipfile.ZipFile(wheel) as packed:
        assert packed.testzip() is None
        record = next(name for name in packed.namelist() if name.endswith(".dist-info/RECORD"))
        rows = {row[0]: row for row in csv.reader(io.TextIOWrapper(packed.open(record)))}
        assert set(rows) == set(packed.namelist())
        for name, (_, digest, size) in rows.items():
            if name == record:
                continue
            content = packed.read(name)
            made = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            assert (digest, int(size)) == (f"sha256={made}", len(content)), name


def test_holds_all_of_the_package(unpacked):
    sources = {path.relative_to(ROOT / "ext").as_posix()
               for path in (ROOT / "ext" / "fireglass").rglob("*")
               if path.is_file() and path.suffix != ".pyc"}
    held = {path.relative_to(unpacked).as_posix()
            for path in (unpacked / "fireglass").rglob("*") if path.is_file()}
    extra = held - sources
    assert sources <= held
    assert len(extra) == 1 and re.fullmatch(r"fireglass/_fireglass\..*\.so", extra.pop())


def test_describes_itself(unpacked):
    info = next(unpacked.glob("*.dist-info"))
    text = (info / "METADATA").read_text(encoding="utf-8")
    head = text.partition("\n\n")[0]
    for line in ("Name: fireglass", "Requires-Python: >=3.8"):
        assert line in head.split("\n")


def test_tells_the_licences_of_what_is_linked_into_it(unpacked):
    info = next(unpacked.glob("*.dist-info"))
    head = (info / "METADATA").read_text(encoding="utf-8").partition("\n\n")[0]
    expression = re.search(r"^License-Expression: (.*)$", head, re.M)[1]
    assert expression.startswith("MIT AND ")
    for spdx in ("(GPL-2.0-or-later OR LGPL-3.0-or-later)", "LGPL-2.1-or-later", "Zlib"):
        assert spdx in expression.split(" AND ")
    said = set(re.findall(r"^License-File: (.*)$", head, re.M))
    held = {path.relative_to(info / "licenses").as_posix()
            for path in (info / "licenses").rglob("*") if path.is_file()}
    assert said == held
    notice = (info / "licenses" / "libraries" / "README.txt").read_text()
    sources = dict(re.findall(r"^(\S+) (\d\S+)$", notice, re.M))
    assert sources.keys() >= {"elfutils", "libmicrohttpd", "libzstd", "zlib", "jansson", "ncurses"}
    for package, version in sources.items():
        assert f"https://snapshot.debian.org/package/{package}/{version}/" in notice
        assert f"libraries/{package}/copyright.txt" in held
    # the LGPL's own words
    for name in ("elfutils/COPYING-LGPLV3.txt", "elfutils/COPYING-GPLV2.txt",
                 "libmicrohttpd/COPYING.txt"):
        assert "GENERAL PUBLIC LICENSE" in (info / "licenses" / "libraries" / name).read_text()


def test_is_small(wheel):
    assert wheel.stat().st_size < MAX_BYTES


def test_asks_for_nothing_but_an_old_glibc(wheel, unpacked):
    promised = int(re.search(r"manylinux_2_(\d+)_", wheel.name)[1])
    assert len(binaries(unpacked)) == 2
    for path in binaries(unpacked):
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", readelf(path, "-d"))
        assert needed and all(OF_GLIBC.fullmatch(name) for name in needed), needed
        versions = {tuple(map(int, found.split(".")))
                    for found in re.findall(r"GLIBC_(\d[\d.]*)", readelf(path, "-V"))}
        assert max(versions) <= (2, promised), path
        assert "(RPATH)" not in readelf(path, "-d") and "(RUNPATH)" not in readelf(path, "-d")


def test_is_stripped_and_keeps_its_symbols_to_itself(unpacked):
    for path in binaries(unpacked):
        sections = readelf(path, "-S")
        assert ".symtab" not in sections and ".debug_info" not in sections, path
    module = next(unpacked.glob("fireglass/*.so"))
    exported = [line.split() for line in readelf(module, "--dyn-syms").split("\n")
                if re.search(r" (GLOBAL|WEAK) +DEFAULT +\d+ ", line)]
    assert [words[-1] for words in exported] == ["PyInit__fireglass"]


def test_names_no_path_of_the_machine_it_was_built_on(unpacked):
    for path in binaries(unpacked):
        content = path.read_bytes()
        for folder in (str(ROOT), ".cache/fireglass/", "sources-"):
            assert folder.encode() not in content, path


def test_stack_is_not_executable(unpacked):
    for path in binaries(unpacked):
        stack = re.search(r"GNU_STACK(?: +0x\w+){5} +([RWE]+)", readelf(path, "-l"))
        assert stack and "E" not in stack[1], path


def test_sdist_builds_without_esbuild_and_git():
    found = list(WHEELS.glob("fireglass-*.tar.gz"))
    assert len(found) == 1
    with tarfile.open(found[0]) as packed:
        names = {name.split("/", 1)[1] for name in packed.getnames()}
        tops = {name.split("/", 1)[0] for name in packed.getnames()}
    assert tops == {found[0].name[:-len(".tar.gz")]}
    for name in ("PKG-INFO", "pyproject.toml", "meson.build", "web/built/page.html",
                 "web/built/page_live.html", "LICENSE",
                 "ext/fireglass/__init__.py", "tools/wheel_lib/backend.py", "tests/meson.build"):
        assert name in names, name
    assert not [name for name in names if "__pycache__" in name or name.endswith((".o", ".so"))]
