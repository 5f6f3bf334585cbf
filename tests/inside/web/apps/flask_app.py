# SPDX-License-Identifier: MIT
import flask
import work
from fireglass.web.flask import Fireglass

app = flask.Flask(__name__)
Fireglass(app, work.profiler())


@app.route("/checkout/<int:number>")
def checkout(number):
    work.checkout_work()
    return "checked out %d %s" % (number, flask.request.query_string.decode())


@app.route("/other")
def other():
    work.other_work()
    return "other"


@app.route("/slow/<int:ms>")
def slow(ms):
    work.other_work(ms / 1000)
    return "slow"


@app.route("/stream")
def stream():
    def pieces():
        for _ in range(3):
            work.stream_work()
            yield b"piece "

    return flask.Response(pieces())


@app.route("/error")
def error():
    work.checkout_work()
    raise ZeroDivisionError
