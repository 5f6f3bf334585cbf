# SPDX-License-Identifier: MIT
"""Imports a module that takes its time, then ends with status 3."""

import sys

import slow_module

sys.exit(slow_module.STATUS)
