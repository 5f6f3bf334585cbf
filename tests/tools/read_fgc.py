#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A second reader of capture files, written from docs/capture-format.md.

    read_fgc.py FILE.fgc        prints what `raw_capture dump` prints

It reads from the first chunk to the last; the index is only compared with what was found.
"""

import ctypes
import struct
import sys

HEAD = b"\x89FGC\r\n\x1a\n"
SKIPPABLE, ZSTD = 1, 2
RAW_MAX = 2 << 20
MASK = (1 << 64) - 1
(STRINGS, FUNCTIONS, FRAMES, STACKS, PROCESSES, THREADS, FACTS, MARKERS, LOSSES, SAMPLES, INDEX,
 END, SPANS, SAMPLE_SPANS) = range(1, 15)
COLUMNS = {STRINGS: 3, FUNCTIONS: 5, FRAMES: 3, STACKS: 3, PROCESSES: 7, THREADS: 8, FACTS: 3,
           MARKERS: 7, LOSSES: 4, SAMPLES: 11, INDEX: 7, SPANS: 9, SAMPLE_SPANS: 3}
FOLLOWERS = 4

zstd = ctypes.CDLL("libzstd.so.1")
zstd.ZSTD_decompress.restype = ctypes.c_size_t
zstd.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t] * 2
xxhash = ctypes.CDLL("libxxhash.so.0")
xxhash.XXH3_64bits.restype = ctypes.c_uint64
xxhash.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


class Damaged(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Damaged(what)


def check_of(data):
    return xxhash.XXH3_64bits(data, len(data)) & 0xffffffff


def signed64(value):
    value &= MASK
    return value - (1 << 64) if value >> 63 else value


# ---- columns -------------------------------------------------------------------------------------

class Column:
    """One column: numbers, or bytes."""

    def __init__(self, lead, more):
        self.lead, self.more = lead, more
        self.at = self.more_at = 0

    def left(self):
        return len(self.lead) - self.at

    def take(self, count):
        need(count <= self.left(), "a column is too short")
        self.at += count
        return self.lead[self.at - count:self.at]

    def number(self):
        lead = self.take(1)[0]
        count = 0 if lead < 192 else 1 if lead < 240 else lead - 240
        need(count or lead < 192, "no number")
        more = self.more[self.more_at:self.more_at + count]
        need(len(more) == count <= 8, "a column is too short")
        self.more_at += count
        if lead < 192:
            return lead
        if lead < 240:
            return 192 + (lead - 192) * 256 + more[0]
        return int.from_bytes(more, "little")

    def signed(self):
        value = self.number()
        return -(value + 1 >> 1) if value & 1 else value >> 1

    def done(self):
        return self.at == len(self.lead) and self.more_at == len(self.more)


def columns_of(body, count):
    at, lengths = 0, []
    for _ in range(2 * count):
        number = Column(body[at:at + 1], body[at + 1:at + 9])
        lengths.append(number.number())
        at += 1 + number.more_at
    streams = []
    for length in lengths:
        streams.append(body[at:at + length])
        at += length
    need(at == len(body), "streams are not what the body is")
    return [Column(*streams[i:i + 2]) for i in range(0, 2 * count, 2)]


# ---- samples -------------------------------------------------------------------------------------

class Thread:
    def __init__(self, row, like):
        self.row = row
        self.stack = like.stack if like else None
        self.situation = like.situation if like else None
        self.count = like.count if like else 1
        self.cpu = self.usual_cpu = 0
        self.next = None  # (thread, begins a tick)


class Numbered:
    """Stacks or situations: in order of first occurrence, each with what followed it."""

    def __init__(self, symbols, read_new):
        self.symbols, self.read_new = symbols, read_new
        self.values, self.followers = [], []

    def take(self, expected):
        symbol = self.symbols.number()
        if symbol == 0:
            self.values.append(self.read_new())
            self.followers.append([])
            number = len(self.values) - 1
        elif symbol <= FOLLOWERS:
            need(expected is not None and symbol <= len(self.followers[expected]), "no follower")
            number = self.followers[expected][symbol - 1]
        else:
            number = symbol - 1 - FOLLOWERS
            need(number < len(self.values), "no such number")
        if expected is not None:
            followers = self.followers[expected]
            if number in followers:
                followers.remove(number)
            followers.insert(0, number)
            del followers[FOLLOWERS:]
        return number


class Block:
    def __init__(self, body):
        self.columns = columns_of(body, COLUMNS[SAMPLES])
        meta = self.columns[0]
        self.count = meta.number()
        if self.count:
            self.unit, self.cpu_unit, self.line, self.period = (meta.number() for _ in range(4))
            need(self.unit and self.cpu_unit, "a unit of 0")
        self.new_thread = self.new_stack = self.time = 0
        self.threads, self.last = [], None
        self.stacks = Numbered(self.columns[5], self.read_stack)
        self.situations = Numbered(self.columns[7], self.read_situation)

    def read_stack(self):
        self.new_stack += self.columns[6].signed()
        return self.new_stack - 1

    def read_situation(self):
        bits = self.columns[8].number()
        need(bits >> 6 < 5, "no state")
        return bits >> 6, bits & 63, self.columns[8].signed()

    def tick(self):
        self.time = (self.line // self.unit + self.columns[4].signed()) * self.unit & MASK
        off = signed64(self.time - self.line)
        if not self.period:
            self.line = self.time
        elif abs(off) > self.period - self.period // 4:
            moved = (abs(off) + self.period // 2) // self.period * self.period
            self.line += moved if off > 0 else -moved
        self.line = self.line + self.period & MASK

    def turn(self, odd):
        if odd:
            turn = self.columns[2].number()
            symbol, ticks = turn >> 1, turn & 1
            if symbol:
                thread = self.threads[symbol - 1]
            else:
                self.new_thread += self.columns[3].signed()
                thread = Thread(self.new_thread, self.last)
                self.threads.append(thread)
            if self.last:
                self.last.next = thread, ticks
        else:
            need(self.last and self.last.next, "nothing is expected")
            thread, ticks = self.last.next
        if ticks:
            self.tick()
        self.last = thread
        return thread

    def row(self, odd):
        thread = self.turn(odd & 1)
        if odd & 2:
            thread.stack = self.stacks.take(thread.stack)
        if odd & 4:
            thread.situation = self.situations.take(thread.situation)
        cpu = self.columns[9].number() * self.cpu_unit & MASK if odd & 8 else thread.usual_cpu
        if cpu == thread.cpu:
            thread.usual_cpu = cpu
        thread.cpu = cpu
        if odd & 16:
            thread.count = self.columns[10].number()
        state, flags, syscall = self.situations.values[thread.situation]
        return (self.time, thread.count, cpu, thread.row, self.stacks.values[thread.stack],
                syscall, state, flags)

    def rows(self):
        given = 0
        while given < self.count:
            token = self.columns[1].take(1)[0]
            need(token, "token 0")
            for _ in range(token - 31 if token >= 32 else 1):
                yield self.row(token if token < 32 else 0)
                given += 1
        need(given == self.count and all(column.done() for column in self.columns),
             "a block with too much in it")


# ---- the file ------------------------------------------------------------------------------------

class Capture:
    def __init__(self, data):
        self.strings, self.functions, self.frames, self.stacks = [b""], [], [], []
        self.processes, self.threads, self.facts = [], [], {}
        self.markers, self.losses, self.samples, self.spans = [], [], [], []
        self.blocks, self.table_places, self.indexed = [], [], ([], [])
        self.finished = False
        need(data[:8] == HEAD and len(data) >= 16, "no capture")
        self.version, check = struct.unpack_from("<II", data, 8)
        need(check == check_of(data[:12]) and self.version == 1, "no capture of version 1")
        self.bytes = 16
        while not self.finished and self.chunk(data):
            pass
        if self.finished:
            need(self.indexed == (self.blocks, self.table_places), "the index is wrong")

    def chunk(self, data):
        """Takes the next one; False if there is no whole one."""
        at, fixed = self.bytes, data[self.bytes:self.bytes + 20]
        if len(fixed) < 20:
            return False
        kind, flags, extra_len, stored, raw, check, head_check = struct.unpack("<BBHIIII", fixed)
        extra = data[at + 20:at + 20 + extra_len]
        body = data[at + 20 + extra_len:at + 20 + extra_len + stored]
        if head_check != check_of(fixed[:16] + extra) or check != check_of(body):
            return False
        if len(extra) < extra_len or len(body) < stored or raw > RAW_MAX:
            return False
        need(flags < 4 and (kind in COLUMNS or kind == END or flags & SKIPPABLE), "too new")
        if flags & ZSTD:
            out = ctypes.create_string_buffer(raw)
            need(zstd.ZSTD_decompress(out, raw, body, stored) == raw, "zstd refuses")
            body = out.raw
        end = at + 20 + extra_len + stored
        if kind == SAMPLES and extra_len >= 40:
            beside = int.from_bytes(extra[32:40], "little")
            if beside and not self.is_whole(data[end:end + beside], beside):
                return False
        self.bytes = end
        self.take(kind, at, extra, body)
        return True

    @staticmethod
    def is_whole(data, length):
        """Whether this is one chunk of spans of samples."""
        if len(data) < max(length, 20):
            return False
        kind, _, extra_len, stored, _, check, head_check = struct.unpack_from("<BBHIIII", data)
        extra, body = data[20:20 + extra_len], data[20 + extra_len:]
        return (kind == SAMPLE_SPANS and len(body) == stored and check == check_of(body)
                and head_check == check_of(data[:16] + extra))

    def take(self, kind, at, extra, body):
        if kind != SAMPLE_SPANS:
            self.beside = kind == SAMPLES and len(extra) >= 40 and any(extra[32:40])
        if kind == END:
            self.finished = True
        elif kind == SAMPLES:
            self.take_samples(at, extra, body)
        elif kind == SAMPLE_SPANS:
            if self.beside:
                self.take_sample_spans(columns_of(body, COLUMNS[kind]))
        elif kind == INDEX:
            self.take_index(columns_of(body, COLUMNS[INDEX]))
        elif kind in COLUMNS:
            self.table_places.append(at)
            columns = columns_of(body, COLUMNS[kind])
            self.take_table(kind, columns)
            need(all(column.done() for column in columns), "a table with too much in it")

    def take_samples(self, at, extra, body):
        first, last, rows, samples = struct.unpack_from("<4Q", extra)
        block = list(Block(body).rows())
        need(len(block) == rows and sum(row[1] for row in block) == samples, "wrong counts")
        times = [row[0] for row in block]
        need((min(times), max(times)) == (first, last), "wrong times")
        self.samples += [(*row, 0) for row in block]
        self.block = len(block)
        self.blocks.append((at, first, last, rows, samples))

    def take_sample_spans(self, c):
        need(c[0].number() == self.block, "spans of other rows")
        rows, last, told = self.samples[-self.block:], {}, 0
        run = c[1].number() if c[1].left() else self.block
        for i, row in enumerate(rows):
            span = last.get(row[3], 0)
            if not run:
                change = c[2].number()
                zigzag = change - 1
                far = -(zigzag + 1 >> 1) if zigzag & 1 else zigzag >> 1
                span = told + far if change else 0
                told = span or told
                run = c[1].number() + 1 if c[1].left() else self.block
            run -= 1
            last[row[3]] = span
            rows[i] = (*row[:-1], span)
        need(all(column.done() for column in c), "spans with too much in them")
        self.samples[-self.block:] = rows

    def take_index(self, c):
        blocks, tables = c[0].number(), c[0].number()
        at = first = 0
        for _ in range(blocks):
            at += c[1].number()
            first = first + c[2].signed() & MASK
            self.indexed[0].append((at, first, first + c[3].number(), c[4].number(),
                                    c[5].number()))
        at = 0
        for _ in range(tables):
            at += c[6].number()
            self.indexed[1].append(at)

    def take_table(self, kind, c):
        rows = c[0].number()
        grows = {STRINGS: self.strings, FUNCTIONS: self.functions, FRAMES: self.frames,
                 STACKS: self.stacks, MARKERS: self.markers}
        if kind in grows:
            need(c[0].number() == len(grows[kind]), "a part is missing")
        last = at = 0
        for _ in range(rows):
            if kind == STRINGS:
                self.strings.append(c[2].take(c[1].number()))
            elif kind == FUNCTIONS:
                self.functions.append(tuple(column.number() for column in c[1:]))
            elif kind == FRAMES:
                last += c[1].signed()
                self.frames.append((last, c[2].number()))
            elif kind == STACKS:
                back = c[1].number()
                last += c[2].signed()
                self.stacks.append((len(self.stacks) - back if back else -1, last))
            elif kind in (PROCESSES, THREADS):
                row, table = c[1].number(), self.processes if kind == PROCESSES else self.threads
                table[row:row + 1] = [tuple(column.number() for column in c[2:])]
            elif kind == FACTS:
                key, value = c[1].number(), c[2].number()
                self.facts[self.strings[key]] = self.strings[value]
            elif kind == MARKERS:
                last += c[1].signed()
                end = last + c[2].signed()
                thread, process = c[3].number() - 1, c[4].number() - 1
                self.markers.append((last, end, thread, process, c[5].number(), c[6].number()))
            elif kind == SPANS:
                row = at = at + c[1].number()
                last += c[2].signed()
                end = last + c[3].signed() & MASK
                process, thread, back = (column.number() for column in c[4:7])
                need(row <= len(self.spans) and back <= row, "no such span")
                self.spans[row:row + 1] = [(last, end, process, thread - 1,
                                            row - back + 1 if back else 0,
                                            c[7].number(), c[8].number())]
            elif kind == LOSSES:
                self.losses.append(tuple(column.number() for column in c[1:]))


# ---- as text -------------------------------------------------------------------------------------

def quoted(text):
    shown = b"".join(b"\\x%02x" % byte if byte < 32 or byte in b'"\\' else bytes([byte])
                     for byte in text)
    return '"' + shown.decode() + '"'


def words(*values):
    return " ".join(str(value) for value in values)


def or_none(row):
    return "-" if row < 0 else row


def dump(c):
    yield f"version {c.version} finished {int(c.finished)} bytes {c.bytes}"
    for i, text in enumerate(c.strings):
        yield words("string", i, quoted(text))
    for i, function in enumerate(c.functions):
        yield words("function", i, *function)
    for i, frame in enumerate(c.frames):
        yield words("frame", i, *frame)
    for i, (parent, frame) in enumerate(c.stacks):
        yield words("stack", i, or_none(parent), frame)
    for key, value in c.facts.items():
        yield words("fact", quoted(key), quoted(value))
    for i, process in enumerate(c.processes):
        yield words("process", i, *process)
    for i, thread in enumerate(c.threads):
        yield words("thread", i, *thread)
    for start, end, thread, process, *texts in c.markers:
        yield words("marker", start, end, or_none(thread), or_none(process), *texts)
    for i, (start, end, process, thread, *rest) in enumerate(c.spans):
        yield words("span", i, start, end, process, or_none(thread), *rest)
    for loss in c.losses:
        yield words("loss", *loss)
    for time, count, cpu, thread, stack, *rest, span in c.samples:
        line = words("sample", time, count, cpu, thread, or_none(stack), *rest)
        yield line + words(" in", span) if span else line


def main():
    with open(sys.argv[1], "rb") as file:
        capture = Capture(file.read())
    sys.stdout.reconfigure(encoding="utf-8")
    for line in dump(capture):
        print(line)


if __name__ == "__main__":
    main()
