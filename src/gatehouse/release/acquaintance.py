"""What an officer's key has seen of a custodian before; a trust folder that contradicts it is refused.

A trust folder is handed over once and refreshed by the custodian, who could hand over other people and another key the
second time. What was seen the first time is remembered, as an SSH client remembers a host: the log, the custodian's
key, witnesses and quorum, agencies' keys, and the roster, which alone may grow, by its own endorsements.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatehouse.kernel import canonical, clock, files
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import checkpoint, witnessed
from gatehouse.release.binding import Verified
from gatehouse.release.trust import Trust

FORM = "gatehouse-known-custodians/1"
_REMEDY = "Ask the custodian's officers by telephone first; if it is right, open with --trust-anew"
_OLDEST = {"custodian", "versions"}
_ALL = _OLDEST | {"policy", "agencies", "checkpoints"}


def beside(key: Path) -> Path:
    """Where an officer's key keeps what it has seen."""
    return key.with_name(f"{key.name}.known")


def recognize(believed: Trust, kept: Path, *, anew: bool = False) -> None:
    """Compare a trust folder with what was seen before, and remember what is new.

    The log's name, the custodian's key, whose cosignatures count and the keys of an agency stay, and the roster's
    versions continue those seen. `anew` takes what differs, after somebody has asked. Raises AnswerIsNo where something
    differs, WrongInput where the file is no such memory.
    """
    name = _log(believed)
    known = _read(kept)
    now = _said(believed)
    if "checkpoints" in known.get(name, {}):
        now["checkpoints"] = known[name]["checkpoints"]
    where, what = _differs(known, name, now)
    if what and not anew:
        raise AnswerIsNo(what, where=where, remedy=_REMEDY)
    if known.get(name) != now:
        _write(kept, {**known, name: now})


def remember(
    believed: Trust, verified: Verified, kept: Path, now: dt.datetime, *, anew: bool = False, where: str
) -> None:
    """Compare a package's checkpoints with the largest one seen before, and remember the larger.

    A checkpoint of the size seen must have its root; a release whose place in the ledger was filled when that one was
    seen must not be dated after it. `anew` takes what differs. Raises AnswerIsNo where the ledger was cut back or
    written again. Packages are opened in any order, so a smaller checkpoint alone says nothing.
    """
    if not verified.history:
        return
    known, name, newest = _read(kept), _log(believed), verified.history[0]
    shown = known.get(name, {}).get("checkpoints", {})
    seen = shown.get(newest.origin)
    if seen is not None and not anew:
        _continues(seen, verified, where)
    if seen is None or anew or newest.size > checkpoint.parse(seen["note"].encode(), where=str(kept)).size:
        times = (now, verified.header.released_at, witnessed.cosigned_at(newest, believed.policy) or now)
        shown |= {newest.origin: {"note": newest.encoded.decode(), "seen_at": clock.stamp(max(times))}}
        _write(kept, {**known, name: {**known.get(name, {}), "checkpoints": shown}})


def _continues(seen: Mapping[str, str], verified: Verified, where: str) -> None:
    before = checkpoint.parse(seen["note"].encode(), where=where)
    seen_at, released_at = clock.read_instant(seen["seen_at"]), verified.header.released_at
    if any((one.size, one.root) == (before.size, before.root) for one in verified.history):
        return
    if any(one.size == before.size for one in verified.history):
        raise AnswerIsNo(
            f"the log signed another ledger of {before.size} entries than the one that this key has seen", where=where,
            remedy="Keep both packages: together they are the proof. " + _REMEDY,
        )  # fmt: skip
    if verified.index < before.size and released_at > seen_at + witnessed.SKEW:
        raise AnswerIsNo(
            f"the release is dated {clock.stamp(released_at)}, but this key had seen its place in the ledger filled by "
            f"{seen['seen_at']}: the ledger was cut back", where=where, remedy=_REMEDY,
        )  # fmt: skip


def _log(believed: Trust) -> str:
    return believed.policy.logs[0].name if believed.policy.logs else ""


def _write(kept: Path, known: Mapping[str, Any]) -> None:
    files.write(kept, canonical.encode({"format": FORM, "custodians": known}) + b"\n", mode=0o600)


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
