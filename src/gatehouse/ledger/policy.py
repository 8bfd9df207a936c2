"""Whom to believe: the logs, the witnesses and the quorum that make a checkpoint valid (c2sp.org/tlog-policy).

The policy is the verifier's own file and never comes from what is being verified. A comment line
`#unwitnessed ORIGIN SIZE` states an exception that only Gatehouse's verifiers read: checkpoints of that log up to that
size were published before it had witnesses, so the log's own signature suffices for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from gatehouse.kernel.errors import AnswerIsNo, WrongInput, place
from gatehouse.ledger.checkpoint import Checkpoint, parse
from gatehouse.ledger.signers import Algorithm, Verifier

_MAX_POLICY = 1 << 20
_LAST_SIZE = 2**63 - 1
_EXCEPTION = "#unwitnessed"
_FORBIDDEN = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]")
_COSIGNERS = {Algorithm.ED25519_COSIGNATURE, Algorithm.MLDSA44_COSIGNATURE}


class Unwitnessed(AnswerIsNo):
    """The log signed, and too few of the policy's witnesses did."""


@dataclass(frozen=True)
class Witness:
    """One witness: the policy's name for it, its key and, where somebody asks it, its address."""

    name: str
    verifier: Verifier
    url: str | None


@dataclass(frozen=True)
class Group:
    """So many of these members, each a witness or a group."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """Known logs, known witnesses, groups in order of definition, and the quorum's name (`none` for no witness)."""

    logs: tuple[Verifier, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str
    unwitnessed: tuple[tuple[str, int], ...] = ()
    """Origins, and the size up to which each log's older checkpoints need no witness."""

    def is_met(self, cosigners: set[Verifier]) -> bool:
        """Whether these cosigners, each counted once, make the quorum."""
        met = {witness.name for witness in self.witnesses if witness.verifier in cosigners}
        for group in self.groups:
            if sum(member in met for member in group.members) >= group.threshold:
                met.add(group.name)
        return self.quorum == "none" or self.quorum in met

    def accept(self, data: bytes, *, where: str = "checkpoint") -> Checkpoint:
        """A checkpoint that a known log signed and a quorum cosigned.

        Raises WrongInput when the bytes are no checkpoint, AnswerIsNo when the policy does not accept it.
        """
        checkpoint = parse(data, where=where)
        logs = [log for log in self.logs if log.name == checkpoint.origin]
        if not logs or not checkpoint.note.signed_by(logs, where=where):
            raise AnswerIsNo("no log in the policy signed this checkpoint", where=where)
        cosigners = checkpoint.note.signed_by((witness.verifier for witness in self.witnesses), where=where)
        if not self.is_met(set(cosigners)):
            count = f"{len(cosigners)} of {len(self.witnesses)} known witnesses"
            raise Unwitnessed(f"the witnesses' quorum is not met ({count} cosigned)", where=where)
        if checkpoint.size > _LAST_SIZE:
            raise AnswerIsNo("the size is too large for any ledger", where=where)
        return checkpoint

    def accept_older(self, data: bytes, *, where: str = "checkpoint") -> Checkpoint:
        """A checkpoint that is not a log's newest: as `accept`, unless the policy states that it needs no witness."""
        parsed = parse(data, where=where)
        if parsed.size <= dict(self.unwitnessed).get(parsed.origin, -1):
            return replace(self, quorum="none").accept(data, where=where)
        return self.accept(data, where=where)


def exception(origin: str, size: int) -> str:
    """The line of a policy, without its newline, that needs no witness for a log's checkpoints up to a size."""
    return f"{_EXCEPTION} {origin} {size}"


def read(path: Path) -> Policy:
    """Read a policy file."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_POLICY + 1)
    except OSError as error:
        raise WrongInput(f"the policy cannot be read ({error.strerror})", where=path.name) from None
    return parse_policy(data, where=path.name)


def without_witnesses(log: Verifier) -> Policy:
    """A policy that believes one log alone."""
    return Policy((log,), (), (), "none")


def parse_policy(data: bytes, *, where: str = "policy") -> Policy:
    """Read a policy's bytes; raises WrongInput naming the line that is wrong."""
    if len(data) > _MAX_POLICY or _FORBIDDEN.search(data):
        raise WrongInput("a policy must be at most one megabyte of text without control characters", where=where)
    reader = _Reader(where)
    # one byte, one character: names are opaque bytes, as the standard asks
    for number, line in enumerate(data.decode("latin-1").split("\n"), start=1):
        items = re.split(r"[ \t]+", line.strip(" \t"))
        if items[0] == _EXCEPTION or (items != [""] and not items[0].startswith("#")):
            reader.line(items, place(f"{where} line {number}"))
    return reader.policy()


class _Reader:
    def __init__(self, where: str) -> None:
        self._where = where
        self._logs: list[Verifier] = []
        self._witnesses: list[Witness] = []
        self._groups: list[Group] = []
        self._names = {"none"}
        self._quorum: str | None = None
        self._unwitnessed: dict[str, int] = {}

    def line(self, items: list[str], where: str) -> None:
        readers: dict[str, Callable[[list[str], str], None]] = {
            "log": self._log, "witness": self._witness, "group": self._group, "quorum": self._set_quorum,
            _EXCEPTION: self._except,
        }  # fmt: skip
        reader = readers.get(items[0])
        if reader is None:
            raise WrongInput("a policy line must begin with log, witness, group or quorum", where=where)
        reader(items[1:], where)

    def policy(self) -> Policy:
        if self._quorum is None:
            raise WrongInput(
                "the policy has no quorum line", where=self._where, remedy="To require no witness, write `quorum none`"
            )
        known = tuple(self._logs), tuple(self._witnesses), tuple(self._groups)
        return Policy(*known, self._quorum, tuple(self._unwitnessed.items()))

    def _log(self, items: list[str], where: str) -> None:
        _count(items, where, 1, 2)
        verifier = _key(items[0], {Algorithm.ED25519}, where)
        if verifier.public in {log.public for log in self._logs}:
            raise WrongInput("this log is listed twice", where=where)
        self._logs.append(verifier)

    def _witness(self, items: list[str], where: str) -> None:
        _count(items, where, 2, 3)
        self._name(items[0], where)
        verifier = _key(items[1], _COSIGNERS, where)
        if verifier.public in {witness.verifier.public for witness in self._witnesses}:
            raise WrongInput("this witness is listed twice", where=where)
        self._witnesses.append(Witness(items[0], verifier, items[2] if len(items) == 3 else None))

    def _group(self, items: list[str], where: str) -> None:
        _count(items, where, 3, 1000)
        name, rule, members = items[0], items[1], tuple(items[2:])
        placed = {member for group in self._groups for member in group.members}
        if len(set(members)) < len(members) or placed & set(members) or not set(members) <= self._names - {"none"}:
            raise WrongInput("a group must list names defined above it, each in only one group", where=where)
        counts = {"any": 1, "all": len(members)}
        threshold = counts.get(rule) or (int(rule) if re.fullmatch("[1-9][0-9]{0,3}", rule) else 0)
        if not 1 <= threshold <= len(members):
            raise WrongInput("a group must require any, all, or a number from 1 to its number of members", where=where)
        self._name(name, where)
        self._groups.append(Group(name, threshold, members))

    def _set_quorum(self, items: list[str], where: str) -> None:
        _count(items, where, 1, 1)
        if self._quorum is not None or items[0] not in self._names:
            raise WrongInput("there must be one quorum line, naming a witness or group defined above it", where=where)
        self._quorum = items[0]

    def _except(self, items: list[str], where: str) -> None:
        _count(items, where, 2, 2)
        origin = _text(items[0], where)
        if origin in self._unwitnessed or not re.fullmatch("0|[1-9][0-9]{0,17}", items[1]):
            raise WrongInput("an exception must read `#unwitnessed ORIGIN SIZE`, once for each log", where=where)
        self._unwitnessed[origin] = int(items[1])

    def _name(self, name: str, where: str) -> None:
        if name in self._names:
            raise WrongInput("a name is defined twice", where=where)
        self._names.add(name)


def _count(items: list[str], where: str, least: int, most: int) -> None:
    if not least <= len(items) <= most:
        raise WrongInput("the line has too few or too many parts", where=where)


def _key(text: str, allowed: set[Algorithm], where: str) -> Verifier:
    verifier = Verifier.parse(_text(text, where), where=where)
    if verifier.algorithm not in allowed:
        raise WrongInput("the key's algorithm does not suit its use", where=where)
    return verifier


def _text(text: str, where: str) -> str:
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError:
        raise WrongInput("names and keys must be UTF-8 text", where=where) from None
