# SPDX-License-Identifier: MIT
"""The next 100 requests of one kind, under mixed load."""

import shutil
import subprocess

import pytest
from conftest import HERE
from test_web_frameworks import GUNICORN, SERVERS, UVICORN

LOADED = {
    "flask-sync": ((*GUNICORN, "-w", "2", "flask_app:app"), "/checkout/<int:number>"),
    "flask-gevent": SERVERS["flask-gevent"],
    "fastapi-workers": ((*UVICORN, "--workers", "2", "fastapi_app:app"), "/checkout/{number}"),
}


@pytest.mark.parametrize("name", LOADED)
def test_next_100(serve, name, tmp_path, functions):
    argv, route = LOADED[name]
    client = serve(*argv)
    wrk = shutil.which("wrk")
    assert wrk, "needs wrk; tools/deps test installs it"
    load = subprocess.Popen(
        [wrk, "-t2", "-c8", "-d60s", "-s", str(HERE / "mixed.lua"),
         "http://127.0.0.1:%d" % client.port],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        answer = client.api("/api/v1/next", "POST", count=100, route=route)
        assert answer.status == 201, answer.text
        about = client.about(answer.json["name"])
    finally:
        load.terminate()
        load.wait()
    assert [request["route"] for request in about["requests"]] == [route] * 100
    capture = client.capture(about["name"], tmp_path / "next.fgc")
    spans = capture.spans()
    ids = {request["id"] for request in about["requests"]}
    assert {span["text"].rpartition("id=")[2] for span in spans} == ids
    assert len(ids) == 100
    found = functions(capture)
    assert found["checkout_work"] >= 500
    assert "other_work" not in found
    assert all(sample["span"] is not None for sample in capture.samples())
