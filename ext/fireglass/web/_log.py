# SPDX-License-Identifier: MIT
"""Where this says what it has to say: the logger "fireglass.web"."""

import logging

log = logging.getLogger("fireglass.web")
