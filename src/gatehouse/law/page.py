"""A pack as one self-contained page, for the fact-check of a legal department: every rule in words, with citation,
dates, certainty, an example that fires and one that does not, the proofs, and what changed since the last version.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

from gatehouse.kernel import files
from gatehouse.law import examples
from gatehouse.law.evaluate import Decision
from gatehouse.law.explain import sentence
from gatehouse.law.pack import Instrument, Pack, Rule
from gatehouse.law.prove import Verdict
from gatehouse.law.timeline import CERTAIN, change_days, ordered

_STYLE = """
:root { color-scheme: light dark; --ink: #1d1d1f; --paper: #fdfdfb; --line: #d8d6cf; --soft: #6b6a65; --mark: #7a4b00; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e9e7e1; --paper: #191917; --line: #45443f; --soft: #a7a59d; --mark: #e6b45e; } }
body { font: 17px/1.55 Georgia, 'Times New Roman', serif; color: var(--ink); background: var(--paper);
       max-width: 46rem; margin: 0 auto; padding: 2rem 1.2rem 6rem; }
h1 { font-size: 1.7rem; line-height: 1.25; }
h2 { font-size: 1.25rem; margin-top: 3rem; border-top: 2px solid; padding-top: .6rem; }
h3 { font-size: 1.05rem; margin: 2rem 0 .2rem; } p { margin: .4rem 0; }
blockquote { margin: .5rem 0 .5rem 1rem; padding-left: .8rem; border-left: 3px solid var(--line); }
code { font: .86em/1.5 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.soft { color: var(--soft); font-size: .92rem; } .mark { color: var(--mark); }
table { border-collapse: collapse; width: 100%; font-size: .95rem; } td, th { text-align: left; vertical-align: top;
       border-bottom: 1px solid var(--line); padding: .35rem .6rem .35rem 0; }
nav a { display: block; } a { color: inherit; }
"""


def write_page(pack: Pack, out: Path, verdicts: Sequence[Verdict], before: Pack | None = None) -> Path:
    """Write `index.html` below `out`; returns its path. `before` is the version before, for what changed."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "index.html"
    files.write(path, "\n".join(_page(pack, verdicts, before)).encode())
    return path


def _escaped(text: object) -> str:
    return html.escape(str(text))


def _page(pack: Pack, verdicts: Sequence[Verdict], before: Pack | None) -> Iterable[str]:
    yield "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
    yield "<meta name='viewport' content='width=device-width, initial-scale=1'>"
    yield f"<title>{_escaped(pack.title)}</title><style>{_STYLE}</style></head><body><main>"
    yield f"<h1>{_escaped(pack.title)}</h1><p>{_escaped(pack.says)}</p>"
    yield f"<p class='soft'>Pack {_escaped(pack.id)}, version {_escaped(pack.version)}; "
    yield f"SHA-256 <code>{pack.digest}</code></p><p>Without a rule that permits, nothing is disclosed. "
    yield "A fact that is missing can only make an answer stricter.</p>"
    yield from _contents(pack)
    yield from _changes(pack, before)
    yield from _calendar(pack)
    decisions, _ = examples.run(pack)
    for instrument in ordered(pack):
        yield from _instrument(pack, instrument, decisions)
    yield from _proofs(pack, verdicts)
    yield from _lists(pack)
    yield from _words(pack)
    yield "</main></body></html>"


def _contents(pack: Pack) -> Iterable[str]:
    yield "<nav aria-label='Contents'><h2>Contents</h2>"
    for instrument in ordered(pack):
        yield f"<a href='#{_escaped(instrument.id)}'>{_escaped(instrument.cite)}: {_escaped(instrument.title)}</a>"
    yield "<a href='#proofs'>What was proved</a><a href='#lists'>Lists</a>"
    yield "<a href='#words'>Words used in conditions</a></nav>"


def _changes(pack: Pack, before: Pack | None) -> Iterable[str]:
    if before is None and not pack.changes:
        return
    yield "<h2>What changed</h2>"
    for version, says in pack.changes:
        yield f"<p><strong>{_escaped(version)}</strong>: {_escaped(says)}</p>"
    if before is None:
        return
    old, new = before.by_id, pack.by_id
    parts = {
        "New rules": sorted(new.keys() - old.keys()),
        "Rules no longer there": sorted(old.keys() - new.keys()),
        "Rules that read differently": sorted(i for i in new.keys() & old.keys() if _facts(new[i]) != _facts(old[i])),
    }
    yield f"<p>Against version {_escaped(before.version)}, compared rule by rule:</p><ul>"
    for name, ids in parts.items():
        links = ", ".join(f"<a href='#{_escaped(i)}'>{_escaped(i)}</a>" for i in ids)
        yield f"<li>{name}: {links or 'none'}</li>"
    yield "</ul>"


def _facts(rule: Rule) -> tuple[object, ...]:
    return (
        rule.effect,
        rule.otherwise,
        rule.code,
        rule.when,
        rule.begins,
        rule.until,
        rule.items,
        rule.say,
        rule.quote,
    )


def _calendar(pack: Pack) -> Iterable[str]:
    yield "<h2>When the law of this pack changes</h2><table><tbody>"
    for day in change_days(pack):
        begun = sorted({rule.instrument.cite for rule in pack.rules if rule.begins == day})
        ended = sorted({rule.instrument.cite for rule in pack.rules if rule.until == day})
        text = "; ".join([*(f"begins: {cite}" for cite in begun), *(f"ends: {cite}" for cite in ended)])
        yield f"<tr><td style='white-space:nowrap'>{day}</td><td>{_escaped(text)}</td></tr>"
    yield "</tbody></table>"


def _instrument(pack: Pack, instrument: Instrument, decisions: Sequence[Decision]) -> Iterable[str]:
    yield f"<h2 id='{_escaped(instrument.id)}'>{_escaped(instrument.title)}</h2>"
    until = f" until {instrument.until}" if instrument.until else ""
    yield f"<p>{_escaped(instrument.cite)}; {instrument.kind}, made {instrument.made}, "
    yield f"in force from {instrument.begins}{until}. "
    yield f"<span class='mark'>{CERTAIN[instrument.certainty].capitalize()}.</span></p>"
    if instrument.url:
        yield f"<p class='soft'><a href='{_escaped(instrument.url)}'>{_escaped(instrument.url)}</a></p>"
    if instrument.note:
        yield f"<p>{_escaped(instrument.note)}</p>"
    rules = [rule for rule in pack.rules if rule.instrument.id == instrument.id]
    for rule in sorted(rules, key=lambda each: each.line):
        yield from _rule(pack, rule, decisions)


def _rule(pack: Pack, rule: Rule, decisions: Sequence[Decision]) -> Iterable[str]:
    yield f"<section id='{_escaped(rule.id)}'><h3>{_escaped(rule.cite)}</h3>"
    yield f"<p class='soft'>{_escaped(rule.id)} · code {rule.code} · "
    yield f"<span class='mark'>{CERTAIN[rule.certainty]}</span></p>"
    said = f"“{_escaped(rule.quote)}”" if rule.exact else f"In other words: {_escaped(rule.quote)}"
    yield f"<blockquote>{said}</blockquote>"
    yield f"<p>{_escaped(sentence(rule))}: <code>{_escaped(rule.text)}</code></p>"
    if rule.begins != rule.instrument.begins or rule.until != rule.instrument.until:
        yield f"<p class='soft'>From {rule.begins}{f' until {rule.until}' if rule.until else ''}</p>"
    yield f"<p><strong>Told to the requester:</strong> {_escaped(rule.say)}</p>"
    yield f"<p><strong>For the custodian:</strong> {_escaped(rule.note)}</p>"
    for name, reason in rule.ignores.items():
        yield f"<p><strong>Forgives the absence of</strong> <code>{_escaped(name)}</code>: {_escaped(reason)}</p>"
    fires = [e.title for e, d in zip(pack.examples, decisions, strict=True) if rule.id in d.fired]
    if fires:
        shown = "; ".join(fires[:3])
        yield f"<p class='soft'>Fires in {len(fires)} of {len(pack.examples)} examples: {_escaped(shown)}</p>"
    yield "</section>"


def _proofs(pack: Pack, verdicts: Sequence[Verdict]) -> Iterable[str]:
    status = {verdict.id: verdict.status for verdict in verdicts}
    yield "<h2 id='proofs'>What was proved</h2><p>Over every request and every date from 1900 to 2199, about the rules "
    yield "given their facts. Whether the facts are true of the world is the work of intake, matching and people.</p>"
    yield "<table><tbody>"
    for each in pack.properties:
        kind = "always" if each.safety else "possible"
        yield f"<tr><td>{_escaped(each.says)}<br><code>{_escaped(each.text)}</code></td>"
        yield f"<td>{kind}</td><td>{_escaped(status.get(each.id, 'not tried'))}</td></tr>"
    yield "</tbody></table>"


def _lists(pack: Pack) -> Iterable[str]:
    yield "<h2 id='lists'>Lists</h2>"
    for listed in pack.lists.values():
        yield f"<h3>{_escaped(listed.name)}</h3><p class='soft'>{_escaped(listed.source)} "
        yield f"<span class='mark'>{CERTAIN[listed.certainty].capitalize()}.</span></p><table><tbody>"
        for entry, says in listed.entries.items():
            yield f"<tr><td>{_escaped(entry)}</td><td>{_escaped(says)}</td></tr>"
        yield "</tbody></table>"


def _words(pack: Pack) -> Iterable[str]:
    yield "<h2 id='words'>Words used in conditions</h2><table><tbody>"
    for name, text in pack.terms.items():
        yield f"<tr><td><code>{_escaped(name)}</code></td><td>means <code>{_escaped(text)}</code></td></tr>"
    for declared in pack.fields.values():
        values = f" ({', '.join(declared.values)})" if declared.values else ""
        yield f"<tr><td><code>{_escaped(declared.name)}</code></td><td>{_escaped(declared.says + values)}</td></tr>"
    yield "</tbody></table>"
