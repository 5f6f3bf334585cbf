# SPDX-License-Identifier: MIT
"""What speedscope makes of formats that are not its own: what it saves has our numbers."""

import collections

import pytest
from test_clients_callgrind import names as callgrind_names
from test_clients_chrome import label, timeline
from test_clients_perfscript import symbol, thread_name

pytest_plugins = ["exported"]

FORMATS = ["chrome", "cpuprofile", "perfscript", "callgrind"]
# of a file without samples it says that it knows no such format, whichever it is
WITHOUT_CASES = {"nothing", "empty"}


@pytest.fixture(scope="session")
def understood(speedscope, exports, request):
    """understood(case, format): all files are shown to one browser, once."""
    wanted = {(item.callspec.params["case"], form) for item in request.session.items
              if "understood" in getattr(item, "fixturenames", ()) for form in FORMATS}
    paths = {(case, form): exports(case, form, "-p") for case, form in sorted(wanted)}
    said = speedscope(paths.values())

    def look(case, form):
        one = said[str(paths[case, form])]
        assert not one["faults"]
        return one["saved"]
    return look


def weights(saved, profile):
    """{frame name: [self, total]} of a profile, a frame counting once however deep it recurses."""
    frames = [frame["name"] for frame in saved["shared"]["frames"]]
    sums = collections.defaultdict(lambda: [0, 0])
    stack, since = [], 0
    assert profile["type"] == "evented"
    for event in profile["events"]:
        if stack and event["at"] > since:
            sums[stack[-1]][0] += event["at"] - since
            for name in set(stack):
                sums[name][1] += event["at"] - since
        since = event["at"]
        if event["type"] == "O":
            stack.append(frames[event["frame"]])
        else:
            assert stack.pop() == frames[event["frame"]]
    assert not stack
    return dict(sums)


def times(truth, row, key):
    """The same of our samples: each lasts as the timeline has it."""
    sums = collections.defaultdict(lambda: [0, 0])
    for begin, end, sample in timeline(truth, row):
        keys = [key(frame) for frame in sample.stack]
        sums[keys[-1]][0] += end - begin
        for one in set(keys):
            sums[one][1] += end - begin
    return {name: pair for name, pair in sums.items() if pair[1]}


@pytest.fixture
def shown(case, understood):
    return lambda form: understood(case, form)


def test_chrome(shown, truth):
    saved = shown("chrome")
    rows = sorted({sample.thread for sample in truth.samples})
    assert len(saved["profiles"]) == len(rows)
    found = sorted(sorted(weights(saved, one).items()) for one in saved["profiles"])
    wanted = sorted(sorted(times(truth, row, lambda frame: label(frame[0])).items())
                    for row in rows)
    assert found == wanted


def test_cpuprofile(shown, truth):
    saved = shown("cpuprofile")
    found = weights(saved, saved["profiles"][0])
    wanted = times(truth, truth.busiest_thread(), lambda frame: frame[0].name or "?")
    # V8's name for no stack: it leaves that out, and whatever calls it
    hidden = wanted.pop("(idle)", [0, 0])[1]
    for name, (own, total) in wanted.items():
        assert own - hidden <= found[name][0] <= own and total - hidden <= found[name][1] <= total
    assert set(found) == set(wanted)


def test_perfscript(shown, truth):
    """It goes by times: from the first sample of a thread to its last."""
    saved = shown("perfscript")
    rows = {sample.thread for sample in truth.samples}
    assert len(saved["profiles"]) == len(rows)
    for profile in saved["profiles"]:
        row = next(row for row in rows if profile["name"].startswith(
            thread_name(truth.threads[row]["name"]) + " ") and (
                not truth.threads[row]["tid"] or
                profile["name"].endswith(f"tid: {truth.threads[row]['tid']}")))
        samples = truth.of_thread(row)
        found = weights(saved, profile)
        assert set(found) <= {symbol(frame) for sample in samples for frame in sample.stack}
        if len(samples) > 1 and samples[0].time_ns:
            seconds = (samples[-1].time_ns - samples[0].time_ns) / 1e9
            assert sum(own for own, _ in found.values()) == pytest.approx(seconds, abs=1e-5)


def test_callgrind(case, shown, truth):
    saved = shown("callgrind")
    found = weights(saved, saved["profiles"][0])
    assert sum(own for own, _ in found.values()) == pytest.approx(truth.total)
    if case in ("recursion", "hostile"):
        return  # it cuts cycles, and has its own idea of names such as (2)
    name = callgrind_names(truth)
    sums = truth.self_and_total(lambda frame: name(frame).rsplit(":", 1)[1])
    for one, (own, _) in sums.items():
        # it leaves out calls of less than a ten-thousandth
        assert found.get(one, [0])[0] == pytest.approx(own, abs=truth.total / 10000), one
