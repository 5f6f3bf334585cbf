#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The oracle: programs whose truth is known, under fireglass and its peers.

    bench/oracle/run.py [--quick] [--python 3.8,3.11,...] [--program NAME,...] [--rate 100,1000,max]
                        [--profiler NAME,...] [--seconds S] [--repeats N] [--binary FILE]
                        [--json FILE] [--markdown FILE] [--list]

For each program, Python, rate and profiler the program runs for a while alone, then under the
profiler, then alone again; the profilers take turns. Prints a line for each as it goes, then one
table. --markdown puts it between the lines `<!-- NAME -->` and `<!-- end of NAME -->` of FILE, where
--section gives the name: results.

impossible  stacks that cannot have been: a call, a root or a function that does not exist
wrong       stacks that could have been but for a line
truncated   what the profiler itself marks as not whole
dropped     samples that it took and threw away; missed: ticks without a sample; unaccounted: ticks
            of which it says nothing
error       largest error of a share of time, in points, and the sampling error at 95 %
distance    total variation, in percent, from the truth; where no shares are known, from a profiler
            that stops the program, with the distance that chance alone would give
slowdown    work per second alone over work per second under the profiler
cpu         processor time of the profiler, in percent of a core
"""

import argparse
import collections
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers  # noqa: E402
import targets  # noqa: E402
import truth  # noqa: E402

Program = collections.namedtuple("Program", "name file args since counts threads")


def program(name, file, *args, since=(2, 7), counts=True, threads=1):
    """`counts`: its work says how fast it runs; `threads`: at any time, 0 if that changes."""
    return Program(name, file, args, since, counts, threads)


PROGRAMS = [
    program("flutter-5", "flutter.py", 5),
    program("flutter-12", "flutter.py", 12),
    program("flutter-50", "flutter.py", 50),
    program("flutter-chunks", "flutter.py", 12, 60, 160),
    program("bursts", "bursts.py", 20000, 1000, counts=False),
    program("bursts-short", "bursts.py", 1000, 100, counts=False),
    program("recursion-12", "recursion.py", 12),
    program("recursion-200", "recursion.py", 200),
    program("recursion-1000", "recursion.py", 1000),
    program("generators", "generators.py", "fresh", since=(3, 3)),
    program("generators-kept", "generators.py", "kept", since=(3, 3)),
    program("generators-shared", "generators.py", "shared", since=(3, 3)),
    program("awaits", "awaits.py", since=(3, 7)),
    program("exceptions", "exceptions.py"),
    program("churn", "churn.py", 300),
    program("churn-fast", "churn.py", 10),
    program("periodic-1000us", "periodic.py", 1000, 30, counts=False),
    program("periodic-1010us", "periodic.py", 1010, 30, counts=False),
    program("periodic-10ms", "periodic.py", 10000, 30, counts=False),
    program("shares-20ms", "shares.py", 20000, counts=False),
    program("shares-200us", "shares.py", 200, counts=False),
    program("lines-20ms", "lines.py", 20000, counts=False),
    program("lines-200us", "lines.py", 200, counts=False),
    program("threads", "threads.py", 100, 3, threads=104),
    program("threads-churn", "threads.py", 3, 3, "churn", threads=0),
    program("ordinary", "ordinary.py"),
]
QUICK = ["flutter-12", "recursion-200", "generators-kept", "awaits", "exceptions", "churn",
         "shares-200us", "lines-200us", "ordinary"]  # fmt: skip
PYTHONS = ["3.8", "3.11", "3.13", "3.14", "3.15", "3.14t"]
RATES = [100, 1000, 10000, "max"]
REFERENCES = ["py-spy", "tachyon --blocking"]  # they stop the program for each sample
ENDING_SECONDS = 120  # for a profiler to write its output
BEGIN, END = "<!-- %s -->", "<!-- end of %s -->"


class Failure(Exception):
    pass


def cpu_seconds(pid):
    """Of all threads it has now."""
    total = 0
    try:
        for tid in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/schedstat" % (pid, tid)) as f:
                total += int(f.read().split()[0])
    except (OSError, IndexError):
        return None
    return total / 1e9


def sleep_until(end):
    time.sleep(max(0, end - time.monotonic()))


def lead_in(seconds):
    """Some profilers need this long until the first sample; slowdown and CPU are measured later."""
    return min(1.0, seconds / 3)


def run_outside(profiler, target, rate, seconds, out):
    """(text it printed, when it began, CPU seconds per second, when it ended)"""
    command = profiler.start(target.pid, rate, seconds, out)
    began = time.monotonic()
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.STDOUT
        )
        try:
            sleep_until(began + lead_in(seconds))
            cpu, at = cpu_seconds(process.pid), time.monotonic()
            sleep_until(began + seconds - 0.02)
            last, end = cpu_seconds(process.pid), time.monotonic()
            if profiler.signal:
                sleep_until(began + seconds)
                process.send_signal(profiler.signal)
            process.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            raise Failure("does not end") from None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        ended = time.monotonic()
        printed.seek(0)
        text = printed.read().decode("utf-8", "replace")
    if not os.path.exists(out) or (process.returncode and not profiler.signal):
        lines = [s for s in peers.ANSI.sub("", text).strip().splitlines() if s.strip()]
        raise Failure("exits with %d: %s" % (process.returncode, lines[-1] if lines else ""))
    used = (last - cpu) / (end - at) if cpu is not None and last is not None else None
    return text, began, used, ended


def run_inside(target, seconds, out):
    began = time.monotonic()
    target.process.send_signal(10)  # SIGUSR1
    sleep_until(began + seconds)
    target.process.send_signal(12)  # SIGUSR2
    ended = time.monotonic()
    while not os.path.exists(out):
        if time.monotonic() > ended + ENDING_SECONDS or target.process.poll() is not None:
            raise Failure("does not end: " + target.error_text()[-200:])
        time.sleep(0.01)
    return "", began, None, ended


def slowdown(snapshots, started, began, ended, now, seconds):
    """How many percent more time the program's work takes, from three windows of one process."""
    before = snapshots.work_rate(started + 0.1, began)
    under = snapshots.work_rate(began + lead_in(seconds), began + seconds)
    after = snapshots.work_rate(ended + 0.05, now)
    alone = [r for r in (before, after) if r]
    return 100 * (statistics.mean(alone) / under - 1) if alone and under else None


class Oracle:
    def __init__(self, places, options, say):
        self.places, self.options, self.say = places, options, say
        self.serial = 0

    def measure(self, profiler, chosen, interpreter, rate):
        """One row, without what needs several."""
        row = {
            "program": chosen.name,
            "python": interpreter.tag,
            "interpreter": interpreter.id,
            "rate": rate,
            "profiler": profiler.name,
        }
        lacks = profiler.lacks(interpreter, rate)
        if lacks:
            return dict(row, skipped=lacks)
        try:
            return dict(row, **self.run(profiler, chosen, interpreter, rate))
        except (Failure, targets.TargetError, OSError, ValueError, KeyError) as e:
            why = str(e).strip().splitlines()[-1:] or [type(e).__name__]
            return dict(row, failed="failed: " + why[0])

    def output(self, profiler, interpreter):
        """(path as the profiler sees it, as we see it)"""
        self.serial += 1
        name = "out-%d" % self.serial
        root = interpreter.root if profiler.inprocess else None
        return self.places.inside(root, name), os.path.join(self.places.outside(root), name)

    def run(self, profiler, chosen, interpreter, rate):
        seconds = self.options.seconds
        alone = max(0.5, seconds / 2) if chosen.counts and not self.options.truth_only else 0.2
        out, outside = self.output(profiler, interpreter)
        env = dict(interpreter.env)
        if profiler.inprocess:
            env.update(profiler.environment(interpreter, self.places, rate, out))
        wrap = shlex.split(self.options.wrap)
        with targets.Target(self.places, interpreter, chosen.file, chosen.args, env, wrap) as target:
            started = time.monotonic()
            time.sleep(alone)
            if profiler.inprocess:
                text, began, cpu, ended = run_inside(target, seconds, outside)
            else:
                text, began, cpu, ended = run_outside(profiler, target, rate, seconds, out)
            time.sleep(alone)
            now = time.monotonic()
            snapshots = truth.Snapshots(target.finish())
            reading = profiler.read(outside, text)
            os.unlink(outside)
            row = self.judge(target, reading, rate, chosen, snapshots, began)
        if chosen.counts:
            row["slowdown_percent"] = slowdown(snapshots, started, began, ended, now, seconds)
        row["cpu_percent"] = None if cpu is None else 100 * cpu
        return row

    def judge(self, target, reading, rate, chosen, snapshots, began):
        seconds = self.options.seconds
        shares = snapshots.shares(began, began + seconds)
        if reading.spent is not None and not reading.stacks:
            return {"shares": spent_error(shares, reading.spent)}
        judged = truth.Judged(truth.Truth(target.said), reading.stacks)
        if not judged.samples:
            raise Failure("no samples")  # some say no more when they do not know a version
        row = {
            "samples": judged.samples,
            "impossible": judged.stack,
            "wrong_lines": judged.line,
            "marked": judged.marked,
            "truncated": max(reading.truncated, judged.marked),
            "dropped": reading.dropped,
            "missed": reading.missed,
            "note": reading.note,
            "examples": judged.examples.most_common(5),
            "leaves": dict(judged.leaves.most_common(200)),
            "shares": truth.shares_error(shares, judged),
        }
        if rate != "max" and chosen.threads:
            due = rate * seconds
            got = judged.samples / chosen.threads + reading.missed + reading.dropped
            row["due"], row["unaccounted"] = due, round(due - got)
        return row


def spent_error(shares, spent):
    """Of a profiler that tells seconds, not samples."""
    whole = sum(spent.values())
    if not shares or not whole or any(":" in k or "/" in k for k in shares):
        return None
    found = {k: spent.get(k, 0) / whole for k in shares}
    worst = max(shares, key=lambda k: abs(found[k] - shares[k]))
    return {
        "worst": worst,
        "true_percent": 100 * shares[worst],
        "found_percent": 100 * found[worst],
        "error_points": 100 * (found[worst] - shares[worst]),
        "interval_points": 0.0,
        "beyond_points": 100 * abs(found[worst] - shares[worst]),
        "total_variation_percent": 50
        * (sum(abs(found[k] - shares[k]) for k in shares) + abs(1 - sum(found.values()))),
    }


# ---- several runs of one cell ------------------------------------------------------------------


SUMS = ["samples", "impossible", "wrong_lines", "truncated", "dropped", "missed", "due",
        "unaccounted"]  # fmt: skip


def merge(rows):
    """Counts add up; of slowdown and CPU the median; of errors the largest."""
    good = [r for r in rows if "failed" not in r and "skipped" not in r]
    if not good:
        return rows[0]
    merged = dict(good[0], runs=len(good), runs_failed=len(rows) - len(good))
    for key in SUMS:
        if key in merged:
            merged[key] = sum(r[key] for r in good)
    for key in ("slowdown_percent", "cpu_percent"):
        values = [r[key] for r in good if r.get(key) is not None]
        merged[key] = statistics.median(values) if values else None
    merged["slowdowns"] = [r.get("slowdown_percent") for r in good]
    leaves, examples = collections.Counter(), collections.Counter()
    for r in good:
        leaves.update(r.get("leaves", {}))
        examples.update(dict(r.get("examples", [])))
    merged["leaves"], merged["examples"] = dict(leaves), examples.most_common(5)
    errors = [r["shares"] for r in good if r.get("shares")]
    merged["shares"] = max(errors, key=lambda e: abs(e["error_points"])) if errors else None
    return merged


def add_distances(rows):
    """From the stopping profiler with most samples of the same program and interpreter."""
    best = {}
    for row in rows:
        key = row["program"], row["interpreter"]
        if row["profiler"] in REFERENCES and row.get("samples"):
            if key not in best or row["samples"] > best[key]["samples"]:
                best[key] = row
    for row in rows:
        reference = best.get((row["program"], row["interpreter"]))
        if reference and row.get("samples") and row is not reference and not row.get("shares"):
            row["distance_percent"], row["distance_by_chance_percent"] = (
                truth.distance_to_reference(
                    collections.Counter(row["leaves"]), collections.Counter(reference["leaves"])
                )
            )
            row["reference"] = reference["profiler"]


# ---- tables --------------------------------------------------------------------------------------


COLUMNS = ["program", "Python", "Hz", "profiler", "samples", "impossible", "wrong lines",
           "truncated", "dropped", "missed", "unaccounted", "error, points", "distance, %",
           "slowdown, %", "cpu, %"]  # fmt: skip


def share_text(row, key):
    count, samples = row.get(key), row.get("samples")
    if count is None:
        return ""
    return "%d (%.3g %%)" % (count, 100 * count / samples) if count and samples else str(count)


def float_text(value, pattern="%.1f"):
    return "" if value is None else pattern % value


def cells(row):
    head = [row["program"], row["python"], str(row["rate"]), row["profiler"]]
    if "skipped" in row or "failed" in row:
        return head + [row.get("failed") or "(%s)" % row["skipped"]] + [""] * (len(COLUMNS) - 5)
    shares = row.get("shares")
    error = distance = ""
    if shares:
        error = "%+.2f ± %.2f" % (shares["error_points"], shares["interval_points"])
        distance = "%.1f" % shares["total_variation_percent"]
    elif row.get("distance_percent") is not None:
        distance = "%.1f (chance %.1f)" % (
            row["distance_percent"],
            row["distance_by_chance_percent"],
        )
    counts = [share_text(row, k) for k in ("impossible", "wrong_lines", "truncated")]
    counts += [str(row.get(k, "")) for k in ("dropped", "missed", "unaccounted")]
    return (
        head
        + [str(row.get("samples", ""))]
        + counts
        + [error, distance, float_text(row.get("slowdown_percent"))]
        + [float_text(row.get("cpu_percent"), "%.2f")]
    )


def text_table(rows):
    lines = [COLUMNS] + [cells(r) for r in rows]
    widths = [max(len(line[i]) for line in lines if line[i + 1 :] != [""] * (len(COLUMNS) - i - 1)
                  or i < 4) if i < 5 else max(len(line[i]) for line in lines)
              for i in range(len(COLUMNS))]  # fmt: skip
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths)).rstrip() for line in lines)


def markdown_table(rows):
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    for row in rows:
        if "skipped" not in row:
            lines.append("| " + " | ".join(c.replace("|", "\\|") for c in cells(row)) + " |")
    lacking = sorted(
        {
            (r["profiler"], r["python"], r["skipped"])
            for r in rows
            if "skipped" in r and r["skipped"]
        }
    )
    lines += [""] + ["Not measured: %s on %s: %s." % one for one in lacking]
    return "\n".join(lines)


def write_markdown(path, section, said, rows):
    """Between the two marks of a page that has them."""
    begin, end = BEGIN % section, END % section
    with open(path, encoding="utf-8") as f:
        page = f.read()
    before, rest = page.split(begin, 1)
    after = rest.split(end, 1)[1]
    about = "`%s`, %s, %s processors, load %s before and %s after.\n\nVersions: %s." % (
        said["command"], said["kernel"], said["processors"], said["load_before"],
        said["load_after"],
        ", ".join("%s %s" % pair for pair in sorted(said["profilers"].items())),
    )  # fmt: skip
    text = "%s\n\n%s\n\n%s\n\n%s" % (begin, about, markdown_table(rows), end)
    with open(path, "w", encoding="utf-8") as f:
        f.write(before + text + after)


# ---- the command ---------------------------------------------------------------------------------


def names(text):
    return [word for word in text.split(",") if word]


def rates(text):
    return [word if word == "max" else int(word) for word in names(text)]


def parse(argv):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--python", type=names, default=PYTHONS)
    p.add_argument("--program", type=names, default=None)
    p.add_argument("--rate", type=rates, default=None)
    p.add_argument("--profiler", type=names, default=None)
    p.add_argument("--seconds", type=float, default=None, help="under each profiler; 10")
    p.add_argument("--repeats", type=int, default=None, help="runs of each; 3")
    p.add_argument("--quick", action="store_true", help="few programs, 1 kHz, 1 s, once")
    p.add_argument("--truth-only", action="store_true", help="no time alone, so no slowdown")
    p.add_argument("--wrap", metavar="COMMAND", default="", help="in front of each program's: "
                   "taskset -c 0")
    p.add_argument("--binary", default=os.path.join(targets.TOP, "build", "fireglass"))
    p.add_argument("--json", metavar="FILE")
    p.add_argument("--markdown", metavar="FILE")
    p.add_argument("--section", metavar="NAME", default="results", help="of that file: results")
    p.add_argument("--no-install", action="store_true", help="use the peers that are there")
    p.add_argument("--list", action="store_true", help="names of programs and profilers")
    options = p.parse_args(argv)
    options.seconds = options.seconds or (1 if options.quick else 10)
    options.repeats = options.repeats or (1 if options.quick else 3)
    options.rate = options.rate or ([1000] if options.quick else RATES)
    known = {one.name: one for one in PROGRAMS}
    wanted = options.program or (QUICK if options.quick else list(known))
    unknown = [name for name in wanted if name not in known]
    if unknown:
        p.error("no such program: %s" % ", ".join(unknown))
    options.programs = [known[name] for name in wanted]
    return options


def plan(options, interpreters, profilers):
    """Repeats outermost, profilers innermost: those that are compared run side by side."""
    for repeat in range(options.repeats):
        for chosen in options.programs:
            for interpreter in interpreters:
                if interpreter.minor < chosen.since:
                    continue
                for rate in options.rate:
                    if chosen.threads > 10 and rate in (10000, "max"):
                        continue
                    for profiler in profilers:
                        yield repeat, chosen, interpreter, rate, profiler


def measure_all(options, interpreters, profilers):
    cells_of = collections.defaultdict(list)
    with targets.Places() as places:
        oracle = Oracle(places, options, print)
        for repeat, chosen, interpreter, rate, profiler in plan(options, interpreters, profilers):
            key = chosen.name, interpreter.id, rate, profiler.name
            if cells_of[key] and "skipped" in cells_of[key][0]:
                continue
            row = oracle.measure(profiler, chosen, interpreter, rate)
            cells_of[key].append(row)
            if "skipped" not in row:
                print("  ".join(c for c in cells(row) if c), flush=True)
            for example, count in row.get("examples", ()) if profiler.name.startswith(("fireglass", "inside")) else ():
                print("    %d times: %s" % (count, example), flush=True)
    return [merge(rows) for rows in cells_of.values()]


def load():
    return "%.2f" % os.getloadavg()[0]


def main(argv):
    options = parse(argv)
    if not options.no_install:
        peers.install()
    found = targets.find_interpreters(loader=True)
    profilers = peers.all_profilers(options.binary, found)
    if options.list:
        print("programs:  " + " ".join(one.name for one in PROGRAMS))
        print("profilers: " + ", ".join(one.name for one in profilers))
        return 0
    if options.profiler:
        profilers = [one for one in profilers if one.name in options.profiler]
    interpreters, missing = targets.choose(options.python, [i for i in found if i.kind != "loader"])
    for tag in missing:
        print("no interpreter %s here: see tools/interpreters" % tag, file=sys.stderr)
    said = {
        "command": "bench/oracle/run.py " + shlex.join(argv),
        "kernel": "%s %s" % (platform.system(), platform.release()),
        "processors": os.cpu_count(),
        "load_before": load(),
        "profilers": {one.name: one.version() for one in profilers},
        "interpreters": [i.id for i in interpreters],
    }
    rows = measure_all(options, interpreters, profilers)
    add_distances(rows)
    said["load_after"] = load()
    print()
    print(text_table([r for r in rows if "skipped" not in r]))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(dict(said, rows=rows), f, indent=1)
    if options.markdown:
        write_markdown(options.markdown, options.section, said, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
