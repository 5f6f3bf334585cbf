#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Records tests/images anew: the memory of a parked program, under each release of CPython.

  tools/record_images.py [--recorder build/tests/record_image] [--only 3.11,3.14t]

For each release: NAME.img is the memory that fireglass reads (os/mem_image.h), NAME.txt is what
Python itself says of its threads and frames, and where the runtime is. Needs the interpreters that
tools/interpreters finds, and the permission to read their memory.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
IMAGES = ROOT / "tests" / "images"

# The order in which kinds of builds are preferred.
KINDS = ("pyenv", "debian", "pypi", "standalone", "path")

NAMES = {"LATIN": "größe", "WIDE": "смотри", "ASTRAL": "deseret_𐐀", "WORKER": "Wörker №1"}
ASCII_NAMES = {"LATIN": "groesse", "WIDE": "watch", "ASTRAL": "deseret", "WORKER": "worker 1"}

FILENAME = "/srv/app/öfen.py"
RUNNER = "import sys\nexec(compile(sys.argv[1], sys.argv[2], 'exec'), {'__name__': '__main__'})"


def releases():
    """One interpreter for each release, as {"3.14t": interpreter}."""
    listed = subprocess.run(
        [ROOT / "tools" / "interpreters", "list", "--json"],
        check=True,
        capture_output=True,
        text=True,
    )
    found = {}
    for interpreter in json.loads(listed.stdout):
        if interpreter["debug"] or interpreter["release"] != "final":
            continue
        major, minor = interpreter["version"].split(".")[:2]
        name = f"{major}.{minor}" + ("t" if interpreter["free_threaded"] else "")
        found.setdefault(name, []).append(interpreter)
    return {
        name: min(candidates, key=lambda i: KINDS.index(i["kind"]) if i["kind"] in KINDS else 99)
        for name, candidates in found.items()
    }


def program(name):
    text = (IMAGES / "parked.py").read_text(encoding="utf-8")
    for key, value in (ASCII_NAMES if name == "2.7" else NAMES).items():
        text = text.replace(f"@{key}@", value)
    if name == "2.7":  # there, text from outside is bytes and may not name its coding twice
        return text.replace('name="', 'name=b"')
    return text


def slices(pid):
    tasks = sorted(os.listdir(f"/proc/{pid}/task"), key=int)
    shot = []
    for tid in tasks:
        stat = pathlib.Path(f"/proc/{pid}/task/{tid}/stat").read_text()
        schedstat = pathlib.Path(f"/proc/{pid}/task/{tid}/schedstat").read_text()
        shot.append((tid, stat.rsplit(")", 1)[1].split()[0], schedstat))
    return shot


def wait_until_still(pid):
    """Both threads sleep and have not run for a while."""
    still, last = 0, None
    for _ in range(500):
        now = slices(pid)
        still = still + 1 if now == last and all(t[1] == "S" for t in now) else 0
        if still >= 10:
            return [int(t[0]) for t in now]
        last = now
        time.sleep(0.02)
    raise SystemExit("the program does not come to rest")


def read_truth(out):
    lines = []
    for raw in out:
        line = raw.decode("utf-8").rstrip("\n")
        if line == "parked":
            return lines
        lines.append(line)
    raise SystemExit("the program ended early")


# Where things lie on the recording machine is nobody's business: as many other bytes stand in its
# place, so that the image stays what it is.
def private_words():
    yield os.path.expanduser("~").encode()
    yield str(ROOT.parent).encode()
    yield os.uname().nodename.encode()


def without_private_words(data):
    for word in private_words():
        if len(word) > 3:
            data = data.replace(word, re.sub(rb"[^/]", b"x", word))
    return data


def environment(interpreter):
    path = os.environ["PATH"] + ":/usr/sbin"  # chroot is there
    return {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PATH": path, **interpreter["env"]}


def record(name, interpreter, recorder):
    image = IMAGES / f"{name}.img"
    process = subprocess.Popen(
        [*interpreter["argv"], "-S", "-E", "-c", RUNNER, program(name), FILENAME],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(interpreter),
        cwd="/",
    )
    try:
        truth = read_truth(process.stdout)
        tids = wait_until_still(process.pid)
        recorded = subprocess.run(
            [recorder, str(process.pid), image], check=True, capture_output=True, text=True
        )
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(10)
    text = recorded.stdout
    text += f"tids {' '.join(map(str, tids))}\n" + "\n".join(truth) + "\n"
    for path, data in ((image, image.read_bytes()), (image.with_suffix(".txt"), text.encode())):
        path.write_bytes(without_private_words(data))
    print(f"{name:6} {interpreter['id']:22} {image.stat().st_size:7} bytes, {len(truth)} lines")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recorder", default=ROOT / "build" / "tests" / "record_image")
    parser.add_argument("--only", help="these releases: 3.11,3.14t")
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else None
    for name, interpreter in sorted(
        releases().items(), key=lambda r: [int(n) for n in r[0].rstrip("t").split(".")]
    ):
        if wanted is None or name in wanted:
            record(name, interpreter, options.recorder)


if __name__ == "__main__":
    main()
