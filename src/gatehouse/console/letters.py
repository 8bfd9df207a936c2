"""Letters with a code: how a person whom the custodian knows asks what was disclosed about them.

Who somebody is, the custodian settles outside of Gatehouse, as it does for any letter to the address on file. It sends
a code; the code opens one answer, once. A code is as good as any other: whether the number stands in the register,
whether anything was disclosed, and whether it may be told, changes neither its making nor how a wrong one is answered.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

from gatehouse.console import desk
from gatehouse.console.models import Account, Letter
from gatehouse.kernel import clock
from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger import answer as checking
from gatehouse.ledger import policy
from gatehouse.ledger.answer import Answered, Disclosure
from gatehouse.pipeline import answers, errands

LIFE = dt.timedelta(days=60)
_BYTES = 10
_GROUP = 4
_LOOKALIKES = str.maketrans({"0": "O", "1": "I", "8": "B"})
"""A code has no 0, 1 or 8 (RFC 4648 base32), so whoever types one means the letter that looks like it."""


@dataclass(frozen=True)
class Told:
    """What one person is told: every disclosure that may be told by the day, and the files that prove it."""

    as_of: dt.date
    registered: bool
    disclosures: tuple[Disclosure, ...]
    files: tuple[str, ...]
    """Each file of the answer in base64."""


def issue(account: Account, person: int) -> str:
    """Make a code for the person with this number in the register; shown once. Raises WrongInput for no number."""
    check(person)
    code = base64.b32encode(secrets.token_bytes(_BYTES)).decode()
    Letter.objects.create(digest=_digest(code), person=person, account=account, expires_at=clock.now() + LIFE)
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))


def check(person: int) -> None:
    """Raise WrongInput for what is no person's number."""
    if not 0 <= person < 1 << 63:
        raise WrongInput("a person's number must be a whole number, 0 or greater", remedy="Take it from the register")


def ready() -> bool:
    """Whether answers were built at this site; before that no code is used up."""
    return answers.are_built(desk.site())


def redeem(code: str) -> Told | None:
    """The answer that a code opens, which uses it up; None for any code that opens none, whatever the reason."""
    now = clock.now()
    found = Letter.objects.filter(digest=_digest(code), used_at=None, expires_at__gt=now).first()
    if found is None:
        return None
    site = desk.site()
    trusted = policy.read(site.policy)
    files = [errands.answer(site, found.person)]
    checked = [checking.verify(files[0], trusted)]
    for page in range(2, checked[0].pages + 1):
        files.append(errands.answer(site, found.person, page))
        checked.append(checking.verify(files[-1], trusted))
    # Used up only when the answer is there, and by one of two who come at once.
    used = Letter.objects.filter(pk=found.pk, used_at=None).update(used_at=now)
    return _told(checked, files) if used else None


def _told(checked: list[Answered], files: list[bytes]) -> Told:
    disclosures = tuple(one for each in checked for one in each.disclosures)
    encoded = tuple(base64.b64encode(file).decode() for file in files)
    return Told(checked[0].as_of, checked[0].registered, disclosures, encoded)


def _digest(code: str) -> str:
    letters = "".join(sign for sign in code.upper().translate(_LOOKALIKES) if sign.isalnum())
    return hashlib.sha256(letters.encode()).hexdigest()
