"""Make, change and close local accounts. Every change that takes rights away ends the account's sessions and keys."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from gatehouse.casework import roster
from gatehouse.console import desk, limits, sessions, tokens
from gatehouse.console.models import Account
from gatehouse.intake import parties
from gatehouse.kernel import ids
from gatehouse.kernel.errors import WrongInput
from gatehouse.pipeline import history, people
from gatehouse.site.roles import DECIDING, TITLES, Role

MOST_NAME = 64
_PASSWORD = ("password", "must_change_password")


def create(
    username: str,
    *,
    name: str,
    role: Role | str,
    password: str | None = None,
    agency: str = "",
    officer: str = "",
    provisional: bool = False,
) -> tuple[Account, str]:
    """Create an account and return it with its password, made at random when none is given.

    `agency` is required for a requester and refused for everyone else; `officer` is the person's id in the roster of
    who may decide. A `provisional` password must be changed first. Running it again for the same name, role and agency
    sets the password anew. Raises WrongInput.
    """
    role = Role(role)
    check(username, role, agency)
    before = Account.objects.filter(username=username).first()
    if before is not None and (before.role, before.agency) != (role.value, agency):
        raise WrongInput("this user name belongs to another role or agency", remedy="Choose another name")
    account = before or Account(username=username, role=role.value, agency=agency)
    account.name, account.officer, account.is_active = name, kept_id(account, officer), True
    account.must_change_password = provisional
    chosen = password or secrets.token_urlsafe(12)
    _set(account, chosen, fields=(*_PASSWORD, "name", "officer", "is_active"))
    return account, chosen


def make(
    username: str, *, name: str, role: Role, agency: str, officer: str, issuer: str = "", subject: str = ""
) -> Account:
    """A new account, for what two people have agreed.

    One with an `issuer` and `subject` signs in at the provider; any other does once `reset` gives it a password.
    Raises WrongInput.
    """
    _fits(role, agency)
    if is_taken(username):
        raise WrongInput("the user name is taken", where=username, remedy="Choose another")
    account = Account(username=username, name=name, role=role.value, agency=agency, officer=officer)
    account.issuer, account.subject, account.must_change_password = issuer, subject, not subject
    account.set_unusable_password()
    account.save(force_insert=True)
    return account


def check(username: str, role: Role, agency: str) -> None:
    """Raise WrongInput for a user name of other signs, a requester without an agency, or another role with one."""
    if not ids.is_name(username) or len(username) > MOST_NAME or username.startswith("sso-"):
        raise WrongInput(
            "a user name may contain letters, digits, dots, dashes and underscores, and must not begin with sso-",
            remedy="Choose another name",
        )
    _fits(role, agency)


def is_taken(username: str) -> bool:
    """Whether an account is called so already, in small letters or capitals: people read both as one name."""
    return Account.objects.filter(username__iexact=username).exists()


def _fits(role: Role, agency: str) -> None:
    if (role is Role.REQUESTER) != bool(agency):
        raise WrongInput(
            "a requester needs an agency; other roles must not have one",
            remedy="Name an agency for a requester, and for no other role",
        )


def vouch(username: str, role: Role, agency: str, officer: str) -> None:
    """Raise WrongInput unless the site knows whom an account is for: a party's agency, an officer of the roster.

    Whoever decides stands on the roster under that role, has one account, and nobody else names an officer.
    """
    site = desk.site()
    if role is Role.REQUESTER:
        known = parties.read(site.parties).agencies if site.parties.is_file() else {}
        if agency not in known:
            raise WrongInput("there is no such agency", where="parties.toml", remedy=_named("agencies", known))
    if role not in DECIDING:
        if officer:
            raise WrongInput("only an officer's role can be linked to the roster", remedy="Leave the officer id empty")
        return
    listed = site.configuration.roster.officers
    person = listed.get(officer)
    if person is None or person.role != role.value:
        fitting = {each.id: each for each in listed.values() if each.role == role.value}
        raise WrongInput(
            f"the roster has no {TITLES[role].lower()} with that id", where="gatehouse.toml, [[officers]]",
            remedy=_named("officers", fitting),
        )  # fmt: skip
    free(officer, username)


def free(officer: str, username: str) -> None:
    """Raise WrongInput where an id of the roster was ever another account's."""
    other = holder(officer) if officer else None
    if other not in {None, username}:
        raise WrongInput(f"officer {officer} already has an account: {other}", remedy="Each person has one account")


def holder(officer: str) -> str | None:
    """The user name of the one account that an id of the roster ever had, by the ledger or by the database.

    Closing an account, or taking its row away, frees no id. Raises AnswerIsNo where the ledger's events are not whole.
    """
    kept = Account.objects.filter(officer=officer).values_list("username", flat=True).first()
    if kept is not None or not (desk.site().ledger / "checkpoint").is_file():
        return kept
    entered = history.whole(desk.site(), {"account_made", "role_changed"}).events
    return next((str(one.fields["account"]) for one in entered if one.fields.get("officer") == officer), None)


def _named(what: str, known: Mapping[str, object]) -> str:
    names = ", ".join(sorted(known)[:10])
    return f"Choose one of the {what} listed there: {names}" if names else f"List the {what} there first"


def same_person(one: Account, other: Account) -> bool:
    """Whether two accounts are one human, as far as the site can know: by account, roster id, public key or name."""
    return bool(marks(one) & marks(other))


def marks(account: Account) -> frozenset[str]:
    """By what an account's human is known: the account, its name, and all that the roster says of its officer."""
    known = people.roster(desk.site()).marks(account.officer) if account.officer else frozenset[str]()
    return known | roster.marks(account.username, account.name)


def confirms(account: Account, password: str, address: str = "") -> bool:
    """Whether a signed-in person gave the right password once more; a wrong one counts as at the sign-in."""
    attempt = limits.trying(account.username, address, known=True)
    if attempt is None or not account.check_password(password):
        return False
    attempt.forgive()
    return True


def change(account: Account, old: str, new: str) -> None:
    """Change the password of an account that knows its old one. Raises WrongInput, counting a wrong old one."""
    if not confirms(account, old):
        raise WrongInput("the old password is wrong", remedy="Try again")
    account.must_change_password = False
    _set(account, new)


def reset(account: Account) -> str:
    """Give a local account a new random password, to be changed at the next sign-in, and return it.

    Raises WrongInput for an account of an identity provider.
    """
    if not account.local:
        raise WrongInput("this account has no password at this site", remedy="Ask its identity provider for a new one")
    chosen = secrets.token_urlsafe(12)
    account.must_change_password = True
    _set(account, chosen)
    return chosen


def change_role(account: Account, role: Role, agency: str, officer: str, *, name: str = "") -> None:
    """Give an account another part; its sessions and keys end, so that none goes on with the old one.

    Its id on the roster, once it has one, stays for ever: whatever part it takes, it is that person's. The name stays
    unless another is given. Raises WrongInput.
    """
    _fits(role, agency)
    account.role, account.agency, account.officer = role.value, agency, kept_id(account, officer)
    account.name = name or account.name
    with transaction.atomic():
        account.save(update_fields=["role", "agency", "officer", "name"])
        sessions.end_everywhere(account)
        tokens.end_all(account)


def end_part(account: Account) -> None:
    """Take an account's part away, with its sessions and keys; it stays this person's, and may do nothing."""
    account.role = account.agency = ""
    with transaction.atomic():
        account.save(update_fields=["role", "agency"])
        sessions.end_everywhere(account)
        tokens.end_all(account)


def kept_id(account: Account, officer: str) -> str:
    """The roster's id of an account that is to have this one. Raises WrongInput where it has another."""
    if account.officer and officer not in {"", account.officer}:
        raise WrongInput(
            f"{account.username} is permanently the account of officer {account.officer}", remedy="Make another account"
        )
    return account.officer or officer


def close(account: Account) -> None:
    """Close an account and end all its sessions and keys."""
    account.is_active = False
    with transaction.atomic():
        account.save(update_fields=["is_active"])
        sessions.end_everywhere(account)
        tokens.end_all(account)


def reopen(account: Account) -> None:
    """Open a closed account again; it must sign in anew, and its programs need new keys."""
    account.is_active = True
    account.save(update_fields=["is_active"])


def _set(account: Account, chosen: str, *, fields: tuple[str, ...] = _PASSWORD) -> None:
    """Set a password and save these fields alone: hashing is slow, and what another did meanwhile must stay done."""
    try:
        validate_password(chosen, account)
    except ValidationError as weak:
        raise WrongInput(" ".join(weak.messages).removesuffix("."), remedy="Choose another password") from None
    account.set_password(chosen)
    account.save(update_fields=fields if account.pk else None)


def none_yet() -> bool:
    """Whether nobody can sign in yet."""
    return not Account.objects.exists()
