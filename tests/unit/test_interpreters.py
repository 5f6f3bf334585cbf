# SPDX-License-Identifier: MIT
"""The pure parts of tools/interpreters: no interpreter is run, nothing is fetched."""

import gzip
import json
import os
import struct
import sys

import pytest

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools")
sys.path.insert(0, TOOLS)
from interpreters_lib import build, debian, elf, find, freethreaded, provide, standalone  # noqa: E402

# --- ELF files ----------------------------------------------------------------------------------

BASE, START = 0x400000, 0x100


def tiny_elf(kind=elf.ET_EXEC, symtab=True, symbol=b"Py_BytesMain", interp=True, code=None):
    """An ELF whose segment maps the file at BASE, with _start at START and one exported symbol."""
    code = code or b"\x31\xed\x48\xc7\xc7" + struct.pack("<i", 0x401111) + b"\xe8\0\0\0\0\xf4"
    strings = b"\0" + symbol + b"\0libpython3.9.so.1.0\0"
    strtab, dynsym, dynamic, sections = 0x200, 0x280, 0x300, 0x380
    segments = [(elf.PT_LOAD, 0, BASE, 0x600), (elf.PT_DYNAMIC, dynamic, BASE + dynamic, 48)]
    if interp:
        segments.append((elf.PT_INTERP, 0x1F0, BASE + 0x1F0, 8))
    heads = [(elf.SHT_DYNSYM, dynsym, 48, 1), (3, strtab, len(strings), 0)]
    heads += [(elf.SHT_SYMTAB, 0, 0, 0)] if symtab else []
    out = bytearray(0x600)
    struct.pack_into("<6s10xHHI", out, 0, b"\x7fELF\x02\x01", kind, 62, 1)
    struct.pack_into("<QQQ", out, 24, BASE + START, 64, sections)
    struct.pack_into("<HHHH", out, 54, 56, len(segments), 64, len(heads))
    for i, (t, off, addr, size) in enumerate(segments):
        struct.pack_into("<IIQQQQ", out, 64 + 56 * i, t, 5, off, addr, addr, size)
    for i, (t, off, size, link) in enumerate(heads):
        struct.pack_into("<IIQQQQI", out, sections + 64 * i, 0, t, 0, 0, off, size, link)
    out[START : START + len(code)] = code
    out[strtab : strtab + len(strings)] = strings
    struct.pack_into("<IBBHQ", out, dynsym + 24, 1, 0x12, 0, 1, 0x401234)
    needed = 2 + len(symbol)
    struct.pack_into("<6Q", out, dynamic, elf.DT_NEEDED, needed, elf.DT_STRTAB, BASE + strtab, 0, 0)
    return bytes(out)


def test_elf_facts():
    image = elf.Elf(tiny_elf())
    assert not image.stripped and not image.pie
    assert image.needed() == ["libpython3.9.so.1.0"]
    assert image.symbol("Py_BytesMain") == 0x401234
    assert image.symbol("Py_Bytes") is None


def test_elf_stripped_and_pie():
    image = elf.Elf(tiny_elf(kind=elf.ET_DYN, symtab=False))
    assert image.stripped and image.pie
    assert not elf.Elf(tiny_elf(kind=elf.ET_DYN, interp=False)).pie


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + bytes(80)])
def test_not_an_elf(data):
    with pytest.raises(elf.ElfError):
        elf.Elf(data)


@pytest.mark.parametrize("length", [20, 70, 130, 0x390])
def test_truncated_elf_is_an_error_not_a_crash(length):
    with pytest.raises(elf.ElfError):
        elf.Elf(tiny_elf()[:length])


def test_with_main_changes_four_bytes():
    before = tiny_elf()
    after = elf.with_main(before, "Py_BytesMain")
    changed = [i for i in range(len(before)) if before[i] != after[i]]
    at = START + 5
    assert struct.unpack_from("<i", after, at) == (0x401234,)
    assert changed and set(changed) <= set(range(at, at + 4))


@pytest.mark.parametrize(
    "data, name",
    [
        (tiny_elf(), "Py_Main"),
        (tiny_elf(kind=elf.ET_DYN), "Py_BytesMain"),
        (tiny_elf(code=b"\x90" * 64), "Py_BytesMain"),
    ],
)
def test_with_main_refuses_what_it_does_not_know(data, name):
    with pytest.raises(elf.ElfError):
        elf.with_main(data, name)


# --- candidates ---------------------------------------------------------------------------------


def put(path, data=None, mode=0o755):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tiny_elf() if data is None else data)
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize("name", ["python", "python3", "python2.7", "python3.15", "python3.14t"])
def test_names_of_interpreters(name):
    assert find.NAME.match(name)


@pytest.mark.parametrize(
    "name", ["python3-config", "python3.11-config", "pythonw", "pypy3", "ipython"]
)
def test_names_of_others(name):
    assert not find.NAME.match(name)


def test_pythons_in_wants_executables(tmp_path):
    put(tmp_path / "python3.9")
    put(tmp_path / "python3.10", mode=0o644)
    put(tmp_path / "python3.9-config")
    assert [os.path.basename(p) for p in find.pythons_in(str(tmp_path))] == ["python3.9"]
    assert find.pythons_in(str(tmp_path / "none")) == []


def test_links_and_hard_links_are_one_interpreter(tmp_path):
    exe = put(tmp_path / "bin" / "python3.9")
    os.symlink("python3.9", tmp_path / "bin" / "python3")
    os.link(exe, tmp_path / "bin" / "python3.9m")
    found = [find.Candidate(p, "path") for p in find.pythons_in(str(tmp_path / "bin"))]
    assert len(found) == 3
    assert [c.exe for c in find.dedupe(found, {"HOME": "/none"})] == [exe]


def test_shims_and_virtual_environments_are_none(tmp_path):
    exe = put(tmp_path / "real" / "bin" / "python3.9")
    shim = put(tmp_path / "shims" / "python3", b"#!/bin/sh\nexec python3.9\n")
    linked = tmp_path / "venv" / "bin" / "python"
    linked.parent.mkdir(parents=True)
    os.symlink(exe, linked)
    copied = put(tmp_path / "copy" / "bin" / "python")
    (tmp_path / "copy" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    found = [find.Candidate(p, "path") for p in (shim, str(linked), copied)]
    assert [c.exe for c in find.dedupe(found, {"HOME": "/none"})] == [exe]


def test_a_link_out_of_a_root_is_not_of_that_root(tmp_path):
    exe = put(tmp_path / "outside" / "python3")
    root = tmp_path / "root"
    (root / "usr").mkdir(parents=True)
    os.symlink(exe, root / "usr" / "python3")
    found = [find.Candidate(str(root / "usr" / "python3"), "debian", str(root))]
    assert find.dedupe(found, {"HOME": "/none"}) == []


def test_kind_is_where_it_lies(tmp_path):
    env = {"PYENV_ROOT": str(tmp_path / "pyenv"), "XDG_DATA_HOME": str(tmp_path / "data")}
    pyenv = str(tmp_path / "pyenv" / "versions" / "3.9.1" / "bin" / "python3.9")
    uv = str(tmp_path / "data" / "uv" / "python" / "cpython-3.13" / "bin" / "python3.13")
    assert find.classify(pyenv, "path", env) == "pyenv"
    assert find.classify(uv, "env", env) == "uv"
    assert find.classify("/usr/bin/python3.11", "path", env) == "path"
    assert find.classify(pyenv, "standalone", env) == "standalone"


def test_sources_in_order(tmp_path):
    env = {
        "PYENV_ROOT": str(tmp_path / "pyenv"),
        "UV_PYTHON_INSTALL_DIR": str(tmp_path / "uv"),
        "PATH": str(tmp_path / "bin"),
        "FIREGLASS_PYTHONS": str(tmp_path / "mine"),
    }
    put(tmp_path / "pyenv" / "versions" / "3.9.1" / "bin" / "python3.9")
    put(tmp_path / "uv" / "cpython-3.10" / "bin" / "python3.10")
    put(tmp_path / "bin" / "python3.11")
    put(tmp_path / "mine" / "python3.12")
    kinds = [
        (c.kind, os.path.basename(c.exe)) for c in find.candidates(env, str(tmp_path / "cache"))
    ]
    wanted = [
        ("env", "python3.12"),
        ("pyenv", "python3.9"),
        ("uv", "python3.10"),
        ("path", "python3.11"),
    ]
    assert kinds == wanted


def test_variable_names_files_and_directories(tmp_path, capsys):
    put(tmp_path / "a" / "odd-name")
    put(tmp_path / "b" / "bin" / "python3.8")
    put(tmp_path / "c" / "3.7" / "bin" / "python3.7")
    parts = [tmp_path / "a" / "odd-name", tmp_path / "b", tmp_path / "c", tmp_path / "gone"]
    found = find.from_variable(":".join(map(str, parts)) + "::")
    assert [os.path.basename(p) for p in found] == ["odd-name", "python3.8", "python3.7"]
    assert "gone" in capsys.readouterr().err


def test_cache_manifests_give_commands(tmp_path):
    root, free = tmp_path / "debian-sid", tmp_path / "pypi-3.13t"
    find.write_json(
        str(root / "manifest.json"),
        {"kind": "debian", "chroot": True, "pythons": [{"exe": "usr/bin/python3.15"}]},
    )
    python = {"exe": "bin/python3.13t", "env": {"LD_PRELOAD": "{tree}/lib/x.so"}}
    find.write_json(str(free / "manifest.json"), {"kind": "pypi", "pythons": [python]})
    find.write_json(str(tmp_path / ".tmp-x" / "manifest.json"), {"kind": "x", "pythons": [python]})
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "manifest.json").write_text('{"kind": "deb')
    debian_sid, pypi = find.from_cache(str(tmp_path))
    assert debian_sid.argv == ["chroot", str(root / "tree"), "/usr/bin/python3.15"]
    preload = "LD_PRELOAD=" + str(free / "tree" / "lib" / "x.so")
    assert pypi.argv == ["env", preload, str(free / "tree" / "bin" / "python3.13t")]


# --- probing and listing ------------------------------------------------------------------------


def said(**changes):
    facts = {
        "implementation": "cpython",
        "version": "3.9.1",
        "release": "final",
        "hex": "0x030901f0",
        "free_threaded": False,
        "debug": False,
        "venv": False,
        "libpython": "",
    }
    return dict(facts, **changes)


def test_probe_answer_is_the_last_line():
    text = "a site hook greets you\n" + json.dumps(said()) + "\n"
    assert find.parse_probe(text)["version"] == "3.9.1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[1]",
        "{}",
        json.dumps(said(implementation="pypy")),
        json.dumps(said(venv=True)),
        json.dumps(said(version=3)),
    ],
)
def test_what_is_no_interpreter_of_its_own(text):
    assert find.parse_probe(text) is None


def test_probe_runs_once_for_an_unchanged_file(tmp_path, monkeypatch):
    exe = put(tmp_path / "python3.9")
    asked = []

    def fake(candidate):
        asked.append(candidate.exe)
        return {"version": "3.9.1"}

    monkeypatch.setattr(find, "probe", fake)
    c = find.Candidate(exe, "path")
    cache = str(tmp_path / "cache")
    assert find.probe_all([c], cache) == find.probe_all([c], cache) == [(c, {"version": "3.9.1"})]
    assert asked == [exe]
    put(tmp_path / "python3.9", tiny_elf() + b"more")
    find.probe_all([c], cache)
    assert asked == [exe, exe]


def test_a_failed_probe_is_asked_again(tmp_path, monkeypatch):
    c = find.Candidate(put(tmp_path / "python3.9"), "path")
    monkeypatch.setattr(find, "probe", lambda candidate: None)
    assert find.probe_all([c], str(tmp_path / "cache")) == []
    monkeypatch.setattr(find, "probe", lambda candidate: {"version": "3.9.1"})
    assert len(find.probe_all([c], str(tmp_path / "cache"))) == 1


def entry(version="3.9.1", kind="path", exe="/usr/bin/python", **changes):
    facts = dict(version=version, kind=kind, exe=exe, argv=[exe], root=None, env={}, hex="0x0")
    facts.update(free_threaded=False, debug=False, shared=False, stripped=False, pie=False)
    return dict(facts, **changes)


def test_ids_are_unique_stable_and_sorted():
    entries = [
        entry("3.10.2", "pyenv", "/b"),
        entry("3.9.1", "path", "/usr/bin/python3.9"),
        entry("3.9.1", "path", "/usr/local/bin/python3.9"),
        entry("3.14.1", "pypi", "/c", free_threaded=True),
        entry("3.15.0", "debian", "/d", debug=True),
    ]
    ids = [i["id"] for i in find.with_ids(entries)]
    wanted = ["3.9.1-path", "3.9.1-path-2", "3.10.2-pyenv", "3.15.0d-debian", "3.14.1t-pypi"]
    assert ids == wanted
    assert [i["id"] for i in find.with_ids(reversed(entries))] == wanted


def test_tags():
    assert find.tag(entry("2.7.18")) == "2.7"
    assert find.tag(entry("3.14.0", free_threaded=True)) == "3.14t"


def test_table_says_how_each_is_built():
    text = find.table(find.with_ids([entry(pie=True, stripped=True, root="/r"), entry("3.8.0")]))
    assert "static pie stripped chroot" in text
    assert [line.split()[0] for line in text.splitlines()] == ["ID", "3.8.0-path", "3.9.1-path"]


# --- what to provide ----------------------------------------------------------------------------


def test_only():
    assert provide.parse_only("3.15, 3.14t") == ["3.15", "3.14t"]
    for bad in ("", "3.5", "3.15,x", "3.9t"):
        with pytest.raises(ValueError):
            provide.parse_only(bad)


def test_wanted_is_every_supported_version():
    minors = ["2.7"] + [f"3.{n}" for n in range(6, 16)]
    assert provide.WANTED == minors + ["3.13t", "3.14t", "3.15t"]


def steps(wanted, absent, everything=False):
    return [(p, a) for _, _, p, a in provide.plan(wanted, absent, everything)]


def test_plan_on_a_machine_with_everything():
    assert ("debian", "sid") in steps(provide.WANTED, [])
    assert ("debian", "bullseye") not in steps(provide.WANTED, [])
    assert ("freethreaded", "3.14t") not in steps(provide.WANTED, [])
    assert ("debian", "bullseye") in steps(provide.WANTED, [], everything=True)


def test_plan_takes_an_old_debian_for_what_is_absent():
    assert steps(["2.7"], ["2.7"]) == [("debian", "bullseye")]
    assert steps(["2.7"], []) == []
    assert steps(["3.8"], ["3.8"]) == []


def test_plan_gives_free_threaded_builds_their_library_first():
    assert steps(["3.15t"], ["3.15t"]) == [("debian", "sid"), ("freethreaded", "3.15t")]


def test_missing_names_versions_and_shapes():
    have = [entry("3.9.1"), entry("3.14.2", free_threaded=True)]
    assert provide.missing(["3.9", "3.14", "3.14t"], have) == ["3.14"]
    assert provide.missing_shapes(have) == ["stripped", "shared"]
    assert provide.missing_shapes([entry(stripped=True), entry(shared=True)]) == []
    assert "static position-dependent" in provide.missing_shapes([entry(pie=True)])


def test_reason_is_the_first_line_of_the_step_that_failed():
    problems = [(("x", ("3.15",), "debian", "sid"), "no debootstrap; run: x\n    log")]
    assert provide.reason("3.15", problems) == "no debootstrap; run: x"
    assert "FIREGLASS_PYTHONS" in provide.reason("3.8", problems)


# --- apt's configuration ------------------------------------------------------------------------

SOURCES = """\
# a comment
Types: deb
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main

Types: deb deb-src
# within a stanza
URIs: http://mirror.example/debian
Suites: bookworm
 bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: sid
Components: main
"""


def no_file(path):
    raise AssertionError("must not read " + path)


def test_deb822_sources():
    entries = debian.entries_of_sources(SOURCES)
    assert ("http://mirror.example/debian", "bookworm-updates", ("main", "contrib")) in entries
    assert not [e for e in entries if "off.example" in e[0]]
    assert debian.mirror_of(entries, no_file) == "http://mirror.example/debian"


def test_one_line_sources():
    text = """
# deb http://commented.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb [signed-by=/usr/share/keyrings/x.gpg arch=amd64] https://third.example/apt stable main
deb [ trusted=yes ] http://mirror.example/debian/ bookworm main # trailing
"""
    assert (
        debian.mirror_of(debian.entries_of_list(text), no_file) == "http://mirror.example/debian/"
    )


def test_mirror_list_file():
    entries = debian.entries_of_list("deb mirror+file:/etc/apt/mirrors/d.list bookworm main\n")
    lists = {"/etc/apt/mirrors/d.list": "# first\nhttps://near.example/debian\tpriority:1\n"}
    assert debian.mirror_of(entries, lists.__getitem__) == "https://near.example/debian"


def test_a_mirror_under_another_path_is_known_by_the_suite():
    entries = [("http://proxy.example/deb-remote", "bookworm", ("main",))]
    entries.insert(0, ("http://third.example/apt", "stable", ("main",)))
    assert debian.mirror_of(entries, no_file, "bookworm") == "http://proxy.example/deb-remote"
    assert debian.mirror_of(entries, no_file) is None


def test_ubuntu_has_no_debian_mirror():
    entries = debian.entries_of_list("deb http://archive.example/ubuntu noble main universe\n")
    assert debian.mirror_of(entries, no_file, debian.codename_of("ID=ubuntu\n")) is None
    assert debian.codename_of('ID=debian\nVERSION_CODENAME="bookworm"\n') == "bookworm"


def test_debootstrap_command():
    argv = debian.debootstrap_argv("debootstrap", "sid", "/t", "/k", "http://m/debian", "unshare")
    assert argv[:3] == ["unshare", "--mount", "debootstrap"]
    assert argv[-3:] == ["sid", "/t", "http://m/debian"] and "--keyring=/k" in argv
    assert debian.debootstrap_argv("d", "sid", "/t", "/k", None, None)[-1] == "/t"


def test_versions_a_suite_has():
    text = "python3.13 - Interactive language\npython3.15 - Interactive language\n"
    assert debian.available("/t", ("3.13", "3.14", "3.15"), lambda argv: text) == ["3.13", "3.15"]


# --- the cache ----------------------------------------------------------------------------------


def test_a_tree_appears_whole_or_not_at_all(tmp_path):
    context = build.Context(str(tmp_path))
    with pytest.raises(RuntimeError), build.making(context, "x", {"recipe": 1}) as tree:
        open(os.path.join(tree, "half"), "w").close()
        raise RuntimeError
    assert os.listdir(tmp_path) == []
    for recipe in (1, 2):
        with build.making(context, "x", {"recipe": recipe}) as tree:
            open(os.path.join(tree, str(recipe)), "w").close()
    assert os.listdir(tmp_path) == ["x"]
    assert os.listdir(tmp_path / "x" / "tree") == ["2"]
    assert context.has("x", 2) and not context.has("x", 1)


def test_leftovers_of_a_killed_run_go(tmp_path):
    put(tmp_path / ".tmp-debian-sid-1" / "tree" / "bin" / "sh")
    put(tmp_path / "kept" / "tree" / "bin" / "sh")
    with build.locked(build.Context(str(tmp_path))):
        assert sorted(os.listdir(tmp_path)) == [".lock", "kept"]


def test_mounts_below():
    text = "21 1 0:5 / /a/tree/proc rw - proc proc rw\n22 1 0:6 / /a/treeed rw - tmpfs t rw\n"
    assert build.mounts_below("/a/tree", text) == ["/a/tree/proc"]


def test_a_tree_with_a_mount_in_it_is_not_removed(tmp_path, monkeypatch):
    kept = put(tmp_path / "tree" / "file")
    monkeypatch.setattr(build, "mounts_below", lambda path, text: [path + "/dev"])
    with pytest.raises(build.ProvideError, match="umount"):
        build.remove_tree(str(tmp_path / "tree"))
    assert os.path.exists(kept)


def test_a_failed_command_shows_its_output(tmp_path):
    context = build.Context(str(tmp_path))
    with pytest.raises(build.ProvideError, match="the reason"):
        context.run([sys.executable, "-c", "import sys; sys.exit('the reason')"])
    with pytest.raises(build.ProvideError, match="cannot run"):
        context.run([str(tmp_path / "none")])


@pytest.mark.parametrize(
    "provider",
    [
        lambda c: debian.provide_root(c, "sid"),
        lambda c: standalone.provide(c, "3.14"),
        lambda c: freethreaded.provide(c, "3.14t", []),
    ],
)
def test_offline_says_what_is_not_there(tmp_path, provider):
    with pytest.raises(build.ProvideError, match="--offline"):
        provider(build.Context(str(tmp_path), offline=True))


def go_module(tmp_path, files):
    data = tmp_path / "data"
    put(data / "files.json", json.dumps({"files": files}).encode())
    return data


def test_unpack_of_a_standalone_tree(tmp_path):
    files = [
        {"name": "bin", "size": 0, "perm": 1 << 31 | 0o755},
        {"name": "bin/python3", "size": 10, "perm": 1 << 27, "symlink": "python3.14"},
        {"name": "bin/python3.14", "size": 3, "perm": 0o755, "compressed": True},
        {"name": "lib/os.py", "size": 2, "perm": 0o664},
    ]
    data, tree = go_module(tmp_path, files), tmp_path / "tree"
    put(data / "bin" / "python3.14.gz", gzip.compress(b"ELF"))
    put(data / "lib" / "os.py", b"#\n")
    tree.mkdir()
    standalone.unpack(str(data), str(tree))
    assert (tree / "bin" / "python3").read_bytes() == b"ELF"
    assert os.access(tree / "bin" / "python3.14", os.X_OK)
    assert not os.access(tree / "lib" / "os.py", os.X_OK) or os.geteuid() == 0
    assert (tree / "lib" / "os.py").stat().st_mode & 0o777 == 0o664


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "a//b", ""])
def test_unpack_stays_in_its_tree(tmp_path, name):
    data = go_module(tmp_path, [{"name": name, "size": 0, "perm": 0o644}])
    with pytest.raises(build.ProvideError, match="outside"):
        standalone.unpack(str(data), str(tmp_path / "tree"))


def test_pip_takes_only_the_wheel_it_knows():
    argv = freethreaded.pip_argv("python3", "3.14t", "/d", "/r.txt")
    joined = " ".join(argv)
    assert "--abi cp314t" in joined and "--python-version 3.14 " in joined
    assert "--require-hashes" in argv and "--only-binary :all:" in joined


def test_library_comes_from_a_tree_of_the_same_minor(tmp_path):
    context = build.Context(str(tmp_path))
    with pytest.raises(build.ProvideError, match="3.14"):
        freethreaded.stdlib(context, "3.14")
    put(tmp_path / "standalone-3.14" / "tree" / "lib" / "python3.14" / "threading.py", b"")
    assert freethreaded.stdlib(context, "3.14").endswith("standalone-3.14/tree/lib/python3.14")
