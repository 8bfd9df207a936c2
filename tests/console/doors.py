"""One site for all tests of the doors, made once in a process: officers' keys, a roster, a ledger, and who signs in."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

from gatehouse.cli import web
from gatehouse.ledger.signers import new_key
from gatehouse.pipeline import record
from gatehouse.pipeline.site import Founding, Site, make

PASSWORD = "seven quiet herons"
ROWS = 600
ACCOUNTS = {
    "officer1": ("disclosure_officer", "", "do-1"),
    "officer2": ("disclosure_officer", "", "do-2"),
    "unlinked": ("disclosure_officer", "", ""),
    "requester": ("requester", "us.dhs.ice", ""),
    "stranger": ("requester", "us.doj.other", ""),
    "counsel": ("counsel", "", ""),
    "inspector": ("inspector", "", ""),
    "administrator": ("administrator", "", ""),
}


def _made(root: Path) -> Site:
    pack = Path(__file__).parents[2] / "packs" / "us-irs-6103-i-2"
    site = make(root, Founding(name="gateway.example/test", packs=(pack,)))
    lines = [site.configuration.read_text()]
    for number in (1, 2):
        private, public = new_key(f"officer-{number}")
        folder = site.keys / "officers"
        folder.mkdir(exist_ok=True)
        (folder / f"do-{number}.key").write_text(private + "\n")
        lines.append(
            f'[[officers]]\nid = "do-{number}"\nname = "Officer {number}"\nrole = "disclosure_officer"\n'
            f'key = "{public}"\nfrom = 2025-01-01\n'
        )
    site.configuration.write_text("\n".join(lines))
    record.begin(site, dt.datetime(2025, 1, 1, tzinfo=dt.UTC))
    return site


SITE = _made(Path(tempfile.mkdtemp(prefix="gatehouse-doors-")) / "site")
# Django learns its apps once in a process, so this must come before any test opens a database.
web.configure(SITE)
