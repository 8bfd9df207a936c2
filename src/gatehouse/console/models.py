"""What the console keeps of its own: accounts and how they sign in, and which case was opened by whom.

Everything about requests lives in docket files and in the store; no name or address from a request is kept here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.crypto import salted_hmac

from gatehouse.console.permissions import GRANTS, Permission
from gatehouse.kernel import clock
from gatehouse.site.roles import TITLES, Role


class Account(AbstractBaseUser):
    """A person who may sign in: one role, and for a requester one agency.

    A person of an identity provider is known by `issuer` and `subject` together, never by a name or an address of
    mail, and has no password. Without a role an account may do nothing.
    """

    username = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=32, blank=True, choices=[(role.value, TITLES[role]) for role in Role])
    agency = models.CharField(max_length=128, blank=True)
    officer = models.CharField(max_length=128, blank=True)
    issuer = models.CharField(max_length=255, blank=True)
    subject = models.CharField(max_length=255, blank=True)
    epoch = models.PositiveIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)

    objects: ClassVar[BaseUserManager[Account]] = BaseUserManager()

    USERNAME_FIELD = "username"

    class Meta:
        """A requester without an agency, or another role with one, cannot be stored, nor an officer's second."""

        constraints: ClassVar = [
            models.CheckConstraint(
                name="agency_exactly_for_requesters",
                condition=(models.Q(role=Role.REQUESTER.value) & ~models.Q(agency=""))
                | (~models.Q(role=Role.REQUESTER.value) & models.Q(agency="")),
            ),
            models.UniqueConstraint(
                name="one_account_a_subject", fields=["issuer", "subject"], condition=~models.Q(subject="")
            ),
            models.UniqueConstraint(name="one_account_an_officer", fields=["officer"], condition=~models.Q(officer="")),
        ]

    def __str__(self) -> str:
        return str(self.name)

    def may(self, permission: Permission | str) -> bool:
        """Whether the role of this account holds a permission and the account is in use."""
        return bool(self.is_active) and bool(self.role) and permission in GRANTS[Role(self.role)]

    @property
    def title(self) -> str:
        """The role in words."""
        return TITLES[Role(self.role)] if self.role else "No role"

    @property
    def local(self) -> bool:
        """Whether the account signs in here, with a password, and not at an identity provider."""
        return not self.subject

    def get_session_auth_hash(self) -> str:
        """What every session of the account is bound to: a new password or a new epoch ends all of them."""
        return salted_hmac("gatehouse.session", f"{self.password} {self.epoch}", algorithm="sha256").hexdigest()

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """No other secret opens a session."""
        return iter(())


class Proposal(models.Model):
    """An account that somebody wants made, changed or opened again, until an officer confirms or refuses it."""

    class Act(models.TextChoices):
        """What is proposed."""

        MAKE = "make", "Make the account"
        CHANGE = "change", "Change its role"
        OPEN = "open", "Open it again"

    username = models.CharField(max_length=64, unique=True)
    act = models.CharField(max_length=16, choices=Act.choices)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=32, choices=[(role.value, TITLES[role]) for role in Role])
    agency = models.CharField(max_length=128, blank=True)
    officer = models.CharField(max_length=128, blank=True)
    issuer = models.CharField(max_length=255, blank=True)
    subject = models.CharField(max_length=255, blank=True)
    by = models.CharField(max_length=128)
    at = models.DateTimeField(default=clock.now)

    @property
    def title(self) -> str:
        """The role in words."""
        return TITLES[Role(self.role)] if self.role else "No role"


class FailedSignIn(models.Model):
    """A sign-in that failed; enough of them within minutes close the door for that name or that network address.

    The address is kept as a keyed digest: enough to count by, and nothing to read.
    """

    username = models.CharField(max_length=64, db_index=True)
    address = models.CharField(max_length=64, db_index=True, default="")
    at = models.DateTimeField(auto_now_add=True)


class Calls(models.Model):
    """How often one account, or one address without a valid key, called the API within a minute; kept for two minutes.

    The key is a keyed digest: nothing here says who called.
    """

    key = models.CharField(max_length=64, primary_key=True)
    minute = models.BigIntegerField(db_index=True)
    count = models.BigIntegerField()


class SecondFactor(models.Model):
    """What an account's one-time codes are made from, sealed with the site's key; in use once it is confirmed."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="factor")
    sealed = models.TextField()
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)


class RecoveryCode(models.Model):
    """A code for the day the second factor is lost; works once, and only its digest is kept."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="recovery")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)


class Opening(models.Model):
    """Somebody opened a case with a person's record in it: inspection is itself recorded (26 USC 7213A)."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    docket = models.CharField(max_length=128)
    seq = models.BigIntegerField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        """The history of a case asks by docket and case."""

        indexes: ClassVar = [models.Index(fields=["docket", "seq"])]


class Arrival(models.Model):
    """A submission that was handed in here, from its first byte until it is a docket or refused."""

    class State(models.TextChoices):
        """Where it is on its way."""

        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "Checked, not sent"
        DECIDING = "deciding", "Being decided"
        DONE = "done", "Received"
        REFUSED = "refused", "Refused whole"
        WITHDRAWN = "withdrawn", "Withdrawn"
        FAILED = "failed", "Interrupted; it will be taken up again"

    identifier = models.CharField(max_length=64, unique=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    agency = models.CharField(max_length=128, db_index=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.CHECKING)
    digest = models.CharField(max_length=64, default="")
    submission = models.CharField(max_length=128, default="")
    requests = models.BigIntegerField(default=0)
    form = models.JSONField(default=dict)
    message = models.TextField(default="")
    stage = models.CharField(max_length=64, default="")
    at = models.DateTimeField(default=clock.now)


class Task(models.Model):
    """Longer work that a person began here: a release, a recall, a look at a change of law."""

    class State(models.TextChoices):
        """Where it is."""

        RUNNING = "running", "Under way"
        DONE = "done", "Done"
        FAILED = "failed", "Not done"

    identifier = models.CharField(max_length=64, unique=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    title = models.CharField(max_length=200)
    back = models.CharField(max_length=300, default="")
    state = models.CharField(max_length=16, choices=State.choices, default=State.RUNNING)
    stage = models.CharField(max_length=64, default="")
    message = models.TextField(default="")
    holder = models.CharField(max_length=128)
    at = models.DateTimeField(default=clock.now)

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return bool(self.state == Task.State.RUNNING)


class Step(models.Model):
    """A decision that waits for its signature: what was chosen and typed, and the exact text as it was last shown."""

    class Kind(models.TextChoices):
        """What is signed."""

        DECISION = "decision", "Decision"
        RECALL = "recall", "Recall"
        HALT = "halt", "Halt"
        ORDER = "order", "Order"

    identifier = models.CharField(max_length=64, unique=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    docket = models.CharField(max_length=128, blank=True)
    told = models.JSONField(default=dict)
    selection = models.TextField(blank=True)
    sample = models.CharField(max_length=128, blank=True, db_index=True)
    exact = models.TextField(blank=True)
    exact_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    at = models.DateTimeField(default=clock.now)


class Mark(models.Model):
    """What an officer found in one case of a sample: decided rightly or not."""

    sample = models.CharField(max_length=128)
    seq = models.BigIntegerField()
    wrong = models.BooleanField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        """One finding a case; it can be changed until the sample is done."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["sample", "seq"], name="one_mark_a_case")]


class Letter(models.Model):
    """A code that a letter carries to one person: once, and within its time, it opens the answer about them.

    The code itself is not kept, nor anything of the person but the number that the register gives them.
    """

    digest = models.CharField(max_length=64, unique=True)
    person = models.BigIntegerField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    issued_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Key(models.Model):
    """A key that a program of an account signs in with: some of what the account may do, until a day.

    Only its digest is kept.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="keys")
    name = models.CharField(max_length=64, default="")
    scopes = models.JSONField(default=list)
    made_by = models.CharField(max_length=64, default="")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()


class Repeat(models.Model):
    """The answer to a request that carried an idempotency key, so that sending it again does nothing twice."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    key = models.CharField(max_length=128)
    fingerprint = models.CharField(max_length=64)
    status = models.IntegerField(null=True)
    body = models.TextField(default="")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One key, one answer, for each account."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "key"], name="one_answer_a_key")]


class Call(models.Model):
    """One thing that a webhook of an agency is to be told, or was: its kind and what it is about, never a case."""

    address = models.CharField(max_length=500)
    agency = models.CharField(max_length=128)
    kind = models.CharField(max_length=32)
    subject = models.CharField(max_length=128)
    submission = models.CharField(max_length=128, blank=True)
    body = models.TextField(blank=True)
    tries = models.IntegerField(default=0)
    next_at = models.DateTimeField(default=clock.now)
    done_at = models.DateTimeField(null=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        """Each thing is told once to one address."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["address", "agency", "kind", "subject"], name="told_once")
        ]
