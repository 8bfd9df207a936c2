#!/usr/bin/env python3
"""A verifier for the certificates of Gatehouse releases that shares no code with Gatehouse.

It is written from docs/release.md alone, to be read by whoever must rely on it: an officer who received a package, an
inspector, a court. It needs Python 3.9 or newer and the `cryptography` package, and reads your own policy, the public
keys that you were handed (`trust/`: custodian.vkey, officers.json, agencies.json) and a certificate, which lies in the
folder that `gatehouse open` made, or in a docket's `certificates/`.

    python verify_release.py certificate.json --policy MY.policy --trust TRUST [--agency-key AGENCY.vkey]
    python verify_release.py certificate.json … --records records.csv --salt records.salt

Exit status 0: everything holds. Exit status 1: it does not, and one line says what does not bind to what.
What you believe comes from your policy and your keys. The best agency key is the one that the agency gave you.
"""

# Plain Python without type annotations, on purpose: for readers who do not program for a living.
# ruff: noqa: ANN001, ANN002, ANN201, ANN202, ANN204, C901, D101, D102, D103, FBT002, FBT003, N818, PLR0912, PLR0917
# ruff: noqa: PTH118, PTH123, RUF005, RUF021, UP017, UP031

import argparse
import base64
import hashlib
import json
import os
import re
import struct
import sys
import unicodedata
import zlib
from datetime import datetime, timedelta, timezone

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

HASH = 32
LIMIT = 1 << 30  # no file that is read is longer
SKEW, LAG = timedelta(minutes=10), timedelta(hours=72)
ITEMS = {"last_known_address"}
ROLES = {"disclosure_officer", "disclosure_manager"}
FIELDS = {
    "received": {"event", "docket", "agency", "submission", "manifest", "signature", "receipt", "requests", "batch",
                 "first", "pack", "as_of"},
    "roster": {"event", "officers", "endorsements"},
    "docket": {"event", "docket", "received", "files", "register"},
    "pack in force": {"event", "pack", "version", "digest", "lock", "proof", "signatures", "counsel", "custodian"},
    "decision": {"event", "docket", "number", "action", "cases", "selection", "statement"},
    "release": {"event", "release", "docket", "entry", "agency", "officer", "recipient", "selection", "items",
                "persons", "records", "receipt_key", "terms", "released_at", "expires_on", "pack", "as_of",
                "decisions"},
}  # fmt: skip


class Failure(Exception):
    """The one line that is shown when something does not hold."""


# ---------------------------------------------------------------------------------------------------------------------
# 1. Small things: hashes, base64, reading files
# ---------------------------------------------------------------------------------------------------------------------


def sha256(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


def unbase64(text):
    """Decode base64, insisting that there was only one way to write it."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Failure("base64 is malformed") from None
    if base64.b64encode(data).decode() != text:
        raise Failure("base64 is not in its canonical form")
    return data


def number(text):
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text, re.ASCII):
        raise Failure("a number is malformed")
    return int(text)


def read(*path):
    name = os.path.join(*path)
    try:
        with open(name, "rb") as stream:
            data = stream.read(LIMIT + 1)
    except OSError as error:
        raise Failure(f"{name}: cannot be read ({error.strerror})") from None
    if len(data) > LIMIT:
        raise Failure(f"{name}: is too long")
    return data


def text_of(data, name):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Failure(f"{name}: is not UTF-8 text") from None


# ---------------------------------------------------------------------------------------------------------------------
# 2. Keys and signatures (c2sp.org/signed-note, c2sp.org/tlog-cosignature)
# ---------------------------------------------------------------------------------------------------------------------

ED25519, COSIGN_ED25519, COSIGN_ML_DSA = 1, 4, 6


class Key:
    """A public key `name+hash+base64`: the base64 holds one byte of type, then the key itself."""

    def __init__(self, text):
        parts = text.split("+", 2)  # the base64 may contain a plus itself
        if len(parts) != 3:
            raise Failure("a key in the policy is malformed")
        self.name, short, body = parts[0], parts[1], unbase64(parts[2])
        self.kind, self.public = body[0] if body else 0, body[1:]
        if len(self.public) != {ED25519: 32, COSIGN_ED25519: 32, COSIGN_ML_DSA: 1312}.get(self.kind):
            raise Failure(f"the key {self.name} is of an unknown kind")
        # the four bytes that announce this key in front of its signatures
        self.short = sha256(self.name.encode(), b"\n", bytes([self.kind]), self.public)[:4]
        if self.short.hex() != short:
            raise Failure(f"the key {self.name} does not match its own hash")

    def check(self, note_text, signature):
        """Raise Failure unless `signature` is this key's over the text of a note."""
        try:
            if self.kind == ED25519:
                Ed25519PublicKey.from_public_bytes(self.public).verify(signature, note_text)
                return
            time, signature = struct.unpack(">Q", signature[:8])[0], signature[8:]
            if not 0 < time <= 1 << 53:
                raise Failure(f"the signature of {self.name} is of an impossible time")
            if self.kind == COSIGN_ED25519:
                signed = b"cosignature/v1\ntime %d\n" % time + note_text
                Ed25519PublicKey.from_public_bytes(self.public).verify(signature, signed)
                return
            from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

            origin, size, root = note_text.split(b"\n")[:3]
            name = self.name.encode()
            signed = b"subtree/v1\n\0" + bytes([len(name)]) + name + struct.pack(">Q", time)
            signed += bytes([len(origin)]) + origin + struct.pack(">QQ", 0, int(size)) + base64.b64decode(root)
            MLDSA44PublicKey.from_public_bytes(self.public).verify(signature, signed)
        except (InvalidSignature, ValueError, struct.error):
            raise Failure(f"the signature of {self.name} is wrong") from None
        except ImportError:
            raise Failure(f"this computer's cryptography package cannot check {self.name} (ML-DSA-44)") from None


# ---------------------------------------------------------------------------------------------------------------------
# 3. The policy: whom you believe (c2sp.org/tlog-policy)
# ---------------------------------------------------------------------------------------------------------------------


class Policy:
    def __init__(self, path):
        self.logs, self.witnesses, self.groups, self.quorum = [], {}, {}, None
        # by the log's name: the size up to which its older checkpoints need no witness, because you say so
        self.unwitnessed = {}
        for line in text_of(read(path), path).split("\n"):
            words = line.replace("\t", " ").split(" ")
            words = [word for word in words if word]
            if not words or words[0].startswith("#") and words[0] != "#unwitnessed":
                continue
            try:
                self._line(words[0], words[1:])
            except (IndexError, KeyError, ValueError):
                raise Failure(f"{path}: the line that begins with {words[0]!r} is malformed") from None
        if self.quorum is None:
            raise Failure(f"{path}: there is no quorum line")

    def _line(self, what, words):
        if what == "log" and len(words) in (1, 2):
            self.logs.append(Key(words[0]))
        elif what == "witness" and len(words) in (2, 3):
            key = Key(words[1])
            if words[0] in self._names() or key.public in [known.public for known in self.witnesses.values()]:
                raise ValueError
            self.witnesses[words[0]] = key
        elif what == "group" and len(words) >= 3:
            members = words[2:]
            least = {"any": 1, "all": len(members)}.get(words[1]) or number(words[1])
            taken = [member for _, others in self.groups.values() for member in others]
            known = all(member in self._names() and member not in taken for member in members)
            if not known or words[0] in self._names() or len(set(members)) < len(members):
                raise ValueError
            if not 1 <= least <= len(members):
                raise ValueError
            self.groups[words[0]] = (least, members)
        elif what == "quorum" and len(words) == 1 and self.quorum is None:
            if words[0] != "none" and words[0] not in self._names():
                raise ValueError
            self.quorum = words[0]
        elif what == "#unwitnessed" and len(words) == 2 and words[0] not in self.unwitnessed:
            self.unwitnessed[words[0]] = number(words[1])
        else:
            raise ValueError

    def _names(self):
        return [*self.witnesses, *self.groups]

    def _met(self, name, cosigned):
        if name in self.witnesses:
            return name in cosigned
        least, members = self.groups[name]
        return sum(self._met(member, cosigned) for member in members) >= least

    def accept(self, data, name, *, older=False):
        """Check a checkpoint's form, its log's signature and the witnesses' quorum; return (size, root).

        An older one needs its log's signature only, if it is from before there were witnesses and your policy says
        so with a line `#unwitnessed NAME-OF-THE-LOG SIZE`.
        """
        text, lines = split_note(text_of(data, name), name)
        origin, size, root = (text.split("\n") + ["", "", ""])[:3]
        size, root = number(size), unbase64(root)
        if len(root) != HASH or any(line == "" for line in text[:-1].split("\n")):
            raise Failure(f"{name}: is not a checkpoint")
        by_log = [key for key in self.logs if key.kind == ED25519 and key.name == origin and signed(key, text, lines)]
        if not by_log:
            raise Failure(f"{name}: no log in your policy signed this checkpoint")
        cosigned = [w for w, key in self.witnesses.items() if key.kind != ED25519 and signed(key, text, lines)]
        excepted = older and size <= self.unwitnessed.get(origin, -1)
        if not excepted and self.quorum != "none" and not self._met(self.quorum, cosigned):
            raise Failure(f"{name}: only {len(cosigned)} of your witnesses cosigned, which is not a quorum")
        return size, root

    def cosigned_at(self, whole):
        """The earliest instant by which a quorum had cosigned a checkpoint; None where your policy asks for none."""
        if self.quorum == "none":
            return None
        text, lines = split_note(whole, "checkpoint")
        dated = []
        for name, key in self.witnesses.items():
            for who, short, signature in lines:
                if (who, short) == (key.name, key.short):
                    key.check(text.encode(), signature)
                    dated.append((struct.unpack(">Q", signature[:8])[0], name))
        cosigned = set()
        for time, name in sorted(dated):
            cosigned.add(name)
            if self._met(self.quorum, cosigned):
                return datetime.fromtimestamp(time, timezone.utc)
        raise Failure("the witnesses' quorum is not met")


def split_note(whole, name):
    """A signed note: its text, and for each signature (name, four bytes of key hash, signature)."""
    if any(ord(character) < 32 and character != "\n" or 127 <= ord(character) < 160 for character in whole):
        raise Failure(f"{name}: contains control characters")
    text, gap, rest = whole.rpartition("\n\n")
    if not gap or not text or not rest.endswith("\n") or rest.count("\n") > 100:
        raise Failure(f"{name}: is not a signed note")
    lines = []
    for line in rest[:-1].split("\n"):
        found = re.fullmatch(r"\u2014 ([^ +]+) ([A-Za-z0-9+/=]+)", line)
        if not found:
            raise Failure(f"{name}: has a malformed signature line")
        blob = unbase64(found[2])
        if len(blob) < 5:
            raise Failure(f"{name}: has a malformed signature line")
        lines.append((found[1], blob[:4], blob[4:]))
    return text + "\n", lines


def signed(key, text, lines):
    """Whether a key signed a note. A wrong signature under a known key is a failure, not a missing one."""
    mine = [signature for name, short, signature in lines if (name, short) == (key.name, key.short)]
    for signature in mine:
        key.check(text.encode(), signature)
    return bool(mine)


# ---------------------------------------------------------------------------------------------------------------------
# 4. Signed statements: a JSON body and one signature line over its canonical bytes
# ---------------------------------------------------------------------------------------------------------------------


def canonical(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode("utf-8", "strict")


def strict_json(data, what):
    def once(pairs):
        if len(dict(pairs)) != len(pairs):
            raise ValueError
        return dict(pairs)

    def never(_):
        raise ValueError

    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        return json.loads(text, object_pairs_hook=once, parse_constant=never, parse_float=never)
    except (ValueError, RecursionError):
        raise Failure("%s: is not valid JSON" % what) from None


def check_line(data, line, keys, what):
    """One signature line (signed-note) over exactly these bytes, by one of these plain Ed25519 keys."""
    found = re.fullmatch(r"\u2014 ([^ +]+) ([A-Za-z0-9+/=]+)\n?", line) if isinstance(line, str) else None
    blob = unbase64(found[2]) if found else b""
    for key in keys:
        if key.kind == ED25519 and found and found[1] == key.name and blob[:4] == key.short:
            key.check(data, blob[4:])
            return
    raise Failure("%s: is not signed by a key that you know" % what)


def check_statement(statement, keys, form, what):
    if not isinstance(statement, dict) or set(statement) != {"body", "signature"}:
        raise Failure("%s: is not a signed statement" % what)
    if not isinstance(statement["body"], dict) or statement["body"].get("format") != form:
        raise Failure("%s: is not a statement in the format %s" % (what, form))
    check_line(canonical(statement["body"]), statement["signature"], keys, what)
    return statement["body"]


class Trust:
    """Whom you were told to know: the custodian's officers, and the agencies' keys."""

    def __init__(self, folder, site):
        custodian = Key(text_of(read(folder, "custodian.vkey"), "custodian.vkey").strip())
        said = {}
        for name, form, what in (
            ("officers", "gatehouse-officers/2", "versions"), ("agencies", "gatehouse-agencies/1", "agencies")
        ):  # fmt: skip
            document = strict_json(read(folder, name + ".json"), name)
            said[name] = check_statement(document, [custodian], form, name + ".json")[what]
        self.site, self.versions = site, said["officers"]
        self.officers = admitted(self.versions, site)
        self.agencies = {one["id"]: one["keys"] for one in said["agencies"]}

    def agency_keys(self, agency, day):
        listed = self.agencies.get(agency, [])
        return [
            Key(one["key"]) for one in listed if one["from"] <= day and (one["until"] is None or day < one["until"])
        ]

    def why_not(self, officer, day, lent=False):
        one = self.officers.get(officer)
        if one is None:
            return "is not on the custodian's roster"
        if one["role"] not in ROLES or day < one["from"]:
            return "has no authority on that day"
        if day >= one.get("until", "9999") or day >= one.get("revoked_on", "9999"):
            return "lost the authority before"
        lender = one.get("delegated_by")
        if lender is not None and (lent or self.why_not(lender, day, lent=True)):
            return "acts for somebody without authority"
        return None

    def officers_at(self, entered):
        """Who counted with a roster that the ledger holds: after the versions up to it, or after all if it is new."""
        at = [number for number, one in enumerate(self.versions) if one == entered]
        return admitted(self.versions[: at[-1] + 1] if at else [*self.versions, entered], self.site)

    def people(self, officer):
        return people(self.officers, officer)


def people(officers, officer):
    """The persons that one signature stands for; entries that share an id, a name or a key are one human."""
    ids = set(filter(None, (officer, officers[officer].get("delegated_by"))))
    known = [officers[one] for one in ids if one in officers]
    return frozenset(ids | {one["id"] for one in officers.values() if any(same_human(one, other) for other in known)})


def apart(officers, named):
    """How many different humans some officers are."""
    found = []
    for one in (people(officers, officer) for officer in sorted(named)):
        if not any(one & other for other in found):
            found.append(one)
    return len(found)


def folded(name):
    """A name's letters and digits alone, without marks and case, in the order of parts."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", name) if not unicodedata.combining(one)).casefold()
    return " ".join(sorted("".join(one if one.isalnum() else " " for one in plain).split())) or name


def admitted(versions, site):
    """The officers who count: the first two the custodian names; every later addition, two officers before it sign.

    An entry that was taken back, or narrowed, never counts again as it was: what was signed for it once is spent.
    """
    standing, begun, spent = {}, False, []
    for version in versions:
        if not isinstance(version["officers"], list) or not isinstance(version["endorsements"], list):
            raise Failure("a roster's officers and endorsements must be lists")
        before, standing = standing, {}
        spent += [one for one in before.values() if one not in version["officers"]]
        voices = [one for one in before.values() if may_endorse(one)]
        for one in version["officers"]:
            # nobody has two voices, whatever ids they stand under, and nobody speaks for themselves
            signed = {
                voice["id"]
                for voice in voices
                if not any(same_human(before[other], one) for other in people(before, voice["id"]))
                and any(is_endorsed(e, voice, one, site) for e in version["endorsements"])
            }
            vouched = one not in spent and apart(before, signed) >= 2
            if not begun or keeps_within(before.get(one["id"]), one) or vouched:
                standing[one["id"]] = one
        begun = begun or apart(standing, [one["id"] for one in standing.values() if may_endorse(one)]) >= 2
    return standing


def same_human(one, other):
    """Whether two entries are one human, as far as a reader can know: by id, by public key, or by folded name."""
    named = {folded(one["id"]), folded(one["name"])} & {folded(other["id"]), folded(other["name"])}
    return bool(named) or Key(one["key"]).public == Key(other["key"]).public


def may_endorse(one):
    return one["role"] in ROLES and "revoked_on" not in one and "delegated_by" not in one


def keeps_within(before, now):
    """Whether an entry gives nobody more authority than it gave before."""
    if before is None:
        return False
    same = all(before.get(name) == now.get(name) for name in ("name", "role", "key", "delegated_by", "delegation"))
    ends = all(
        before.get(name) == now.get(name) or now.get(name, "9999") <= before.get(name, "9999")
        for name in ("until", "revoked_on")
    )
    conflicts = set(before.get("conflicts", [])) <= set(now.get("conflicts", []))
    return same and ends and conflicts and now["from"] >= before["from"]


def is_endorsed(statement, voice, officer, site):
    body = statement.get("body") if isinstance(statement, dict) else None
    asked = {"format": "gatehouse-endorsement/1", "site": site, "officer": officer, "endorser": voice["id"]}
    if body != asked:
        return False
    try:
        check_statement(statement, [Key(voice["key"])], "gatehouse-endorsement/1", "an endorsement")
    except Failure:
        return False
    return True


# ---------------------------------------------------------------------------------------------------------------------
# 5. The tree (RFC 6962 section 2)
# ---------------------------------------------------------------------------------------------------------------------


def leaf(entry):
    return sha256(b"\x00", entry)


def inner(left, right):
    return sha256(b"\x01", left, right)


def split(size):
    half = 1
    while half * 2 < size:
        half *= 2
    return half


def root_from_path(start, index, size, path):
    """The root that an inclusion path leads to (RFC 6962 section 2.1.1), by the recursive definition."""
    if not 0 <= index < size:
        raise Failure("an entry's index is beyond the ledger")
    if size == 1:
        if path:
            raise Failure("an inclusion path is too long")
        return start
    if not path:
        raise Failure("an inclusion path is too short")
    half = split(size)
    if index < half:
        return inner(root_from_path(start, index, half, path[:-1]), path[-1])
    return inner(path[-1], root_from_path(start, index - half, size - half, path[:-1]))


def roots_from_consistency(old, new, old_root, path, whole=True):
    """The two roots that a consistency path leads to (RFC 6962 section 2.1.2), by the recursive definition."""
    if old == new:
        if whole:
            return (old_root, old_root) if not path else (b"", b"")
        return (path[0], path[0]) if len(path) == 1 else (b"", b"")
    if not path:
        return b"", b""
    half = split(new)
    if old <= half:
        first, second = roots_from_consistency(old, half, old_root, path[:-1], whole)
        return first, inner(second, path[-1])
    first, second = roots_from_consistency(old - half, new - half, old_root, path[:-1], False)
    return inner(path[-1], first), inner(path[-1], second)


# ---------------------------------------------------------------------------------------------------------------------
# 6. The certificate's form: what it carries, and every entry in the ledger
# ---------------------------------------------------------------------------------------------------------------------

ALGORITHMS = {
    "digest": "SHA-256", "tree": "RFC 6962 with SHA-256", "opening": "gatehouse-opening/1",
    "signature": "C2SP signed note", "sealing": "age-encryption.org/v1",
}  # fmt: skip
CARRIED = {
    "format", "algorithms", "checkpoint", "earlier", "nodes", "manifest", "manifest_signature", "receipt", "received",
    "docket", "adopted", "roster", "decisions", "release", "records",
}  # fmt: skip


def is_hex(value, digits):
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{%d}" % digits, value, re.ASCII) is not None


def whole_number(value):
    return type(value) is int and 0 <= value < 1 << 53


def texts(value):
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def open_record(batch, seq, digests, shown, what):
    """Make the entry from its parts, and check that every field shown is one of its digests."""
    if not is_hex(batch, 32) or not whole_number(seq) or seq >= 1 << 32 or not texts(digests) or not texts(shown):
        raise Failure("%s: the opening is malformed" % what)
    if not digests or len(digests) > 64 or not all(is_hex(each, 64) for each in digests):
        raise Failure("%s: the opening is malformed" % what)
    fields = {}
    for text in shown:
        if sha256(text.encode("utf-8", "replace")).hex() not in digests:
            raise Failure("%s: a field shown does not belong to the entry" % what)
        parts = strict_json(text, what)
        if not isinstance(parts, list) or len(parts) != 3 or not is_hex(parts[0], 32) or parts[1] in fields:
            raise Failure("%s: a field shown is malformed" % what)
        fields[parts[1]] = parts[2]
    listed = '["' + '","'.join(digests) + '"]'
    return b"\x01" + bytes.fromhex(batch) + struct.pack(">I", seq) + sha256(listed.encode()), fields


class Certificate:
    """A certificate of which every entry was found in the ledger, under one checkpoint that your policy accepts."""

    def __init__(self, data, policy):
        said = strict_json(data, "certificate")
        if not isinstance(said, dict) or set(said) != CARRIED or canonical(said) != data:
            raise Failure("this is not a certificate: it is not canonical JSON with exactly the fields of format 2")
        if said["format"] != "gatehouse-certificate/2" or said["algorithms"] != ALGORITHMS:
            raise Failure("the certificate is in an unsupported format, or names unsupported algorithms")
        if not all(isinstance(said[name], list) for name in ("earlier", "adopted", "decisions", "records")):
            raise Failure("the certificate's earlier, adopted, decisions and records must be lists")
        self.said, self.policy, self.used, self.lines = said, policy, set(), []
        self.nodes = self._nodes(said["nodes"])
        self.size, self.root = policy.accept(said["checkpoint"].encode(), "checkpoint")
        self.origin = said["checkpoint"].split("\n")[0]
        self.history = [(self.size, policy.cosigned_at(said["checkpoint"]))]
        last = 0
        for one in said["earlier"]:
            last = self._earlier(one, last)
        self.received_at, self.received, _ = self.event(said["received"], "received")
        self.docket_at, self.docket, self.docket_entry = self.event(said["docket"], "docket")
        self.release_at, self.release, _ = self.event(said["release"], "release", hidden={"persons"})
        self.adopted = [self.event(one, "pack in force")[:2] for one in said["adopted"]]
        self.roster_at, self.roster, _ = self.event(said["roster"], "roster")

    def _nodes(self, text):
        data = unbase64(text)
        nodes = [data[at : at + HASH] for at in range(0, len(data), HASH)]
        if len(data) % HASH or len(set(nodes)) != len(nodes):
            raise Failure("the nodes of the certificate are malformed, or one appears twice")
        return nodes

    def path(self, numbers):
        if not isinstance(numbers, list) or not all(whole_number(at) and at < len(self.nodes) for at in numbers):
            raise Failure("a proof names a missing node")
        if len(numbers) > 63:
            raise Failure("a proof is too long")
        self.used.update(numbers)
        return [self.nodes[at] for at in numbers]

    def _earlier(self, one, last):
        if not isinstance(one, dict) or set(one) != {"checkpoint", "proof"}:
            raise Failure("an earlier checkpoint is malformed")
        size, root = self.policy.accept(one["checkpoint"].encode(), "earlier checkpoint")
        if one["checkpoint"].split("\n")[0] != self.origin or not last < size < self.size:
            raise Failure("the earlier checkpoints must be of this ledger, each once, smallest first")
        roots = roots_from_consistency(size, self.size, root, self.path(one["proof"]))
        if roots != (root, self.root):
            raise Failure("an earlier checkpoint is inconsistent with the newest")
        self.history.append((size, self.policy.cosigned_at(one["checkpoint"])))
        return size

    def included(self, entry, index, proof, what):
        if not whole_number(index) or root_from_path(leaf(entry), index, self.size, self.path(proof)) != self.root:
            raise Failure("%s: the entry is not in the ledger under this checkpoint" % what)

    def event(self, one, kind, hidden=frozenset()):
        if not isinstance(one, dict) or set(one) != {"index", "batch", "digests", "shown", "proof"}:
            raise Failure("the entry '%s' is malformed" % kind)
        entry, fields = open_record(one["batch"], 0, one["digests"], one["shown"], kind)
        self.included(entry, one["index"], one["proof"], kind)
        needed = FIELDS[kind]
        if set(fields) not in (needed, needed - hidden) or len(one["digests"]) != len(needed):
            raise Failure("the entry '%s' does not have the required fields" % kind)
        if fields.get("event") != kind:
            raise Failure("the entry is not of the kind '%s'" % kind)
        return one["index"], fields, entry

    def bound(self, first, last, index, what):
        """A stated time, from its first to its last instant, lies between the witnesses' times around an entry."""
        after = [time for size, time in self.history if time is not None and size <= index]
        before = [time for size, time in self.history if time is not None and size > index]
        if before and (first > min(before) + SKEW or last < min(before) - LAG):
            raise Failure("%s is dated %s, but witnesses first saw it by %s" % (what, first, min(before)))
        if after and last < max(after) - SKEW:
            raise Failure("%s is dated %s, but witnesses had not seen it at %s" % (what, first, max(after)))
        seen = "seen by witnesses by %s" % min(before) if before else "no witness says when"
        self.lines.append("%s, %s: %s" % (what, first, seen))


# ---------------------------------------------------------------------------------------------------------------------
# 7. What must bind to what (docs/release.md, "What must hold")
# ---------------------------------------------------------------------------------------------------------------------


def instant(text, what):
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except (ValueError, TypeError):
        raise Failure("%s: is not a UTC time" % what) from None


def day_span(text, what):
    try:
        first = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=timezone.utc)
    except (ValueError, TypeError):
        raise Failure("%s: is not a date" % what) from None
    return first, first + timedelta(days=1)


def hexdigest(data):
    return sha256(data).hex()


def unpack_selection(text):
    """A set of cases: base64 of deflated bytes, bit n (least significant first) says whether case n is in it."""
    reader = zlib.decompressobj()
    try:
        raw = reader.decompress(unbase64(text), 1 << 24)
    except zlib.error:
        raise Failure("a selection is malformed") from None
    if not reader.eof or reader.unused_data or raw[-1:] == b"\0":
        raise Failure("a selection is malformed")
    return {at * 8 + bit for at, byte in enumerate(raw) for bit in range(8) if byte >> bit & 1}, hexdigest(raw)


def pack_selection(cases):
    raw = bytearray(max(cases) // 8 + 1)
    for case in cases:
        raw[case // 8] |= 1 << case % 8
    return hexdigest(bytes(raw))


def check(data, policy, trust, agency_key):
    shown = Certificate(data, policy)
    manifest = check_submission(shown, trust, agency_key)
    check_law(shown, manifest)
    check_release(shown, manifest)
    receipt = strict_json(shown.said["receipt"], "receipt")
    received_at, released_at = (
        instant(receipt["received_at"], "receipt"),
        instant(shown.release["released_at"], "release"),
    )
    shown.bound(received_at, received_at, shown.received_at, "the receipt")
    shown.bound(*day_span(shown.received["as_of"], "as_of"), shown.received_at, "the law of the determinations")
    shown.bound(released_at, released_at, shown.release_at, "the release")
    if (
        shown.release["as_of"] != shown.release["released_at"][:10]
        or shown.release["expires_on"] < shown.release["as_of"]
    ):
        raise Failure("the release was decided under the law of a different day from its own")
    approved, cleared = check_decisions(shown, trust, manifest, receipt, received_at, released_at)
    permitted = check_records(shown, cleared, approved)
    if shown.used != set(range(len(shown.nodes))):
        raise Failure("no proof uses a node of the certificate")
    return shown, permitted


def check_submission(shown, trust, agency_key):
    """What the agency signed and was given a receipt for is what the ledger received, and bound."""
    said, received, docket = shown.said, shown.received, shown.docket
    for name, part, committed in (
        ("submission.json", "manifest", received["manifest"]),
        ("submission.json.sig", "manifest_signature", received["signature"]),
        ("receipt.json", "receipt", received["receipt"]),
    ):
        if hexdigest(said[part].encode()) != committed or docket["files"].get(name) != committed:
            raise Failure("%s differs from the one that was received" % name)
    if received["first"] != shown.received_at + 1:
        raise Failure("the receipt's entry is not directly before its determinations")
    if (docket["docket"], docket["received"]) != (received["docket"], shown.received_at):
        raise Failure("the docket's entry is about a different receipt")
    if shown.docket_at < received["first"] + received["requests"]:
        raise Failure("the docket's entry is earlier than its determinations")
    manifest, receipt = strict_json(said["manifest"], "manifest"), strict_json(said["receipt"], "receipt")
    rows = sum(table["rows"] for table in manifest["tables"])
    if (manifest["agency"], manifest["id"], rows) != (received["agency"], received["submission"], received["requests"]):
        raise Failure("the agency signed a different submission, or a different number of requests")
    told = (receipt["digest"], receipt["requests"], receipt["submission"], receipt["refusal"])
    if told != (received["manifest"], received["requests"], received["submission"], None):
        raise Failure("the receipt is about a different submission")
    known = trust.agency_keys(manifest["agency"], manifest["signed_on"])
    for keys in [known] + ([[agency_key]] if agency_key else []):
        check_line(said["manifest"].encode(), said["manifest_signature"], keys, "the submission")
    return manifest


def check_law(shown, manifest):
    """The law that determined was adopted before the receipt, that of the day of release before the release."""
    needed = {shown.received["pack"], shown.release["pack"]}
    if len(shown.adopted) != len(needed) or {one["digest"] for _, one in shown.adopted} != needed:
        raise Failure("the law applied was not adopted, or the certificate shows a different one")
    if not any(at < shown.received_at and one["digest"] == shown.received["pack"] for at, one in shown.adopted):
        raise Failure("the law of the determinations was not adopted before them")
    if any(one["pack"] != manifest["basis"] for _, one in shown.adopted):
        raise Failure("the adopted law is for a different basis from the request's")
    if len({one["version"] for _, one in shown.adopted}) != len(shown.adopted):
        raise Failure("one version of the law was adopted with two different contents")


def check_release(shown, manifest):
    """The release's entry is about this docket, and names an officer and a key that the agency named."""
    release, received = shown.release, shown.received
    if (release["docket"], release["agency"], release["entry"]) != (
        received["docket"],
        received["agency"],
        shown.docket_at,
    ):
        raise Failure("the release's entry is about a different docket")
    named = [
        (one["id"], one["recipient"])
        for one in manifest["officers"]
        if one["employee"] is True and one["attests_sole_use"] is True
    ]
    if (release["officer"], release["recipient"]) not in named:
        raise Failure("the agency did not name this officer with this key")
    if (
        max([shown.docket_at, shown.roster_at, *(at for at, _ in shown.adopted), *release["decisions"]])
        >= shown.release_at
    ):
        raise Failure("the release's entry is earlier than an entry that it relies on")
    if [one["entry"]["index"] for one in shown.said["decisions"]] != release["decisions"]:
        raise Failure("the decisions differ from those that the release's entry names")


def check_decisions(shown, trust, manifest, receipt, received_at, released_at):
    """Which cases two different people approved, and which held ones a person cleared."""
    involved = {manifest["signatory"]["name"], receipt.get("received_by")}
    for one in manifest["officers"]:
        involved |= {one["id"], one["name"]}
    approvals, cleared = {}, set()
    stood = trust.officers_at({name: shown.roster[name] for name in ("officers", "endorsements")})
    for one in shown.said["decisions"]:
        if not isinstance(one, dict) or set(one) != {"statement", "selection", "entry"}:
            raise Failure("a decision is malformed")
        cases, digest = unpack_selection(one["selection"])
        body = one["statement"]["body"] if isinstance(one["statement"], dict) else {}
        officer = trust.officers.get(body.get("officer"))
        if officer is None:
            raise Failure("a decision's officer is not on the custodian's roster")
        check_statement(
            one["statement"], [Key(officer["key"])], "gatehouse-decision/2", "the decision of " + officer["id"]
        )
        at, entry, _ = shown.event(one["entry"], "decision")
        check_decision(shown, body, cases, digest, at, entry)
        decided_at = instant(body["decided_at"], "decision")
        for day in {body["decided_at"][:10], *([shown.release["as_of"]] if body["action"] == "approve" else [])}:
            why = trust.why_not(officer["id"], day)
            if why:
                raise Failure("officer %s %s" % (officer["id"], why))
        own = {officer["id"], officer["name"], Key(officer["key"]).name, officer.get("delegated_by")} - {None}
        agency, public = shown.received["agency"], Key(officer["key"]).public
        sent = any(Key(one["key"]).public == public for one in trust.agencies.get(agency, []))
        named = {folded(one) for one in own} & {folded(one) for one in involved - {None}}
        if sent or named or agency in officer.get("conflicts", []):
            raise Failure("officer %s had a part in the submission, or a conflict" % officer["id"])
        if not keeps_within(stood.get(officer["id"]), officer):
            raise Failure("officer %s did not appear this way on the ledger's roster" % officer["id"])
        shown.bound(decided_at, decided_at, at, "the decision of " + officer["id"])
        if not received_at - SKEW <= decided_at <= released_at:
            raise Failure("a decision was not made between receipt and release")
        if body["action"] == "approve":
            people = trust.people(officer["id"])
            approvals[people] = approvals.get(people, set()) | cases
        else:
            cleared |= cases
    approved = set()
    for one, ones in approvals.items():
        for other, others in approvals.items():
            if not one & other:
                approved |= ones & others
    return approved, cleared


def check_decision(shown, body, cases, digest, at, entry):
    release, received = shown.release, shown.received
    statement = hexdigest(canonical(body))
    stated = (received["docket"], body.get("action"), len(cases), digest, statement)
    if tuple(entry[name] for name in ("docket", "action", "cases", "selection", "statement")) != stated:
        raise Failure("a decision differs from the one in the ledger")
    if body.get("action") not in ("approve", "clear") or at <= shown.docket_at:
        raise Failure("a decision approves nothing, or is earlier than the docket that it is about")
    if body.get("docket") != received["docket"] or body.get("selection") != {"cases": len(cases), "sha256": digest}:
        raise Failure("a decision is about a different docket or different cases")
    if (
        body.get("determinations") != shown.docket["files"].get("determinations.parquet")
        or max(cases) >= received["requests"]
    ):
        raise Failure("a decision is about different determinations")
    about = {
        "docket_entry": {"index": shown.docket_at, "sha256": hexdigest(shown.docket_entry)},
        "batch": received["batch"],
        "law": {"pack_digest": received["pack"], "as_of": received["as_of"]},
    }
    if any(body.get(name) != value for name, value in about.items()):
        raise Failure("a decision is about a different docket, or under different law")
    if {"officer": release["officer"], "recipient": release["recipient"]} not in (body.get("recipients") or []):
        raise Failure("a decision does not name this officer with this key")
    if not set(release["items"]) <= set(body.get("items") or []):
        raise Failure("a decision does not name every item")


def check_records(shown, cleared, approved):
    """Each record is a determination of this batch, in its place, that allows each of its items."""
    received, release = shown.received, shown.release
    permitted, cases = {}, []
    for one in shown.said["records"]:
        if (
            not isinstance(one, dict)
            or set(one) != {"seq", "items", "digests", "shown", "proof"}
            or not texts(one["items"])
        ):
            raise Failure("a record is malformed")
        seq = one["seq"]
        if not whole_number(seq) or seq >= received["requests"]:
            raise Failure("a record is for a row that was not received")
        entry, fields = open_record(received["batch"], seq, one["digests"], one["shown"], "row %d" % seq)
        shown.included(entry, received["first"] + seq, one["proof"], "row %d" % seq)
        if set(fields) != {"request", "answer"} or len(one["digests"]) != 4 or not isinstance(fields["answer"], dict):
            raise Failure("row %d does not show its request and answer" % seq)
        answer = fields["answer"]
        if not (answer["outcome"] == "cleared" or answer["outcome"] == "held" and seq in cleared):
            raise Failure("row %d was determined '%s' and never cleared" % (seq, answer["outcome"]))
        if (answer["pack_digest"], answer["as_of"]) != (received["pack"], received["as_of"]):
            raise Failure("row %d was decided under a different pack or date" % seq)
        items = one["items"]
        if not items or items != sorted(set(items)) or not set(items) <= set(answer["items"]) & ITEMS:
            raise Failure("row %d names items that its determination does not allow" % seq)
        if fields["request"] in permitted:
            raise Failure("two records are for the same request")
        permitted[fields["request"]] = items
        cases.append(seq)
    if not cases or cases != sorted(set(cases)):
        raise Failure("the certificate must have at least one record, and each record once, in row order")
    if release["selection"] != {"cases": len(cases), "sha256": pack_selection(cases)}:
        raise Failure("the records differ from the cases that the release's entry names")
    if release["items"] != sorted({item for items in permitted.values() for item in items}):
        raise Failure("the records contain different items from those that the release's entry names")
    if not set(cases) <= approved:
        raise Failure("%d records lack the approval of two different people" % len(set(cases) - approved))
    return permitted


def check_contents(shown, permitted, records, salt):
    """The records inside are those to which the entry committed before anything was sealed."""
    data = read(records)
    try:
        drawn = bytes.fromhex(text_of(read(salt), salt).strip())
    except ValueError:
        raise Failure("%s: is not a salt" % salt) from None
    if hexdigest(drawn + data) != shown.release["records"]:
        raise Failure("%s: differs from what the release's ledger entry names" % records)


# ---------------------------------------------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(description="Verify the certificate of a Gatehouse release.")
    parser.add_argument("certificate")
    parser.add_argument("--policy", required=True)
    parser.add_argument("--trust", required=True, help="the folder with custodian.vkey, officers.json, agencies.json")
    parser.add_argument("--agency-key", help="the agency's public key, from the agency")
    parser.add_argument("--records", help="records.csv as it was opened")
    parser.add_argument("--salt", help="records.salt as it was opened")
    given = parser.parse_args()
    if (given.records is None) != (given.salt is None):
        parser.error("the records are compared with their salt: give both")
    try:
        policy = Policy(given.policy)
        trust = Trust(given.trust, policy.logs[0].name if policy.logs else "")
        key = Key(text_of(read(given.agency_key), given.agency_key).strip()) if given.agency_key else None
        shown, permitted = check(read(given.certificate), policy, trust, key)
        if given.records:
            check_contents(shown, permitted, given.records, given.salt)
        print("\n".join(shown.lines))
        print(
            "verified: release %s of docket %s to officer %s"
            % tuple(shown.release[n] for n in ("release", "docket", "officer"))
        )
        print("%d requests, entry %d of %d" % (len(permitted), shown.release_at, shown.size))
    except Failure as failure:
        print("NOT VERIFIED. %s" % failure, file=sys.stderr)
        return 1
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError):
        print("NOT VERIFIED. A part of the certificate is missing or of the wrong kind", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
