# SPDX-License-Identifier: MIT
"""A project in one file: application (WSGI) and asgi_application."""

import os
import sys

import django
import work
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import include, path

TOOLBAR = os.environ.get("TEST_TOOLBAR") == "1"


def always(_request):
    return True


settings.configure(
    DEBUG=TOOLBAR,
    SECRET_KEY="for tests",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    STATIC_URL="/static/",
    INSTALLED_APPS=["django.contrib.staticfiles", *(["debug_toolbar"] if TOOLBAR else [])],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    MIDDLEWARE=[
        "fireglass.web.django.Middleware",
        *(["debug_toolbar.middleware.DebugToolbarMiddleware"] if TOOLBAR else []),
        "django.middleware.common.CommonMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    DEBUG_TOOLBAR_CONFIG={"SHOW_TOOLBAR_CALLBACK": always, "IS_RUNNING_TESTS": False},
    DEBUG_TOOLBAR_PANELS=["fireglass.web.debug_toolbar.FireglassPanel"],
    FIREGLASS={"profiler": work.profiler()},
)
django.setup()


def checkout(request, number):
    work.checkout_work()
    return HttpResponse("checked out %d %s" % (number, request.META["QUERY_STRING"]))


def other(_request):
    work.other_work()
    return HttpResponse("other")


def slow(_request, ms):
    work.other_work(ms / 1000)
    return HttpResponse("slow")


def stream(request):
    def pieces():
        for _ in range(3):
            work.stream_work()
            yield b"piece "

    async def pieces_async():
        for piece in pieces():
            yield piece

    is_async = hasattr(request, "scope")
    return StreamingHttpResponse(pieces_async() if is_async else pieces())


def error(_request):
    work.checkout_work()
    raise ZeroDivisionError


def page(_request):
    work.checkout_work()
    return HttpResponse("<html><body>a page</body></html>")


async def gently(_request):
    work.checkout_work()
    return HttpResponse("gently")


urlpatterns = [
    path("checkout/<int:number>", checkout),
    path("other", other),
    path("slow/<int:ms>", slow),
    path("stream", stream),
    path("error", error),
    path("page", page),
    path("gently", gently),
]
if TOOLBAR:
    urlpatterns.append(path("__debug__/", include("debug_toolbar.urls")))

application = get_wsgi_application()
asgi_application = get_asgi_application()
sys.modules.setdefault("django_app", sys.modules[__name__])
