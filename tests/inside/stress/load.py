# SPDX-License-Identifier: MIT
"""What programs do to a profiler that lives in them: load.py PART AMOUNT CLOCK PERIOD_NS

One part with a session on; says what it counted, as JSON. Runs on 3.8 as well. A part that gives
another result than without a session, hangs (stress.py has a limit) or crashes is a failure.
"""

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import types
import warnings

from fireglass._fireglass import Session

warnings.simplefilter("ignore")


def burn(n=200):
    return sum(i * i for i in range(n))


def caught():
    """The real-time signals that have a handler."""
    with open("/proc/self/status") as f:
        mask = int(re.search(r"SigCgt:\s+(\w+)", f.read()).group(1), 16)
    return [n for n in range(signal.SIGRTMIN, signal.SIGRTMAX + 1) if mask >> (n - 1) & 1]


# ---- parts ------------------------------------------------------------------------------------------


class Sigevent(ctypes.Structure):
    _fields_ = [("value", ctypes.c_void_p), ("signo", ctypes.c_int), ("notify", ctypes.c_int),
                ("tid", ctypes.c_int), ("pad", ctypes.c_int * 11)]  # fmt: skip


class Itimerspec(ctypes.Structure):
    _fields_ = [("interval", ctypes.c_long * 2), ("value", ctypes.c_long * 2)]


def timer_signals(amount):
    """Deliveries of the very signal that the CPU clock uses, from a timer that is not so slow."""
    ours = [n for n in caught() if n > signal.SIGRTMIN + 2]
    if not ours:
        return {"deliveries": 0}
    libc = ctypes.CDLL(None, use_errno=True)
    timer = ctypes.c_void_p()
    event = Sigevent(value=0, signo=ours[0], notify=4, tid=threading.get_native_id())
    if libc.timer_create(1, ctypes.byref(event), ctypes.byref(timer)):
        raise OSError(ctypes.get_errno(), "timer_create")
    every = Itimerspec(interval=(0, 100000), value=(0, 100000))  # 10 kHz
    libc.timer_settime(timer, 0, ctypes.byref(every), None)
    began, right = time.monotonic(), burn()
    while time.monotonic() - began < amount * 100e-6:
        assert burn() == right
    libc.timer_delete(timer)
    return {"deliveries": int((time.monotonic() - began) / 100e-6)}


def own_signals(amount):
    """The program's own signals, to a thread that sleeps, waits, or burns: none is lost."""
    seen = []
    signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
    main = threading.main_thread().ident
    asked, ending = [], threading.Event()

    def sends():
        for n in range(1, amount + 1):
            asked.append(n)
            signal.pthread_kill(main, signal.SIGUSR1)
            end = time.monotonic() + 60
            while len(seen) < n:
                assert time.monotonic() < end, "signal %d was lost" % n
                time.sleep(0)
        ending.set()

    sender = threading.Thread(target=sends)
    sender.start()
    turn = 0
    while not ending.is_set():
        turn += 1
        if turn % 2:
            burn()
        else:
            ending.wait(0.0005)
    sender.join()
    assert len(seen) == len(asked) == amount
    return {"signals": len(seen)}


def forks(amount):
    for i in range(amount):
        pid = os.fork()
        if not pid:
            os._exit(i % 200)
        status = os.waitpid(pid, 0)[1]
        assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == i % 200, status
    return {"forks": amount}


def forks_that_sample(amount):
    for i in range(amount):
        pid = os.fork()
        if not pid:
            with tempfile.TemporaryFile() as file:
                session = Session(file.fileno(), period_ns=500000, clock=("wall", "cpu")[i % 2])
                burn(20000)
                session.stop()
                os._exit(7)
        status = os.waitpid(pid, 0)[1]
        assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == 7, status
    return {"forks": amount}


def threads(amount):
    done, lock = [], threading.Lock()

    def short():
        total = burn(500)
        with lock:
            done.append(total)

    for _ in range(amount // 20):
        some = [threading.Thread(target=short) for _ in range(20)]
        for t in some:
            t.start()
        for t in some:
            t.join()
    assert len(done) == amount // 20 * 20 and len(set(done)) == 1
    return {"threads": len(done)}


def imports(amount):
    """Modules, and code that is made, runs and goes."""
    names = ["json", "decimal", "email.message", "xml.dom.minidom", "http.client", "unittest"]
    for i in range(amount):
        space = {}
        exec("def f%d(x):\n    return [x + %d for _ in range(20)]\n" % (i, i), space)
        assert space["f%d" % i](1) == [1 + i] * 20
        if i % 50 == 0:
            name = names[i // 50 % len(names)]
            for module in [m for m in sys.modules if m.split(".")[0] == name.split(".")[0]]:
                del sys.modules[module]
            assert isinstance(__import__(name), types.ModuleType)
    return {"imports": amount}


def execs(amount):
    for i in range(amount):
        code = "import os, sys; sys.stdout.write('%d')" % i
        options = {"close_fds": i % 2 == 0}
        if i % 3 == 0:
            options["preexec_fn"] = lambda: None
        out = subprocess.run(
            [sys.executable, "-S", "-E", "-c", code], stdout=subprocess.PIPE, check=True, **options
        ).stdout
        assert out == b"%d" % i
    return {"execs": amount}


def exceptions(amount):
    class Own(Exception):
        pass

    def deep(n):
        if n:
            try:
                return deep(n - 1)
            finally:
                burn(3)
        raise Own("bottom")

    def generated():
        try:
            while True:
                yield burn(3)
        except Own:
            yield "caught"

    for i in range(amount):
        try:
            deep(i % 40)
        except Own as e:
            assert str(e) == "bottom"
        g = generated()
        next(g)
        assert g.throw(Own()) == "caught"
    old = sys.getrecursionlimit()
    try:
        (lambda f: f(f))(lambda f: f(f))
    except RecursionError:
        pass
    assert sys.getrecursionlimit() == old
    return {"exceptions": amount}


def sessions(amount):
    for i in range(amount):
        with tempfile.TemporaryFile() as file:
            session = Session(file.fileno(), period_ns=200000, clock=("wall", "cpu")[i % 2],
                              max_age_ns=10**9 * (i % 3))  # fmt: skip
            burn(5000)
            if i % 5 == 0:
                session.pause()
            session.flush()
            session.stop()
    return {"sessions": amount}


PARTS = {
    f.__name__: f
    for f in (timer_signals, own_signals, forks, forks_that_sample, threads, imports, execs,
              exceptions, sessions)
}  # fmt: skip


def main():
    part, amount, clock, period_ns = sys.argv[1:]
    background = threading.Event()

    def works():
        while not background.is_set():
            burn(2000)
            time.sleep(0.0002)

    worker = threading.Thread(target=works)
    worker.start()
    with tempfile.TemporaryFile() as file:
        session = Session(file.fileno(), period_ns=int(period_ns), clock=clock)
        began = time.monotonic()
        found = PARTS[part](int(amount))
        found["seconds"] = round(time.monotonic() - began, 2)
        session.stop()
        counts = session.counts()
    background.set()
    worker.join()
    assert counts["write_errors"] == 0, session.problem()
    found.update((k, counts[k]) for k in ("ticks", "samples", "failed", "truncated", "lost"))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
