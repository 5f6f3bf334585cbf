#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A second reader of the data in a page, written from docs/page-format.md alone.

    read_page.py PAGE.html [ID]     what is in it, as text

As a module: read_page(text) gives {id: Page}; check_policy(text) the scripts and styles of the page
with what its content security policy says of them.
"""

import base64
import dataclasses
import gzip
import hashlib
import html.parser
import json
import struct
import sys

STATES = ["unknown", "running", "runnable", "waiting", "stopped"]
FLAGS = ["holds_gil", "waits_for_gil", "in_gc", "cut", "unreadable", "taken_over"]
KINDS = ["python", "thread", "mark", "place"]


class BadPage(Exception):
    """The page is not what the format says."""


def require(condition, message):
    if not condition:
        raise BadPage(message)


# ---- the page ------------------------------------------------------------------------------------

class Elements(html.parser.HTMLParser):
    """The elements of a page, as a browser sees them, with their text."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.elements = []
        self.open = []

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "attributes": dict(attrs), "text": ""}
        self.elements.append(element)
        self.open.append(element)

    def handle_endtag(self, tag):
        while self.open and self.open.pop()["tag"] != tag:
            pass

    def handle_data(self, data):
        if self.open:
            self.open[-1]["text"] += data


def parse_elements(text):
    parser = Elements()
    parser.feed(text)
    parser.close()
    return parser.elements


def check_policy(text):
    """{directive: [source, ...]}, after a look at whether it allows what the page has, and no more."""
    elements = parse_elements(text)
    policies = [e["attributes"]["content"] for e in elements if e["tag"] == "meta" and
                e["attributes"].get("http-equiv", "").lower() == "content-security-policy"]
    require(len(policies) == 1, "one policy")
    policy = {words[0]: words[1:] for words in map(str.split, policies[0].split(";"))}
    require(policy["default-src"] == ["'none'"], "default-src 'none'")
    for element in elements:
        attributes = element["attributes"]
        require("style" not in attributes, "no style attributes")
        require(not any(name.startswith("on") for name in attributes), "no script attributes")
        for name in ("src", "href", "srcset", "data", "action", "poster"):
            address = attributes.get(name) or ""
            require(not address or address.startswith(("data:image/", "#")), "nothing is loaded")
        if element["tag"] == "script" and "type" not in attributes:
            require(policy["script-src"] == [hash_source(element["text"])], "hash of the script")
        if element["tag"] == "style":
            require(policy["style-src"] == [hash_source(element["text"])], "hash of the style")
    tags = [e["tag"] for e in elements if not e["attributes"].get("type")]
    require(tags.count("script") == 1 and tags.count("style") == 1, "one script, one style")
    return policy


def hash_source(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# ---- the data ------------------------------------------------------------------------------------

def numbers(data):
    """LEB128."""
    value = shift = 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        require(shift <= 70, "a number of more than ten bytes")
        if byte < 128:
            require(value < 1 << 64, "a number of more than 64 bits")
            yield value
            value = shift = 0
    require(shift == 0, "a column ends in the middle of a number")


def signed(values):
    return [value >> 1 ^ -(value & 1) for value in values]


def summed(values, before=0):
    sums = []
    for value in values:
        before += value
        sums.append(before)
    return sums


@dataclasses.dataclass
class Sample:
    thread: int
    time_ns: int  # since the epoch
    stack: int
    state: str
    flags: tuple
    cpu_ns: int
    syscall: int  # None: none
    weight: int
    span: int = None  # row in spans, None: in none


@dataclasses.dataclass
class Span:
    start_ns: int  # since the epoch
    end_ns: int  # None: not ended
    process: int  # None: not known, as the thread
    thread: int
    parent: int  # row in spans, None: in none
    name: str
    text: str


class Page:
    """One capture of a page: the JSON as it is in `json`, and tables."""

    def __init__(self, data):
        require(data[:8] == b"fgpage1\n", "magic")
        (length,) = struct.unpack_from("<I", data, 8)
        require(12 + length <= len(data), "the JSON is cut off")
        self.json = json.loads(data[12:12 + length].decode("utf-8"))
        require(self.json["version"] == 1, "version")
        self.columns = self._read_columns(data, 12 + length)
        self.facts = {key: value for key, value in self.json["facts"]}
        self.strings = self.json["strings"]
        self._read_tables()
        self._read_spans()
        self._read_samples()
        self._check()

    def _read_columns(self, data, at):
        columns = {}
        for name, count, size in self.json["columns"]:
            require(at + size <= len(data), f"{name} is cut off")
            columns[name] = list(numbers(data[at:at + size]))
            require(len(columns[name]) == count, f"{name} has {len(columns[name])}, not {count}")
            at += size
        require(at == len(data), "bytes after the last column")
        return columns

    def _read_tables(self):
        c = self.columns
        self.functions = list(zip(c["functions.name"], c["functions.file"], c["functions.line"],
                                  c["functions.kind"], strict=True))
        self.frames = list(zip(summed(signed(c["frames.func"])), c["frames.line"], strict=True))
        parents = [None if up == 0 else row - up for row, up in enumerate(c["stacks.parent"])]
        self.stacks = list(zip(parents, summed(signed(c["stacks.frame"])), strict=True))

    def _read_spans(self):
        c, begin = self.columns, int(self.json["start_ns"])
        self.spans = []
        if "spans.start" not in c:
            return
        starts = summed(signed(c["spans.start"]))
        for row, start in enumerate(starts):
            process, thread, up, name, text = (
                c[f"spans.{key}"][row] for key in ("process", "thread", "parent", "name", "text"))
            duration = c["spans.duration"][row]
            require(up <= row and process <= len(self.json["processes"])
                    and thread <= len(self.json["threads"]), "rows of spans")
            self.spans.append(Span(
                begin + start, begin + start + duration - 1 if duration else None,
                process - 1 if process else None, thread - 1 if thread else None,
                row - up if up else None, self.strings[name], self.strings[text]))

    def _read_samples(self):
        c, first = self.columns, 0
        self.samples = []
        stacks = summed(signed(c["samples.stack"]))
        for thread, (*_, count) in enumerate(self.json["threads"]):
            times = summed(signed(c["samples.time"][first:first + count]))
            spans = summed(signed(c.get("samples.span", [0] * len(stacks))[first:first + count]))
            for row, time in enumerate(times, first):
                sample = self._sample(row, thread, time, stacks[row])
                sample.span = spans[row - first] - 1 if spans[row - first] else None
                self.samples.append(sample)
            first += count
        require(first == len(stacks), "threads have all samples")

    def _sample(self, row, thread, time, stack):
        c = self.columns
        state, syscall = c["samples.state"][row], c["samples.syscall"][row]
        weights = c.get("samples.weight")
        return Sample(
            thread, int(self.json["start_ns"]) + time * self.json["time_unit_ns"], stack,
            STATES[state >> 6], tuple(f for bit, f in enumerate(FLAGS) if state >> bit & 1),
            c["samples.cpu"][row] * self.json["cpu_unit_ns"], syscall - 1 if syscall else None,
            weights[row] if weights else 1)

    def _check(self):
        for name, file, _, kind in self.functions:
            require(name < len(self.strings) and file < len(self.strings), "strings of functions")
            require(kind < len(KINDS), "kind")
        for func, _ in self.frames:
            require(0 <= func < len(self.functions), "functions of frames")
        for row, (parent, frame) in enumerate(self.stacks):
            require(parent is None or 0 <= parent < row, "parents")
            require(0 <= frame < len(self.frames), "frames of stacks")
        for sample in self.samples:
            require(0 <= sample.stack < len(self.stacks), "stacks of samples")
            require(sample.span is None or 0 <= sample.span < len(self.spans), "spans of samples")
        for process, *_ in self.json["threads"]:
            require(-1 <= process < len(self.json["processes"]), "processes of threads")

    def frame(self, row):
        """(function, file, line)"""
        func, line = self.frames[row]
        name, file, _, _ = self.functions[func]
        return self.strings[name], self.strings[file], line

    def stack(self, row):
        """Its frames, the root first."""
        frames = []
        while row is not None:
            row, frame = self.stacks[row]
            frames.append(self.frame(frame))
        return tuple(reversed(frames))

    def thread_name(self, row):
        return self.strings[self.json["threads"][row][2]]

    def sources(self):
        """{file: (text, note)}"""
        return {self.strings[file]: (text, note) for file, text, note in self.json["sources"]}

    def files(self):
        """{file: (short, module, origin)}"""
        return {self.strings[file]: tuple(rest) for file, *rest in self.json["files"]}


def read_page(text):
    """{id: Page} of all elements with data."""
    pages = {}
    for element in parse_elements(text):
        if element["attributes"].get("type") == "application/octet-stream":
            packed = base64.b64decode("".join(element["text"].split()), validate=True)
            pages[element["attributes"]["id"]] = Page(gzip.decompress(packed))
    require("capture" in pages, "no capture in the page")
    return pages


def read_file(path):
    with open(path, encoding="utf-8", newline="") as file:
        return read_page(file.read())


def main():
    page = read_file(sys.argv[1])[sys.argv[2] if len(sys.argv) > 2 else "capture"]
    for key, value in page.json.items():
        print(f"{key}: {len(value)} entries" if isinstance(value, list) else f"{key}: {value!r}")
    for name, count, size in page.json["columns"]:
        print(f"  {name}: {count} numbers, {size} bytes")
    for sample in page.samples[:20]:
        print(sample, *page.stack(sample.stack), sep="\n    ")


if __name__ == "__main__":
    main()
