#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes a core file of a running process, as the kernel would, without ending it.

    write_core.py PID FILE
    write_core.py IMAGE.img FILE     of a recording of tests/images, for the seeds of the fuzzer

Tests use it where the kernel's own cannot be had, and to write cores that are wrong in one way: see
Core.write(). x86-64 and aarch64. Pages that are unchanged from a mapped file are left out, but for
the first one of ELF objects, as with the usual /proc/PID/coredump_filter.
"""

import ctypes
import os
import platform
import struct
import sys

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_GETREGSET, PTRACE_DETACH = 0x4206, 0x4207, 0x4204, 17
WALL = 0x40000000
NT_PRSTATUS, NT_PRPSINFO, NT_AUXV, NT_FILE, NT_SIGINFO = 1, 3, 6, 0x46494C45, 0x53494749
PT_LOAD, PT_NOTE = 1, 4
MACHINES = {"x86_64": 62, "aarch64": 183}
PAGE = 4096

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, tid, address=0, data=0):
    if libc.ptrace(request, tid, address, data) < 0:
        error = ctypes.get_errno()
        raise OSError(error, "ptrace %#x of %d: %s" % (request, tid, os.strerror(error)))


def stop(tid):
    ptrace(PTRACE_SEIZE, tid)
    ptrace(PTRACE_INTERRUPT, tid)
    os.waitpid(tid, WALL)


def registers(tid):
    """struct user_regs_struct, as bytes."""
    space = ctypes.create_string_buffer(1024)
    iovec = (ctypes.c_size_t * 2)(ctypes.addressof(space), len(space))
    ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, ctypes.addressof(iovec))
    return space.raw[: iovec[1]]


class Piece:
    """A line of /proc/PID/smaps."""

    def __init__(self, line):
        fields = line.split(None, 5)
        self.start, self.end = (int(n, 16) for n in fields[0].split("-"))
        self.mode = fields[1]
        self.offset = int(fields[2], 16)
        self.inode = int(fields[4])
        self.path = fields[5].rstrip("\n") if len(fields) > 5 else ""
        self.changed = False
        self.size = 0  # bytes of it that are kept; those of `runs`, (offset, bytes), and zeros
        self.runs = []


def read_pieces(pid):
    pieces = []
    with open("/proc/%d/smaps" % pid, encoding="utf-8", errors="surrogateescape") as f:
        for line in f:
            first = line.split(None, 1)[0]
            if not first.endswith(":"):
                pieces.append(Piece(line))
            elif first == "Anonymous:":
                pieces[-1].changed = int(line.split()[1]) > 0
    return pieces


def pages_there(pagemap, piece):
    """Of anonymous memory, of which most may never have been touched."""
    count = (piece.end - piece.start) // PAGE
    words = os.pread(pagemap, count * 8, piece.start // PAGE * 8)
    flags = words[7::8]
    return [page for page in range(count) if piece.inode or flags[page] & 0xC0]


def read_piece(memory, pagemap, piece):
    """What is to be kept of it; unreadable pages are zeros."""
    if piece.mode[0] != "r" or piece.path in ("[vvar]", "[vvar_vclock]", "[vsyscall]"):
        return
    whole = piece.changed or not piece.inode
    for page in pages_there(pagemap, piece) if whole else [0]:
        try:
            piece.runs.append((page * PAGE, os.pread(memory, PAGE, piece.start + page * PAGE)))
        except OSError:
            pass
    piece.size = piece.end - piece.start if whole else PAGE
    if not whole and (piece.offset or not piece.runs or piece.runs[0][1][:4] != b"\x7fELF"):
        piece.size, piece.runs = 0, []


def note(kind, desc, name=b"CORE"):
    padded = desc + bytes(-len(desc) % 4)
    return struct.pack("<III", len(name) + 1, len(desc), kind) + (name + b"\0").ljust(8, b"\0") + padded  # fmt: skip


class Core:
    def __init__(self, pid):
        """Stops the process for as long as it is read."""
        self.pid = pid
        self.machine = MACHINES[platform.machine()]
        self.signal = 0
        tids = [pid] + sorted(t for t in map(int, os.listdir("/proc/%d/task" % pid)) if t != pid)
        stopped = []
        try:
            for tid in tids:
                stop(tid)
                stopped.append(tid)
            self.threads = [(tid, registers(tid)) for tid in tids]
            self.pieces = read_pieces(pid)
            memory = os.open("/proc/%d/mem" % pid, os.O_RDONLY)
            pagemap = os.open("/proc/%d/pagemap" % pid, os.O_RDONLY)
            for piece in self.pieces:
                read_piece(memory, pagemap, piece)
            os.close(memory)
            os.close(pagemap)
            self.auxv = self.file("auxv")
            self.arguments = self.file("cmdline").replace(b"\0", b" ")
            self.comm = self.file("comm").rstrip(b"\n")
        finally:
            for tid in stopped:
                ptrace(PTRACE_DETACH, tid)

    def file(self, name):
        with open("/proc/%d/%s" % (self.pid, name), "rb") as f:
            return f.read()

    def prstatus(self, tid, regs):
        head = struct.pack("<iiihxxQQiiii", 0, 0, 0, self.signal, 0, 0, tid, 0, 0, 0)
        return head + bytes(64) + regs + bytes(8)

    def prpsinfo(self):
        head = struct.pack("<bcbbxxxxQIIiiii", 0, b"S", 0, 0, 0, 0, 0, self.pid, 0, 0, 0)
        return head + self.comm[:15].ljust(16, b"\0") + self.arguments[:79].ljust(80, b"\0")

    def nt_file(self, rename):
        files = [p for p in self.pieces if p.inode]
        desc = struct.pack("<QQ", len(files), PAGE)
        for p in files:
            desc += struct.pack("<QQQ", p.start, p.end, p.offset // PAGE)
        for p in files:
            desc += rename(p.path).encode("utf-8", "surrogateescape") + b"\0"
        return desc

    def notes(self, without, rename):
        notes = []
        for i, (tid, regs) in enumerate(self.threads):
            notes.append((NT_PRSTATUS, self.prstatus(tid, regs)))
            if i == 0:
                notes.append((NT_PRPSINFO, self.prpsinfo()))
                notes.append((NT_AUXV, self.auxv))
                notes.append((NT_FILE, self.nt_file(rename)))
        return b"".join(note(kind, desc) for kind, desc in notes if kind not in without)

    def write(self, path, without=(), rename=lambda name: name, heads=True, many=False,
              drop=lambda piece: False):
        """`without`: types of notes; `rename`: of mapped files; `heads`: first pages of ELF objects;
        `many`: the number of segments is where the kernel puts it if there are 65535 and more;
        `drop`: pieces of memory of which there is nothing at all."""
        pieces = [p for p in self.pieces if p.mode[0] == "r" and not drop(p)]
        notes = self.notes(without, rename)
        table = 64 + 56 * (len(pieces) + 1)
        sections = table if many else 0
        at = table + (64 if many else 0)
        headers = [struct.pack("<IIQQQQQQ", PT_NOTE, 0, at, 0, 0, len(notes), 0, 4)]
        at = -(-(at + len(notes)) // PAGE) * PAGE
        bodies = []
        for p in pieces:
            size = p.size if heads or p.changed or not p.inode else 0
            flags = sum(bit for bit, c in ((4, "r"), (2, "w"), (1, "x")) if c in p.mode)
            headers.append(struct.pack("<IIQQQQQQ", PT_LOAD, flags, at, p.start, 0, size,
                                       p.end - p.start, PAGE))  # fmt: skip
            bodies += [(at + offset, data) for offset, data in p.runs if offset < size]
            at += size
        ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
        elf = ident + struct.pack("<HHIQQQIHHHHHH", 4, self.machine, 1, 0, 64, sections, 0, 64, 56,
                                  0xFFFF if many else len(headers), 64 if many else 0,
                                  1 if many else 0, 0)  # fmt: skip
        with open(path, "wb") as f:
            f.write(elf + b"".join(headers))
            if many:
                f.write(struct.pack("<IIQQQQIIQQ", 0, 0, 0, 0, 0, 1, 0, len(headers), 0, 0))
            f.write(notes)
            for offset, data in bodies:
                f.seek(offset)
                f.write(data)
            f.truncate(at)


def from_image(path):
    """Of a memory image and the text beside it: all of it is memory that was written to."""
    with open(path, "rb") as f:
        image = f.read()
    with open(path[: -len(".img")] + ".txt", encoding="utf-8") as f:
        facts = dict(line.rstrip("\n").split(" ", 1) for line in f if " " in line)
    tids = [int(tid) for tid in facts["tids"].split()]
    core = Core.__new__(Core)
    core.pid, core.machine, core.signal = tids[0], int(facts["machine"]), 11
    core.threads = [(tid, bytes(27 * 8)) for tid in tids]
    core.auxv, core.arguments, core.comm = b"", b"python kiln.py", b"python"
    core.pieces = []
    at = 16
    for _ in range(struct.unpack_from("<Q", image, 8)[0]):
        start, size = struct.unpack_from("<QQ", image, at)
        piece = Piece("%x-%x rw-p %08x fe:00 %d %s" % (start, start + size, 0, 0, "x"))
        if start <= int(facts["address"], 16) < start + size:
            piece.inode, piece.offset, piece.path = 7, PAGE, "/usr/bin/python3"
        piece.changed, piece.size = True, size
        piece.runs = [(0, image[at + 16 : at + 16 + size])]
        core.pieces.append(piece)
        at += 16 + size
    return core


if __name__ == "__main__":
    what = sys.argv[1]
    core = Core(int(what)) if what.isdigit() else from_image(what)
    core.write(sys.argv[2])
