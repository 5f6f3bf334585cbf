# SPDX-License-Identifier: MIT
"""The page of the debug endpoints: what was profiled, what goes on, and what can be asked for."""

import html
import time

STYLE = """
:root{color-scheme:light dark}
body{font:15px/1.45 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #8884;
font-variant-numeric:tabular-nums}
td.n,th.n{text-align:right}
form{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:end;margin:1rem 0}
label{display:flex;flex-direction:column;font-size:85%}
input,button{font:inherit;padding:.2rem .4rem}
input[type=number]{width:6rem}
#said{min-height:1.5em}
"""

# The token leaves the address bar at once and is given in a header from then on.
SCRIPT = """
const here = new URL(location.href), token = here.searchParams.get("token");
here.searchParams.delete("token");
history.replaceState(null, "", here);
const base = here.pathname.replace(/\\/$/, "");
const ask = async (method, path) => {
  const said = document.getElementById("said");
  said.textContent = "…";
  const answer = await fetch(base + path, {method, headers: {Authorization: "Bearer " + token}});
  const data = await answer.json();
  said.textContent = data.error || "done; reload to see what has come";
  return answer.ok;
};
document.getElementById("next").onsubmit = (event) => {
  event.preventDefault();
  const words = new URLSearchParams();
  for (const [name, value] of new FormData(event.target)) if (value) words.append(name, value);
  ask("POST", "/api/v1/next?" + words);
};
for (const button of document.querySelectorAll("button[data-ask]"))
  button.onclick = () => ask(...button.dataset.ask.split(" "));
"""

FORM = """
<form id="next">
<label>next<input name="count" type="number" value="100" min="1" max="1000000"></label>
<label>route<input name="route" placeholder="/cart/{id}"></label>
<label>path<input name="path" placeholder="/api/*"></label>
<label>method<input name="method" placeholder="any" size="6"></label>
<label>header<input name="header" placeholder="X-User: 42"></label>
<label>slower than<input name="slower-than" placeholder="200ms" size="8"></label>
<button>Profile them</button>
<button type="button" data-ask="DELETE /api/v1/next">End it</button>
</form>
<p><button data-ask="POST /api/v1/start">Sample all the time</button>
<button data-ask="POST /api/v1/stop">Stop that</button> <span id="said" role="status"></span></p>
"""


def index_page(site, question):
    profiler = site.profiler
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>fireglass</title>',
        '<meta name="viewport" content="width=device-width">',
        "<style>%s</style><h1>fireglass</h1>" % STYLE,
        "<h2>Profile requests</h2>",
        _going_on(profiler),
        FORM,
        "<h2>Slowest of the last %s</h2>" % _time(profiler.recent_options.window_s * 1e9),
        _table(site, question, profiler.slowest()),
        "<h2>Captures</h2>",
        _table(site, question, profiler.store.list()),
        "<script>%s</script></html>\n" % SCRIPT,
    ]
    return "".join(parts).encode("utf-8", "replace")


def _going_on(profiler):
    words = [
        "Samples are taken all the time: %g a second, the last %s are kept."
        % (profiler.recent_options.rate, _time(profiler.recent_options.keep_s * 1e9))
        if profiler.recent
        else "No samples are taken now."
    ]
    campaign = profiler.campaign()
    if campaign:
        words.append(
            "Of %d requests (%s) %d are profiled, %d on their way."
            % (campaign["wanted"], campaign["match"], campaign["done"], campaign["in_flight"])
        )
    return "<p>%s</p>" % html.escape(" ".join(words))


def _table(site, question, abouts):
    if not abouts:
        return "<p>None yet.</p>"
    rows = [_row(site, question, about) for about in abouts]
    return (
        "<table><tr><th>what<th class=n>status<th class=n>took<th>at<th>report%s</table>"
        % "".join(rows)
    )


def _row(site, question, about):
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(about["start_ns"] / 1e9))
    link = html.escape(site.link(about["name"], question.root))
    return (
        "<tr><td>%s<td class=n>%s<td class=n>%s<td>%s"
        '<td><a href="%s">report</a> <a href="%s">.fgc</a>'
        % (
            html.escape(_what(about)),
            about.get("status") or "",
            _time(about["duration_ns"]),
            began,
            link,
            link.replace("format=html", "format=fgc"),
        )
    )


def _what(about):
    if about["kind"] == "next":
        return "%d of %d: %s" % (len(about["requests"]), about["wanted"], about["match"])
    if about["kind"] == "saved":
        return about["name"]
    return "%s %s" % (about["method"], about["route"] or about["path"])


def _time(ns):
    for unit, size in (("h", 3.6e12), ("min", 6e10), ("s", 1e9), ("ms", 1e6)):
        if ns >= size:
            return "%.3g %s" % (ns / size, unit)
    return "%.3g ms" % (ns / 1e6)
