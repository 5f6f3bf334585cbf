# SPDX-License-Identifier: MIT
"""The few facts about a 64-bit little-endian ELF file that tell one build of CPython from another.

Nothing here runs the file. A file that is not such an ELF raises ElfError.
"""

import mmap
import struct

ET_EXEC, ET_DYN = 2, 3
PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
SHT_SYMTAB, SHT_DYNSYM = 2, 11
DT_NEEDED, DT_STRTAB = 1, 5
MAX_ENTRIES = 65536


class ElfError(Exception):
    pass


def is_elf(path):
    try:
        with open(path, "rb") as f:
            return f.read(4) == b"\x7fELF"
    except OSError:
        return False


class Elf:
    """An ELF image, given as bytes (anything that slices and unpacks like them)."""

    def __init__(self, data):
        self.data = data
        if data[:6] != b"\x7fELF\x02\x01":
            raise ElfError("not a 64-bit little-endian ELF file")
        try:
            self._read_headers()
        except struct.error as e:
            raise ElfError(f"truncated ELF file: {e}") from e

    @classmethod
    def open(cls, path):
        with open(path, "rb") as f:
            try:
                return cls(mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ))
            except ValueError as e:
                raise ElfError("empty file") from e

    def _read_headers(self):
        unpack = struct.unpack_from
        self.type, self.machine = unpack("<HH", self.data, 16)
        self.entry, phoff, shoff = unpack("<QQQ", self.data, 24)
        phsize, phnum, shsize, shnum = unpack("<HHHH", self.data, 54)
        # (type, offset, address, file size)
        self.segments = []
        for i in range(phnum):
            kind, _, off, addr, _, size = unpack("<IIQQQQ", self.data, phoff + i * phsize)
            self.segments.append((kind, off, addr, size))
        # (type, address, offset, size, link)
        self.sections = []
        for i in range(shnum if shoff else 0):
            _, kind, _, addr, off, size, link = unpack("<IIQQQQI", self.data, shoff + i * shsize)
            self.sections.append((kind, addr, off, size, link))

    def offset_of(self, addr):
        for kind, off, start, size in self.segments:
            if kind == PT_LOAD and start <= addr < start + size:
                return off + addr - start
        raise ElfError(f"address {addr:#x} is not in the file")

    def _string(self, offset):
        end = self.data.find(b"\0", offset, offset + 4096)
        return self.data[offset:end].decode("utf-8", "replace")

    @property
    def pie(self):
        return self.type == ET_DYN and any(s[0] == PT_INTERP for s in self.segments)

    @property
    def stripped(self):
        return not any(s[0] == SHT_SYMTAB for s in self.sections)

    def needed(self):
        """The DT_NEEDED names, in order."""
        entries = []
        for kind, off, _, size in self.segments:
            if kind == PT_DYNAMIC:
                for i in range(min(size // 16, MAX_ENTRIES)):
                    entries.append(struct.unpack_from("<QQ", self.data, off + 16 * i))
        strtab = [value for tag, value in entries if tag == DT_STRTAB]
        if not strtab:
            return []
        base = self.offset_of(strtab[0])
        return [self._string(base + value) for tag, value in entries if tag == DT_NEEDED]

    def symbol(self, name):
        """Address of an exported symbol, or None."""
        for kind, _, off, size, link in self.sections:
            if kind != SHT_DYNSYM:
                continue
            names = self.sections[link][2]
            want = name.encode() + b"\0"
            for i in range(min(size // 24, MAX_ENTRIES)):
                st_name, _, _, _, value = struct.unpack_from("<IBBHQ", self.data, off + 24 * i)
                start = names + st_name
                if value and self.data[start : start + len(want)] == want:
                    return value
        return None


def with_main(data, name):
    """A copy of an x86-64 ET_EXEC whose _start hands the exported function `name` to libc as main.

    _start loads the address of main into rdi by `mov $imm32, %rdi` (48 c7 c7); that immediate is
    all that changes. The System V ABI, section 3.4.1, says what _start is.
    """
    image = Elf(data)
    target = image.symbol(name)
    if target is None:
        raise ElfError(f"it does not export {name}")
    if image.type != ET_EXEC or target >= 1 << 31:
        raise ElfError("it is not a position-dependent x86-64 executable")
    start = image.offset_of(image.entry)
    at = bytes(data[start : start + 64]).find(b"\x48\xc7\xc7")
    if at < 0:
        raise ElfError("its _start does not load main in the way known here")
    out = bytearray(data)
    struct.pack_into("<i", out, start + at + 3, target)
    return bytes(out)
