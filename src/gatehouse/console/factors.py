"""The second factor of local accounts: one-time codes by time (RFC 6238) and recovery codes for the day they are lost.

A code works once: the step it belongs to is remembered, and it and all earlier ones are refused from then on. The
secret is sealed with a key of the site (AES-256-GCM, bound to its account); without that key the database opens none.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import pyotp
import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import transaction

from gatehouse.console import desk
from gatehouse.console.models import Account, RecoveryCode, SecondFactor
from gatehouse.kernel import clock, files
from gatehouse.kernel.errors import MachineFailed, WrongInput

STEP = 30
DRIFT = 1
"""Steps before and after the present one in which a code still counts: clocks differ."""
RECOVERY_CODES = 10


@dataclass(frozen=True)
class Enrolment:
    """What a person needs to set up an authenticator: the picture, and the same as text."""

    picture: str
    """An SVG element without styles or scripts."""
    secret: str


def enrolled(account: Account) -> bool:
    """Whether the account has a confirmed second factor."""
    return SecondFactor.objects.filter(account=account, confirmed_at__isnull=False).exists()


def begin(account: Account) -> Enrolment:
    """A new secret, not in use until it is confirmed; asked again before that, the same one.

    Raises WrongInput when the account has a second factor already.
    """
    found = SecondFactor.objects.filter(account=account).first()
    if found is None:
        sealed = _seal(account, pyotp.random_base32(32))
        found, _ = SecondFactor.objects.get_or_create(account=account, defaults={"sealed": sealed})
    if found.confirmed_at is not None:
        raise WrongInput("this account already has a second factor", remedy="Ask the administrator to reset it")
    secret = _open(account, found.sealed)
    address = pyotp.TOTP(secret).provisioning_uri(name=account.username, issuer_name=desk.site().name)
    picture = segno.make(address, error="m").svg_inline(scale=5, border=4, light="#fff")
    return Enrolment(picture, secret)


def confirm(account: Account, code: str, record: Callable[[], object]) -> None:
    """Put the secret into use with its first code, after `record` has put that on record.

    Raises WrongInput when the code is wrong, and whatever `record` raises; then nothing is in use.
    """
    found = SecondFactor.objects.filter(account=account, confirmed_at__isnull=True).first()
    if found is None or not _accept(found, account, code):
        raise WrongInput("the code is wrong", remedy="Wait for the next code, and check your device's clock")
    record()
    found.confirmed_at = clock.machine()
    found.save(update_fields=["confirmed_at"])


def check(account: Account, code: str) -> bool:
    """Whether a one-time code or an unused recovery code is right; either works once."""
    found = SecondFactor.objects.filter(account=account, confirmed_at__isnull=False).first()
    return found is not None and (_accept(found, account, code) or _recover(account, code))


def renew_recovery(account: Account) -> list[str]:
    """New recovery codes, shown once; the old ones end."""
    codes = [f"{secrets.token_hex(4)}-{secrets.token_hex(4)}" for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        RecoveryCode.objects.filter(account=account).delete()
        RecoveryCode.objects.bulk_create(RecoveryCode(account=account, digest=_digest(code)) for code in codes)
    return codes


def left(account: Account) -> int:
    """How many recovery codes are unused."""
    return RecoveryCode.objects.filter(account=account, used_at__isnull=True).count()


def remove(account: Account) -> None:
    """Take the second factor away; where it is required the account must set up a new one."""
    with transaction.atomic():
        SecondFactor.objects.filter(account=account).delete()
        RecoveryCode.objects.filter(account=account).delete()


def step_of(secret: str, code: str, at: float) -> int | None:
    """The time step (RFC 6238, 30 seconds, SHA-1, six digits) that a code belongs to around an instant, or None."""
    code = "".join(code.split())
    if len(code) != 6 or not (code.isascii() and code.isdigit()):
        return None
    totp, present = pyotp.TOTP(secret, interval=STEP), int(at // STEP)
    for step in range(max(0, present - DRIFT), present + DRIFT + 1):
        if secrets.compare_digest(totp.generate_otp(step), code):
            return step
    return None


def _accept(found: SecondFactor, account: Account, code: str) -> bool:
    step = step_of(_open(account, found.sealed), code, clock.machine().timestamp())
    if step is None:
        return False
    # One statement decides, so that two requests with the same code cannot both pass.
    return SecondFactor.objects.filter(pk=found.pk, last_step__lt=step).update(last_step=step) == 1


def _recover(account: Account, code: str) -> bool:
    unused = RecoveryCode.objects.filter(account=account, digest=_digest(code), used_at__isnull=True)
    return unused.update(used_at=clock.machine()) == 1


def _digest(code: str) -> str:
    # 64 bits of chance a code: a plain digest cannot be searched in useful time, and attempts are counted.
    plain = "".join(code.lower().split()).replace("-", "")
    return hashlib.sha256(f"gatehouse recovery {plain}".encode()).hexdigest()


def _seal(account: Account, secret: str) -> str:
    nonce = secrets.token_bytes(12)
    return base64.b64encode(nonce + AESGCM(_key()).encrypt(nonce, secret.encode(), _bound(account))).decode()


def _open(account: Account, sealed: str) -> str:
    data = base64.b64decode(sealed)
    try:
        return AESGCM(_key()).decrypt(data[:12], data[12:], _bound(account)).decode()
    except InvalidTag:
        remedy = "Restore keys/accounts.key, or have the administrator reset the second factor"
        raise MachineFailed("the second factor cannot be opened with this site's key", remedy=remedy) from None


def _bound(account: Account) -> bytes:
    return f"gatehouse second factor {account.pk}".encode()


def _key() -> bytes:
    """The site's key for accounts' secrets: made once, kept with its other keys."""
    fresh = base64.b64encode(secrets.token_bytes(32))
    return base64.b64decode(files.write_once(desk.site().keys / "accounts.key", fresh, mode=0o600))
