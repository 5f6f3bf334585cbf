# SPDX-License-Identifier: MIT
"""A panel of Django Debug Toolbar: the flame graph of the request, any number of them at once.

DEBUG_TOOLBAR_PANELS = [..., "fireglass.web.debug_toolbar.FireglassPanel"]. Nothing is traced, so it costs
next to nothing and works with servers of threads and with ASGI. Who may see the toolbar, may see it.
"""

import html

from asgiref.sync import iscoroutinefunction
from debug_toolbar.decorators import require_show_toolbar
from debug_toolbar.panels import Panel
from django.http import Http404, HttpResponse
from django.urls import path, reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin

from . import _answers
from .django import profiler, route_of

FORMATS = ("svg", "html", "fgc")
READY_S = 10.0
FRAME = (
    '<p><a href="{report}" target="_blank">the whole report</a>, <a href="{capture}">the capture</a></p>'
    '<iframe src="{graph}" title="flame graph" sandbox="allow-scripts" '
    'style="width:100%;height:75vh;border:0;background:#fff"></iframe>'
)


class FireglassPanel(Panel):
    is_async = True
    title = "Flame graph"
    nav_title = "Flame graph"
    template = None

    @property
    def nav_subtitle(self):
        return self.get_stats().get("took", "")

    @property
    def content(self):
        name = self.get_stats().get("capture")
        if not name:
            return "<p>%s</p>" % html.escape(self.get_stats().get("why", "Nothing was sampled."))
        links = [reverse("djdt:fireglass", args=(name, format)) for format in FORMATS]
        return FRAME.format(graph=links[0], report=links[1], capture=links[2])

    @classmethod
    def get_urls(cls):
        return [path("fireglass/<str:name>.<str:format>", show, name="fireglass")]

    def process_request(self, request):
        ours = profiler().begin(
            "request",
            request.method,
            request.path_info,
            request.headers.get,
            asked="link",
            only_asked=True,
        )
        self._ours = ours
        if ours is None:
            return super().process_request(request)
        if iscoroutinefunction(self.get_response):
            return self._process_async(request, ours)
        entered = ours.enter()
        try:
            return self._note(request, super().process_request(request))
        finally:
            ours.leave(entered)
            ours.end()

    async def _process_async(self, request, ours):
        entered = ours.enter()
        try:
            return self._note(request, await super().process_request(request))
        finally:
            ours.leave(entered)
            ours.end()

    def _note(self, request, response):
        self._ours.status = response.status_code
        self._ours.route = route_of(request)
        return response

    def generate_stats(self, request, response):
        ours = getattr(self, "_ours", None)
        if ours is None:
            self.record_stats({"why": "It could not be sampled; the log says why."})
            return
        stats = {"took": "%.4g ms" % (ours.duration_ns / 1e6)}
        if ours.capture:
            stats["capture"] = ours.capture
        elif ours.link:
            stats["why"] = ours.link[1]
        self.record_stats(stats)


@require_show_toolbar
@xframe_options_sameorigin
def show(request, name, format):
    store = profiler().store
    about = store.wait(name, READY_S if store.is_coming(name) else 0)
    if about is None or format not in FORMATS:
        raise Http404("there is no such capture")
    answer = _answers.exported(store.file(name), format, {})
    try:
        response = HttpResponse(b"".join(answer), status=answer.status)
    finally:
        answer.close()
    for header, value in answer.headers:
        response[header] = value
    return response
