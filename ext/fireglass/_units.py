# SPDX-License-Identifier: MIT
"""Quantities as people write them, and as they read them."""

import re

_QUANTITY = re.compile(r"([0-9]*\.?[0-9]+(?:e[0-9]+)?) *([a-zµ]*)$", re.I)
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "min": 60, "h": 3600}
_HERTZ = {"hz": 1, "khz": 1e3, "mhz": 1e6}


def _quantity(text):
    match = _QUANTITY.match(text.strip())
    if not match or float(match.group(1)) <= 0:
        return 0, None
    return float(match.group(1)), match.group(2).lower()


def rate(text):
    """ "1000", "10khz", "250us", "max": samples per second, or "max"."""
    if text == "max":
        return text
    value, unit = _quantity(text)
    if unit in _SECONDS:
        value, unit = 1 / (value * _SECONDS[unit]), ""
    if unit is None or unit not in ("",) and unit not in _HERTZ:
        raise ValueError(
            "bad rate '%s'; give samples per second (1000, 10khz) or a period (250us)" % text
        )
    value *= _HERTZ.get(unit, 1)
    if not 0.001 <= value <= 1e6:
        raise ValueError("rate '%s' is out of range; 0.001 Hz to 1 MHz can be asked for" % text)
    return value


def duration(text):
    """ "10", "500ms", "2m": seconds."""
    value, unit = _quantity(text)
    if unit is None or unit not in _SECONDS and unit != "":
        raise ValueError("bad duration '%s'; give seconds (10, 1.5), 500ms, 2m or 1h" % text)
    return value * _SECONDS.get(unit, 1)


def size(text):
    """ "4096", "64M", "1.5GiB": bytes."""
    value, unit = _quantity(text)
    powers = ["", "k", "m", "g", "t"]
    letter = unit[:1] if unit is not None else None
    if letter not in powers or unit[1:] not in ("", "b", "ib"):
        raise ValueError("bad size '%s'; give bytes, or 500k, 64M, 1.5G" % text)
    return int(value * 1024 ** powers.index(letter))


def count(number):
    """ "12 345 678" """
    return "{:,}".format(number).replace(",", " ")
