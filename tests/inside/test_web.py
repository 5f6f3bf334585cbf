# SPDX-License-Identifier: MIT
"""fireglass.web without any framework, in every interpreter. With frameworks and servers: web/."""

HEAD = '''
import asyncio, json, os, signal, sys, tempfile, threading, time, wsgiref.validate
import fireglass, fireglass.web
from fireglass.web import asgi, wsgi

TOKEN = "a-token-for-tests"
KEPT = os.path.join(os.getcwd(), "kept")

def burn(seconds):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        sum(range(100))

def checkout_work(seconds=0.03):
    burn(seconds)

def other_work(seconds=0.03):
    burn(seconds)

class Closing:
    """An answer that counts how often it was closed."""
    def __init__(self, pieces):
        self.pieces, self.closed = iter(pieces), 0
    def __iter__(self):
        return self.pieces
    def close(self):
        self.closed += 1

class App:
    def __init__(self):
        self.answers, self.queries = [], []
    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        self.queries.append(environ["QUERY_STRING"])
        start_response("200 OK", [("Content-Type", "text/plain")])
        if path == "/error":
            checkout_work()
            raise ZeroDivisionError
        if path == "/write":
            write = start_response("200 OK", [("Content-Type", "text/plain")], (None, None, None))
        (checkout_work if path.startswith("/checkout") else other_work)()
        if path.endswith("stream"):
            def pieces():
                for _ in range(3):
                    checkout_work()
                    yield b"piece"
            answer = Closing(pieces())
        else:
            answer = [b"fine"]
        self.answers.append(answer)
        return answer

def get(app, path, query="", method="GET", headers=None):
    said = {}
    def start_response(status, headers, exc_info=None):
        said.update(status=int(status[:3]), headers=dict(headers))
        return lambda data: None
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "SCRIPT_NAME": "",
        "SERVER_NAME": "x", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http", "wsgi.input": open(os.devnull, "rb"), "wsgi.errors": sys.stderr,
        "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False}
    environ.update(headers or {})
    answer = app(environ, start_response)
    said["answer"] = answer
    said["body"] = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    return said

def functions(capture):
    return {name for sample in capture.samples() for name, _, _ in sample["stack"]}

def kept(profiler, name):
    about = profiler.store.wait(name, 60)
    assert about, (name, os.listdir(profiler.store.path))
    return fireglass.load(profiler.store.file(name))

def name_of(said):
    return said["headers"]["X-Fireglass-Report"].partition(".fgc")[0].rsplit("/", 1)[1]
'''

WSGI = (
    HEAD
    + """
profiler = fireglass.web.Profiler(TOKEN, directory=KEPT, rate=500)
inner = App()
app = wsgi.Middleware(inner, profiler)

# off: what the application gives is what the server gets
said = get(app, "/checkout", "a=1")
assert said["answer"] is inner.answers[-1] and profiler.active is False
assert get(app, "/checkout/stream")["answer"] is inner.answers[-1]

# asked for: lists stay lists, the token is not seen by the application
said = get(app, "/checkout", "a=1&fireglass=" + TOKEN + "&b=2")
assert said["answer"] is inner.answers[-1] and inner.queries[-1] == "a=1&b=2", inner.queries
(span,) = kept(profiler, name_of(said)).spans()
assert span["text"].startswith("GET /checkout 200 id="), span
assert span["samples"] >= 5, span

# one that is asked for with a wrong token is like any other
said = get(app, "/checkout", "fireglass=" + TOKEN[:-1])
assert "X-Fireglass-Report" not in said["headers"] and TOKEN[:-1] in inner.queries[-1]

# what is made while it is taken belongs to it; it is closed once
said = get(app, "/other/stream", headers={"HTTP_X_FIREGLASS": TOKEN})
assert said["body"] == b"piece" * 3 and inner.answers[-1].closed == 1
assert "checkout_work" in functions(kept(profiler, name_of(said)))

# errors pass, and the request is over
try:
    get(app, "/error", "fireglass=" + TOKEN)
    raise AssertionError
except ZeroDivisionError:
    pass
profiler.keeper.wait(60)
assert profiler.store.list("request")[0]["status"] == 200  # as it was told before the error
assert fireglass._fireglass.span_current() == 0

# what the standard says, from both sides
checked = wsgiref.validate.validator(
    wsgi.Middleware(wsgiref.validate.validator(inner), profiler)
)
for query in ("", "fireglass=" + TOKEN):
    for path in ("/checkout", "/other/stream", "/write"):
        get(checked, path, query)
print("fine")
"""
)

CAMPAIGN = (
    HEAD
    + """
profiler = fireglass.web.Profiler(TOKEN, directory=KEPT, rate=500)
app = wsgi.Middleware(App(), profiler)

# the next ones on this path, some in a child, some in this process
waiting = profiler.next(6, path="/checkout*", method="GET", singly=1)
try:
    profiler.next(1)
    raise AssertionError
except RuntimeError:
    pass
for _ in range(3):
    get(app, "/other")
    get(app, "/checkout/1")
    get(app, "/checkout/1", method="POST")
pid = os.fork()
if pid == 0:
    for _ in range(2):
        get(app, "/other")
        get(app, "/checkout/2")
    profiler.close()
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
for _ in range(3):
    get(app, "/checkout/3")
about = waiting.wait(60)
paths = [request["path"] for request in about["requests"]]
assert paths == ["/checkout/1"] * 3 + ["/checkout/2"] * 2 + ["/checkout/3"], paths
capture = kept(profiler, waiting.name)
spans = capture.spans()
assert len(spans) == 6 and len(capture.processes()) == 2
assert {"GET"} == {span["text"].split()[0] for span in spans}
found = functions(capture)
assert "checkout_work" in found and "other_work" not in found, found
assert all(sample["span"] is not None for sample in capture.samples())
assert len(about["slowest"]) == 1 and len(kept(profiler, about["slowest"][0]).spans()) == 1
assert profiler.active is False

# ended before it has all; begun and ended by a signal
profiler.on_signal(signal.SIGUSR2, count=50, path="/checkout*")
os.kill(os.getpid(), signal.SIGUSR2)
until = time.monotonic() + 60
while profiler.campaign() is None:
    assert time.monotonic() < until
name = profiler.campaign()["id"]
get(app, "/checkout/4")
get(app, "/other")
os.kill(os.getpid(), signal.SIGUSR2)
about = profiler.store.wait(name, 60)
assert [request["path"] for request in about["requests"]] == ["/checkout/4"], about

# the slow ones only, known at their ends; a machine can be so busy that 30 ms take some more
waiting = profiler.next(1, slower_than_ms=1500)
get(app, "/other")
app.app = lambda environ, start: (start("200 OK", []), other_work(1.6), [b""])[2]
get(app, "/really-slow")
about = waiting.wait(60)
assert [request["path"] for request in about["requests"]] == ["/really-slow"], about
print("fine")
"""
)

ASGI = (
    HEAD
    + """
profiler = fireglass.web.Profiler(TOKEN, directory=KEPT, rate=1000)

async def inner(scope, receive, send):
    if scope["type"] != "http":
        inner.others.append(scope["type"])
        return
    work = checkout_work if scope["path"].startswith("/checkout") else other_work
    for _ in range(8):
        work(0.004)
        await asyncio.sleep(0.001)
    await asyncio.get_running_loop().create_task(later(work))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
    await send({"type": "http.response.body", "body": b"fine"})
    if scope["path"] == "/checkout/background":
        checkout_work(0.1)
    if scope["path"] == "/checkout/cancelled":
        await asyncio.sleep(60)

inner.others = []

async def later(work):
    work(0.004)

app = asgi.Middleware(inner, profiler)

async def get(path, query=b"", headers=()):
    sent = []
    async def send(message):
        sent.append(message)
    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}
    await app({"type": "http", "method": "GET", "path": path, "query_string": query,
        "headers": list(headers)}, receive, send)
    return sent

async def main():
    await app({"type": "lifespan"}, None, None)
    assert inner.others == ["lifespan"]
    assert (await get("/checkout/1"))[0]["headers"] == [(b"a", b"b")]
    # one among many in the same loop
    answers = await asyncio.gather(*(
        get("/checkout/1" if i == 5 else "/other", b"fireglass=" + TOKEN.encode() if i == 5 else b"")
        for i in range(12)))
    links = [dict(sent[0]["headers"]).get(b"x-fireglass-report") for sent in answers]
    assert [link is not None for link in links] == [i == 5 for i in range(12)]
    name = links[5].decode().partition(".fgc")[0].rsplit("/", 1)[1]
    await asyncio.get_running_loop().run_in_executor(None, profiler.store.wait, name, 60)
    capture = kept(profiler, name)
    found = functions(capture)
    assert "checkout_work" in found and "later" in found and "other_work" not in found, found

    # those that match among many
    waiting = profiler.next(4, path="/checkout/1")
    await asyncio.gather(*(get("/checkout/1" if i % 2 else "/other") for i in range(10)))
    about = await asyncio.get_running_loop().run_in_executor(None, waiting.wait, 60)
    assert len(about["requests"]) == 4
    found = functions(kept(profiler, waiting.name))
    assert "checkout_work" in found and "other_work" not in found, found

    # what comes after the answer is sampled, but nobody has waited for it
    waiting = profiler.next(1, path="/checkout/*")
    await get("/checkout/background")
    about = await asyncio.get_running_loop().run_in_executor(None, waiting.wait, 60)
    (request,) = about["requests"]
    (span,) = kept(profiler, waiting.name).spans()
    assert span["end_ns"] - span["start_ns"] >= request["duration_ns"] + 90e6, (span, request)

    # a client that goes away
    waiting = profiler.next(1, path="/checkout/*")
    task = asyncio.get_running_loop().create_task(get("/checkout/cancelled"))
    while not profiler.campaign()["in_flight"]:
        await asyncio.sleep(0.01)
    task.cancel()
    try:
        await task
        raise AssertionError
    except asyncio.CancelledError:
        pass
    about = await asyncio.get_running_loop().run_in_executor(None, waiting.wait, 60)
    assert len(about["requests"]) == 1

asyncio.run(main())
print("fine")
"""
)

SITE = (
    HEAD
    + """
profiler = fireglass.web.Profiler(TOKEN, directory=KEPT, rate=500)
app = wsgi.Middleware(App(), profiler)
HEADERS = {"HTTP_AUTHORIZATION": "Bearer " + TOKEN}

def ask(path, query="", method="GET", status=200, headers=HEADERS):
    said = get(app, "/debug/fireglass" + path, query, method, headers)
    assert said["status"] == status, said
    return said

def asked(*args, **kwargs):
    return json.loads(ask(*args, **kwargs)["body"].decode())

# who may
ask("/", status=401, headers={})
ask("/", "token=" + TOKEN, headers={})
ask("/", "token=" + TOKEN, headers={"HTTP_SEC_FETCH_SITE": "cross-site"}, status=403)
ask("/nothing", status=404)
ask("/nothing", status=401, headers={})
assert ask("/api/v1/status", method="POST", status=405)["headers"]["Allow"] == "GET"
assert get(app, "/debug/fireglassy")["body"] == b"fine"
assert ask("/", method="HEAD")["body"] == b""

# what is said
assert asked("/api/v1/status")["state"] == "stopped"
assert asked("/api/v1/start", method="POST")["state"] == "sampling"
other_work(0.3)
assert b"other_work" in ask("/api/v1/profile", "last=1&seconds=10&format=folded")["body"]
assert b"other_work" in ask("/folded")["body"]
made = asked("/api/v1/captures", "name=mine&seconds=10", "POST", 201)
assert made["name"] == "mine.fgc", made
assert ask("/api/v1/captures/mine.fgc")["body"][:4] == open(profiler.store.file("mine"), "rb").read(4)
assert b"<svg" in ask("/api/v1/captures/mine.fgc", "format=svg")["body"]
assert asked("/api/v1/captures", "name=mine", "POST", 409)
assert [about["name"] for about in asked("/api/v1/captures")["captures"]] == ["mine.fgc"]
ask("/api/v1/captures/mine.fgc", method="DELETE", status=204)
ask("/api/v1/captures/mine.fgc", status=404)
assert asked("/api/v1/stop", method="POST")["state"] == "stopped"
ask("/api/v1/profile", "last=1", status=409)
assert ask("/api/v1/profile", "seconds=100ms&format=pprof")["body"][:2] == b"\\x1f\\x8b"
assert ask("/debug/pprof/profile", "seconds=0.1")["body"][:2] == b"\\x1f\\x8b"
assert sys.argv[0] in ask("/debug/pprof/cmdline")["body"].decode()
assert b"fireglass_captures 0" in ask("/metrics")["body"]
assert b"openapi: 3" in ask("/openapi.yaml")["body"]

# what makes no sense
for query in ("seconds=0", "seconds=x", "seconds=1e9", "last=2", "nothing=1", "mode=x&seconds=10ms",
        "focus=a{9}&seconds=10ms", "format=x&seconds=10ms", "rows=0&seconds=10ms",
        "focus=(&seconds=10ms"):
    ask("/api/v1/profile", query, status=400)
for name in ("..", "%2e", "a/b", "../control", ".fgc"):
    ask("/api/v1/captures/" + name, status=404)
    ask("/api/v1/captures", "name=/" + name, "POST", 400)
for query in ("count=0", "count=x", "slower-than=x", "header=x:~(", "rate=0", "route="):
    ask("/api/v1/next", query, "POST", 400)
assert sorted(os.listdir(KEPT)) == ["control"], os.listdir(KEPT)

# too many
statuses = {get(app, "/debug/fireglass/api/v1/status")["status"] for _ in range(1000)}
assert statuses == {401, 429}, statuses
print("fine")
"""
)

NOT_SET_UP = (
    HEAD
    + """
# without a token there is nothing over HTTP
profiler = fireglass.web.Profiler()
app = wsgi.Middleware(App(), profiler)
assert get(app, "/debug/fireglass/")["body"] == b"fine"
assert "X-Fireglass-Report" not in get(app, "/checkout", "fireglass=")["headers"]
assert "X-Fireglass-Report" not in get(app, "/checkout", "fireglass=None")["headers"]
# but everything by calls
waiting = profiler.next(1)
get(app, "/checkout")
assert len(waiting.wait(60)["requests"]) == 1

for bad in ("short", 12345678901234, "", "twelve\\nlines"):
    try:
        fireglass.web.Profiler(bad, directory=KEPT)
        raise AssertionError(bad)
    except ValueError:
        pass

os.mkdir("open", 0o755)
os.chmod("open", 0o755)
try:
    fireglass.web.Profiler(TOKEN, directory="open")
    raise AssertionError
except PermissionError:
    pass

# what is kept has bounds
profiler = fireglass.web.Profiler(TOKEN, directory=KEPT, max_captures=3)
app = wsgi.Middleware(App(), profiler)
for _ in range(5):
    get(app, "/checkout", "fireglass=" + TOKEN)
    profiler.keeper.wait(60)
assert len(profiler.store.list()) == 3
assert len([name for name in os.listdir(KEPT) if name.endswith(".fgc")]) == 3
# and nothing is left of it when nothing is asked
assert not any(t.name == "fireglass" for t in threading.enumerate())
print("fine")
"""
)

RECENT = (
    HEAD
    + """
profiler = fireglass.web.Profiler(TOKEN, directory=KEPT, recent_rate=200, slow_ms=60, slowest=2)
app = wsgi.Middleware(App(), profiler)
times = {"/a": 0.1, "/b": 0.3, "/c": 0.2, "/d": 0.01}
app.app = lambda environ, start: (
    start("200 OK", []), other_work(times[environ["PATH_INFO"]]), [b""])[2]
# on a busy machine any of them may be the slowest
took, ended = {}, profiler.ended
def measured(request):
    took[request.path] = request.duration_ns
    ended(request)
profiler.ended = measured
for path in "/a", "/b", "/c", "/d":
    get(app, path)
    profiler.keeper.wait(60)
expected = sorted(took, key=took.get, reverse=True)[:2]
slowest = profiler.slowest()
assert [about["path"] for about in slowest] == expected, (slowest, took)
for about in slowest:
    capture = kept(profiler, about["name"])
    (span,) = capture.spans()
    assert about["id"] in span["text"] and span["samples"] >= 10, span
pid = os.fork()
if pid == 0:
    # the child has a recorder of its own
    assert profiler.recent is not None
    times["/e"] = 2 * max(took.values()) / 1e9
    get(app, "/e")
    profiler.keeper.wait(60)
    profiler.close()
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
assert [about["path"] for about in profiler.slowest()] == ["/e", expected[0]], profiler.slowest()
profiler.stop_recent()
assert profiler.active is False
print("fine")
"""
)


def test_wsgi(interp, run):
    assert run(interp, WSGI).stdout == "fine\n"


def test_campaign(interp, run):
    assert run(interp, CAMPAIGN).stdout == "fine\n"


def test_asgi(interp, run):
    assert run(interp, ASGI).stdout == "fine\n"


def test_site(interp, run):
    assert run(interp, SITE).stdout == "fine\n"


def test_not_set_up(interp, run):
    assert run(interp, NOT_SET_UP).stdout == "fine\n"


def test_recent(interp, run):
    assert run(interp, RECENT).stdout == "fine\n"


ENDLESS = (
    HEAD
    + """
# one that does not end, and one that is forgotten by its server
from fireglass.web import _takers
_takers.SINGLE_S = 0.5
profiler = fireglass.web.Profiler(TOKEN, directory=KEPT, rate=500)
app = wsgi.Middleware(App(), profiler)
environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/other/stream", "QUERY_STRING": "fireglass=" + TOKEN}
answer = app(environ, lambda *_: None)
def name_of_thread(tid):
    try:
        with open("/proc/self/task/%s/comm" % tid) as file:
            return file.read().strip()
    except OSError:
        return None  # it has ended
until = time.monotonic() + 60
while "fireglass" in map(name_of_thread, os.listdir("/proc/self/task")):
    assert time.monotonic() < until
    time.sleep(0.05)
next(answer)
environ.clear()
del answer
profiler.keeper.wait(60)
(about,) = profiler.store.list("request")
assert about["duration_ns"] > 0.5e9 and about["path"] == "/other/stream", about
assert kept(profiler, about["name"]).spans()
print("fine")
"""
)


def test_endless(interp, run):
    assert run(interp, ENDLESS).stdout == "fine\n"
