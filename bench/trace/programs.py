# SPDX-License-Identifier: MIT
"""What the tracers are timed on: functions without arguments, of some tens of milliseconds each.

After the programs that Python's own benchmarks are known by, written anew: calls of methods between
objects (richards: an operating system's tasks; deltablue: a chain of constraints), C code with some
Python around it (json_dumps), mixed code (templates), and nothing but calls (fib).
"""

import json


def fib(n=24):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


# ---- richards -----------------------------------------------------------------------------------


class Packet:
    def __init__(self, link, ident, kind):
        self.link, self.ident, self.kind = link, ident, kind
        self.datum, self.data = 0, [0] * 4

    def append_to(self, queue):
        self.link = None
        if queue is None:
            return self
        last = queue
        while last.link is not None:
            last = last.link
        last.link = self
        return queue


class Task:
    def __init__(self, system, ident, priority, queue):
        self.system, self.ident, self.priority, self.queue = system, ident, priority, queue
        self.holding = self.waiting = False
        self.ready = queue is not None
        system.add(self)

    def is_held(self):
        return self.holding or (self.waiting and not self.ready)

    def add_packet(self, packet, sender):
        if self.queue is None:
            self.queue = packet
            self.ready = True
            if self.priority > sender.priority:
                return self
        else:
            packet.append_to(self.queue)
        return sender

    def wait(self):
        self.waiting = True
        return self

    def hold(self):
        self.system.holds += 1
        self.holding = True
        return self.system.after(self)

    def take(self):
        packet = None
        if self.waiting and self.ready:
            packet = self.queue
            self.queue = packet.link
            self.waiting = False
            self.ready = self.queue is not None
        return self.run(packet)


class Idle(Task):
    count = 400

    def run(self, packet):
        self.count -= 1
        if self.count == 0:
            return self.hold()
        return self.system.release(2 if self.count & 1 else 3)


class Worker(Task):
    turn = 0

    def run(self, packet):
        if packet is None:
            return self.wait()
        self.turn ^= 1
        packet.ident = 4 + self.turn
        for i in range(4):
            packet.data[i] = self.next_datum()
        return self.system.send(packet, self)

    def next_datum(self):
        self.system.letters = self.system.letters % 26 + 1
        return self.system.letters


class Handler(Task):
    work = None

    def run(self, packet):
        if packet is not None:
            self.work = packet.append_to(self.work)
        work = self.work
        if work is None:
            return self.wait()
        self.work = work.link
        work.datum += 1
        work.ident = 1
        return self.system.send(work, self)


class Device(Task):
    def run(self, packet):
        return self.wait() if packet is None else self.hold()


class System:
    def __init__(self):
        self.tasks, self.holds, self.sends, self.letters = {}, 0, 0, 0

    def add(self, task):
        self.tasks[task.ident] = task

    def find(self, ident):
        return self.tasks[ident]

    def release(self, ident):
        task = self.find(ident)
        task.holding = False
        return task

    def after(self, task):
        return self.tasks.get(task.ident + 1)

    def send(self, packet, sender):
        self.sends += 1
        packet.link = None
        return self.find(packet.ident).add_packet(packet, sender).wait()

    def schedule(self):
        for _ in range(2500):
            for task in self.tasks.values():
                if not task.is_held():
                    task.take()


def richards():
    system = System()
    Idle(system, 0, 0, None)
    queue = Packet(Packet(None, 1, 1), 1, 1)
    Worker(system, 1, 1000, queue)
    for ident in (4, 5):
        Handler(system, ident, 2000, Packet(Packet(None, ident, 0), ident, 0))
    for ident in (2, 3):
        Device(system, ident, 4000, None)
    system.schedule()


# ---- deltablue ----------------------------------------------------------------------------------


class Strength:
    def __init__(self, value):
        self.value = value

    def is_stronger(self, other):
        return self.value < other.value

    def weaker_of(self, other):
        return other if self.is_stronger(other) else self


REQUIRED, NORMAL, WEAK = Strength(0), Strength(4), Strength(6)


class Variable:
    def __init__(self, value):
        self.value, self.constraints, self.determined_by = value, [], None
        self.mark, self.walk, self.stay = 0, WEAK, True

    def add(self, constraint):
        self.constraints.append(constraint)


class Equal:
    def __init__(self, strength, source, target):
        self.strength, self.source, self.target, self.satisfied = strength, source, target, False
        source.add(self)
        target.add(self)

    def is_satisfied(self):
        return self.satisfied

    def input(self):
        return self.source

    def output(self):
        return self.target

    def choose(self, mark):
        self.satisfied = self.target.mark != mark and self.input_known(mark)
        return self.satisfied

    def input_known(self, mark):
        source = self.input()
        return source.mark == mark or source.stay or source.determined_by is None

    def recalculate(self):
        out, source = self.output(), self.input()
        out.walk = self.strength.weaker_of(source.walk)
        out.stay = source.stay
        if out.stay:
            self.execute()

    def execute(self):
        self.output().value = self.input().value


class Scale(Equal):
    def execute(self):
        self.target.value = self.source.value * 3 + 1


class Planner:
    def __init__(self):
        self.mark = 0

    def next_mark(self):
        self.mark += 1
        return self.mark

    def plan(self, first):
        mark, plan, todo = self.next_mark(), [], list(first.constraints)
        first.mark = mark
        while todo:
            constraint = todo.pop()
            out = constraint.output()
            if out.mark != mark and constraint.choose(mark):
                plan.append(constraint)
                out.mark = mark
                self.consume(out, constraint, todo)
        return plan

    def consume(self, variable, by, todo):
        for constraint in variable.constraints:
            if constraint is not by and constraint.input() is variable:
                todo.append(constraint)


def deltablue():
    planner = Planner()
    variables = [Variable(i) for i in range(150)]
    for i, (a, b) in enumerate(zip(variables, variables[1:])):
        (Scale if i % 4 == 0 else Equal)(REQUIRED if i % 3 else NORMAL, a, b)
    for value in range(40):
        variables[0].value = value
        plan = planner.plan(variables[0])
        for _ in range(3):
            for constraint in plan:
                constraint.recalculate()


# ---- json, templates ----------------------------------------------------------------------------

TREE = {"key%d" % i: [i, None, True, 1.5, "text " * (i % 5), {"n": {"m": [i]}}] for i in range(12)}


def json_dumps():
    for _ in range(40):
        json.dumps(TREE)
        for i in range(20):
            json.dumps({"a": i, "b": [1, 2, 3]})
            json.dumps("text")
            json.dumps([i])
    json.dumps(TREE, indent=1, sort_keys=True)


class Text:
    def __init__(self, text):
        self.text = text

    def render(self, context):
        return self.text


class Value:
    def __init__(self, expression):
        self.path, _, names = expression.partition("|")
        self.filters = [FILTERS[name] for name in names.split("|") if name]

    def resolve(self, context):
        value = context
        for part in self.path.split("."):
            try:
                value = value[part]
            except (KeyError, TypeError):
                value = getattr(value, part, "")
        for filter in self.filters:
            value = filter(value)
        return value

    def render(self, context):
        return escape(str(self.resolve(context)))


class For:
    def __init__(self, name, value, body):
        self.name, self.value, self.body = name, value, body

    def render(self, context):
        inner, out = dict(context), []
        for item in self.value.resolve(context):
            inner[self.name] = item
            for node in self.body:
                out.append(node.render(inner))
        return "".join(out)


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


FILTERS = {"upper": lambda v: str(v).upper(), "length": len, "title": lambda v: str(v).title()}


def templates():
    row = [Text("<tr>")]
    for name in ("row.id", "row.name|upper", "row.note|title", "row.tags|length"):
        row += [Text("<td>"), Value(name), Text("</td>")]
    page = For("row", Value("rows"), row + [Text("</tr>\n")])
    rows = [{"id": i, "name": "name %d" % i, "note": "a < b & c", "tags": [1] * (i % 4)} for i in range(150)]
    for _ in range(20):
        page.render({"rows": rows})


PROGRAMS = [richards, deltablue, json_dumps, templates, fib]
