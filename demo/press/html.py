# SPDX-License-Identifier: MIT
"""Text that is safe to put into HTML, told apart from text that is not."""

REPLACEMENTS = (
    ("&", "&amp;"),
    ("<", "&lt;"),
    (">", "&gt;"),
    ('"', "&quot;"),
)


class Safe(str):
    """Text that is HTML already."""

    __slots__ = ()


def escape(text):
    if isinstance(text, Safe):
        return text
    text = str(text)
    for character, entity in REPLACEMENTS:
        text = text.replace(character, entity)
    return text
