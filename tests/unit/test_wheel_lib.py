# SPDX-License-Identifier: MIT
"""What tools/wheel and pip's backend are made of, as far as nothing is compiled."""

import csv
import email
import io
import os
import pathlib
import stat
import sys
import tarfile
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from wheel_lib import archive, building, common, metadata, sdist  # noqa: E402


@pytest.mark.parametrize("abi, python, tag", [
    ("abi3", "cp38", "abi3"),
    ("cpython-313t-x86_64-linux-gnu", "cp313", "cp313t"),
    ("cpython-314t-aarch64-linux-gnu", "cp314", "cp314t"),
    ("cpython-312-x86_64-linux-gnu", "cp312", "cp312"),
])
def test_tags(abi, python, tag):
    tags = building.Tags(abi)
    assert (tags.python, tags.abi_tag) == (python, tag)


def test_tags_of_nonsense():
    with pytest.raises(common.WheelError, match="'pypy'"):
        building.Tags("pypy")


@pytest.fixture
def built(tmp_path):
    """A build directory with what a wheel takes from it."""
    (tmp_path / "build" / "ext").mkdir(parents=True)
    for abi in ("abi3", "cpython-314t-x86_64-linux-gnu"):
        (tmp_path / "build" / "ext" / f"_fireglass-{abi}.so").write_bytes(b"module " + abi.encode())
    (tmp_path / "build" / "fireglass").write_bytes(b"\x7fELF")
    return tmp_path / "build"


def test_wheel(built, tmp_path):
    (tmp_path / "zlib").write_text("its licence")
    name = building.write_wheel(tmp_path, built, "abi3", "linux_x86_64", "MIT AND Zlib",
                                {"libraries/zlib.txt": tmp_path / "zlib"})
    version = metadata.version()
    assert name == f"fireglass-{version}-cp38-abi3-linux_x86_64.whl"
    with zipfile.ZipFile(tmp_path / name) as packed:
        names = packed.namelist()
        assert packed.read("fireglass/_fireglass.abi3.so") == b"module abi3"
        command = packed.getinfo(f"fireglass-{version}.data/scripts/fireglass")
        assert stat.S_IMODE(command.external_attr >> 16) == 0o755
        about = email.message_from_bytes(packed.read(f"fireglass-{version}.dist-info/METADATA"))
        assert about["Name"] == "fireglass" and about["Version"] == version
        for held in about.get_all("License-File"):
            assert f"fireglass-{version}.dist-info/licenses/{held}" in names
        assert "libraries/zlib.txt" in about.get_all("License-File")
        assert about["License-Expression"] == "MIT AND Zlib"
        rows = list(csv.reader(io.StringIO(packed.read(names[-1]).decode())))
        assert [row[0] for row in rows] == names and rows[-1][1:] == ["", ""]


def test_free_threaded_module_has_its_own_name(built, tmp_path):
    name = building.write_wheel(tmp_path, built, "cpython-314t-x86_64-linux-gnu", "linux_x86_64")
    assert "-cp314-cp314t-" in name
    with zipfile.ZipFile(tmp_path / name) as packed:
        modules = [held for held in packed.namelist() if held.endswith(".so")]
    assert modules == ["fireglass/_fireglass.cpython-314t-x86_64-linux-gnu.so"]


def test_same_bytes_again(built, tmp_path):
    made = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        name = building.write_wheel(tmp_path / folder, built, "abi3", "linux_x86_64")
        made.append((tmp_path / folder / name).read_bytes())
    assert made[0] == made[1]


def test_package_is_all_there():
    names = set(building.package_files())
    assert {"fireglass/__init__.py", "fireglass/_fireglass.pyi"} <= names
    assert not [name for name in names if name.endswith((".pyc", ".so"))]


def test_sdist(tmp_path, monkeypatch):
    monkeypatch.setattr(sdist, "built_page", lambda name: name.encode())
    name = sdist.write(tmp_path)
    with tarfile.open(tmp_path / name) as packed:
        members = {member.name.split("/", 1)[1]: member for member in packed}
    for page in ("page.html", "page_live.html"):
        assert members[f"web/built/{page}"].size == len(page)
    assert members["tools/run_tests.py"].mode == 0o755
    assert not [held for held in members if held.startswith(sdist.LEFT_OUT)]
    # what meson asks for is there
    for needed in ("meson.build", "meson_options.txt", "src/meson.build", "ext/meson.build",
                   "tests/meson.build", "tools/embed.py", "docs/openapi.yaml", "pyproject.toml"):
        assert needed in members


def test_sdist_without_git(tmp_path, monkeypatch):
    """From an unpacked sdist: what was built or cached there is left out."""
    for made in ("meson.build", "src/a.c", "src/__pycache__/a.pyc", "build/x.o", "PKG-INFO"):
        path = tmp_path / made
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.setattr(sdist, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert sorted(sdist.source_files()) == ["meson.build", "src/a.c"]


def test_epoch_from_the_environment():
    assert archive.EPOCH >= 315532800
    assert os.environ.get("SOURCE_DATE_EPOCH") or archive.EPOCH == 315532800
