# SPDX-License-Identifier: MIT
"""The markup language: blocks by line, inline marks by one regular expression, out comes HTML.

= heading =   == lower heading ==
* list item   ** item of a list inside it
> quotation
|= head |= head |   and   | cell | cell |
''emphasis''   '''strong'''   `code`   [[page]]   [[page|text]]
"""

import re

from press.html import escape

HEADING = re.compile(r"^(={1,4})\s+(?P<text>.*?)\s+\1$")
ITEM = re.compile(r"^(?P<depth>\*+)\s+(?P<text>.*)$")
QUOTE = re.compile(r"^>\s?(?P<text>.*)$")
ROW = re.compile(r"^\|.*\|$")
CELL = re.compile(r"\|(?P<head>=)?\s*(?P<text>.*?)\s*(?=\|)")
INLINE = re.compile(
    r"'''(?P<strong>.+?)'''"
    r"|''(?P<emphasis>.+?)''"
    r"|`(?P<code>[^`]+)`"
    r"|\[\[(?P<link>[^\]|]+)(?:\|(?P<label>[^\]]+))?\]\]"
)
WORD = re.compile(r"[A-Za-z]+")
SLUG = re.compile(r"[^a-z0-9]+")


class Block:
    """A heading, paragraph, list item, quotation line or table row."""

    __slots__ = ("kind", "depth", "text")

    def __init__(self, kind, text, depth=0):
        self.kind = kind
        self.text = text
        self.depth = depth


def parse_line(line):
    """The block that a line is, or None for a line of a paragraph."""
    match = HEADING.match(line)
    if match:
        return Block("heading", match.group("text"), len(match.group(1)))
    match = ITEM.match(line)
    if match:
        return Block("item", match.group("text"), len(match.group("depth")))
    match = QUOTE.match(line)
    if match:
        return Block("quote", match.group("text"))
    if ROW.match(line):
        return Block("row", line)
    return None


def parse(source):
    """The blocks of a page, in order."""
    blocks, paragraph = [], []

    def end_paragraph():
        if paragraph:
            blocks.append(Block("paragraph", " ".join(paragraph)))
            del paragraph[:]

    for line in source.splitlines():
        line = line.rstrip()
        block = parse_line(line) if line else None
        if block is None and line:
            paragraph.append(line)
            continue
        end_paragraph()
        if block:
            blocks.append(block)
    end_paragraph()
    return blocks


def slug(text):
    return SLUG.sub("-", text.lower()).strip("-")


class Glossary:
    """The names of all pages, so that words that name a page can become links."""

    def __init__(self, names):
        self.names = list(names)

    def find(self, word):
        """The page a word names, or None."""
        for name in self.names:
            if name.casefold() == word.casefold():
                return name
        return None


class Renderer:
    """Turns blocks into HTML. Words that name a page are linked where they first occur."""

    def __init__(self, glossary, own_name):
        self.glossary = glossary
        self.linked = {own_name}
        self.contents = []

    def autolink(self, text):
        def link(match):
            word = match.group()
            name = self.glossary.find(word)
            if name is None or name in self.linked:
                return word
            self.linked.add(name)
            return f'<a class="auto" href="/{name}">{word}</a>'

        return WORD.sub(link, escape(text))

    def mark(self, match):
        kind = match.lastgroup
        if kind in ("link", "label"):
            name = match.group("link")
            text = match.group("label") or name
            return f'<a href="/{escape(name)}">{escape(text)}</a>'
        if kind == "code":
            return f"<code>{escape(match.group('code'))}</code>"
        tag = "em" if kind == "emphasis" else "strong"
        return f"<{tag}>{self.inline(match.group(kind))}</{tag}>"

    def inline(self, text):
        pieces, at = [], 0
        for match in INLINE.finditer(text):
            pieces.append(self.autolink(text[at : match.start()]))
            pieces.append(self.mark(match))
            at = match.end()
        pieces.append(self.autolink(text[at:]))
        return "".join(pieces)

    def heading(self, block):
        anchor = slug(block.text)
        if block.depth > 1:
            self.contents.append({"anchor": anchor, "text": block.text, "depth": block.depth})
        return f'<h{block.depth} id="{anchor}">{escape(block.text)}</h{block.depth}>'

    def items(self, blocks, depth):
        """A list and the lists inside it; takes its items off the front of `blocks`."""
        lines = ["<ul>"]
        while blocks and blocks[0].kind == "item" and blocks[0].depth >= depth:
            if blocks[0].depth > depth:
                lines.append(self.items(blocks, depth + 1))
            else:
                lines.append(f"<li>{self.inline(blocks.pop(0).text)}</li>")
        lines.append("</ul>")
        return "\n".join(lines)

    def table(self, blocks):
        lines = ["<table>"]
        while blocks and blocks[0].kind == "row":
            cells = []
            for match in CELL.finditer(blocks.pop(0).text):
                tag = "th" if match.group("head") else "td"
                cells.append(f"<{tag}>{self.inline(match.group('text'))}</{tag}>")
            lines.append(f"<tr>{''.join(cells)}</tr>")
        lines.append("</table>")
        return "\n".join(lines)

    def quotation(self, blocks):
        lines = []
        while blocks and blocks[0].kind == "quote":
            lines.append(self.inline(blocks.pop(0).text))
        return "<blockquote>" + "<br>".join(lines) + "</blockquote>"

    def render(self, blocks):
        blocks, out = list(blocks), []
        while blocks:
            kind = blocks[0].kind
            if kind == "item":
                out.append(self.items(blocks, 1))
            elif kind == "row":
                out.append(self.table(blocks))
            elif kind == "quote":
                out.append(self.quotation(blocks))
            elif kind == "heading":
                out.append(self.heading(blocks.pop(0)))
            else:
                out.append(f"<p>{self.inline(blocks.pop(0).text)}</p>")
        return "\n".join(out)
