# SPDX-License-Identifier: MIT
"""What tools/interpreters is made of: finding CPythons here, and providing more of them."""
