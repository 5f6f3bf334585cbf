# SPDX-License-Identifier: MIT
"""The libraries that a release wheel holds, built from Debian's sources: static, position-independent.

    prefix/include, prefix/lib/lib*.a, prefix/lib/pkgconfig

The system's own archives will not do: some are not position-independent, all want the system's glibc,
and its libmicrohttpd brings a TLS library. Sources come from the machine's Debian mirror, verified and patched
by apt and dpkg-source. What a library's configure script would find out is written down here where that is little.
"""

import concurrent.futures
import hashlib
import pathlib
import re
import shutil

from .common import WheelError, cache_dir, run, say
from .debian_archive import Archive

SUITE = "bookworm"
CFLAGS = ["-O2", "-fPIC", "-fvisibility=hidden", "-ffunction-sections", "-fdata-sections", "-w"]

PC = """prefix={prefix}
Name: {name}
Description: {name}
Version: {version}
Cflags: -I${{prefix}}/include
Libs: -L${{prefix}}/lib {libs}
Requires: {requires}
"""

JANSSON_CONFIG = """#define JSON_INLINE inline
#define JSON_INTEGER_IS_LONG_LONG 1
#define JSON_HAVE_LOCALECONV 1
#define JSON_HAVE_ATOMIC_BUILTINS 1
#define JSON_HAVE_SYNC_BUILTINS 1
#define JSON_PARSER_MAX_DEPTH 2048
"""
# Two of its functions are called as ours are, and are not used.
JANSSON_FLAGS = [f"-Djson_{what}=jansson_json_{what}" for what in ("null", "string")]
JANSSON_FLAGS += [f"-DHAVE_{what}=1" for what in (
    "UNISTD_H STDINT_H FCNTL_H SCHED_H SYS_STAT_H SYS_TIME_H SYS_TYPES_H SYS_PARAM_H ENDIAN_H OPEN "
    "CLOSE READ GETTIMEOFDAY GETPID ATOMIC_BUILTINS SCHED_YIELD LOCALECONV STRTOLL").split()]

ELF_CONFIG = """#define HAVE_DECL_MEMPCPY 1
#define HAVE_DECL_POWEROF2 1
#define HAVE_DECL_REALLOCARRAY 1
#define HAVE_DECL_MEMRCHR 1
#define HAVE_DECL_RAWMEMCHR 1
#define HAVE_FALLTHROUGH 1
#define HAVE_ERROR_H 1
#define HAVE_MREMAP 1
#define HAVE_VISIBILITY 1
#define PACKAGE "elfutils"
#define _(text) text
#define N_(text) text
#include <eu-config.h>
"""

# Of terminals that people have: known to the program itself, where a system has no terminfo.
TERMINALS = ("xterm xterm-256color xterm-direct linux vt100 vt220 ansi dumb screen screen-256color "
             "tmux tmux-256color rxvt rxvt-256color alacritty foot putty "
             "putty-256color konsole-256color gnome-256color vte-256color st-256color "
             "cygwin").split()
TERMINFO_DIRS = "/etc/terminfo:/lib/terminfo:/usr/share/terminfo:/usr/lib/terminfo"


class Builder:
    """Builds into one prefix with one toolchain."""

    def __init__(self, toolchain, prefix, sources, jobs):
        self.toolchain, self.prefix, self.sources, self.jobs = toolchain, prefix, sources, jobs
        # no path of the machine's in what is released
        self.cflags = [*CFLAGS, f"-ffile-prefix-map={sources}/="]

    def source(self, package):
        """The unpacked source and its upstream version."""
        found = [path for path in self.sources.glob(package + "-[0-9]*") if path.is_dir()]
        if len(found) != 1:
            raise WheelError(f"no source of '{package}' in {self.sources}; remove that directory")
        return found[0], found[0].name[len(package) + 1:].split("+")[0].split(".dfsg")[0]

    def archive(self, name, directory, files, flags):
        """lib`name`.a of these .c files."""
        objects = self.prefix / "objects" / name
        objects.mkdir(parents=True)
        cc = [self.toolchain.bin / "cc", *self.cflags, *flags, "-c"]

        def compile_one(path):
            target = objects / (str(path.relative_to(directory)).replace("/", "_") + ".o")
            run(*cc, "-o", target, path, cwd=directory)
            return target

        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            made = list(pool.map(compile_one, files))
        run(self.toolchain.bin / "ar", "rcs", self.prefix / "lib" / f"lib{name}.a", *made)

    def headers(self, *paths):
        for path in paths:
            shutil.copy(path, self.prefix / "include")

    def describe(self, name, version, libs, requires=""):
        text = PC.format(prefix=self.prefix, name=name, version=version, libs=libs,
                         requires=requires)
        (self.prefix / "lib" / "pkgconfig" / f"{name}.pc").write_text(text)

    def configure_make(self, package, options, *targets, install):
        """A library whose configure script is needed; built beside its source."""
        directory, version = self.source(package)
        work = self.prefix / "objects" / package
        work.mkdir(parents=True)
        env = dict(self.toolchain.env(), CFLAGS=" ".join(self.cflags))
        run(directory / "configure", f"--prefix={self.prefix}", f"--host={self.toolchain.triple}",
            *options, cwd=work, env=env)
        for target in targets:
            run("make", f"-j{self.jobs}", *target, cwd=work, env=env)
        run("make", *install, cwd=work, env=env)
        return version


# ---- one function for each library -----------------------------------------------------------------

def zlib(b):
    directory, version = b.source("zlib")
    files = [path for path in directory.glob("*.c") if not path.name.startswith("gz")]
    b.archive("z", directory, sorted(files), ["-DHAVE_UNISTD_H=1", "-DHAVE_STDARG_H=1"])
    b.headers(directory / "zlib.h", directory / "zconf.h")
    b.describe("zlib", version, "-lz")


def zstd(b):
    directory, version = b.source("libzstd")
    lib = directory / "lib"
    files = [path for part in ("common", "compress", "decompress")
             for path in sorted((lib / part).glob("*.c"))]
    b.archive("zstd", lib, files, ["-DZSTD_DISABLE_ASM=1", "-DXXH_NAMESPACE=ZSTD_"])
    b.headers(lib / "zstd.h", lib / "zstd_errors.h")
    b.describe("libzstd", version, "-lzstd")


def xxhash(b):
    directory, version = b.source("xxhash")
    b.headers(directory / "xxhash.h", directory / "xxh3.h")
    b.describe("libxxhash", version, "")


def jansson(b):
    directory, version = b.source("jansson")
    config = b.prefix / "objects" / "jansson-config"
    config.mkdir()
    (config / "jansson_private_config.h").touch()
    (b.prefix / "include" / "jansson_config.h").write_text(JANSSON_CONFIG)
    b.archive("jansson", directory / "src", sorted((directory / "src").glob("*.c")),
              [f"-I{config}", f"-I{b.prefix / 'include'}", "-DUSE_URANDOM=1", *JANSSON_FLAGS])
    b.headers(directory / "src" / "jansson.h")
    b.describe("jansson", version, "-ljansson")


def nanopb(b):
    directory, _ = b.source("nanopb")
    b.archive("protobuf-nanopb", directory, sorted(directory.glob("pb_*.c")), [])
    b.headers(*directory.glob("pb*.h"))


def elf(b):
    directory, version = b.source("elfutils")
    config = b.prefix / "objects" / "elf-config"
    config.mkdir()
    (config / "config.h").write_text(ELF_CONFIG)
    files = sorted((directory / "libelf").glob("*.c"))
    files.append(directory / "lib" / "next_prime.c")
    flags = ["-std=gnu99", "-D_GNU_SOURCE", "-DHAVE_CONFIG_H", "-D_FILE_OFFSET_BITS=64",
             f"-I{config}", f"-I{b.prefix / 'include'}", "-I.", "-I../lib", "-I../libelf"]
    b.archive("elf", directory, files, [
        flag.replace("-I..", f"-I{directory}").replace("-I.", f"-I{directory}") for flag in flags])
    b.headers(*(directory / "libelf" / name for name in ("libelf.h", "gelf.h", "nlist.h")))
    b.describe("libelf", version, "-lelf", "zlib")


def ncurses(b):
    version = b.configure_make(
        "ncurses",
        ["--enable-widec", "--without-shared", "--with-normal", "--without-debug", "--without-ada",
         "--without-cxx", "--without-cxx-binding", "--without-manpages", "--without-progs",
         "--without-tests", "--without-gpm", "--without-dlsym", "--disable-db-install",
         "--with-build-cc=cc", "--enable-pc-files=no",
         f"--with-fallbacks={','.join(TERMINALS)}", f"--with-terminfo-dirs={TERMINFO_DIRS}",
         "--with-default-terminfo-dir=/usr/share/terminfo", "--with-tic-path=/usr/bin/tic",
         "--with-infocmp-path=/usr/bin/infocmp", "--enable-ext-colors", "--enable-ext-mouse",
         "--enable-sigwinch", "--disable-root-environ", "--without-tack"],
        ["libs"], install=["install.libs", "install.includes"])
    b.headers(*(b.prefix / "include" / "ncursesw").glob("*.h"))
    b.describe("ncursesw", version, "-lncursesw")


def microhttpd(b):
    version = b.configure_make(
        "libmicrohttpd",
        ["--enable-static", "--disable-shared", "--with-pic", "--disable-https", "--disable-doc",
         "--disable-examples", "--disable-tools", "--disable-curl", "--disable-dauth",
         "--disable-bauth", "--disable-postprocessor", "--disable-dependency-tracking"],
        ["-C", "src/include"], ["-C", "src/microhttpd", "libmicrohttpd.la"],
        install=["-C", "src/microhttpd", "install-libLTLIBRARIES"])
    directory, _ = b.source("libmicrohttpd")
    b.headers(directory / "src" / "include" / "microhttpd.h")
    b.describe("libmicrohttpd", version, "-lmicrohttpd -lpthread")


LIBRARIES = {"zlib": zlib, "libzstd": zstd, "xxhash": xxhash, "jansson": jansson,
             "nanopb": nanopb, "elfutils": elf, "ncurses": ncurses, "libmicrohttpd": microhttpd}
CONFIGURED = ("ncurses", "libmicrohttpd")


# ---- licences ------------------------------------------------------------------------------------

# Under which each is linked (SPDX), and the files of its source that say it in full.
LICENSES = {
    "zlib": ("Zlib", ["LICENSE"]),
    "libzstd": ("BSD-3-Clause", ["LICENSE"]),
    "xxhash": ("BSD-2-Clause", ["LICENSE"]),
    "jansson": ("MIT", ["LICENSE"]),
    "nanopb": ("Zlib", ["LICENSE.txt"]),
    "elfutils": ("GPL-2.0-or-later OR LGPL-3.0-or-later",
                 ["COPYING", "COPYING-GPLV2", "COPYING-LGPLV3"]),
    "ncurses": ("X11-distribute-modifications-variant", ["COPYING"]),
    "libmicrohttpd": ("LGPL-2.1-or-later", ["COPYING"]),
}

NOTICE = """The extension module and the command in this wheel contain the libraries below, built from the sources that
Debian distributes. The licence of each lies beside this file.

{listed}
libelf (of elfutils) and libmicrohttpd are under the LGPL: you may put others in their place. The sdist of
fireglass of the same version has all that this takes: tools/wheel builds the wheel anew, with the libraries
as tools/wheel_lib/libraries.py says.
"""


def license_expression(own):
    """SPDX, of fireglass together with what is linked into it."""
    parts = [own, *sorted({spdx for spdx, _ in LICENSES.values()} - {own})]
    return " AND ".join(f"({part})" if " OR " in part else part for part in parts)


def license_files(prefix):
    """{name in a wheel: path}."""
    folder = prefix / "licenses"
    return {f"libraries/{path.relative_to(folder).as_posix()}": path
            for path in sorted(folder.rglob("*")) if path.is_file()}


def debian_version(builder, package):
    """Of the source package, with Debian's revision."""
    found = list(builder.sources.glob(package + "_*.dsc"))
    text = found[0].read_text(encoding="utf-8") if len(found) == 1 else ""
    version = re.search(r"^Version: (\S+)$", text, re.M)
    if not version:
        raise WheelError(f"no version of '{package}' in {builder.sources}; remove that directory")
    return version[1]


def write_licenses(builder):
    """prefix/licenses: a notice, and a folder for each library."""
    folder, listed = builder.prefix / "licenses", []
    for package, (spdx, names) in LICENSES.items():
        source, _ = builder.source(package)
        (folder / package).mkdir(parents=True)
        shutil.copy(source / "debian" / "copyright", folder / package / "copyright.txt")
        for name in names:
            shutil.copy(source / name, folder / package / f"{name.partition('.')[0]}.txt")
        version = debian_version(builder, package)
        listed.append(f"{package} {version}\n    {spdx}\n"
                      f"    https://snapshot.debian.org/package/{package}/{version}/\n")
    (folder / "README.txt").write_text(NOTICE.format(listed="\n".join(listed)))


# ---- sources and the whole ----------------------------------------------------------------------------

def fetch_sources():
    """A directory with the unpacked sources of all the libraries."""
    folder = cache_dir() / f"sources-{SUITE}"
    if (folder / "complete").is_file():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    say(f"fetching the sources of {', '.join(LIBRARIES)}")
    Archive(SUITE, "deb-src").apt("source", *LIBRARIES, cwd=folder)
    (folder / "complete").touch()
    return folder


def build_libraries(toolchain, jobs):
    """The prefix with all of them for this toolchain, from the cache or built now."""
    recipe = pathlib.Path(__file__).read_bytes() + toolchain.venv.name.encode()
    digest = hashlib.sha256(recipe).hexdigest()[:12]
    prefix = cache_dir() / f"libraries-{toolchain.arch}-{toolchain.glibc}"
    complete = prefix / "complete"
    if complete.is_file() and complete.read_text() == digest:
        return prefix
    shutil.rmtree(prefix, ignore_errors=True)
    for name in ("include", "lib/pkgconfig", "objects"):
        (prefix / name).mkdir(parents=True)
    builder = Builder(toolchain, prefix, fetch_sources(), jobs)

    def build_all(names):
        for name in names:
            say(f"building {name} for {toolchain.arch}")
            LIBRARIES[name](builder)

    # configure scripts keep one processor busy: beside the others, which want each other's headers
    plain = [name for name in LIBRARIES if name not in CONFIGURED]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(build_all, [CONFIGURED, plain]))
    write_licenses(builder)
    shutil.rmtree(prefix / "objects")
    complete.write_text(digest)
    return prefix
