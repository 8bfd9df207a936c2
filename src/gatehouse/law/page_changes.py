"""What changed between two versions of a pack, for its page: by rule, property, list entry and item."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping

from gatehouse.law.explain import sentence
from gatehouse.law.pack import Pack, Rule


def changes(pack: Pack, before: Pack | None) -> Iterable[str]:
    """The authors' notes on each version, and a comparison with the version before where there is one."""
    yield "<section aria-labelledby='changed'><h2 id='changed'>What changed</h2>"
    for version, says in pack.changes:
        yield f"<p><strong>{_escaped(version)}</strong>: {_escaped(says)}</p>"
    if before is None:
        yield "<p class='soft'>No earlier version was given to compare with.</p></section>"
        return
    yield f"<p>Compared with version {_escaped(before.version)}:</p><p class='digest'>SHA-256 {before.digest}</p>"
    found = [
        *_compared("rule", _rules(before), _rules(pack)),
        *_compared("sentence to prove", _properties(before), _properties(pack)),
        *_compared("entry of a list", _entries(before), _entries(pack)),
        *_compared("item", {k: {"meaning": v} for k, v in before.items.items()}, _items(pack)),
        *_compared("source", _sources(before), _sources(pack)),
    ]
    if not found:
        yield "<p>Nothing that decides or is told: rules, proofs, lists, items and sources are the same.</p>"
    else:
        yield "<div class='scroll'><table><thead><tr><th scope='col'>What</th><th scope='col'>Before and now</th></tr>"
        yield f"</thead><tbody>{''.join(found)}</tbody></table></div>"
    yield "</section>"


Texts = Mapping[str, Mapping[str, str]]


def _escaped(text: object) -> str:
    return html.escape(str(text))


def _rules(pack: Pack) -> Texts:
    return {rule.id: _rule(rule) for rule in pack.rules}


def _rule(rule: Rule) -> Mapping[str, str]:
    return {
        "does": f"{sentence(rule)}: {rule.text}",
        "code": str(rule.code),
        "citation": rule.cite,
        "text": rule.quote,
        "known": str(rule.certainty),
        "told to the requester": rule.say,
        "for the custodian": rule.note,
        "in force": f"from {rule.begins}{f' until {rule.until}' if rule.until else ''}",
        "forgives": "; ".join(f"{name}: {reason}" for name, reason in rule.ignores.items()),
    }


def _properties(pack: Pack) -> Texts:
    return {
        each.id: {"says": each.says, "holds": each.text, "stretch": f"{each.begins or ''} to {each.until or ''}"}
        for each in pack.properties
    }


def _entries(pack: Pack) -> Texts:
    return {
        f"{listed.name}: {entry}": {"meaning": says}
        for listed in pack.lists.values()
        for entry, says in listed.entries.items()
    }


def _items(pack: Pack) -> Texts:
    return {name: {"meaning": says} for name, says in pack.items.items()}


def _sources(pack: Pack) -> Texts:
    return {
        each.id: {"title": each.title, "citation": each.cite, "note": each.note, "known": str(each.certainty)}
        for each in pack.instruments
    }


def _compared(what: str, old: Texts, new: Texts) -> Iterable[str]:
    for name in sorted(old.keys() | new.keys()):
        shown = f"<a href='#{_escaped(name)}'>{_escaped(name)}</a>" if what == "rule" else _escaped(name)
        label = f"{what} {shown}"
        if name not in old:
            yield f"<tr><td>New {label}</td><td>{_lines(new[name], 'ins')}</td></tr>"
        elif name not in new:
            yield f"<tr><td>Gone: {what} {_escaped(name)}</td><td>{_lines(old[name], 'del')}</td></tr>"
        else:
            differs = [key for key in new[name] if new[name][key] != old[name].get(key, "")]
            lines = "<br>".join(
                f"{key}: <del>{_escaped(old[name].get(key, ''))}</del> → <ins>{_escaped(new[name][key])}</ins>"
                for key in differs
            )
            if differs:
                yield f"<tr><td>Changed {label}</td><td>{lines}</td></tr>"


def _lines(texts: Mapping[str, str], tag: str) -> str:
    return "<br>".join(f"{key}: <{tag}>{_escaped(value)}</{tag}>" for key, value in texts.items() if value)
