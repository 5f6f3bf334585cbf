# SPDX-License-Identifier: MIT
"""Celery: `fireglass.web.celery.setup(app, token="...")`, where the application is made.

Tasks are what requests are elsewhere: method "TASK", and their names for routes. One is profiled that is
sent with the header: task.apply_async(headers={"fireglass": token}).
"""

import threading

from ._log import log
from ._profiler import Profiler

HEADER = "fireglass"

_running = threading.local()


def setup(app=None, profiler=None, **options):
    """Options are those of Profiler. Returns the Profiler; give a web application the same token (or
    directory), and its page has the tasks, too."""
    from celery import signals

    profiler = profiler or Profiler(mount=None, **options)

    def begin(task_id=None, task=None, **_more):
        _begin(profiler, task)

    def end(task_id=None, task=None, state=None, **_more):
        _end(state)

    def left(**_more):
        profiler.close()

    # strong: nobody else keeps them
    signals.task_prerun.connect(begin, weak=False)
    signals.task_postrun.connect(end, weak=False)
    signals.worker_process_shutdown.connect(left, weak=False)
    return profiler


def _header_of(task, name):
    value = (getattr(task.request, "headers", None) or {}).get(name)
    if value is None:
        value = task.request.get(name)
    return value if isinstance(value, str) else None


def _begin(profiler, task):
    given = _header_of(task, HEADER)
    if not profiler.has_news() and given is None:
        return
    asked = "link" if profiler.auth.is_token(given) else None
    ours = profiler.begin(
        "task",
        "TASK",
        task.name,
        lambda name: _header_of(task, name),
        asked=asked,
        resolve=lambda: task.name,
    )
    if ours is not None:
        ours.route = task.name
        _stack().append((ours, ours.enter()))


def _end(state):
    stack = _stack()
    if not stack:
        return
    ours, entered = stack.pop()
    ours.status = 200 if state in (None, "SUCCESS") else 500
    ours.leave(entered)
    ours.end()
    if ours.link:
        log.info("fireglass: the report of task %s: %s", ours.path, ours.link[1])


def _stack():
    """Tasks that run in this thread: one that calls another one has two."""
    if not hasattr(_running, "stack"):
        _running.stack = []
    return _running.stack
