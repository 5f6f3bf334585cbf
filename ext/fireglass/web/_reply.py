# SPDX-License-Identifier: MIT
"""Questions and answers over HTTP, whichever framework carries them."""

import json
import os
from http import HTTPStatus
from urllib.parse import parse_qsl

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
PIECE = 1 << 16

ALWAYS = [
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
]
# what is a page of its own may run its script, but is not of our origin
SANDBOX = "sandbox allow-scripts allow-downloads allow-popups; frame-ancestors 'self'"


class Question:
    """path: after the mount; header(name): its text or None; root: what is before the mount."""

    def __init__(self, method, path, query, header, root=""):
        self.method = method
        self.path = path or "/"
        self.header = header
        self.root = root
        self.pairs = parse_qsl(query, keep_blank_values=True)
        self.given = dict(self.pairs)


class Refused(Exception):
    def __init__(self, status, text, *headers):
        super().__init__(text)
        self.status = status
        self.headers = list(headers)


class Answer:
    """An iterable of bytes with close(), as WSGI takes it. body: bytes, or a file that it closes."""

    def __init__(self, body, type, status=200, headers=()):
        self.status = status
        self._body = body
        if isinstance(body, bytes):
            length = len(body)
        else:
            length = os.fstat(body.fileno()).st_size
            body.seek(0)
        self.headers = [
            ("Content-Type", type),
            ("Content-Length", str(length)),
            *ALWAYS,
            *headers,
        ]

    @property
    def line(self):
        return "%d %s" % (self.status, HTTPStatus(self.status).phrase)

    def __iter__(self):
        if isinstance(self._body, bytes):
            yield self._body
            return
        while True:
            piece = self._body.read(PIECE)
            if not piece:
                return
            yield piece

    def close(self):
        if not isinstance(self._body, bytes):
            self._body.close()


def json_answer(data, status=200, headers=()):
    return Answer(json.dumps(data).encode() + b"\n", JSON, status, headers)
