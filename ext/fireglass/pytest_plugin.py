# SPDX-License-Identifier: MIT
"""pytest --fireglass: where the time of a test run goes. See docs/inside-tools.md.

The run is sampled; each test is a span in it, and so are its setup, its call and its teardown. Without an
option of ours nothing is done, and nothing is imported.
"""

import os

import pytest

HELP = {
    "fireglass": "sample the tests; tell of the slowest, with their flame graphs",
    "dir": "where its files go (fireglass-report)",
    "rate": "samples a second (1000)",
    "slowest": "how many tests to tell of, each with a flame graph (10)",
    "fail_over": "a test whose call takes longer than so many seconds fails; implies --fireglass",
}


def pytest_addoption(parser):
    group = parser.getgroup("fireglass", "fireglass: where the time goes")
    group.addoption("--fireglass", action="store_true", default=None, help=HELP["fireglass"])
    group.addoption("--fireglass-dir", metavar="DIR", help=HELP["dir"])
    group.addoption("--fireglass-rate", metavar="HZ", type=int, help=HELP["rate"])
    group.addoption("--fireglass-slowest", metavar="N", type=int, help=HELP["slowest"])
    group.addoption("--fireglass-fail-over", metavar="SECONDS", type=float, help=HELP["fail_over"])
    parser.addini("fireglass", HELP["fireglass"], type="bool", default=False)
    for name in ("dir", "rate", "slowest", "fail_over"):
        parser.addini("fireglass_" + name, HELP[name], default="")


def _option(config, name, kind, default):
    value = config.getoption("fireglass_" + name)
    if value is None:
        text = config.getini("fireglass_" + name)
        try:
            value = kind(text) if text else default
        except ValueError:
            raise pytest.UsageError("fireglass_%s = %s is not a number" % (name, text)) from None
    return value


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "fireglass(fail_over=SECONDS): this test fails if its call takes longer"
    )
    fail_over = _option(config, "fail_over", float, None)
    wanted = config.getoption("fireglass")
    if wanted is None:
        wanted = config.getini("fireglass") or fail_over is not None
    if wanted and not config.getoption("collectonly", False):
        config.pluginmanager.register(Plugin(config, fail_over), "fireglass-run")


class Plugin:
    def __init__(self, config, fail_over):
        self.config, self.fail_over = config, fail_over
        self.directory = os.path.join(
            str(config.rootpath if hasattr(config, "rootpath") else config.rootdir),
            _option(config, "dir", str, "fireglass-report"),
        )
        self.rate = _option(config, "rate", int, 1000)
        self.slowest = _option(config, "slowest", int, 10)
        if self.rate <= 0 or self.slowest < 0:
            raise pytest.UsageError("--fireglass-rate and --fireglass-slowest are numbers above 0")
        try:
            os.makedirs(self.directory, exist_ok=True)
        except OSError as error:
            raise pytest.UsageError("fireglass cannot write its report: %s" % error) from None
        # of xdist: workers sample, the one that started them tells
        self.worker = getattr(config, "workerinput", {}).get("workerid")
        self.starts_workers = bool(getattr(config.option, "dist", "no") != "no") and not self.worker
        self.profile = self.capture = None
        self.tests = []  # dicts: nodeid, seconds, cpu_s, hottest, file
        self.too_slow = []

    # ---- the run ----

    def pytest_sessionstart(self):
        if self.starts_workers:
            return
        from fireglass import profile, span

        self.span = span
        name = "tests-%s.fgc" % self.worker if self.worker else "tests.fgc"
        self.path = os.path.join(self.directory, name)
        self.profile = profile(self.path, rate=self.rate, command="pytest").start()

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item):
        if not self.profile:
            yield
            return
        with self.span("test", item.nodeid):
            yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_setup(self):
        with self.span("setup"):
            yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_call(self):
        with self.span("call"):
            yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self):
        with self.span("teardown"):
            yield

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        outcome = yield
        limit = self._limit(item)
        if call.when != "call" or limit is None or call.duration <= limit:
            return
        report = outcome.get_result()
        if not report.passed:
            return
        report.outcome = "failed"
        report.longrepr = "took %.3g s, and is to take at most %.3g s (fireglass); see %s" % (
            call.duration, limit, os.path.join(self.directory, file_name(item.nodeid)),
        )  # fmt: skip
        self.too_slow.append(item.nodeid)

    def _limit(self, item):
        for marker in item.iter_markers("fireglass"):
            if "fail_over" in marker.kwargs:
                return marker.kwargs["fail_over"]
        return self.fail_over

    # ---- its end ----

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self):
        if not self.profile:
            return
        try:
            self.capture = self.profile.stop()
            self._look()
        except (OSError, RuntimeError, ValueError) as error:
            self.tests, self.trouble = [], "%s" % error
        self.profile = None
        if self.worker:
            self.config.workeroutput["fireglass"] = self.tests

    def _look(self):
        """The slowest tests, and those that were too slow, with a flame graph of each."""
        spans = [row for row in self.capture.spans() if row["name"] == "test" and row["end_ns"]]
        spans.sort(key=lambda row: row["start_ns"] - row["end_ns"])
        for i, row in enumerate(spans):
            if i < self.slowest or row["text"] in self.too_slow:
                self.tests.append(self._test(row))

    def _test(self, row):
        part = self.capture.select(span=row["span"])
        hottest = next((f for f in part.functions() if f["kind"] == "python"), None)
        svg = os.path.join(self.directory, file_name(row["text"]))
        if row["samples"]:
            part.save(svg, title=row["text"])
        return {
            "nodeid": row["text"],
            "seconds": (row["end_ns"] - row["start_ns"]) / 1e9,
            "cpu_s": row["cpu_ns"] / 1e9,
            "hottest": "%s (%s:%d)" % (
                hottest["function"], os.path.basename(hottest["file"]), hottest["first_line"],
            ) if hottest else "",
            "file": svg if row["samples"] else "",
        }  # fmt: skip

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        """Of xdist: what a worker found."""
        self.tests += getattr(node, "workeroutput", {}).get("fireglass", [])

    def pytest_terminal_summary(self, terminalreporter):
        if self.worker:
            return
        tell = terminalreporter
        if getattr(self, "trouble", None):
            tell.section("fireglass")
            tell.write_line("no report: " + self.trouble)
        if not self.tests:
            return
        tell.section("slowest tests (fireglass)")
        tests = sorted(self.tests, key=lambda test: -test["seconds"])
        for test in tests[: self.slowest]:
            tell.write_line("%8.3f s %8.3f s CPU  %s" % (test["seconds"], test["cpu_s"], test["nodeid"]))
            if test["hottest"]:
                tell.write_line("%26s most in %s" % ("", test["hottest"]))
        shown = os.path.relpath(self.directory)
        tell.write_line("flame graphs: %s; all of it: fireglass report %s" % (
            os.path.join(shown, "*.svg"), os.path.join(shown, "tests*.fgc"),
        ))  # fmt: skip


def file_name(nodeid):
    """Of a test's flame graph: what a directory can hold, and no two tests share."""
    import zlib

    plain = "".join(c if c.isalnum() or c in "._-" else "_" for c in nodeid)
    if plain == nodeid.replace("/", "_").replace("::", "__") and len(plain) < 150:
        return plain + ".svg"
    return "%s-%08x.svg" % (plain[-150:], zlib.crc32(nodeid.encode()))
