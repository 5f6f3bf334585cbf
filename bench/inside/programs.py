# SPDX-License-Identifier: MIT
"""Programs of the kinds that pyperformance has, written for this: each works for a while and returns
a number that must always be the same. Runs on 3.8."""

import json

# ---- tasks: small objects that call each other through a scheduler (as richards) -----------------


class Packet:
    def __init__(self, kind, number):
        self.kind, self.number, self.hops = kind, number, 0


class Task:
    def __init__(self, scheduler, name):
        self.scheduler, self.name, self.queue, self.handled = scheduler, name, [], 0

    def accept(self, packet):
        packet.hops += 1
        self.queue.append(packet)

    def ready(self):
        return bool(self.queue)

    def run(self):
        packet = self.queue.pop(0)
        self.handled += 1
        target = self.route(packet)
        if target is not None:
            self.scheduler.send(target, packet)

    def route(self, packet):
        raise NotImplementedError


class Device(Task):
    def route(self, packet):
        return "worker" if packet.hops < 20 else None


class Worker(Task):
    def route(self, packet):
        return "device" if (packet.number + packet.hops) % 3 else "handler"


class Handler(Task):
    def route(self, packet):
        return "device" if packet.kind == "data" else "worker"


class Scheduler:
    def __init__(self):
        kinds = (("device", Device), ("worker", Worker), ("handler", Handler))
        self.tasks = {name: make(self, name) for name, make in kinds}

    def send(self, name, packet):
        self.tasks[name].accept(packet)

    def loop(self):
        turns = 0
        while True:
            ready = [t for t in self.tasks.values() if t.ready()]
            if not ready:
                return turns
            for task in ready:
                task.run()
                turns += 1


def tasks(times):
    total = 0
    for _ in range(times):
        scheduler = Scheduler()
        for n in range(40):
            scheduler.send("device", Packet("data" if n % 2 else "control", n))
        total += scheduler.loop()
    return total


# ---- constraints: values that follow each other along a chain (as deltablue) ----------------------


class Variable:
    def __init__(self, value):
        self.value, self.constraints, self.stamp = value, [], 0


class Constraint:
    def __init__(self, source, target):
        self.source, self.target = source, target
        source.constraints.append(self)

    def satisfy(self, stamp):
        if self.target.stamp == stamp:
            return False
        self.target.stamp = stamp
        self.execute()
        return True

    def execute(self):
        self.target.value = self.source.value


class Scale(Constraint):
    def __init__(self, source, target, factor, offset):
        Constraint.__init__(self, source, target)
        self.factor, self.offset = factor, offset

    def execute(self):
        self.target.value = (self.source.value * self.factor + self.offset) % 1000003


def propagate(variable, stamp):
    todo, done = [variable], 0
    while todo:
        for constraint in todo.pop().constraints:
            if constraint.satisfy(stamp):
                done += 1
                todo.append(constraint.target)
    return done


def constraints(times):
    variables = [Variable(n) for n in range(200)]
    for a, b in zip(variables, variables[1:]):
        Scale(a, b, 7, 3) if (a.value % 2) else Constraint(a, b)
    total = 0
    for i in range(times):
        variables[0].value = i
        total += propagate(variables[0], i + 1) + variables[-1].value
    return total


# ---- JSON: C code that is called now and then ------------------------------------------------------


def dumps(times):
    small = {"a": 1, "b": [1.5, None, True], "text": "caf\u00e9 " * 4}
    large = {"rows": [dict(small, id=n, tags=["x", "y", str(n)]) for n in range(100)]}
    return sum(len(json.dumps(large, sort_keys=bool(i % 2))) for i in range(times))


# ---- templates: text, generators, attribute look-up (as a template engine) --------------------------


class Node:
    def render(self, context):
        raise NotImplementedError


class Text(Node):
    def __init__(self, text):
        self.text = text

    def render(self, context):
        yield self.text


class Value(Node):
    def __init__(self, path):
        self.path = path.split(".")

    def render(self, context):
        value = context
        for part in self.path:
            value = value[part] if isinstance(value, dict) else getattr(value, part)
        yield str(value).replace("&", "&amp;").replace("<", "&lt;")


class Loop(Node):
    def __init__(self, name, path, body):
        self.name, self.path, self.body = name, path, body

    def render(self, context):
        for item in context[self.path]:
            inner = dict(context)
            inner[self.name] = item
            for node in self.body:
                for text in node.render(inner):
                    yield text


def templates(times):
    page = [Text("<table>"),
            Loop("row", "rows", [Text("<tr><td>"), Value("row.name"), Text("</td><td>"),
                                 Value("row.price"), Text("</td></tr>")]),
            Text("</table>"), Value("footer")]  # fmt: skip
    rows = [{"name": "item <%d>" % n, "price": n * 1.25} for n in range(50)]
    context = {"rows": rows, "footer": "a & b"}
    return sum(
        len("".join(text for node in page for text in node.render(context))) for _ in range(times)
    )


PROGRAMS = {"tasks": tasks, "constraints": constraints, "dumps": dumps, "templates": templates}
