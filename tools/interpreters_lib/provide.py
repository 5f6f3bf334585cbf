# SPDX-License-Identifier: MIT
"""Providing the CPythons that the tests want and the machine lacks."""

import os

from . import debian, find, freethreaded, standalone
from .build import Context, ProvideError, locked

WANTED = ["2.7"] + [f"3.{n}" for n in range(6, 16)] + sorted(freethreaded.WHEELS)
# What the tests cannot make for themselves: one interpreter at least of each.
SHAPES = {
    "stripped": lambda i: i["stripped"],
    "shared": lambda i: i["shared"],
    "static position-dependent": lambda i: not i["shared"] and not i["pie"],
}


def parse_only(text):
    """The tags of `--only 3.15,3.14t`; ValueError names what is none."""
    tags = [t.strip() for t in text.split(",") if t.strip()]
    unknown = [t for t in tags if t not in WANTED]
    if unknown or not tags:
        raise ValueError(
            "no such version: {}; known: {}".format(
                ", ".join(unknown) or "(none)", ", ".join(WANTED)
            )
        )
    return tags


def missing(wanted, interpreters):
    have = {find.tag(i) for i in interpreters}
    return [w for w in wanted if w not in have]


def missing_shapes(interpreters):
    return [name for name, test in SHAPES.items() if not any(test(i) for i in interpreters)]


def plan(wanted, absent, everything=False):
    """What to provide, in order: [(what it is called, the tags it is for, provider, argument)].

    Debian unstable and python-build-standalone are shapes of their own (chroot; what uv installs),
    so they are provided even where the machine has the version. Free-threaded builds take their
    standard library from unstable's root or a standalone tree. An old Debian is a last resort.
    """
    steps = []
    base = {t[:-1] for t in wanted if t.endswith("t")} | set(wanted)
    if base & set(debian.SUITES["sid"]):
        steps.append(("Debian sid", debian.SUITES["sid"], "debian", "sid"))
    for minor in standalone.VERSIONS:
        if minor in wanted:
            steps.append(("python-build-standalone " + minor, (minor,), "standalone", minor))
    for tag in freethreaded.WHEELS:
        if tag in wanted and (tag in absent or everything):
            steps.append(("free-threaded " + tag, (tag,), "freethreaded", tag))
    if set(debian.SUITES["bullseye"]) & set(wanted if everything else absent):
        steps.append(("Debian bullseye", debian.SUITES["bullseye"], "debian", "bullseye"))
    return steps


def carry_out(context, step, interpreters):
    """Do one step. `interpreters` are the machine's own, whose pip may be used."""
    _, tags, provider, argument = step
    if provider == "debian":
        debian.provide_root(context, argument)
    elif provider == "freethreaded":
        freethreaded.provide(context, argument, interpreters)
    elif standalone.at_hand(context, argument) or missing(tags, find.discover()):
        standalone.provide(context, argument)
    else:
        find.say(f"{step[0]}: left out, the go command is missing and the version is here anyway")


def own_of(interpreters, context):
    """The machine's own interpreters: what is absent among them must be in our cache."""
    return [i for i in interpreters if not i["exe"].startswith(context.cache + os.sep)]


def provide(wanted, offline=False, everything=False):
    """Returns (interpreters, [(tag that is missing, why)])."""
    context = Context(find.cache_dir(), offline)
    problems = []
    with locked(context):
        own = own_of(find.discover(), context)
        for step in plan(wanted, missing(wanted, own), everything):
            try:
                carry_out(context, step, own)
            except (ProvideError, OSError) as e:
                problems.append((step, str(e)))
                find.say(f"{step[0]}: {e}")
    found = find.discover()
    return found, [(tag, reason(tag, problems)) for tag in missing(wanted, found)]


def reason(tag, problems):
    for step, text in problems:
        if tag in step[1]:
            return text.splitlines()[0]
    return "it is on no registry; install it with pyenv or uv, or name one in FIREGLASS_PYTHONS"


def sid_root(offline=False):
    context = Context(find.cache_dir(), offline)
    if not context.has(debian.root_name("sid"), debian.RECIPE):
        with locked(context):
            debian.provide_root(context, "sid")
    return context.tree(debian.root_name("sid"))
