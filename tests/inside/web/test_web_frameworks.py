# SPDX-License-Identifier: MIT
"""Each framework under each kind of server: what users ask for over HTTP."""

import concurrent.futures

import pytest
from conftest import HERE, MOUNT, TOKEN

GUNICORN = ("-m", "gunicorn", "--bind", "127.0.0.1:PORT", "--graceful-timeout", "5")
UVICORN = ("-m", "uvicorn", "--port", "PORT", "--log-level", "warning")
# no --py-call-uwsgi-fork-hooks: Python is not told that it was forked
UWSGI = (
    "uwsgi", "--http-socket", "127.0.0.1:PORT", "--master", "--processes", "2", "--die-on-term",
    "--need-app", "--wsgi-file", str(HERE / "apps" / "flask_app.py"), "--callable", "app",
)  # fmt: skip

SERVERS = {
    "flask-sync": ((*GUNICORN, "-w", "2", "flask_app:app"), "/checkout/<int:number>"),
    "flask-preload": ((*GUNICORN, "-w", "2", "--preload", "flask_app:app"), "/checkout/<int:number>"),
    "flask-gthread": (
        (*GUNICORN, "-k", "gthread", "--threads", "4", "flask_app:app"), "/checkout/<int:number>",
    ),
    "flask-gevent": ((*GUNICORN, "-k", "gevent", "-w", "2", "flask_app:app"), "/checkout/<int:number>"),
    "flask-uwsgi": (UWSGI, "/checkout/<int:number>"),
    "flask-uwsgi-threads": ((*UWSGI, "--enable-threads", "--threads", "2"), "/checkout/<int:number>"),
    "flask-uwsgi-lazy": ((*UWSGI, "--enable-threads", "--lazy-apps"), "/checkout/<int:number>"),
    "django-gthread": (
        (*GUNICORN, "-k", "gthread", "--threads", "4", "django_app:application"),
        "/checkout/<int:number>",
    ),
    "django-uvicorn": ((*UVICORN, "django_app:asgi_application"), "/checkout/<int:number>"),
    "fastapi-uvicorn": ((*UVICORN, "fastapi_app:app"), "/checkout/{number}"),
    "fastapi-workers": ((*UVICORN, "--workers", "2", "fastapi_app:app"), "/checkout/{number}"),
    "fastapi-gunicorn": (
        (*GUNICORN, "-k", "uvicorn_worker.UvicornWorker", "-w", "2", "fastapi_app:app"),
        "/checkout/{number}",
    ),
    "aiohttp": ((str(HERE / "apps" / "aiohttp_app.py"), "PORT"), "/checkout/{number}"),
}  # fmt: skip


@pytest.fixture(params=SERVERS)
def client(request, serve):
    argv, route = SERVERS[request.param]
    client = serve(*argv)
    client.route = route
    return client


def at_once(client, paths):
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        return list(pool.map(client.ask, paths))


def test_off(client):
    """Nothing is different, and nothing is told."""
    answer = client.ask("/checkout/7?a=1")
    assert (answer.status, answer.text) == (200, "checked out 7 a=1")
    assert "X-Fireglass-Report" not in answer.headers
    wrong = client.ask("/checkout/7?a=1&fireglass=wrong")
    assert wrong.text == "checked out 7 a=1&fireglass=wrong"
    assert "X-Fireglass-Report" not in wrong.headers
    assert client.ask(MOUNT + "/").status == 401
    assert client.ask(MOUNT + "/api/v1/status", headers={"Authorization": "Bearer x"}).status == 401


def test_one_request(client, tmp_path, functions):
    """The link in its answer leads to what it did, and to nothing else."""
    answer = client.ask("/checkout/7?a=1&fireglass=" + TOKEN)
    assert answer.text == "checked out 7 a=1"
    link = answer.headers["X-Fireglass-Report"]
    page = client.ask(link)
    assert page.status == 200, page.text + client.log.read_text()
    assert page.headers["Content-Type"].startswith("text/html")
    assert "sandbox" in page.headers["Content-Security-Policy"]
    name = link[: link.index("?")].rsplit("/", 1)[1]
    capture = client.capture(name, tmp_path / "one.fgc")
    (span,) = capture.spans()
    assert span["name"] == "request"
    assert span["text"].startswith("GET %s 200 id=" % client.route)
    assert span["samples"] >= 5
    assert "checkout_work" in functions(capture)
    # the key opens no other
    other = client.ask("/other", headers={"X-Fireglass": TOKEN})
    theirs = other.headers["X-Fireglass-Report"].partition("?")[0]
    assert client.ask(theirs + link[link.index("?") :]).status == 401


def test_stream(client, tmp_path, functions):
    answer = client.ask("/stream", headers={"X-Fireglass": TOKEN})
    assert answer.text == "piece piece piece "
    name = answer.headers["X-Fireglass-Report"].partition("?")[0].rsplit("/", 1)[1]
    capture = client.capture(name, tmp_path / "stream.fgc")
    assert functions(capture)["stream_work"] >= 15


def test_error(client, tmp_path):
    answer = client.ask("/error?fireglass=" + TOKEN)
    assert answer.status == 500
    kept = client.until(lambda: client.api("/api/v1/captures", kind="request").json["captures"])
    assert [about["status"] for about in kept] == [500]


def test_page_instead(client):
    answer = client.ask("/checkout/7?fireglass_page=" + TOKEN)
    assert answer.status == 200
    assert b"<html" in answer.body[:1000].lower()
    assert b"checkout_work" not in answer.body or len(answer.body) > 100000


def test_next_that_match(client, tmp_path, functions):
    """Exactly those are in the capture, whichever worker they came to."""
    answer = client.api("/api/v1/next", "POST", count=6, route=client.route, singly=2)
    assert answer.status == 201, answer.text
    name = answer.json["name"]
    assert client.api("/api/v1/next", "POST", count=1).status == 409
    at_once(client, ["/other", "/checkout/1"] * 10)
    about = client.about(name)
    assert [request["route"] for request in about["requests"]] == [client.route] * 6
    assert client.api("/api/v1/next").json == {"next": None}
    capture = client.capture(name, tmp_path / "next.fgc")
    spans = capture.spans()
    assert len(spans) == 6
    assert all(span["text"].startswith("GET %s 200 id=" % client.route) for span in spans)
    found = functions(capture)
    assert found["checkout_work"] >= 30
    assert "other_work" not in found
    assert all(sample["span"] is not None for sample in capture.samples())
    slowest = max(about["requests"], key=lambda request: request["duration_ns"])
    single = client.capture(about["slowest"][0] + ".fgc", tmp_path / "single.fgc")
    assert [slowest["id"] in span["text"] for span in single.spans()] == [True]


def test_next_that_are_slow(client, tmp_path, functions):
    name = client.api("/api/v1/next", "POST", **{"count": 2, "slower-than": "1s"}).json["name"]
    # one after the other: what waits for another one's turn in the same loop is slow as well
    for path in "/checkout/1", "/slow/1100", "/checkout/2", "/slow/1200":
        client.ask(path)
    about = client.about(name)
    paths = sorted(request["path"] for request in about["requests"])
    assert paths == ["/slow/1100", "/slow/1200"]
    assert all(request["duration_ns"] >= 1e9 for request in about["requests"])
    capture = client.capture(name, tmp_path / "slow.fgc")
    assert len([span for span in capture.spans() if span["name"] == "request"]) == 2


def test_slowest_of_the_hour(client, tmp_path, functions):
    assert client.api("/api/v1/start", "POST").json["state"] == "sampling"
    # other workers hear of it with their next request
    at_once(client, ["/other"] * 12)
    at_once(client, ["/slow/400", "/checkout/3"])

    def slow_one():
        slowest = client.api("/api/v1/slowest").json["slowest"]
        return next((about for about in slowest if about["path"] == "/slow/400"), None)

    about = client.until(slow_one)
    capture = client.capture(about["name"], tmp_path / "slow.fgc")
    (span,) = [span for span in capture.spans() if about["id"] in span["text"]]
    assert span["samples"] >= 8
    assert "other_work" in functions(capture)
    last = client.api("/api/v1/profile", seconds=60, last=1, format="folded")
    assert last.status == 200
    assert client.api("/api/v1/stop", "POST").json["state"] == "stopped"
