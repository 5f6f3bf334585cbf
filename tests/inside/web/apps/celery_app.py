# SPDX-License-Identifier: MIT
"""A worker whose broker is a directory."""

import os

import fireglass.web.celery
import work
from celery import Celery

BROKER = os.path.join(os.environ["TEST_DIRECTORY"], "..", "broker")
for name in ("in", "control", "results"):
    os.makedirs(os.path.join(BROKER, name), exist_ok=True)

app = Celery("celery_app", broker="filesystem://", backend="file://" + BROKER + "/results")
app.conf.broker_transport_options = {
    "data_folder_in": os.path.join(BROKER, "in"),
    "data_folder_out": os.path.join(BROKER, "in"),
    "control_folder": os.path.join(BROKER, "control"),
}
app.conf.worker_hijack_root_logger = False
profiler = work.profiler()
fireglass.web.celery.setup(app, profiler)


@app.task(name="shop.checkout")
def checkout():
    work.checkout_work()


@app.task(name="shop.other")
def other():
    work.other_work()


@app.task(name="shop.broken")
def broken():
    work.checkout_work()
    raise ZeroDivisionError
