# SPDX-License-Identifier: MIT
"""What the service can be asked for: one function per kind of request."""

import os

from press.html import Safe
from press.markup import Renderer, parse
from press.template import Loader

TEMPLATES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates")
RESULTS = 12
MARKS = str.maketrans("", "", "=*>|'`[]")


class Request:
    __slots__ = ("kind", "name", "text")

    def __init__(self, kind, name="", text=""):
        self.kind = kind
        self.name = name
        self.text = text


class Site:
    """The handlers and what they share."""

    def __init__(self, store, archive):
        self.store = store
        self.archive = archive
        self.templates = Loader(TEMPLATES)
        self.handlers = {"view": self.view, "search": self.search, "edit": self.edit}

    def handle(self, request):
        """The response's text."""
        return self.handlers[request.kind](request)

    def summary(self, page):
        lines = page.source.splitlines()
        return next((line.translate(MARKS) for line in lines if line and line[0].isalpha()), "")

    def card(self, page):
        return {
            "name": page.name,
            "title": page.title,
            "tags": page.tags,
            "summary": self.summary(page),
        }

    def view(self, request):
        page = self.store.page(request.name)
        key = (page.name, page.revision)
        text = self.store.cache.get(key)
        if text is None:
            text = self.render_page(page)
            self.store.cache.put(key, text)
        return text

    def render_page(self, page):
        renderer = Renderer(self.store.glossary, page.name)
        body = renderer.render(parse(page.source))
        return self.templates.get("page").render(
            title=page.title,
            revision=page.revision,
            tags=page.tags,
            menu=self.store.tags(),
            contents=renderer.contents,
            related=[self.card(p) for p in self.store.related_pages(page.name)],
            body=Safe(body),
        )

    def search(self, request):
        found = self.store.search(request.text, RESULTS)
        return self.templates.get("results").render(
            title="Search",
            query=request.text,
            tags=sorted({tag for _, page in found for tag in page.tags}),
            menu=self.store.tags(),
            results=[self.card(page) for _, page in found],
        )

    def edit(self, request):
        page = self.store.page(request.name)
        source = page.source + "\n\n" + request.text
        revision = self.store.edit(page.name, source)
        self.archive.submit(page.name, revision, source)
        return self.view(request)
