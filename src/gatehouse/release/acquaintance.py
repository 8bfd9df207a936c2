"""What an officer's key has seen of a custodian before; a trust folder that contradicts it is refused.

A trust folder is handed over once and refreshed by the custodian, who could hand over other people and another key the
second time. What was seen the first time is remembered, as an SSH client remembers a host: the log, the custodian's
key, witnesses and quorum, agencies' keys, and the roster, which alone may grow, by its own endorsements.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatehouse.kernel import canonical, files
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.release.trust import Trust

FORM = "gatehouse-known-custodians/1"
_REMEDY = "Ask the custodian's officers by telephone first; if it is right, open with --trust-anew"
_OLDEST = {"custodian", "versions"}
_ALL = _OLDEST | {"policy", "agencies"}


def beside(key: Path) -> Path:
    """Where an officer's key keeps what it has seen."""
    return key.with_name(f"{key.name}.known")


def recognize(believed: Trust, kept: Path, *, anew: bool = False) -> None:
    """Compare a trust folder with what was seen before, and remember what is new.

    The log's name, the custodian's key, whose cosignatures count and the keys of an agency stay, and the roster's
    versions continue those seen. `anew` takes what differs, after somebody has asked. Raises AnswerIsNo where something
    differs, WrongInput where the file is no such memory.
    """
    name = believed.policy.logs[0].name if believed.policy.logs else ""
    known = _read(kept)
    now = _said(believed)
    where, what = _differs(known, name, now)
    if what and not anew:
        raise AnswerIsNo(what, where=where, remedy=_REMEDY)
    if known.get(name) != now:
        files.write(kept, canonical.encode({"format": FORM, "custodians": {**known, name: now}}) + b"\n", mode=0o600)


def _said(believed: Trust) -> dict[str, Any]:
    """What of a trust folder is remembered."""
    policy = believed.policy
    return {
        "custodian": believed.custodian.text,
        "versions": [one.digest for one in believed.versions],
        "policy": {
            "logs": sorted(log.text for log in policy.logs),
            "witnesses": sorted([one.name, one.verifier.text] for one in policy.witnesses),
            "groups": [[one.name, one.threshold, sorted(one.members)] for one in policy.groups],
            "quorum": policy.quorum,
        },
        "agencies": {name: sorted(key.verifier.text for key in keys) for name, keys in believed.agencies.items()},
    }


def _differs(known: Mapping[str, Any], name: str, now: Mapping[str, Any]) -> tuple[str, str]:
    """The file and in which way it contradicts what was seen before; two empty texts where none does."""
    seen = known.get(name)
    if seen is None:
        return ("witnesses.policy", "this key has met another log before, and not this one") if known else ("", "")
    policy, agencies = seen.get("policy", now["policy"]), seen.get("agencies", {})  # older memories lack these two
    other = [one for one, keys in agencies.items() if not set(now["agencies"].get(one, ())) <= set(keys)]
    contradicting = {
        ("custodian.vkey", "the custodian's key differs from the one seen before"): seen["custodian"]
        != now["custodian"],
        ("officers.json", "the custodian's roster does not continue the one seen before"): (
            now["versions"][: len(seen["versions"])] != seen["versions"]
        ),
        ("witnesses.policy", "other logs or witnesses are to be believed than before"): policy != now["policy"],
        ("agencies.json", f"{min(other, default='')} signs with a key that it did not have before"): bool(other),
    }
    return next((place for place, differs in contradicting.items() if differs), ("", ""))


def _read(kept: Path) -> dict[str, Any]:
    if not kept.is_file():
        return {}
    try:
        document = json.loads(kept.read_bytes())
        known = document["custodians"] if document["format"] == FORM else None
        whole = isinstance(known, dict) and all(_OLDEST <= set(one) <= _ALL for one in known.values())
    except (OSError, ValueError, KeyError, TypeError):
        known, whole = None, False
    if known is None or not whole:
        raise WrongInput("this is not a file of known custodians", where=str(kept), remedy="Restore it from a backup")
    return dict(known)
