# SPDX-License-Identifier: MIT
"""The tracer counts what cProfile counts: calls, primitive calls, pairs of caller and callee."""

import json
import pathlib

import pytest

CORPUS = pathlib.Path(__file__).with_name("trace_corpus.py")


@pytest.mark.every_build
def test_counts_are_those_of_cprofile(interp, run):
    assert json.loads(run(interp, CORPUS.read_text()).stdout) == []
