# SPDX-License-Identifier: MIT
"""Who may ask: those that know the token."""

import hashlib
import hmac
import threading
import time

TOKEN_LEAST = 12
KEY_LENGTH = 32


def check_token(token):
    if token is None:
        return
    if not isinstance(token, str) or len(token) < TOKEN_LEAST or not token.isprintable():
        raise ValueError(
            "bad token; at least %d characters that nobody guesses, for example from "
            "python3 -c 'import secrets; print(secrets.token_urlsafe())'" % TOKEN_LEAST
        )


class Auth:
    """Without a token nobody may. Comparing takes as long whatever is given."""

    def __init__(self, token, per_second=100):
        check_token(token)
        self._token = token.encode() if token is not None else None
        self._bucket = Bucket(per_second)

    @property
    def is_on(self):
        return self._token is not None

    def is_token(self, given):
        if self._token is None or not isinstance(given, str):
            return False
        # of a digest: the length is no secret's hint either
        return hmac.compare_digest(_digest(given.encode("utf-8", "replace")), _digest(self._token))

    def key_of(self, name):
        """What opens this one capture, for those that follow a link to it."""
        return hmac.new(self._token, name.encode(), hashlib.sha256).hexdigest()[:KEY_LENGTH]

    def is_key(self, name, given):
        if self._token is None or not isinstance(given, str):
            return False
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.key_of(name).encode())

    def is_too_fast(self):
        return not self._bucket.take()


class Bucket:
    """So many a second, and no more at once."""

    def __init__(self, per_second):
        self._per_second = self._left = float(per_second)
        self._filled = time.monotonic()
        self._lock = threading.Lock()

    def take(self):
        with self._lock:
            now = time.monotonic()
            self._left += (now - self._filled) * self._per_second
            self._left = min(self._left, self._per_second)
            self._filled = now
            if self._left < 1:
                return False
            self._left -= 1
            return True


def _digest(data):
    return hashlib.sha256(data).digest()
