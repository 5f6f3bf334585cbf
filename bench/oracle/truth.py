# SPDX-License-Identifier: MIT
"""Whether a stack can have been, and how far shares of time are from the truth.

Made from what a program said of itself (programs/witness.py). Frames are (function, file, line),
root first; the line may be None where a profiler does not tell it.
"""

import bisect
import collections
import math
import os
import random
import re

Frame = collections.namedtuple("Frame", "function file line")
Verdict = collections.namedtuple("Verdict", "kind why")  # kind: "stack" or "line"
# What profilers put between frames of functions.
MARKS = ("(truncated)", "(not readable)", "(unknown function)", ":INVALID:")
IGNORED = ("(no Python frame)", "<GC>", ":GC:", "<native>")


def short(function):
    return function.rsplit(".", 1)[-1]


class Family:
    """Functions whose name tells their file and their lines."""

    def __init__(self, rule):
        self.rule = rule
        self.name = re.compile(rule["name"])
        self.file = re.compile("^" + re.escape(rule["file"]).replace("%s", "([0-9]+)") + "$")
        self.prefix = rule["file"].split("%s", 1)[0]

    def identify(self, frame):
        """(role, number) of a member, or None."""
        found = self.name.match(frame.function)
        if found:
            return found.group(1), found.group(2)
        found = self.file.match(frame.file)
        return ("<module>", found.group(1)) if found and frame.function == "<module>" else None

    def offset(self, frame, number):
        return frame.line - int(number) % self.rule["modulus"]

    def judge(self, frame, role, number):
        if self.rule["file"] % number != frame.file:
            return Verdict("stack", "%s is not in %s" % (frame.function, frame.file))
        if frame.line is None:
            return None
        if role == "<module>":
            good = frame.line in (0, 1) or self.offset(frame, number) in self.rule["module_lines"]
        else:
            good = self.offset(frame, number) in self.rule["lines"][role]
        return None if good else Verdict("line", "%s has no line %s" % (frame.function, frame.line))


class Truth:
    def __init__(self, said):
        self.said = said
        self.files = set(said["files"])
        self.functions = {name: set(lines) for name, lines in said["functions"].items()}
        self.calls, self.edges = {}, collections.defaultdict(set)
        for place, callees in said["calls"].items():
            function, line = place.rsplit(":", 1)
            self.calls[function, int(line)] = set(callees)
            self.edges[function] |= set(callees)
        self.from_lib = set(said["from_lib"])
        self.families = [Family(rule) for rule in said["families"]]
        self.exclusive = [set(names) for names in said["exclusive"]]
        self.known = {}

    def judge(self, frames):
        """None if the stack can have been."""
        key = tuple(frames)
        if key not in self.known:
            self.known[key] = self.judge_new(
                [Frame(short(f.function), os.path.basename(f.file), f.line) for f in frames]
            )
        return self.known[key]

    def judge_new(self, frames):
        worst = None
        for verdict in self.verdicts(frames):
            if verdict and verdict.kind == "stack":
                return verdict
            worst = worst or verdict
        return worst

    def verdicts(self, frames):
        yield self.judge_root(frames[0])
        for caller, callee in zip(frames, frames[1:]):
            yield self.judge_call(caller, callee)
        for frame in frames:
            yield self.judge_frame(frame)
        names = {f.function for f in frames}
        if sum(1 for group in self.exclusive if group & names) > 1:
            yield Verdict("stack", "functions that never meet")

    def family_of(self, frame):
        for family in self.families:
            found = family.identify(frame)
            if found:
                return (family,) + found
        return None

    def is_own(self, frame):
        return frame.file in self.files or any(
            frame.file.startswith(f.prefix) for f in self.families
        )

    def judge_root(self, frame):
        if not self.is_own(frame):
            good = self.said["lib_roots"]
        else:
            good = frame.function in self.said["roots"] and frame.file == self.said["program"]
        return None if good else Verdict("stack", "begins in %s (%s)" % frame[:2])

    def judge_frame(self, frame):
        if not self.is_own(frame):
            return None
        member = self.family_of(frame)
        if member:
            return member[0].judge(frame, *member[1:])
        lines = self.functions.get(frame.function)
        if lines is None:
            return Verdict("stack", "there is no %s in %s" % frame[:2])
        if frame.line is not None and frame.line not in lines:
            return Verdict("line", "%s has no line %s" % (frame.function, frame.line))
        return None

    def token(self, frame):
        if not self.is_own(frame):
            return "<lib>"
        member = self.family_of(frame)
        if not member:
            return frame.function
        role = member[1]
        return "@" if role == member[0].rule["entry"] else role

    def judge_call(self, caller, callee):
        token = self.token(callee)
        if not self.is_own(caller):
            good = token == "<lib>" or callee.function in self.from_lib
            return None if good else Verdict("stack", "%s calls %s" % (caller.function, token))
        member = self.family_of(caller)
        if member:
            return self.judge_family_call(member, caller, callee)
        if token in self.calls.get((caller.function, caller.line), ()):
            return None
        kind = "line" if token in self.edges.get(caller.function, ()) else "stack"
        if kind == "line" and caller.line is None:
            return None
        return Verdict(kind, "%s:%s calls %s" % (caller.function, caller.line, callee.function))

    def judge_family_call(self, member, caller, callee):
        family, role, number = member
        other = self.family_of(callee)
        why = "%s:%s calls %s" % (caller.function, caller.line, callee.function)
        if not other or other[2] != number:
            return Verdict("stack", why)
        lines = family.rule["calls"].get(role, {})
        if not any(other[1] in callees for callees in lines.values()):
            return Verdict("stack", why)
        if caller.line is None:
            return None
        good = other[1] in lines.get(str(family.offset(caller, number)), ())
        return None if good else Verdict("line", why)


def without_marks(frames):
    """(frames, whether the profiler itself says that the stack is not whole)"""
    whole = [f for f in frames if f.function not in MARKS]
    return [f for f in whole if f.function not in IGNORED], len(whole) < len(frames)


class Judged:
    """All stacks of one recording: [(frames, count)]."""

    def __init__(self, truth, stacks):
        self.samples = self.marked = self.stack = self.line = 0
        self.examples = collections.Counter()
        self.leaves = collections.Counter()
        self.lines = collections.Counter()
        self.totals = collections.Counter()
        for frames, count in stacks:
            frames, marked = without_marks(frames)
            self.samples += count
            self.marked += count if marked else 0
            if marked or not frames:
                self.leaves["(marked)"] += count
            else:
                name = short(frames[-1].function)
                self.leaves[name] += count
                self.lines["%s:%s" % (name, frames[-1].line)] += count
                for function in {short(f.function) for f in frames}:
                    self.totals[function] += count
            verdict = truth.judge(frames) if frames else None
            if verdict:
                self.note(verdict, frames, count)

    def note(self, verdict, frames, count):
        if verdict.kind == "stack":
            self.stack += count
        else:
            self.line += count
        shown = ";".join("%s:%s" % (short(f.function), f.line) for f in frames)
        self.examples[verdict.why + " | " + shown] += count

    def found(self, key):
        """Samples of `function` itself, of `function:line`, of `function/` and all it calls."""
        if key.endswith("/"):
            return self.totals[key[:-1]]
        return self.lines[key] if ":" in key else self.leaves[key]


class Snapshots:
    """Totals of work and time over the life of a program."""

    def __init__(self, snapshots):
        self.snapshots = snapshots
        self.times = [s[0] for s in snapshots]

    def at(self, time):
        """(work, spent), between the two snapshots around it."""
        i = min(max(bisect.bisect(self.times, time), 1), len(self.times) - 1)
        (t0, w0, s0), (t1, w1, s1) = self.snapshots[i - 1], self.snapshots[i]
        part = (time - t0) / (t1 - t0) if t1 > t0 else 0
        part = min(max(part, 0), 1)
        spent = {k: s0.get(k, 0) + (s1[k] - s0.get(k, 0)) * part for k in s1}
        return w0 + (w1 - w0) * part, spent

    def work_rate(self, begin, end):
        """Of whole distances between snapshots inside."""
        inside = [s for s in self.snapshots if begin <= s[0] <= end]
        if len(inside) < 2 or inside[-1][0] == inside[0][0]:
            return None
        return (inside[-1][1] - inside[0][1]) / (inside[-1][0] - inside[0][0])

    def shares(self, begin, end):
        s0, s1 = self.at(begin)[1], self.at(end)[1]
        spent = {k: s1[k] - s0[k] for k in s1}
        whole = sum(spent.values())
        return {k: v / whole for k, v in spent.items()} if whole > 0 else {}


def shares_error(shares, judged):
    """Largest error in points, the half-width of its 95 % interval, and the total variation."""
    n = judged.samples
    if not shares or not n:
        return None
    found = {k: judged.found(k) / n for k in shares}
    worst = max(shares, key=lambda k: abs(found[k] - shares[k]))
    p = shares[worst]
    other = abs(1 - sum(found.values()))
    distance = (sum(abs(found[k] - shares[k]) for k in shares) + other) / 2
    return {
        "worst": worst,
        "true_percent": 100 * p,
        "found_percent": 100 * found[worst],
        "error_points": 100 * (found[worst] - p),
        "interval_points": 196 * math.sqrt(p * (1 - p) / n),
        "beyond_points": 100
        * max(
            abs(found[k] - shares[k]) - 1.96 * math.sqrt(shares[k] * (1 - shares[k]) / n)
            for k in shares
        ),
        "total_variation_percent": 100 * distance,
    }


def total_variation(a, b):
    n, m = sum(a.values()), sum(b.values())
    return sum(abs(a[k] / n - b[k] / m) for k in set(a) | set(b)) / 2


def distance_to_reference(found, reference, rounds=40, seed=1):
    """(distance of leaves, the distance of two such samples by chance), percent."""
    n, m = sum(found.values()), sum(reference.values())
    if not n or not m:
        return None
    pooled = found + reference
    keys, weights = zip(*pooled.items())
    # the distance by chance falls with the square root of the size: draw few, then scale
    small_n, small_m = min(n, 2000), min(m, 2000)
    rng = random.Random(seed)
    floors = [
        total_variation(
            collections.Counter(rng.choices(keys, weights, k=small_n)),
            collections.Counter(rng.choices(keys, weights, k=small_m)),
        )
        for _ in range(rounds)
    ]
    scale = math.sqrt((1 / n + 1 / m) / (1 / small_n + 1 / small_m))
    return 100 * total_variation(found, reference), 100 * scale * sum(floors) / rounds
