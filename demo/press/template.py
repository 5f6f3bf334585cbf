# SPDX-License-Identifier: MIT
"""A template engine.

    {{ page.title|upper }}      a value, through filters; escaped unless it is Safe
    {% for x in items %} {% end %}     {% if x %} {% else %} {% end %}     {% include name %}

A template is parsed once into nodes; each node renders itself into a list of strings.
"""

import os
import re

from press.html import Safe, escape

TOKEN = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})", re.S)


class TemplateError(Exception):
    pass


def truncate(text, words="12"):
    parts = str(text).split()
    return " ".join(parts[: int(words)]) + (" ..." if len(parts) > int(words) else "")


def thousands(number):
    return f"{number:,}"


FILTERS = {
    "upper": lambda value: str(value).upper(),
    "title": lambda value: " ".join(part.capitalize() for part in str(value).split()),
    "join": lambda value, separator=", ": separator.join(str(v) for v in value),
    "length": len,
    "truncate": truncate,
    "thousands": thousands,
}


class Value:
    """A dotted name looked up in the context, then passed through filters."""

    def __init__(self, expression):
        path, *filters = expression.strip().split("|")
        self.path = path.strip().split(".")
        self.filters = [self.parse_filter(f) for f in filters]

    @staticmethod
    def parse_filter(text):
        name, _, argument = text.strip().partition(":")
        if name not in FILTERS:
            raise TemplateError(f"no filter '{name}'")
        return FILTERS[name], [argument] if argument else []

    def resolve(self, context):
        value = context
        for part in self.path:
            value = self.step(value, part)
        for function, arguments in self.filters:
            value = function(value, *arguments)
        return value

    @staticmethod
    def step(value, part):
        if isinstance(value, dict):
            return value.get(part, "")
        return getattr(value, part, "")


class Text:
    def __init__(self, text):
        self.text = text

    def render(self, context, out):
        out.append(self.text)


class Output:
    def __init__(self, expression):
        self.value = Value(expression)

    def render(self, context, out):
        out.append(escape(self.value.resolve(context)))


class For:
    def __init__(self, name, expression, body):
        self.name, self.value, self.body = name, Value(expression), body

    def render(self, context, out):
        inner = dict(context)
        for item in self.value.resolve(context):
            inner[self.name] = item
            render_nodes(self.body, inner, out)


class If:
    def __init__(self, expression, body, otherwise):
        self.value, self.body, self.otherwise = Value(expression), body, otherwise

    def render(self, context, out):
        chosen = self.body if self.value.resolve(context) else self.otherwise
        render_nodes(chosen, context, out)


class Include:
    def __init__(self, loader, name):
        self.loader, self.name = loader, name

    def render(self, context, out):
        self.loader.get(self.name).render_into(context, out)


def render_nodes(nodes, context, out):
    for node in nodes:
        node.render(context, out)


class Parser:
    def __init__(self, loader, source):
        self.loader = loader
        self.tokens = [t for t in TOKEN.split(source) if t]
        self.at = 0

    def nodes(self, *ends):
        """Nodes up to one of the given tags, which is returned as well (None: the text's end)."""
        found = []
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            if token.startswith("{{"):
                found.append(Output(token[2:-2]))
            elif token.startswith("{%"):
                words = token[2:-2].split()
                if words[0] in ends:
                    return found, words[0]
                found.append(self.tag(words))
            else:
                found.append(Text(token))
        if ends:
            raise TemplateError(f"the template ends before {ends[0]}")
        return found, None

    def tag(self, words):
        if words[0] == "for" and len(words) == 4:
            body, _ = self.nodes("end")
            return For(words[1], words[3], body)
        if words[0] == "if" and len(words) == 2:
            body, end = self.nodes("else", "end")
            otherwise = self.nodes("end")[0] if end == "else" else []
            return If(words[1], body, otherwise)
        if words[0] == "include" and len(words) == 2:
            return Include(self.loader, words[1])
        raise TemplateError(f"unknown tag '{' '.join(words)}'")


class Template:
    def __init__(self, loader, source):
        self.body, _ = Parser(loader, source).nodes()

    def render_into(self, context, out):
        render_nodes(self.body, context, out)

    def render(self, **context):
        out = []
        self.render_into(context, out)
        return Safe("".join(out))


class Loader:
    """Templates of one directory, parsed when first asked for."""

    def __init__(self, directory):
        self.directory = directory
        self.templates = {}

    def get(self, name):
        template = self.templates.get(name)
        if template is None:
            with open(os.path.join(self.directory, name + ".html"), encoding="utf-8") as f:
                template = self.templates[name] = Template(self, f.read())
        return template
