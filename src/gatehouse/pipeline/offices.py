"""Whose two signatures put law in force at a site: `[offices]` of its gatehouse.toml, public keys by office."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

from gatehouse.casework import roster
from gatehouse.casework.roster import Roster
from gatehouse.kernel.errors import WrongInput, own
from gatehouse.law.signing import Offices
from gatehouse.ledger.signers import Verifier
from gatehouse.pipeline.site import Site


@own()
def read(site: Site) -> Offices:
    """The keys of counsel and of the custodian. Raises CustodianFault where either office has none."""
    where = f"{site.configuration.name}, [offices]"
    try:
        stated = tomllib.loads(site.configuration.read_text(encoding="utf-8"))
    except OSError as wrong:
        raise WrongInput(f"the configuration cannot be read ({wrong.strerror})", where=where) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise WrongInput(f"the file is not valid TOML: {wrong}", where=str(site.configuration)) from None
    section = stated.get("offices", {})
    if not isinstance(section, dict):
        raise WrongInput("[offices] must be a table", where=where, remedy='Write [offices], then counsel = ["…"]')
    counsel, custodian = _keys(section, "counsel", where), _keys(section, "custodian", where)
    named = Offices(counsel, custodian)
    shared = named.shared() or _officer(named, roster.parse(stated.get("officers", []), where=site.configuration.name))
    if shared:
        raise WrongInput(
            f"{shared} is the key of both offices", where=where, remedy="Two different people must hold the two offices"
        )
    return named


def _officer(offices: Offices, people: Roster) -> str:
    """The officer of the roster who holds both offices: one by a key, the other by a name, say."""
    counsel, custodian = (
        roster.marks(*(key.name for key in keys), keys=keys) for keys in (offices.counsel, offices.custodian)
    )
    known = {one: people.marks(one) for one in people.officers}
    return next((f"officer {one}" for one, own in known.items() if own & counsel and own & custodian), "")


def _keys(section: Mapping[str, object], office: str, where: str) -> tuple[Verifier, ...]:
    keys = section.get(office)
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) for key in keys):
        raise WrongInput(
            f"no public key is listed for the office {office}",
            where=where,
            remedy=f'Write {office} = ["name+hash+key"]',
        )
    return tuple(Verifier.parse(str(key), where=f"{where}, {office}") for key in keys)
