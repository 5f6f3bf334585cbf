#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the page that reports are written into, and that of `fireglass serve`.

    build_page.py bundle --esbuild PROGRAM [--depfile FILE] [--entry main.ts] WEB OUT.html
    build_page.py embed PAGE.html OUT.c OUT.h
    build_page.py dist --esbuild PROGRAM

`bundle` makes the script of WEB/src/main.ts (or another entry) and the style of WEB/src/style/main.css, and fills them
into WEB/src/page.html, together with a content security policy that allows just these two by their
hashes, and no markup from script. @TITLE@ and @DATA@ stay. `embed` makes C strings of what is before, between and after these, named as the page's file is.
`dist` does `bundle` for a release, which then builds without esbuild (a script of `meson dist`).

In page.html each placeholder is on a line of its own: @STYLE@ within <style>, @SCRIPT@ within
<script>, @TITLE@ within <title>, or without the element, which is added then. @CSP@ stands for the
whole <meta> element; @DATA@ for the elements with the data. Script and style may not end their
elements: what would is written in another way, or is an error.
"""

import argparse
import base64
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from embed import c_string

SCRIPT_OPTIONS = ["--bundle", "--minify", "--format=iife", "--target=es2022"]
STYLE_OPTIONS = ["--bundle", "--minify"]
POLICY = ("default-src 'none'; script-src {script}; style-src {style}; img-src data: blob:; "
          "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; "
          "trusted-types 'none'")
PIECE = 2000  # of a literal, in bytes


def fail(message):
    sys.exit(f"build_page.py: {message}")


# ---- bundle --------------------------------------------------------------------------------------

def run_esbuild(esbuild, web, entry, options):
    """The bundle, and the files it was made of."""
    with tempfile.TemporaryDirectory() as directory:
        out = pathlib.Path(directory) / f"out{'.css' if entry.suffix == '.css' else '.js'}"
        meta = pathlib.Path(directory) / "meta.json"
        command = [esbuild, str(entry), *options, "--log-level=warning", "--legal-comments=none",
                   f"--outfile={out}", f"--metafile={meta}"]
        if subprocess.run(command, cwd=web, check=False).returncode:
            fail(f"{esbuild} failed for {entry}")
        inputs = json.loads(meta.read_text(encoding="utf-8"))["inputs"]
        return out.read_text(encoding="utf-8").strip(), [web / name for name in inputs]


def safe_script(text):
    """The same script, without what ends the element or changes how its end is looked for."""
    # in code (not in a literal) there is a space after `<` in what esbuild writes
    text = re.sub(r"<(?=/script)", r"\\x3c", text, flags=re.IGNORECASE)
    if re.search(r"<!--", text) and re.search(r"<script", text, re.IGNORECASE):
        fail("the script has both <!-- and <script, after which </script> would not end it")
    return text


def safe_style(text):
    if re.search(r"</style", text, re.IGNORECASE):
        fail("the style has </style")
    return text


def hash_of(text):
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def place(page, name, element, attributes, text):
    """Puts an element with just this text where the placeholder is."""
    whole = f"<{element}{attributes}>{text}</{element}>"
    within = re.compile(rf"<{element}[^>]*>\s*@{name}@\s*</{element}>")
    if page.count(f"@{name}@") != 1:
        fail(f"page.html has not just one @{name}@")
    if within.search(page):
        return within.sub(lambda _: whole, page)
    return page.replace(f"@{name}@", whole)


def fill(page, script, style):
    policy = POLICY.format(script=hash_of(script), style=hash_of(style))
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    if page.count("@CSP@") != 1:
        fail("page.html has not just one @CSP@")
    page = page.replace("@CSP@", meta)
    page = place(page, "TITLE", "title", "", "@TITLE@")
    # the data first: the others may have anything in them
    if page.count("@DATA@") != 1 or page.index("@TITLE@") > page.index("@DATA@"):
        fail("page.html has not just one @DATA@, after @TITLE@")
    page = place(page, "STYLE", "style", "", "\0")
    page = place(page, "SCRIPT", "script", "", "\1")
    return page.replace("\0", style).replace("\1", script)


# What is built of each script.
ENTRIES = {"page.html": "main.ts", "page_live.html": "main_live.ts"}


def bundle(esbuild, web, entry):
    frame = web / "src" / "page.html"
    script, script_inputs = run_esbuild(
        esbuild, web, pathlib.Path("src") / entry, SCRIPT_OPTIONS)
    style, style_inputs = run_esbuild(
        esbuild, web, pathlib.Path("src/style/main.css"), STYLE_OPTIONS)
    page = fill(frame.read_text(encoding="utf-8"), safe_script(script), safe_style(style))
    return page, [frame, web / "tsconfig.json", *script_inputs, *style_inputs]


def write_depfile(path, out, inputs):
    names = [str(name).replace(" ", "\\ ") for name in inputs if name.is_file()]
    path.write_text(f"{out}: " + " \\\n  ".join(names) + "\n", encoding="utf-8")


def run_bundle(options):
    page, inputs = bundle(options.esbuild, pathlib.Path(options.web).resolve(), options.entry)
    pathlib.Path(options.out).write_text(page, encoding="utf-8")
    if options.depfile:
        write_depfile(pathlib.Path(options.depfile), options.out, inputs)


def run_dist(options):
    web = pathlib.Path(os.environ["MESON_DIST_ROOT"]) / "web"
    (web / "built").mkdir(exist_ok=True)
    for name, entry in ENTRIES.items():
        page, _ = bundle(options.esbuild, web, entry)
        (web / "built" / name).write_text(page, encoding="utf-8")


# ---- embed ---------------------------------------------------------------------------------------

def literals(text):
    """C literals of moderate length: some compilers and tools dislike very long lines."""
    data = text.encode("utf-8")
    pieces = [data[i:i + PIECE] for i in range(0, len(data), PIECE)] or [b""]
    return "\n".join(c_string(piece.decode("latin-1"), "latin-1") for piece in pieces)


def run_embed(options):
    # `in` only: script and style may well name them
    before, _, rest = pathlib.Path(options.page).read_text(encoding="utf-8").partition("@TITLE@")
    between, found, after = rest.partition("@DATA@")
    if not found:
        fail(f"{options.page} is no page: it has no @TITLE@ and @DATA@")
    stem = pathlib.Path(options.page).stem
    parts = {f"{stem}_before_title": before, f"{stem}_before_data": between,
             f"{stem}_after_data": after}
    notice = "/* Made by tools/build_page.py; do not edit. */\n"
    header = pathlib.Path(options.header)
    guard = f"{stem.upper()}_RESOURCES_H"
    header.write_text(
        f"{notice}#ifndef {guard}\n#define {guard}\n\n"
        + "".join(f"extern const char {name}[];\n" for name in parts) + "\n#endif\n",
        encoding="utf-8")
    pathlib.Path(options.source).write_text(
        f'{notice}#include "{header.name}"\n'
        + "".join(f"\nconst char {name}[] =\n{literals(text)};\n" for name, text in parts.items()),
        encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("bundle")
    command.add_argument("--esbuild", required=True)
    command.add_argument("--depfile")
    command.add_argument("--entry", default="main.ts")
    command.add_argument("web")
    command.add_argument("out")
    command.set_defaults(run=run_bundle)
    command = commands.add_parser("embed")
    command.add_argument("page")
    command.add_argument("source")
    command.add_argument("header")
    command.set_defaults(run=run_embed)
    command = commands.add_parser("dist")
    command.add_argument("--esbuild", required=True)
    command.set_defaults(run=run_dist)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
