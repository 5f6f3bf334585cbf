# SPDX-License-Identifier: MIT
"""What each of the debug endpoints answers."""

import os
import re
import shlex
import sys
import tempfile
import threading
import time

from .. import _fireglass
from .._capture import Capture
from ._match import PATTERN_MAX
from ._reply import TEXT, Answer, Refused, json_answer
from ._store import ENDING, NAME
from ._takers import Sampling

PROFILES_AT_ONCE = 4
READY_S = 10.0
DEFAULT_S = 10.0
PPROF_S = 30.0
LONGEST_S = 3600.0

TYPES = {
    "svg": "image/svg+xml",
    "html": "text/html; charset=utf-8",
    "folded": TEXT,
    "flamechart": TEXT,
    "text": TEXT,
    "callgrind": TEXT,
    "perfscript": TEXT,
    "chrome": "application/json",
    "cpuprofile": "application/json",
    "speedscope": "application/json",
    "firefox": "application/json",
    "jsonl": "application/x-ndjson",
}
SHOWN = ("svg", "html", "folded", "flamechart", "text", "callgrind", "perfscript")
BINARY = ("pprof", "pstats", "fgc")
# what is a page of its own may run its script, but is not of our origin
SANDBOX = "sandbox allow-scripts allow-downloads allow-popups; frame-ancestors 'self'"

PATTERNS = ("thread", "process", "focus", "ignore", "hide", "root", "span")
FLAGS = ("collapse-recursion", "threads", "full-paths", "no-lines", "inverted")
GRANULARITIES = ("lines", "functions", "files", "modules")
SELECTING = (
    *PATTERNS, *FLAGS, *GRANULARITIES,
    "format", "mode", "shape", "rows", "min-percent", "no-source",
)  # fmt: skip
UNITS_S = {"": 1, "s": 1, "ms": 0.001, "m": 60, "h": 3600}

_profiles = threading.BoundedSemaphore(PROFILES_AT_ONCE)


# ---- parameters ----------------------------------------------------------------------------------


def know(question, *names):
    for name in question.given:
        if name not in names and name not in ("token", "key"):
            raise Refused(400, "unknown parameter '%s'" % name)


def read_flag(question, name):
    value = question.given.get(name)
    if value not in (None, "", "0", "1", "true", "false"):
        raise Refused(400, "bad value '%s' of '%s'; 1 or 0" % (value, name))
    return value in ("", "1", "true")


def read_number(question, name, default, most):
    value = question.given.get(name)
    if value is None:
        return default
    if not re.match(r"[0-9]{1,9}\Z", value) or not 0 < int(value) <= most:
        raise Refused(400, "bad value '%s' of '%s'; from 1 to %d" % (value, name, most))
    return int(value)


def read_seconds(question, name, default, most=LONGEST_S):
    value = question.given.get(name)
    if value is None:
        return default
    found = re.match(r"([0-9]{1,9}(?:[.][0-9]{1,9})?)(ms|s|m|h|)\Z", value)
    seconds = float(found.group(1)) * UNITS_S[found.group(2)] if found else 0
    if not 0 < seconds <= most:
        raise Refused(400, "bad value '%s' of '%s'; for example 10, 500ms or 2m" % (value, name))
    return seconds


def check_pattern(name, value):
    """Some expressions take time without bounds: those with counts, and those that refer back."""
    if not value or len(value) > PATTERN_MAX:
        raise Refused(400, "'%s' is empty, or has more than %d characters" % (name, PATTERN_MAX))
    if "{" in value or re.search(r"\\[0-9]", value.replace("\\\\", "")):
        raise Refused(400, "'%s' has { or refers back, which is not taken here" % name)
    return value


def read_selecting(question):
    """(format, options of Capture.export)"""
    format = question.given.get("format", "")
    options = {}
    for name in PATTERNS:
        values = [check_pattern(name, value) for key, value in question.pairs if key == name]
        if values:
            options[name] = values
    for name in FLAGS:
        if read_flag(question, name):
            options[name.replace("-", "_")] = True
    for name in GRANULARITIES:
        if read_flag(question, name):
            options["granularity"] = name
    for name in ("mode", "shape"):
        if name in question.given:
            options[name] = question.given[name]
    if "rows" in question.given:
        options["rows"] = read_number(question, "rows", 0, 100000)
    if "min-percent" in question.given:
        try:
            options["min_percent"] = float(question.given["min-percent"])
        except ValueError:
            raise Refused(400, "bad value of 'min-percent'; from 0 to 100") from None
    if read_flag(question, "no-source"):
        options["source"] = False
    return format, options


# ---- profiles ------------------------------------------------------------------------------------


def type_of(format):
    return TYPES.get(format, "application/octet-stream")


def exported(path, format, options):
    """An Answer with the capture in this format. The file at path may go at once."""
    headers = [("Content-Security-Policy", SANDBOX)]
    if format not in SHOWN:
        headers.append(("Content-Disposition", 'attachment; filename="profile.%s"' % format))
    if format == "fgc":
        if options:
            raise Refused(400, "a capture (format=fgc) has all of it: nothing can be selected")
        return Answer(open(path, "rb"), type_of(format), headers=headers)
    file = tempfile.TemporaryFile()
    try:
        _export(path, format, options, file)
    except BaseException:
        file.close()
        raise
    return Answer(file, type_of(format), headers=headers)


def _export(path, format, options, file):
    try:
        Capture(path).export(format, file.fileno(), **options)
    except (ValueError, TypeError) as error:
        raise Refused(400, str(error)) from None


def _sample(site, seconds):
    """The path of a capture of the next seconds."""
    sampling = Sampling(site.profiler.store, site.profiler.rate, spans_only=False)
    time.sleep(seconds)
    if not sampling.stop():
        raise Refused(503, "sampling could not be ended; the log says why")
    return sampling.path


def _keep(site, seconds):
    """The path of a capture of the last seconds."""
    recent = site.profiler.recent
    if recent is None:
        raise Refused(409, "the last seconds are not kept; POST api/v1/start begins that")
    path, file = site.profiler.store.new_file()
    with file:
        recent.dump(file, seconds)
    return path


def _profile(site, question, format, default_s, last):
    seconds = read_seconds(question, "seconds", default_s)
    given, options = read_selecting(question)
    if not _profiles.acquire(blocking=False):
        raise Refused(
            429, "%d profiles are being made already" % PROFILES_AT_ONCE, ("Retry-After", "1")
        )
    try:
        path = (_keep if last else _sample)(site, seconds)
        try:
            return exported(path, given or format, options)
        finally:
            os.unlink(path)
    finally:
        _profiles.release()


def profile(site, question, _rest):
    know(question, "seconds", "last", *SELECTING)
    return _profile(site, question, "speedscope", DEFAULT_S, read_flag(question, "last"))


def pprof(site, question, _rest):
    know(question, "seconds", *SELECTING)
    return _profile(site, question, "pprof", PPROF_S, False)


def pprof_index(site, question, _rest):
    know(question)
    page = (
        '<!doctype html><meta charset="utf-8"><title>pprof</title><ul>'
        '<li><a href="profile?seconds=30">profile</a>: the next 30 seconds'
        '<li><a href="cmdline">cmdline</a></ul>\n'
    )
    return Answer(page.encode(), "text/html; charset=utf-8")


def cmdline(site, question, _rest):
    know(question)
    words = [sys.executable, *sys.argv]
    return Answer(" ".join(map(shlex.quote, words)).encode(), TEXT)


def folded(site, question, _rest):
    know(question, "seconds", *SELECTING)
    if "format" in question.given:
        raise Refused(400, "this is folded; for formats see api/v1/profile")
    return _profile(site, question, "folded", site.profiler.recent_options.keep_s, True)


# ---- how it is -----------------------------------------------------------------------------------


def status_of(profiler):
    recent = profiler.recent
    options = profiler.recent_options
    data = {
        "version": _fireglass.version,
        "state": "sampling" if recent else "stopped",
        "pid": os.getpid(),
        "now_ns": time.time_ns(),
        "period_ns": int(1e9 / options.rate),
        "ring": {"keep_ns": int(options.keep_s * 1e9), "max_bytes": options.max_bytes},
        "next": profiler.campaign(),
        "can_save": True,
    }
    if recent:
        data["counts"] = dict(recent.session.counts())
    return data


def status(site, question, _rest):
    know(question)
    return json_answer(status_of(site.profiler))


def start(site, question, _rest):
    know(question)
    site.profiler.start_recent()
    return json_answer(status_of(site.profiler))


def stop(site, question, _rest):
    know(question)
    site.profiler.stop_recent()
    return json_answer(status_of(site.profiler))


def metrics(site, question, _rest):
    know(question)
    profiler = site.profiler
    recent, campaign_ = profiler.recent, profiler.campaign()
    lines = []

    def add(name, kind, text, value):
        lines.append("# HELP fireglass_%s %s" % (name, text))
        lines.append("# TYPE fireglass_%s %s" % (name, kind))
        lines.append("fireglass_%s %s" % (name, value))

    counts = recent.session.counts() if recent else {}
    add("sampling", "gauge", "1 while samples are taken all the time.", int(bool(recent)))
    for name, text in (
        ("ticks", "Ticks at which this worker was looked at."),
        ("samples", "Samples of threads taken."),
        ("missed", "Ticks at which nothing was looked at."),
        ("failed", "Stacks that could not be read."),
        ("lost", "Samples that there was no room for."),
    ):
        add(name + "_total", "counter", text, counts.get(name, 0))
    add(
        "next_wanted", "gauge", "Requests of the campaign.", campaign_["wanted"] if campaign_ else 0
    )
    add("next_done", "gauge", "Those that were profiled.", campaign_["done"] if campaign_ else 0)
    kept = profiler.store.list()
    add("captures", "gauge", "Captures that are kept.", len(kept))
    add("captures_bytes", "gauge", "Their size.", sum(about["bytes"] for about in kept))
    text = "\n".join(lines) + "\n"
    return Answer(text.encode(), "text/plain; version=0.0.4; charset=utf-8")


# ---- requests ------------------------------------------------------------------------------------


def with_links(site, question, abouts):
    root = question.root
    return [
        dict(about, name=about["name"] + ENDING, report=site.link(about["name"], root))
        for about in abouts
    ]


def slowest(site, question, _rest):
    know(question)
    return json_answer({"slowest": with_links(site, question, site.profiler.slowest())})


def campaign(site, question, _rest):
    know(question)
    return json_answer({"next": site.profiler.campaign()})


def begin_campaign(site, question, _rest):
    know(
        question, "count", "route", "path", "method", "header", "slower-than", "rate", "singly",
        "timeout",
    )  # fmt: skip
    headers = {}
    for name, value in question.pairs:
        if name == "header":
            key, _, text = value.partition(":")
            text = text.strip()
            headers[key] = _compiled(text[1:]) if text.startswith("~") else text
    try:
        waiting = site.profiler.next(
            read_number(question, "count", 1, 1_000_000),
            route=question.given.get("route"),
            path=question.given.get("path"),
            method=question.given.get("method"),
            headers=headers,
            slower_than_ms=1000 * read_seconds(question, "slower-than", 0),
            rate=read_number(question, "rate", None, 10_000),
            singly=read_number(question, "singly", 5, 100),
            timeout_s=read_seconds(question, "timeout", 600, 7 * 86400),
        )
    except ValueError as error:
        raise Refused(400, str(error)) from None
    except RuntimeError as error:
        raise Refused(409, str(error)) from None
    link = site.link(waiting.name, question.root)
    return json_answer(
        {"name": waiting.name + ENDING, "report": link, "next": site.profiler.campaign()},
        201,
        [("Location", link)],
    )


def _compiled(text):
    try:
        return re.compile(check_pattern("header", text))
    except re.error as error:
        raise Refused(400, "bad pattern '%s': %s" % (text, error)) from None


def end_campaign(site, question, _rest):
    know(question)
    if not site.profiler.cancel():
        raise Refused(409, "no requests are being profiled")
    return json_answer({"next": None})


# ---- captures ------------------------------------------------------------------------------------


def captures(site, question, _rest):
    know(question, "kind")
    abouts = site.profiler.store.list(question.given.get("kind"))
    return json_answer({"captures": with_links(site, question, abouts)})


def save(site, question, _rest):
    know(question, "seconds", "name")
    store = site.profiler.store
    name = question.given.get("name") or store.new_name("saved")
    if not NAME.match(name):
        raise Refused(400, "bad name '%s'; letters, digits, _ . -" % name)
    if store.about(name):
        raise Refused(409, "there is a capture '%s' already" % name)
    seconds = read_seconds(question, "seconds", site.profiler.recent_options.keep_s)
    start_ns = time.time_ns() - int(seconds * 1e9)
    path = _keep(site, seconds)
    store.add(
        name, path, {"kind": "saved", "start_ns": start_ns, "duration_ns": int(seconds * 1e9)}
    )
    about = with_links(site, question, [store.about(name)])[0]
    return json_answer(about, 201, [("Location", about["report"])])


def _name_of(rest):
    name = rest[: -len(ENDING)] if rest.endswith(ENDING) else ""
    if not NAME.match(name):
        raise Refused(404, "there is no capture '%s'" % rest[:120])
    return name


def capture(site, question, rest):
    """One that is just being made is waited for, a while."""
    know(question, *SELECTING)
    name = _name_of(rest)
    store = site.profiler.store
    about = store.about(name)
    if about is None:
        site.profiler.look()
        about = store.wait(name, READY_S if store.is_coming(name) else 0)
    if about is None and store.is_coming(name):
        raise Refused(503, "it is still being made", ("Retry-After", "5"))
    if about is None:
        raise Refused(404, "there is no capture '%s'" % rest)
    if "error" in about:
        raise Refused(500, about["error"])
    format, options = read_selecting(question)
    return exported(store.file(name), format or "fgc", options)


def delete(site, question, rest):
    know(question)
    if not site.profiler.store.delete(_name_of(rest)):
        raise Refused(404, "there is no capture '%s'" % rest)
    return Answer(b"", "text/plain", 204)
