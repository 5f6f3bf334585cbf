# SPDX-License-Identifier: MIT
"""The threads of the service: workers, journal, housekeeping, heartbeat."""

import os
import queue
import struct
import threading
import time

JOURNAL_LINES = 64
HOUSEKEEPING_SECONDS = 1
HOUSEKEEPING_PAGES = 32
HEARTBEAT_SECONDS = 0.002
FIRST_COST = 0.01  # seconds of processor that a request takes, before any has been answered


class Journal(threading.Thread):
    """Writes a line per request, many at once, and sees them onto the disk. Mostly waits."""

    def __init__(self, path):
        super().__init__(name="journal", daemon=True)
        self.path = path
        self.queue = queue.Queue()
        self.lines = 0

    def write(self, line):
        self.queue.put(line)

    def run(self):
        with open(self.path, "w", encoding="utf-8") as f:
            batch = []
            for line in iter(self.queue.get, None):
                batch.append(line)
                if len(batch) >= JOURNAL_LINES:
                    self.flush(f, batch)
            self.flush(f, batch)

    def flush(self, f, batch):
        f.writelines(batch)
        f.flush()
        os.fsync(f.fileno())
        self.lines += len(batch)
        del batch[:]

    def stop(self):
        self.queue.put(None)
        self.join()


class Housekeeper(threading.Thread):
    """On the second, every second, finds related pages for the next few."""

    def __init__(self, store):
        super().__init__(name="housekeeper", daemon=True)
        self.store = store
        self.ended = threading.Event()
        self.rounds = 0

    def next_names(self):
        names = sorted(self.store.pages)
        first = self.rounds * HOUSEKEEPING_PAGES % len(names)
        return names[first : first + HOUSEKEEPING_PAGES]

    def run(self):
        while not self.ended.wait(HOUSEKEEPING_SECONDS - time.time() % HOUSEKEEPING_SECONDS):
            self.store.relate(self.next_names())
            self.rounds += 1

    def stop(self):
        self.ended.set()
        self.join()


class Heartbeat(threading.Thread):
    """Renews the lease on the directory: the time, written to a file that a standby watches."""

    def __init__(self, path):
        super().__init__(name="heartbeat", daemon=True)
        self.path = path
        self.ended = False
        self.beats = 0
        self.late = 0

    def run(self):
        lease = os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o644)
        last = time.monotonic()
        while not self.ended:
            time.sleep(HEARTBEAT_SECONDS)
            now = time.monotonic()
            os.pwrite(lease, struct.pack("<d", time.time()), 0)
            self.beats += 1
            self.late += now - last > 2 * HEARTBEAT_SECONDS
            last = now
        os.close(lease)

    def stop(self):
        self.ended = True
        self.join()


class Worker(threading.Thread):
    """Takes requests off the queue until it finds None."""

    def __init__(self, number, site, requests, journal):
        super().__init__(name=f"worker-{number}", daemon=True)
        self.site = site
        self.requests = requests
        self.journal = journal
        self.served = 0
        self.failed = 0
        self.bytes = 0
        self.cost = FIRST_COST

    def serve(self, request):
        started, used = time.perf_counter(), time.thread_time()
        try:
            text = self.site.handle(request)
        except Exception as e:  # one bad request must not end the worker
            self.failed += 1
            self.journal.write(f"{self.name} {request.kind} failed: {e!r}\n")
            return
        self.served += 1
        self.bytes += len(text)
        self.cost += (time.thread_time() - used - self.cost) / 8
        spent = (time.perf_counter() - started) * 1000
        self.journal.write(f"{self.name} {request.kind} {request.name} {len(text)} {spent:.1f}\n")

    def run(self):
        for request in iter(self.requests.get, None):
            self.serve(request)


class Service:
    """All the threads together. Used as a context: ended in order, nothing left half done."""

    def __init__(self, store, site, archive, directory, workers):
        self.requests = queue.Queue(maxsize=4 * workers)
        self.archive = archive
        self.journal = Journal(os.path.join(directory, "journal.log"))
        self.housekeeper = Housekeeper(store)
        self.heartbeat = Heartbeat(os.path.join(directory, "lease"))
        self.workers = [Worker(n + 1, site, self.requests, self.journal) for n in range(workers)]

    def __enter__(self):
        for thread in self.helpers() + self.workers:
            thread.start()
        return self

    def __exit__(self, *exc_info):
        for _ in self.workers:
            self.requests.put(None)
        for worker in self.workers:
            worker.join()
        for thread in self.helpers():
            thread.stop()

    def helpers(self):
        return [self.heartbeat, self.housekeeper, self.archive, self.journal]

    def submit(self, request):
        """Waits while the queue is full."""
        self.requests.put(request)

    @property
    def cost(self):
        """How many seconds of a processor the latest requests took, on average."""
        return sum(worker.cost for worker in self.workers) / len(self.workers)

    @property
    def served(self):
        return sum(worker.served for worker in self.workers)

    @property
    def failed(self):
        return sum(worker.failed for worker in self.workers)
