"""A small pack in a temporary folder, to be broken one piece at a time."""

from __future__ import annotations

from pathlib import Path

from gatehouse.law.check import check
from gatehouse.law.reading import load
from gatehouse.law.signing import sign
from gatehouse.law.template import write_template
from gatehouse.ledger.signers import Signer, new_key, parse_signer

LAW = "law/statute.toml"


def small(folder: Path) -> Path:
    """The first pack that counsel begins with: four rules, five examples, two properties."""
    write_template(folder, "us.example.one")
    return folder


def change(folder: Path, name: str, old: str, new: str) -> None:
    """Replace a piece of one file; the piece must be there."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text, (name, old)
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def append(folder: Path, name: str, text: str) -> None:
    """Add text to a file, which is made if it is not there."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(before + text, encoding="utf-8")


def rule(**given: object) -> str:
    """One more rule as TOML, with sound values for what is not given."""
    base: dict[str, object] = {
        "id": "another",
        "effect": "require",
        "otherwise": "refuse",
        "code": "AUTHORITY",
        "when": "signature_valid",
        "cite": "§ 9",
        "paraphrase": "…",
        "say": "No.",
        "note": "No.",
    }
    kept = {key: value for key, value in (base | given).items() if value is not None}
    lines = [f"{key} = {value}" if isinstance(value, list) else f'{key} = "{value}"' for key, value in kept.items()]
    return "\n[[rule]]\n" + "\n".join(lines).replace("'", "'") + "\n"


def order(name: str, begins: str, *rules: str, ends: str = "") -> str:
    """An order's file."""
    ending = f"ends = {ends}\n" if ends else ""
    source = f'[source]\nid = "{name}"\ntitle = "An order"\nkind = "order"\ncite = "Court, {begins}"\n'
    return source + f'made = {begins}\nfrom = {begins}\ncertainty = "uncertain"\n{ending}' + "".join(rules)


def key(name: str) -> Signer:
    """A new key."""
    return parse_signer(new_key(name)[0])


def signed(folder: Path, *signers: Signer) -> Path:
    """Check a pack and have it signed."""
    report = check(load(folder))
    for signer in signers:
        sign(report, signer)
    return folder
