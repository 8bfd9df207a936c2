"""An invented court, counsel and custodian: a draft of the pack in force with one order added, and its text."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path

import house

from gatehouse.ledger.signers import Signer

PACK = "us.irs.6103-i-2"
ORDER = "order-2025-09-01-test"
RULE = "order-2025-09-01-nothing"


@dataclass(frozen=True)
class Court:
    """The offices' keys, and where drafts are written."""

    counsel: Signer
    custodian: Signer


def sit(home: house.House) -> Court:
    """The offices of a site."""
    return Court(*house.offices(home))


def order(
    *,
    begins: dt.date = dt.date(2025, 9, 1),
    until: str = "2025-09-04",
    ends: str = "",
) -> str:
    """The order's file."""
    more = (f"until = {until}\n" if until else "") + (f"ends = {ends}\n" if ends else "")
    return f"""[source]
id = "{ORDER}"
title = "An invented order"
kind = "order"
cite = "D. Test. 1:25-cv-00001"
made = {begins}
from = {begins}
certainty = "primary"
{more}
[[rule]]
id = "{RULE}"
effect = "bar"
otherwise = "refuse"
code = "ORDER"
when = "toward_immigration_agency"
cite = "D. Test. 1:25-cv-00001"
paraphrase = "Nothing may be disclosed."
say = "A court order in force forbids this disclosure."
note = "An invented order."
"""


def draft(home: house.House, folder: Path, text: str, *, begins: dt.date = dt.date(2025, 9, 1)) -> Path:
    """The site's pack with the order added, an example of it, and the liveness property that it ends."""
    target = folder / "draft" / house.PACK.name
    shutil.copytree(home.site.pack_for(PACK), target)
    replace(target / "pack.toml", 'version = "1.', 'version = "2.')
    (target / "orders" / "2025-09-01-test.toml").write_text(text)
    replace(target / "properties.toml", "until = 2025-09-05", f"until = {min(begins, dt.date(2025, 9, 5))}")
    examples = target / "examples" / "requests.toml"
    day = max(begins, dt.date(2025, 9, 3))
    examples.write_text(
        examples.read_text() + f'\n[[example]]\ntitle = "An invented order"\nas_of = {day}\noutcome = "refused"\n'
        f'fired = ["{RULE}"]\n\n[[example]]\ntitle = "Another agency"\nas_of = {day}\noutcome = "cleared"\nfired = []\n'
        '[example.with]\nagreement = "invented-agreement"\nagency = "us.example"\n'
    )
    (folder / "order.txt").write_text("It is so ordered.\n")
    return target


def replace(path: Path, before: str, after: str) -> None:
    """Change one piece of a file; it must be there."""
    text = path.read_text()
    assert before in text, before
    path.write_text(text.replace(before, after, 1))
