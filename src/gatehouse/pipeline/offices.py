"""Whose two signatures put law in force at a site: `[offices]` of its gatehouse.toml, public keys by office."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

from gatehouse.kernel.errors import WrongInput, own
from gatehouse.law.signing import Offices
from gatehouse.ledger.signers import Verifier
from gatehouse.pipeline.site import Site


@own()
def read(site: Site) -> Offices:
    """The keys of counsel and of the custodian. Raises CustodianFault where either office has none."""
    where = f"{site.configuration.name}, [offices]"
    try:
        section = tomllib.loads(site.configuration.read_text(encoding="utf-8")).get("offices", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise WrongInput(f"not readable as TOML: {wrong}", where=str(site.configuration)) from None
    if not isinstance(section, dict):
        raise WrongInput("the offices are a table", where=where, remedy='Write [offices], then counsel = ["…"]')
    return Offices(_keys(section, "counsel", where), _keys(section, "custodian", where))


def _keys(section: Mapping[str, object], office: str, where: str) -> tuple[Verifier, ...]:
    keys = section.get(office)
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) for key in keys):
        raise WrongInput(
            f"no public key of the office {office} is named", where=where, remedy=f'Write {office} = ["name+hash+key"]'
        )
    return tuple(Verifier.parse(str(key), where=f"{where}, {office}") for key in keys)
