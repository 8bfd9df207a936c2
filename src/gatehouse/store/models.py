"""What the database keeps. Sets of cases are one value each; nothing here is a row per request.

Decisions, attempts, releases and what came back are only ever added to. No name, TIN or address is stored: cases are
numbers, and reasons are the officers' own words about a set of them.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

_NAME = 128
_DIGEST = 64


class CaseFile(models.Model):
    """One docket whose cases people decide."""

    docket = models.CharField(max_length=_NAME, unique=True)
    agency = models.CharField(max_length=_NAME)
    size = models.BigIntegerField()
    determinations = models.CharField(max_length=_DIGEST)
    received_at = models.DateTimeField()
    submitters = models.JSONField()
    clearable = models.BinaryField()
    decisions_made = models.BigIntegerField(default=0)

    objects: ClassVar[models.Manager[CaseFile]] = models.Manager()


class Members(models.Model):
    """The cases of a docket in one state, or approved by one person; one row a state, one a person."""

    file = models.ForeignKey(CaseFile, on_delete=models.PROTECT, related_name="members")
    kind = models.CharField(max_length=16)
    name = models.CharField(max_length=_NAME)
    cases = models.BinaryField()

    objects: ClassVar[models.Manager[Members]] = models.Manager()

    class Meta:
        """One value for each state and person."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["file", "kind", "name"], name="one_set_each")]


class Decision(models.Model):
    """A decision that stands: the signed statement and the exact selection."""

    file = models.ForeignKey(CaseFile, on_delete=models.PROTECT, related_name="decisions")
    number = models.BigIntegerField()
    action = models.CharField(max_length=16)
    officer = models.CharField(max_length=_NAME)
    statement = models.JSONField()
    selection = models.BinaryField()
    decided_at = models.DateTimeField()
    ledger_index = models.BigIntegerField(null=True)

    objects: ClassVar[models.Manager[Decision]] = models.Manager()

    class Meta:
        """Numbered without gaps within a docket: two writers can never both be next."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["file", "number"], name="one_decision_a_number")]


class Attempt(models.Model):
    """An act that was refused."""

    docket = models.CharField(max_length=_NAME, db_index=True)
    officer = models.CharField(max_length=_NAME)
    action = models.CharField(max_length=32)
    code = models.CharField(max_length=32)
    at = models.DateTimeField()

    objects: ClassVar[models.Manager[Attempt]] = models.Manager()


class Sample(models.Model):
    """A sample drawn before a bulk decision."""

    identifier = models.CharField(max_length=_NAME, unique=True)
    docket = models.CharField(max_length=_NAME, db_index=True)
    officer = models.CharField(max_length=_NAME)
    action = models.CharField(max_length=16)
    selection = models.BinaryField()
    seed = models.CharField(max_length=_DIGEST)
    drawn = models.BinaryField()
    confidence_percent = models.IntegerField()
    drawn_at = models.DateTimeField()
    found = models.IntegerField(null=True)

    objects: ClassVar[models.Manager[Sample]] = models.Manager()


class Job(models.Model):
    """A long piece of work in steps; whoever holds the lease does the next one.

    `fault` says why the step was left the last time, for whoever looks after the site; nobody else reads it.
    """

    kind = models.CharField(max_length=32)
    subject = models.CharField(max_length=_NAME)
    next_step = models.IntegerField(default=0)
    steps = models.IntegerField()
    holder = models.CharField(max_length=_NAME, default="")
    lease_until = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    fault = models.TextField(default="", db_default="")
    plan = models.JSONField()

    objects: ClassVar[models.Manager[Job]] = models.Manager()

    class Meta:
        """One job for one piece of work."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "subject"], name="one_job_a_subject")]


class Release(models.Model):
    """A sealed package for one officer; the row exists before the package is published."""

    identifier = models.CharField(max_length=_NAME, unique=True)
    file = models.ForeignKey(CaseFile, on_delete=models.PROTECT, related_name="releases")
    batch = models.CharField(max_length=_NAME)
    officer = models.CharField(max_length=_NAME)
    cases = models.BinaryField()
    digest = models.CharField(max_length=_DIGEST)
    certificate = models.CharField(max_length=_DIGEST)
    receipt_key = models.CharField(max_length=512)
    matters = models.JSONField()
    pack_digest = models.CharField(max_length=_DIGEST)
    sealed_at = models.DateTimeField()
    expires_on = models.DateField()
    published_at = models.DateTimeField(null=True)
    recalled_at = models.DateTimeField(null=True)
    ledger_index = models.BigIntegerField(null=True)

    objects: ClassVar[models.Manager[Release]] = models.Manager()

    class Meta:
        """One package for one officer in one batch, whatever crashes."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "officer"], name="sealed_once"),
            models.UniqueConstraint(fields=["digest"], name="one_digest_one_release"),
        ]


class Return(models.Model):
    """What came back about a release: a receipt, a use report or a disposal certificate, as it was signed."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="returns")
    kind = models.CharField(max_length=16)
    digest = models.CharField(max_length=_DIGEST, unique=True)
    statement = models.JSONField()
    stated_at = models.DateTimeField()
    taken_at = models.DateTimeField()

    objects: ClassVar[models.Manager[Return]] = models.Manager()
