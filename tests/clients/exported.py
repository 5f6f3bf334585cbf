# SPDX-License-Identifier: MIT
"""Fixtures: each golden capture (tests/unit/golden_captures.h) in any format, and what is in it.

`case` is the name of a capture; a test that uses it runs for each of them. A test can name its own:
    @pytest.mark.parametrize("case", ["states"], indirect=True)
and a module WITHOUT_CASES, those that its client has good reason not to take.

$FIREGLASS_MAKE_CAPTURE is the tool of tests/tools, $FIREGLASS_CLIENT_MODULES a node_modules with what
package.json names. tools/run_tests.py sets both.
"""

import contextlib
import functools
import os
import pathlib
import shutil
import subprocess

import firefox_cli
import pytest
from truth import Truth

MAKE_CAPTURE = os.environ.get("FIREGLASS_MAKE_CAPTURE", "build/tests/make_capture")
MODULES = pathlib.Path(os.environ.get("FIREGLASS_CLIENT_MODULES",
                                      pathlib.Path(__file__).parent / "node_modules"))
PROFILER_CLI = MODULES / ".bin" / "profiler-cli"
# the profiler goes by the name of a file
ENDINGS = {"chrome": ".trace.json", "cpuprofile": ".cpuprofile", "perfscript": ".perf.txt",
           "firefox": ".firefox.json", "speedscope": ".speedscope.json", "pprof": ".pb.gz"}


@functools.cache
def names():
    return subprocess.run([MAKE_CAPTURE, "list"], check=True, capture_output=True,
                          text=True).stdout.split()


def pytest_generate_tests(metafunc):
    if "case" not in metafunc.fixturenames:
        return
    if not any("case" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")):
        without = getattr(metafunc.module, "WITHOUT_CASES", ())
        metafunc.parametrize("case", [name for name in names() if name not in without],
                             indirect=True)


@pytest.fixture
def case(request):
    return request.param


@pytest.fixture(scope="session")
def exports(tmp_path_factory):
    directory = tmp_path_factory.mktemp("exports")

    @functools.cache
    def export(name, form, *options):
        path = directory / ("".join([name, *options]) + ENDINGS.get(form, "." + form))
        subprocess.run([MAKE_CAPTURE, *options, name, form, str(path)], check=True)
        return path
    return export


@pytest.fixture
def exported(case, exports):
    """exported(format, *options of make_capture): the path of the file."""
    return functools.partial(exports, case)


@pytest.fixture(scope="session")
def truths(exports):
    return functools.cache(
        lambda name: Truth(exports(name, "jsonl").read_text().split("\n")[:-1]))


@pytest.fixture
def truth(case, truths):
    return truths(case)


@pytest.fixture(scope="session")
def firefox_environment(tmp_path_factory):
    """Its sessions and logs are its own, not in the home directory."""
    directory = tmp_path_factory.mktemp("profiler-cli")
    yield dict(os.environ, PROFILER_CLI_SESSION_DIR=str(directory))
    with contextlib.suppress(OSError):
        shutil.rmtree(directory)


@pytest.fixture
def firefox(firefox_environment):
    """firefox(path): a context in which the profiler has the file open."""
    return lambda path: firefox_cli.opened(path, [PROFILER_CLI], firefox_environment)


@pytest.fixture
def firefox_refusal(firefox_environment):
    """firefox_refusal(path): why it does not open the file."""
    return lambda path: firefox_cli.refusal(path, [PROFILER_CLI], firefox_environment)
