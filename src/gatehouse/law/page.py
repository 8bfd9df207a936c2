"""A pack as one self-contained page, for the fact-check of a legal department: every rule in words, with citation,
dates, certainty, examples that fire and that do not, the proofs, and what changed since the last version.

The page loads nothing from anywhere, needs no script, reads aloud in order, and prints.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

from gatehouse.kernel import files
from gatehouse.law import examples
from gatehouse.law.evaluate import Decision
from gatehouse.law.examples import Failure
from gatehouse.law.explain import sentence
from gatehouse.law.language import AS_OF, field_names
from gatehouse.law.pack import Certainty, Effect, Instrument, Pack, Rule
from gatehouse.law.page_changes import changes
from gatehouse.law.prove import Verdict
from gatehouse.law.texts import marked
from gatehouse.law.timeline import CERTAIN, change_days, ordered
from gatehouse.law.words import Words, in_words

_STYLE = Path(__file__).with_name("page.css")
_DOUBTFUL = (Certainty.UNCERTAIN, Certainty.MEMORY, Certainty.INFERENCE, Certainty.SECONDARY)


def write_page(pack: Pack, out: Path, verdicts: Sequence[Verdict], before: Pack | None = None) -> Path:
    """Write `index.html` below `out`; returns its path. `before` is the version before, for what changed."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "index.html"
    files.write(path, "\n".join(_page(pack, verdicts, before)).encode())
    return path


def escaped(text: object) -> str:
    """Text as HTML."""
    return html.escape(str(text))


def _page(pack: Pack, verdicts: Sequence[Verdict], before: Pack | None) -> Iterable[str]:
    decisions, failures = examples.run(pack)
    yield "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
    yield "<meta name='viewport' content='width=device-width, initial-scale=1'>"
    yield f"<title>{escaped(pack.title)}</title><style>{_STYLE.read_text(encoding='utf-8')}</style></head><body>"
    yield "<a class='skip' href='#law'>To the law</a>"
    yield from _head(pack, verdicts, len(failures))
    yield "<div class='sheet'>"
    yield from _contents(pack)
    yield "<main id='law'><p>Without a rule that permits, nothing is disclosed. A fact that is missing can only make "
    yield "an answer stricter. The words below each rule explain its condition; the condition itself decides.</p>"
    yield from _doubts(pack, failures)
    yield from changes(pack, before)
    yield from _calendar(pack)
    for instrument in ordered(pack):
        yield from _instrument(pack, instrument, decisions, verdicts)
    yield from _proofs(pack, verdicts)
    yield from _lists(pack)
    yield from _facts(pack)
    yield f"<footer>Made from the pack whose digest is {pack.digest}. All requests in examples are invented.</footer>"
    yield "</main></div></body></html>"


def _head(pack: Pack, verdicts: Sequence[Verdict], failures: int) -> Iterable[str]:
    proved = sum(verdict.status == "proved" for verdict in verdicts)
    total = len(pack.examples)
    shown = {
        "Version": pack.version,
        "Rules": len(pack.rules),
        "Sources": len(pack.instruments),
        "Examples that decide as written": f"{total - failures} of {total}",
        "Sentences proved": f"{proved} of {len(pack.properties)}" if verdicts else "not tried for this page",
    }
    yield f"<header><div><p class='eyebrow'>Law as data · {escaped(pack.id)}</p><h1>{escaped(pack.title)}</h1>"
    yield f"<p>{escaped(pack.says)}</p><dl class='facts'>"
    short = {"Examples that decide as written": failures > 0, "Sentences proved": proved < len(verdicts)}
    for name, value in shown.items():
        yield f"<div><dt>{name}</dt><dd{' class=stop' if short.get(name) else ''}>{escaped(value)}</dd></div>"
    yield f"</dl><p class='digest'>SHA-256 {pack.digest}</p></div></header>"


def _contents(pack: Pack) -> Iterable[str]:
    yield "<nav aria-label='Contents'><p class='label'>Contents</p><ol>"
    yield "<li><a href='#check'>What to check first</a></li>"
    yield "<li><a href='#changed'>What changed</a></li><li><a href='#calendar'>When this law changes</a></li>"
    for instrument in ordered(pack):
        yield f"<li><a href='#{escaped(instrument.id)}'>{escaped(instrument.cite)}</a></li>"
    yield "<li><a href='#proofs'>What was proved</a></li>"
    if pack.lists:
        yield "<li><a href='#lists'>Lists</a></li>"
    yield "<li><a href='#words'>Words used in conditions</a></li></ol></nav>"


def _doubts(pack: Pack, failures: Sequence[Failure]) -> Iterable[str]:
    """Where a fact-check begins: everything that was not read in the original, the least certain first."""
    yield "<section aria-labelledby='check'><h2 id='check'>What to check first</h2>"
    for failure in failures:
        title = f"The example “{failure.example.title}” does not decide as written"
        yield f"<p class='broken'>{escaped(title)}: {escaped(failure.says)}.</p>"
    doubtful = [(mark, [rule for rule in pack.rules if rule.certainty is mark]) for mark in _DOUBTFUL]
    if not any(rules for _, rules in doubtful):
        yield "<p>Every rule was read in the original.</p></section>"
        return
    known = sum(rule.certainty is Certainty.PRIMARY for rule in pack.rules)
    yield f"<p>{known} of {len(pack.rules)} rules rest on a text that was read in the original. The others do not:</p>"
    yield "<div class='scroll'><table><thead><tr><th scope='col'>How it is known</th>"
    yield "<th scope='col'>Rules</th></tr></thead><tbody>"
    for mark, rules in doubtful:
        if rules:
            links = ", ".join(f"<a href='#{escaped(rule.id)}'>{escaped(rule.id)}</a>" for rule in rules)
            yield f"<tr><td>{CERTAIN[mark].capitalize()}</td><td>{links}</td></tr>"
    yield "</tbody></table></div></section>"


def _calendar(pack: Pack) -> Iterable[str]:
    yield "<section aria-labelledby='calendar'><h2 id='calendar'>When this law changes</h2>"
    yield "<div class='scroll'><table><thead><tr><th scope='col'>Day</th><th scope='col'>What begins or ends</th></tr>"
    yield "</thead><tbody>"
    for day in change_days(pack):
        begun = sorted({rule.instrument.cite for rule in pack.rules if rule.begins == day})
        ended = sorted({rule.instrument.cite for rule in pack.rules if rule.until == day})
        parts = [*([f"Begins: {'; '.join(begun)}"] if begun else []), *([f"Ends: {'; '.join(ended)}"] if ended else [])]
        yield f"<tr><td class='day'>{day}</td><td>{'<br>'.join(map(escaped, parts))}</td></tr>"
    yield "</tbody></table></div></section>"


def _instrument(
    pack: Pack, instrument: Instrument, decisions: Sequence[Decision], verdicts: Sequence[Verdict]
) -> Iterable[str]:
    name = escaped(instrument.id)
    until = f" until {instrument.until}" if instrument.until else ""
    yield f"<section aria-labelledby='{name}'><p class='eyebrow' style='margin-top:3.5rem'>{instrument.kind}</p>"
    yield f"<h2 id='{name}' style='margin-top:0'>{escaped(instrument.title)}</h2>"
    yield f"<p>{escaped(instrument.cite)}. Made {instrument.made}, in force from {instrument.begins}{until}. "
    yield f"{_badge(instrument.certainty)}</p>"
    if instrument.url.startswith("https://"):
        yield f"<p class='soft'><a href='{escaped(instrument.url)}'>{escaped(instrument.url)}</a></p>"
    if instrument.note:
        yield f"<p class='soft'>{escaped(instrument.note)}</p>"
    for rule in sorted((each for each in pack.rules if each.instrument is instrument), key=lambda each: each.line):
        yield from _rule(pack, rule, decisions, verdicts)
    yield "</section>"


def _badge(certainty: Certainty) -> str:
    tone = "sure" if certainty is Certainty.PRIMARY else "doubt"
    return f"<span class='badge {tone}'>{CERTAIN[certainty]}</span>"


def _official(pack: Pack, rule: Rule) -> Iterable[str]:
    """The provisions that a rule names, with its quote marked."""
    for name in rule.provisions:
        yield f"<details><summary>Official text, <code>{escaped(name)}</code></summary>"
        for _, pieces in marked(pack.provision(name), rule.quote if rule.exact else ""):
            words = (f"<mark>{escaped(piece)}</mark>" if quoted else escaped(piece) for piece, quoted in pieces)
            yield f"<p>{''.join(words)}</p>"
        yield "</details>"


_DOES = {"held": "holds", "incomplete": "returns", "refused": "refuses", "grant": "permits", "limit": "cuts"}


def _rule(pack: Pack, rule: Rule, decisions: Sequence[Decision], verdicts: Sequence[Verdict]) -> Iterable[str]:
    name, tone = escaped(rule.id), rule.effect.value if rule.outcome == "cleared" else rule.outcome
    yield f"<article id='{name}' class='{tone}' aria-labelledby='{name}-cite'><div class='head'>"
    yield f"<h3 id='{name}-cite'>{escaped(rule.cite)}</h3><span class='badge'>{_DOES[tone]}</span></div>"
    yield f"<p class='ids'>rule <a href='#{name}'>{name}</a> · {_badge(rule.certainty)}</p>"
    said = f"“{escaped(rule.quote)}”" if rule.exact else f"In other words: {escaped(rule.quote)}"
    yield f"<blockquote{'' if rule.exact else ' class=other'}>{said}</blockquote>"
    yield from _official(pack, rule)
    yield f"<p class='does'>{escaped(sentence(rule))}</p><ul class='words'>{_listed(in_words(rule.when, pack.fields))}"
    yield f"</ul><pre><code>{escaped(rule.text)}</code></pre><dl class='told'>"
    yield f"<dt>Told to the requester</dt><dd>{escaped(rule.say)} <span class='soft'>({rule.code})</span></dd>"
    yield f"<dt>For the custodian</dt><dd>{escaped(rule.note)}</dd>"
    if rule.begins != rule.instrument.begins or rule.until != rule.instrument.until:
        yield f"<dt>In force</dt><dd>from {rule.begins}{f' until {rule.until}' if rule.until else ''}</dd>"
    for fact, reason in rule.ignores.items():
        yield f"<dt>If <code>{escaped(fact)}</code> is missing</dt><dd>it is forgiven: {escaped(reason)}</dd>"
    yield from _shown_by(pack, rule, decisions)
    yield from _proved_by(pack, rule, verdicts)
    yield "</dl></article>"


def _listed(words: Words) -> str:
    inner = f"<ul>{''.join(map(_listed, words.parts))}</ul>" if words.parts else ""
    return f"<li>{escaped(words.text)}{':' if words.parts else ''}{inner}</li>"


def _shown_by(pack: Pack, rule: Rule, decisions: Sequence[Decision]) -> Iterable[str]:
    """An example in which the rule does its work, and one on a day in force in which it does not."""
    pairs = list(zip(pack.examples, decisions, strict=True))
    live = [(example, decision) for example, decision in pairs if rule.in_force(example.as_of)]
    if rule.effect is Effect.GRANT:
        works = [example for example, decision in live if "no-grant" not in decision.fired]
    else:
        works = [example for example, decision in live if rule.id in decision.fired]
    others = [example for example, _ in live if example not in works]
    for label, found in (("It does its work in", works), ("It does nothing in", others)):
        if found:
            more = f" <span class='soft'>and {len(found) - 1} more</span>" if len(found) > 1 else ""
            yield f"<dt>{label}</dt><dd>“{escaped(found[0].title)}” ({found[0].as_of}){more}</dd>"


def _proved_by(pack: Pack, rule: Rule, verdicts: Sequence[Verdict]) -> Iterable[str]:
    """The properties that speak of the same facts, with their status."""
    status = {verdict.id: verdict.status for verdict in verdicts}
    read = field_names(rule.when) - {AS_OF.name}
    about = [each for each in pack.properties if read & field_names(each.holds)]
    if about:
        links = ", ".join(
            f"<a href='#p-{escaped(each.id)}'>{escaped(each.id)}</a> {_status(status.get(each.id))}" for each in about
        )
        yield f"<dt>Proofs about its facts</dt><dd>{links}</dd>"


def _status(status: str | None) -> str:
    return f"<span class='{status or 'soft'}'>{status or 'not tried'}</span>"


def _proofs(pack: Pack, verdicts: Sequence[Verdict]) -> Iterable[str]:
    status = {verdict.id: verdict.status for verdict in verdicts}
    yield "<section aria-labelledby='proofs'><h2 id='proofs'>What was proved</h2>"
    yield "<p>Over every request and every date from 1900 to 2199, about the rules given their facts. Whether "
    yield "the facts are true of the world is the work of intake, matching and people.</p>"
    if pack.assumptions:
        assumed = "; ".join(escaped(says) for says, _ in pack.assumptions)
        yield f"<p>Assumed of the facts, and checked on every batch: {assumed}.</p>"
    yield "<div class='scroll'><table><thead><tr><th scope='col'>Sentence</th><th scope='col'>Kind</th>"
    yield "<th scope='col'>Status</th></tr></thead><tbody>"
    for each in pack.properties:
        stretch = f" from {each.begins}" if each.begins else ""
        stretch += f" until {each.until}" if each.until else ""
        kind = "always" if each.safety else "possible"
        yield f"<tr id='p-{escaped(each.id)}'><td>{escaped(each.says)}<br><code>{escaped(each.text)}</code></td>"
        yield f"<td>{kind}{stretch}</td><td>{_status(status.get(each.id))}</td></tr>"
    yield "</tbody></table></div></section>"


def _lists(pack: Pack) -> Iterable[str]:
    if not pack.lists:
        return
    yield "<section aria-labelledby='lists'><h2 id='lists'>Lists</h2>"
    for listed in pack.lists.values():
        yield f"<h3 style='margin-top:1.6rem'>{escaped(listed.name)}</h3><p class='soft'>{escaped(listed.source)} "
        yield f"{_badge(listed.certainty)}</p><div class='scroll'><table><thead><tr><th scope='col'>Entry</th>"
        yield "<th scope='col'>Meaning</th></tr></thead><tbody>"
        for entry, says in listed.entries.items():
            yield f"<tr><td>{escaped(entry)}</td><td>{escaped(says)}</td></tr>"
        yield "</tbody></table></div>"
    yield "</section>"


def _facts(pack: Pack) -> Iterable[str]:
    yield "<section aria-labelledby='words'><h2 id='words'>Words used in conditions</h2>"
    yield "<div class='scroll'><table><thead><tr><th scope='col'>Word</th><th scope='col'>Meaning</th></tr></thead>"
    yield "<tbody>"
    for name, text in pack.terms.items():
        yield f"<tr><td><code>{escaped(name)}</code></td><td>stands for <code>{escaped(text)}</code></td></tr>"
    for declared in pack.fields.values():
        values = f" ({', '.join(declared.values)})" if declared.values else ""
        yield f"<tr><td><code>{escaped(declared.name)}</code></td><td>{escaped(declared.says + values)}</td></tr>"
    yield "</tbody></table></div></section>"
