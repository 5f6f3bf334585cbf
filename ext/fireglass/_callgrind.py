# SPDX-License-Identifier: MIT
"""What was traced, in callgrind's text: exact calls, for kcachegrind and callgrind_annotate.

    events: Wall_ns CPU_ns         CPU_ns only if it was measured
    fl=(1) /srv/app/views.py
    fn=(2) View.get
    40 1200                        self time, at the function's first line
    cfi=(3) /srv/app/page.py
    cfn=(4) render
    calls=800 12                   exact
    40 5600                        inclusive time of these calls

What readers show as the total of a function is the cost of all calls to it. So that a recursive one
is not counted several times, its inner calls are there at no cost. Each thread is a function, too, that
calls its roots.
"""

from . import _trace_data

NO_FILE = "???"


class Edge:
    __slots__ = ("calls", "wall_ns", "cpu_ns")

    def __init__(self):
        self.calls = self.wall_ns = self.cpu_ns = 0


class Writer:
    def __init__(self, trees, cpu):
        self.trees, self.cpu = trees, cpu
        self.codes = {}  # key: code; of a thread its row
        self.self_times = {}  # key: [wall, cpu]
        self.edges = {}  # key of caller: {key of callee: Edge}
        self.ids = {"fl": {}, "fn": {}}
        self.lines = []

    def collect(self):
        subtree_cpu = [node.self_cpu_ns for node in self.trees.nodes]
        for row in range(len(subtree_cpu) - 1, -1, -1):
            parent = self.trees.nodes[row].parent
            if parent >= 0:
                subtree_cpu[parent] += subtree_cpu[row]
        for row, above in self.trees.paths():
            node = self.trees.nodes[row]
            key = _trace_data.key_of(node.code)
            caller = self._caller(node)
            self.codes[key] = node.code
            own = self.self_times.setdefault(key, [0, 0])
            own[0] += node.self_ns
            own[1] += node.self_cpu_ns
            edge = self.edges.setdefault(caller, {}).setdefault(key, Edge())
            edge.calls += node.calls
            if key not in above:
                edge.wall_ns += node.total_ns
                edge.cpu_ns += subtree_cpu[row]

    def _caller(self, node):
        if node.parent >= 0:
            return _trace_data.key_of(self.trees.nodes[node.parent].code)
        key = ("thread", node.thread)
        self.codes[key] = node.thread
        return key

    # ---- names ----

    def _labels(self):
        """{key: (file, name, line)}; those that share file and name have their lines added."""
        labels, shared = {}, {}
        for key, code in self.codes.items():
            labels[key] = self._label(key, code)
            shared.setdefault(labels[key][:2], []).append(key)
        for keys in shared.values():
            for key in keys if len(keys) > 1 else ():
                file, name, line = labels[key]
                labels[key] = (file, "%s:%d" % (name, line), line)
        return labels

    def _label(self, key, code):
        if isinstance(key, tuple):
            tid, name = self.trees.threads[code]
            return NO_FILE, _line_text("thread %s %s" % (name, tid or code)), 0
        file, line = _trace_data.place_of(code)
        return _line_text(file) or NO_FILE, _line_text(_trace_data.name_of(code)), line

    def _name(self, kind, prefix, text, file=None):
        """`prefix=(7) text` the first time, `prefix=(7)` afterwards. A function's number is one of
        its file: readers take both from it."""
        ids = self.ids[kind]
        known = (file, text) in ids
        number = ids.setdefault((file, text), len(ids) + 1)
        self.lines.append("%s=(%d)%s" % (prefix, number, "" if known else " " + text))

    # ---- text ----

    def _costs(self, wall_ns, cpu_ns):
        return "%d %d" % (wall_ns, cpu_ns) if self.cpu else "%d" % wall_ns

    def write(self):
        self.collect()
        labels = self._labels()
        totals = [sum(times[i] for times in self.self_times.values()) for i in (0, 1)]
        self.lines += [
            "# callgrind format",
            "version: 1",
            "creator: fireglass",
            "positions: line",
            "events: Wall_ns CPU_ns" if self.cpu else "events: Wall_ns",
            "summary: " + self._costs(*totals),
        ]
        for key, (file, name, line) in labels.items():
            self.lines.append("")
            self._name("fl", "fl", file)
            self._name("fn", "fn", name, file)
            if key in self.self_times:
                self.lines.append("%d %s" % (line, self._costs(*self.self_times[key])))
            for callee, edge in self.edges.get(key, {}).items():
                self._put_calls(line, labels[callee], edge)
        return "\n".join(self.lines) + "\n"

    def _put_calls(self, line, callee, edge):
        file, name, first_line = callee
        self._name("fl", "cfi", file)
        self._name("fn", "cfn", name, file)
        self.lines.append("calls=%d %d" % (edge.calls, first_line))
        self.lines.append("%d %s" % (line, self._costs(edge.wall_ns, edge.cpu_ns)))


def _line_text(text):
    """A line can hold it."""
    return "".join(c if c.isprintable() else "\\x%02x" % ord(c) for c in text).strip()


def make(trees, cpu=False):
    """The text."""
    return Writer(trees, cpu).write()
