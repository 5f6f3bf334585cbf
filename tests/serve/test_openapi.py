# SPDX-License-Identifier: MIT
"""docs/openapi.yaml and the server agree, as schemathesis sees it: what it says is taken is taken, what
it says is answered is answered, and nothing makes the server fail."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "live"))
import harness  # noqa: E402
import serving  # noqa: E402

# A long wait is no failure, and a stream has no end.
LEFT_OUT = "^(stream)$"
CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,"
          "response_schema_conformance,negative_data_rejection,unsupported_method,ignored_auth")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    directory = tmp_path_factory.mktemp("captures")
    command = [sys.executable, "-c", serving.BUSY]
    with serving.Server("--dir", directory, "--keep", "2s", "--max-requests", "10000",
                        command=command) as running:
        running.wait_samples(100)
        yield running


def test_schemathesis(server, tmp_path):
    program = pathlib.Path(sys.executable).parent / "schemathesis"
    done = subprocess.run(
        [program, "run", ROOT / "docs" / "openapi.yaml", "--url", "http://" + server.authority,
         "-H", "Authorization: Bearer " + server.token, "--checks", CHECKS,
         "--exclude-operation-id-regex", LEFT_OUT, "--phases", "examples,coverage,fuzzing",
         "--max-examples", "15", "--generation-deterministic", "--request-timeout", "60",
         "--no-color"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        timeout=20 * harness.DEADLINE, env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))
    assert done.returncode == 0, done.stdout
    assert server.process.poll() is None
