# SPDX-License-Identifier: MIT
"""FastAPI: `app.add_middleware(fireglass.web.fastapi.Middleware, token="...")`."""

from .starlette import Middleware, template_of

__all__ = ["Middleware", "template_of"]
