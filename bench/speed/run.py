#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How fast fireglass and its peers read, and what that costs.

    bench/speed/run.py [--python 3.11,3.15] [--depth 1,10,...] [--threads 1,10,100] [--seconds S]
                       [--repeats N] [--profiler NAME,...] [--part fastest,cpu,start]
                       [--binary FILE] [--json FILE] [--markdown FILE]

fastest  distinct samples per second, as fast as it goes, of programs of each depth and number of
         threads. A sample is distinct if its stack was really read, not taken over from the tick
         before: what fireglass says it took over is subtracted; of what it cannot tell (the peers
         read each) all count. `floor`: reads of 4 KiB per second of the same process, in a bare
         loop.
cpu      processor time and memory of the profiler at 100 Hz, 1 kHz and 10 kHz; depth 10, one
         thread.
start    from starting the profiler to its first sample.

The profilers take turns, so that a change of the machine's speed meets all of them; medians of the
repeats; ratios are to the fastest peer of the same line. --markdown puts the tables between the
lines `<!-- speed -->` and `<!-- end of speed -->` of FILE.
"""

import argparse
import collections
import json
import os
import platform
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "oracle"))
import peers  # noqa: E402
import targets  # noqa: E402

ENDING_SECONDS = 180
PHASES = 4000  # of phases.py
PARTS = ["fastest", "cpu", "start"]
BEGIN, END = "<!-- speed -->", "<!-- end of speed -->"
REUSED = re.compile(r"([\d ]+) (?:samples |stacks )?(?:reused|taken over)")


class Failure(Exception):
    pass


class Target:
    """One of the programs beside this file, ready."""

    def __init__(self, folder, interpreter, name, *args):
        root = interpreter.root
        path = os.path.join(folder(root), name)
        inside = "/" + os.path.relpath(path, root) if root else path
        env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        env.update(interpreter.env)
        self.process = subprocess.Popen(
            list(interpreter.argv) + ["-B", inside] + [str(a) for a in args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env,
        )  # fmt: skip
        self.pid = self.process.pid
        if self.process.stdout.readline() != b"ready\n":
            self.end()
            raise Failure("the target does not start")

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.end()


class Folders:
    """The programs, copied to where the interpreters of each root see them."""

    def __init__(self):
        self.made = {}

    def __call__(self, root):
        if root not in self.made:
            self.made[root] = tempfile.mkdtemp(
                prefix="speed-", dir=os.path.join(root or "/", "tmp")
            )
            for name in ("target.py", "phases.py"):
                shutil.copy(os.path.join(HERE, name), self.made[root])
        return self.made[root]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for path in self.made.values():
            shutil.rmtree(path, ignore_errors=True)


Run = collections.namedtuple("Run", "reading text began cpu memory")


def cpu_and_memory(pid):
    """(seconds used by its threads, most memory it ever had, in MB)"""
    total = 0
    for tid in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, tid)) as f:
            total += int(f.read().split()[0])
    with open("/proc/%d/status" % pid) as f:
        found = re.search(r"VmHWM:\s+(\d+)", f.read())
    if not found:
        raise ProcessLookupError("it ended early")
    return total / 1e9, int(found.group(1)) / 1024


def watch(process, began, seconds):
    """CPU used per second after the first part of the time, memory at its end."""
    first = min(1.0, seconds / 2)
    try:
        time.sleep(max(0, began + first - time.monotonic()))
        cpu, at = cpu_and_memory(process.pid)[0], time.monotonic()
        time.sleep(max(0, began + seconds - 0.1 - time.monotonic()))
        last, memory = cpu_and_memory(process.pid)
    except OSError:
        return None, None
    return (last - cpu) / (time.monotonic() - at), memory


def record(profiler, pid, rate, seconds):
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as printed:
        out = os.path.join(folder, "out")
        began = time.monotonic()
        process = subprocess.Popen(
            profiler.start(pid, rate, seconds, out),
            stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            cpu, memory = watch(process, began, seconds)
            if profiler.signal:
                time.sleep(max(0, began + seconds - time.monotonic()))
                process.send_signal(profiler.signal)
            process.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            raise Failure("does not end") from None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        printed.seek(0)
        text = printed.read().decode("utf-8", "replace")
        if not os.path.exists(out):
            raise Failure("exits with %d" % process.returncode)
        reading = profiler.read(out, text)
    if not reading.stacks:
        raise Failure("no samples")
    return Run(reading, text, began, cpu, memory)


def distinct(run):
    """Samples whose stack was read."""
    reused = REUSED.search(run.text)
    total = sum(count for _, count in run.reading.stacks)
    return total - (int(reused.group(1).replace(" ", "")) if reused else 0)


# ---- the parts -----------------------------------------------------------------------------------


class Bench:
    def __init__(self, options, interpreters, profilers, folder, floor):
        self.options, self.interpreters, self.profilers = options, interpreters, profilers
        self.folder, self.floor, self.rows = folder, floor, []

    def row(self, part, interpreter, profiler, **more):
        self.rows.append(
            dict(more, part=part, python=interpreter.tag, interpreter=interpreter.id,
                 profiler=profiler)
        )  # fmt: skip
        print("  ".join("%s=%s" % pair for pair in self.rows[-1].items()), flush=True)

    def try_one(self, part, interpreter, profiler, rate, work, **more):
        """`work` gives the figures of the row."""
        lacks = profiler.lacks(interpreter, rate)
        if lacks:
            return
        try:
            more.update(work())
        except (Failure, OSError, ValueError, KeyError) as e:
            more["failed"] = str(e)
        self.row(part, interpreter, profiler.name, rate=rate, **more)

    def floor_of(self, pid):
        seconds = str(min(1.0, self.options.seconds))
        done = subprocess.run([self.floor, str(pid), seconds], stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise Failure("floor")
        return float(done.stdout)

    def fastest(self, interpreter):
        seconds = self.options.seconds
        shapes = [(d, 1) for d in self.options.depth]
        shapes += [(10, t) for t in self.options.threads if (10, t) not in shapes]
        for depth, threads in shapes:
            with Target(self.folder, interpreter, "target.py", depth, threads) as target:
                for profiler in self.profilers:

                    def work(profiler=profiler, target=target):
                        run = record(profiler, target.pid, "max", seconds)
                        return {"per_second": distinct(run) / (run.reading.seconds or seconds)}

                    self.try_one("fastest", interpreter, profiler, "max", work, depth=depth,
                                 threads=threads)  # fmt: skip
                self.row("fastest", interpreter, "floor", depth=depth, threads=threads,
                         per_second=self.floor_of(target.pid))  # fmt: skip

    def cpu(self, interpreter):
        for rate in (100, 1000, 10000):
            with Target(self.folder, interpreter, "target.py", 10, 1) as target:
                for profiler in self.profilers:

                    def work(profiler=profiler, target=target, rate=rate):
                        run = record(profiler, target.pid, rate, self.options.seconds)
                        if run.cpu is None:
                            raise Failure("ended early")
                        return {
                            "cpu_percent": 100 * run.cpu,
                            "memory_mb": run.memory,
                            "per_second": distinct(run)
                            / (run.reading.seconds or self.options.seconds),
                        }

                    self.try_one("cpu", interpreter, profiler, rate, work)

    def start(self, interpreter):
        with Target(self.folder, interpreter, "phases.py") as target:
            for profiler in self.profilers:

                def work(profiler=profiler, target=target):
                    run = record(profiler, target.pid, 1000, 2)
                    return {"milliseconds": first_sample(run)}

                self.try_one("start", interpreter, profiler, 1000, work)

    def run(self):
        for _ in range(self.options.repeats):
            for interpreter in self.interpreters:
                for part in self.options.part:
                    getattr(self, part)(interpreter)


def first_sample(run):
    """Milliseconds from the start to the first function of phases.py that was seen."""
    began = int(run.began * 1000)
    phases = [
        int(frames[-1].function[3:])
        for frames, _ in run.reading.stacks
        if frames and frames[-1].function.startswith("at_")
    ]
    if not phases:
        raise Failure("no phase seen")
    return min((k - began) % PHASES for k in phases)


# ---- tables --------------------------------------------------------------------------------------


def medians(rows, figure):
    """{(all that tells rows apart): {profiler: median}}"""
    values = collections.defaultdict(lambda: collections.defaultdict(list))
    for row in rows:
        if figure in row:
            key = (row["python"], row.get("depth"), row.get("threads"),
                   None if row["part"] == "fastest" else row.get("rate"))  # fmt: skip
            values[key][row["profiler"]].append(row[figure])
    return {
        key: {name: statistics.median(found) for name, found in of.items()}
        for key, of in values.items()
    }


def tables(rows, profilers):
    """[(title, head, lines)]"""
    made = []
    wanted = [
        ("fastest", "per_second", "Distinct samples per second", ["Python", "depth", "threads"],
         (0, 1, 2), "%.0f", max),
        ("cpu", "cpu_percent", "Processor time, percent of a core", ["Python", "Hz"], (0, 3),
         "%.2f", min),
        ("cpu", "per_second", "Samples per second really taken", ["Python", "Hz"], (0, 3), "%.0f",
         max),
        ("cpu", "memory_mb", "Memory, MB at most", ["Python", "Hz"], (0, 3), "%.1f", min),
        ("start", "milliseconds", "Milliseconds from start to first sample", ["Python"], (0,),
         "%.0f", min),
    ]  # fmt: skip
    for part, figure, title, heads, fields, pattern, best in wanted:
        found = medians([r for r in rows if r["part"] == part], figure)
        if not found:
            continue
        columns = profilers + (["floor"] if part == "fastest" else [])
        lines = []
        for key, of in found.items():
            line = [str(key[i]) for i in fields]
            line += [pattern % of[name] if name in of else "" for name in columns]
            others = [v for name, v in of.items() if name not in ("fireglass", "floor")]
            ratio = of["fireglass"] / best(others) if others and "fireglass" in of else None
            line.append("%.2f" % ratio if ratio is not None else "")
            if part == "fastest":
                part_of = of["floor"] / of["fireglass"] if "fireglass" in of else None
                line.append("%.2f" % part_of if part_of else "")
            lines.append(line)
        head = heads + columns + ["fireglass / best peer"]
        made.append((title, head + ["floor / fireglass"] * (part == "fastest"), lines))
    return made


def text_of(made):
    text = []
    for title, head, lines in made:
        widths = [max(len(line[i]) for line in [head] + lines) for i in range(len(head))]
        text += ["", title]
        for line in [head] + lines:
            text.append("  ".join(c.rjust(w) for c, w in zip(line, widths)).rstrip())
    return "\n".join(text)


def markdown_of(made):
    text = []
    for title, head, lines in made:
        text += ["%s:" % title, "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        text += ["| " + " | ".join(line) + " |" for line in lines] + [""]
    return "\n".join(text)


def write_markdown(path, said, made):
    with open(path, encoding="utf-8") as f:
        page = f.read()
    before, rest = page.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    about = "`%s`, %s, %s processors, load %s before and %s after." % (
        said["command"], said["kernel"], said["processors"], said["load_before"],
        said["load_after"],
    )  # fmt: skip
    with open(path, "w", encoding="utf-8") as f:
        f.write("%s%s\n\n%s\n\n%s%s%s" % (before, BEGIN, about, markdown_of(made), END, after))


# ---- the command ---------------------------------------------------------------------------------


def names(text):
    return [word for word in text.split(",") if word]


def numbers(text):
    return [int(word) for word in names(text)]


def parse(argv):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--python", type=names, default=["3.11", "3.15"])
    p.add_argument("--depth", type=numbers, default=[1, 10, 50, 200, 1000])
    p.add_argument("--threads", type=numbers, default=[1, 10, 100])
    p.add_argument("--seconds", type=float, default=3)
    p.add_argument("--repeats", type=int, default=3)
    p.add_argument("--part", type=names, default=PARTS)
    p.add_argument("--profiler", type=names, default=None)
    p.add_argument("--binary", default=os.path.join(targets.TOP, "build", "fireglass"))
    p.add_argument("--no-install", action="store_true", help="use the peers that are there")
    p.add_argument("--json", metavar="FILE")
    p.add_argument("--markdown", metavar="FILE")
    options = p.parse_args(argv)
    if set(options.part) - set(PARTS):
        p.error("parts are: " + ", ".join(PARTS))
    return options


def build_floor(folder):
    out = os.path.join(folder, "readv_floor")
    source = os.path.join(HERE, "readv_floor.c")
    compiler = shlex.split(os.environ.get("CC", "cc"))
    subprocess.run(compiler + ["-O2", "-std=gnu17", "-o", out, source], check=True)
    return out


def load():
    return "%.2f" % os.getloadavg()[0]


def main(argv):
    options = parse(argv)
    if not options.no_install:
        peers.install()
    found = targets.find_interpreters(loader=True)
    profilers = [p for p in peers.all_profilers(options.binary, found) if not p.inprocess]
    if options.profiler:
        profilers = [p for p in profilers if p.name in options.profiler]
    chosen, missing = targets.choose(options.python, [i for i in found if i.kind != "loader"])
    for tag in missing:
        print("no interpreter %s here: see tools/interpreters" % tag, file=sys.stderr)
    said = {
        "command": "bench/speed/run.py " + shlex.join(argv),
        "kernel": "%s %s" % (platform.system(), platform.release()),
        "processors": os.cpu_count(),
        "load_before": load(),
        "profilers": {p.name: p.version() for p in profilers},
        "interpreters": [i.id for i in chosen],
    }
    with tempfile.TemporaryDirectory() as scratch, Folders() as folder:
        bench = Bench(options, chosen, profilers, folder, build_floor(scratch))
        bench.run()
    said["load_after"] = load()
    made = tables(bench.rows, [p.name for p in profilers])
    print(text_of(made))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(dict(said, rows=bench.rows), f, indent=1)
    if options.markdown:
        write_markdown(options.markdown, said, made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
