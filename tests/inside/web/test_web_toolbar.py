# SPDX-License-Identifier: MIT
"""The panel of Django Debug Toolbar, under servers of threads and of asyncio."""

import concurrent.futures
import re

import pytest

SERVERS = {
    "gthread": (
        "-m", "gunicorn", "--bind", "127.0.0.1:PORT", "-k", "gthread", "--threads", "4",
        "django_app:application",
    ),
    "asgi": ("-m", "uvicorn", "--port", "PORT", "--log-level", "warning", "django_app:asgi_application"),
}  # fmt: skip


@pytest.mark.parametrize("server", SERVERS)
def test_panel(serve, server):
    client = serve(*SERVERS[server], TEST_TOOLBAR="1")
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        pages = list(pool.map(client.ask, ["/page"] * 3))
    names = set()
    for page in pages:
        assert page.status == 200, client.log.read_text()
        store_id = re.search(r'data-(?:request|store)-id="([0-9a-f-]+)"', page.text).group(1)
        panel = client.ask(
            "/__debug__/render_panel/?request_id=%s&panel_id=FireglassPanel" % store_id
        )
        content = panel.json["content"]
        graph = re.search(r'src="([^"]+[.]svg)"', content).group(1)
        names.add(graph)
        picture = client.ask(graph)
        assert picture.status == 200
        assert "checkout_work" in picture.text
        assert picture.headers["X-Frame-Options"] == "SAMEORIGIN"
        report = client.ask(graph.replace(".svg", ".html"))
        assert report.headers["Content-Type"].startswith("text/html")
    assert len(names) == 3
    assert client.ask("/__debug__/fireglass/nothing.svg").status == 404
