# SPDX-License-Identifier: MIT
"""tools/build_page.py: what it makes of scripts and styles that are hard on a page."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOOL = ROOT / "tools" / "build_page.py"
sys.path.insert(0, str(ROOT / "tests" / "tools"))
import read_page

FRAME = """<!DOCTYPE html>
<html><head>
@CSP@
<title>
@TITLE@
</title>
<style>
@STYLE@
</style>
</head><body>
@DATA@
<script>
@SCRIPT@
</script>
</body></html>
"""

# Writes what lies beside the sources as the bundles.
ESBUILD = f"""#!{sys.executable}
import json, pathlib, sys
options = dict(word[2:].partition("=")[::2] for word in sys.argv[1:] if word.startswith("--"))
entry = next(word for word in sys.argv[1:] if not word.startswith("--"))
if pathlib.Path("fails").exists():
    sys.exit("it fails")
pathlib.Path(options["outfile"]).write_text(pathlib.Path(entry + ".bundle").read_text())
pathlib.Path(options["metafile"]).write_text(json.dumps({{"inputs": {{entry: {{}}, "src/a b.ts": {{}}}}}}))
"""


class Web:
    """A folder of sources, and a program in place of esbuild."""

    def __init__(self, directory):
        self.directory = directory
        self.folder = directory / "web"
        (self.folder / "src" / "style").mkdir(parents=True)
        self.esbuild = directory / "esbuild"
        self.esbuild.write_text(ESBUILD)
        self.esbuild.chmod(0o755)
        for name in ("main.ts", "main_live.ts", "a b.ts", "style/main.css"):
            (self.folder / "src" / name).write_text("")
        self.write("src/page.html", FRAME)
        self.bundles("run();", "body{margin:0}")

    def write(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")

    def bundles(self, script, style):
        self.write("src/main.ts.bundle", script)
        self.write("src/main_live.ts.bundle", f"{script}/* live */")
        self.write("src/style/main.css.bundle", style)

    def run(self, *arguments, **environment):
        return subprocess.run(
            [sys.executable, TOOL, *map(str, arguments)], text=True, capture_output=True,
            check=False, env=dict(os.environ, **environment))  # fmt: skip

    def bundle(self, *options):
        out = self.directory / "page.html"
        result = self.run("bundle", "--esbuild", self.esbuild, *options, self.folder, out)
        assert result.returncode == 0, result.stderr
        return out.read_text(encoding="utf-8")

    def failure(self):
        out = self.directory / "page.html"
        result = self.run("bundle", "--esbuild", self.esbuild, self.folder, out)
        assert result.returncode != 0 and not out.exists()
        return result.stderr


@pytest.fixture
def web(tmp_path):
    return Web(tmp_path)


def texts(page, tag):
    return [e["text"] for e in read_page.parse_elements(page) if e["tag"] == tag]


def test_a_page(web):
    page = web.bundle()
    read_page.check_policy(page)
    assert texts(page, "script") == ["run();"]
    assert texts(page, "style") == ["body{margin:0}"]
    assert texts(page, "title") == ["@TITLE@"]
    assert page.count("@DATA@") == 1 and "@CSP@" not in page


def test_elements_are_added(web):
    web.write("src/page.html", "<html><head>\n@CSP@\n@TITLE@\n@STYLE@\n</head>\n@DATA@\n@SCRIPT@\n")
    page = web.bundle()
    read_page.check_policy(page)
    assert texts(page, "script") == ["run();"]
    assert texts(page, "title") == ["@TITLE@"]


def test_a_policy_that_does_not_fit_is_seen(web):
    page = web.bundle()
    for changed in (
        page.replace("run();", "run() ;"),
        page.replace("margin:0", "margin:1"),
        page.replace("default-src 'none'", "default-src *"),
        page.replace("<body>", "<body onload=x()>"),
        page.replace("<body>", "<body style=x>"),
        page.replace("</body>", "<script>more()</script></body>"),
    ):
        assert changed != page
        with pytest.raises(read_page.BadPage):
            read_page.check_policy(changed)


@pytest.mark.parametrize(
    "script",
    [
        "x='</script>'",
        "x=`</SCRIPT `",
        "x=/<\\/script/;y='a</Script'",
        "x='<!-- not'",
        "x='@DATA@ @TITLE@ @STYLE@ @CSP@ @SCRIPT@'",
        "x='\\\\1 \\g<0> $& \u2028 \u00e4'",
    ],
)
def test_scripts_that_could_end_early(web, script):
    web.bundles(script, "a{}")
    page = web.bundle()
    read_page.check_policy(page)
    [found] = texts(page, "script")
    # the same for a program: in a literal \x3c is <
    assert found.replace("\\x3c", "<") == script


def test_what_cannot_be_made_safe(web):
    web.bundles("x='<!--';y='<script>'", "a{}")
    assert "<!-- and <script" in web.failure()
    web.bundles("x", "a{content:'</style>'}")
    assert "</style" in web.failure()


@pytest.mark.parametrize("name", ["CSP", "TITLE", "STYLE", "DATA", "SCRIPT"])
def test_placeholders(web, name):
    web.write("src/page.html", FRAME.replace(f"@{name}@", ""))
    assert f"not just one @{name}@" in web.failure()
    web.write("src/page.html", FRAME + f"@{name}@")
    assert f"not just one @{name}@" in web.failure()


def test_esbuild_fails(web):
    web.write("fails", "")
    error = web.failure()
    assert "it fails" in error and "build_page.py: " in error


def test_depfile(web):
    depfile = web.directory / "page.d"
    web.bundle("--depfile", depfile)
    target, names = depfile.read_text().split(": ", 1)
    assert target == str(web.directory / "page.html")
    names = names.replace("\\\n", "")
    for name in ("page.html", "main.ts", "a\\ b.ts", "style/main.css"):
        assert str(web.folder / "src" / name) in names


def test_dist(web):
    result = web.run("dist", "--esbuild", web.esbuild, MESON_DIST_ROOT=str(web.directory))
    assert result.returncode == 0, result.stderr
    for name, entry in (("page", "main.ts"), ("page_live", "main_live.ts")):
        built = (web.folder / "built" / f"{name}.html").read_text(encoding="utf-8")
        assert built == web.bundle("--entry", entry)
        assert ("/* live */" in built) == (name == "page_live")


def test_embed(web):
    web.bundles("x='\"\\\\ ? ??/ @DATA@ \u00e4\U0001f40d'\n" + "y;" * 5000, "a{}")
    page = web.bundle()
    source, header = web.directory / "page.c", web.directory / "page.h"
    result = web.run("embed", web.directory / "page.html", source, header)
    assert result.returncode == 0, result.stderr
    main = web.directory / "main.c"
    main.write_text('#include <stdio.h>\n#include "page.h"\nint main(void) { printf("%s@TITLE@%s'
                    '@DATA@%s", page_before_title, page_before_data, page_after_data); }\n')
    subprocess.run(["cc", "-Wall", "-Werror", main, source, "-o", web.directory / "main"],
                   check=True)  # fmt: skip
    output = subprocess.run([web.directory / "main"], check=True, capture_output=True).stdout
    assert output.decode("utf-8") == page
    assert max(map(len, source.read_text().splitlines())) < 9000


def test_embed_what_is_no_page(web):
    web.write("x.html", "<html></html>")
    result = web.run("embed", web.folder / "x.html", web.directory / "c", web.directory / "h")
    assert result.returncode != 0 and "is no page" in result.stderr
