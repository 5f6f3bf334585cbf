# SPDX-License-Identifier: MIT
"""What requests of the test applications do: names that can be told apart in stacks."""

import faulthandler
import os
import time

import fireglass.web

faulthandler.enable()
TOKEN = "a-token-for-tests"


def profiler(**options):
    return fireglass.web.Profiler(
        TOKEN, directory=os.environ["TEST_DIRECTORY"], **dict({"rate": 500}, **options)
    )


def burn(seconds):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        sum(range(100))


def checkout_work(seconds=0.03):
    burn(seconds)


def other_work(seconds=0.03):
    burn(seconds)


def stream_work(seconds=0.03):
    burn(seconds)
