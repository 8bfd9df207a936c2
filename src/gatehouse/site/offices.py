"""`[offices]`: whose two signatures put law in force at a site, public keys by office."""

from __future__ import annotations

from gatehouse.casework import roster
from gatehouse.casework.roster import Roster
from gatehouse.kernel.documents import Table
from gatehouse.kernel.errors import WrongInput
from gatehouse.law.signing import Offices
from gatehouse.ledger.signers import Verifier


def parse(table: Table, people: Roster) -> Offices:
    """The keys of counsel and of the custodian.

    Raises WrongInput where either office has none, or one human of the site's `people` holds both.
    """
    table.spelled("counsel", "custodian")
    named = Offices(_keys(table, "counsel"), _keys(table, "custodian"))
    shared = named.shared() or _officer(named, people)
    if shared:
        raise WrongInput(
            f"{shared} is the key of both offices",
            where=f"{table.place()}, [offices]",
            remedy="Two different people must hold the two offices",
        )
    return named


def _officer(offices: Offices, people: Roster) -> str:
    """The officer of the roster who holds both offices: one by a key, the other by a name, say."""
    counsel, custodian = (
        roster.marks(*(key.name for key in keys), keys=keys) for keys in (offices.counsel, offices.custodian)
    )
    known = {one: people.marks(one) for one in people.officers}
    return next((f"officer {one}" for one, own in known.items() if own & counsel and own & custodian), "")


def _keys(table: Table, office: str) -> tuple[Verifier, ...]:
    where, keys = f"{table.place(office)}, [offices]", table.data.get(office)
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) for key in keys):
        raise WrongInput(
            f"no public key is listed for the office {office}",
            where=where,
            remedy=f'Write {office} = ["name+hash+key"]',
        )
    return tuple(Verifier.parse(key, where=f"{where}, {office}") for key in keys)
