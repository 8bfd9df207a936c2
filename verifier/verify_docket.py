#!/usr/bin/env python3
"""A verifier for a Gatehouse docket that shares no code with Gatehouse.

It is written from docs/ledger.md alone, to be read by whoever must rely on it. It needs Python 3.9 or newer and the
`cryptography` package, and reads your own policy, a ledger's folder, a docket's folder and the agency's public key.

    python verify_docket.py DOCKET --ledger LEDGER --policy MY.policy --agency-key AGENCY.vkey [--receipt RECEIPT.json]
        [--certificate CERTIFICATE.json]

It shows that the agency signed this submission; that the ledger received it whole, with one entry for each request and
no more, directly after the receipt; that the receipt and the date of the law lie within the bound of your witnesses'
times; that every file of the docket is the one that was committed; and that the lists of persons of its releases are
those that the ledger names. With certificates of releases that the agency opened, it shows that the ledger still has
all that they show, and that the docket accounts for each of them as sealed. It reads no tables: what a determination
says is shown by `gatehouse verify docket` or by a proof (verify_ledger.py). The best receipt is the agency's own.

Exit status 0: everything holds. Exit status 1: it does not, and one line says what; nothing else is shown.
"""

# Plain Python without type annotations, on purpose: for readers who do not program for a living.
# ruff: noqa: ANN001, ANN002, ANN201, ANN202, ANN204, C901, D101, D103, N818, PLR0912, PTH110, PTH114, PTH118, PTH123
# ruff: noqa: PTH208, RUF005, RUF021, UP017, UP031

import argparse
import base64
import hashlib
import json
import os
import re
import stat
import struct
import sys
from datetime import datetime, timedelta, timezone

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ENTRY = 53  # bytes of every entry: version 1, batch 16, sequence number 4, root 32
TILE = 256  # hashes or entries in a full file
HASH = 32
LIMIT = 1 << 24  # no file that is read whole is longer
SKEW, LAG = timedelta(minutes=10), timedelta(hours=72)  # how far a stated time may be from the witnesses' times

FIELDS = {
    "received": {"event", "docket", "agency", "submission", "manifest", "signature", "receipt", "requests", "batch",
                 "first", "pack", "as_of"},
    "docket": {"event", "docket", "received", "files", "register"},
}  # fmt: skip
LATER = {"vault.parquet", "answers.csv.sig", "disclosures.parquet"}  # bound by other entries or signatures
FOLDERS = {"events", "releases", "certificates", "persons", "disclosures", "recalls", "reconciliations"}


class Failure(Exception):
    """The one line that is shown when something does not hold."""


class Unmet(Failure):
    """Too few of your witnesses cosigned a checkpoint."""


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
        raise Unmet("the witnesses' quorum is not met")


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
# 4. The tree (RFC 6962 section 2)
# ---------------------------------------------------------------------------------------------------------------------


def leaf(entry):
    return sha256(b"\x00", entry)


def root_of(hashes):
    """The root above a list of hashes: pair them up level by level, carrying an odd last one upwards.

    This equals the recursive definition of RFC 6962, whose left half is always the largest power of two.
    """
    if not hashes:
        return sha256()
    while len(hashes) > 1:
        pairs = [sha256(b"\x01", hashes[at], hashes[at + 1]) for at in range(0, len(hashes) - 1, 2)]
        hashes = pairs + hashes[len(pairs) * 2 :]
    return hashes[0]


# ---------------------------------------------------------------------------------------------------------------------
# 5. The ledger's folder (c2sp.org/tlog-tiles)
# ---------------------------------------------------------------------------------------------------------------------


def place(index, width):
    groups = []
    while True:
        groups.insert(0, "%03d" % (index % 1000))
        index //= 1000
        if not index:
            break
    name = "/".join(["x" + group for group in groups[:-1]] + groups[-1:])
    return name if width == TILE else f"{name}.p/{width}"


def pieces(count):
    """(index, width) of the files that hold `count` things."""
    for index in range((count + TILE - 1) // TILE):
        yield index, min(TILE, count - index * TILE)


# a number has one spelling: three digits to a group, an x before all but the last, no group of zeros in front
NUMBER = r"(?:x(?!000)\d{3}/(?:x\d{3}/){0,5})?\d{3}"
PART = rf"tile/([0-7]|entries)/({NUMBER})(?:\.p/([1-9]|[1-9]\d|1\d\d|2[0-4]\d|25[0-5]))?"
HISTORY = r"checkpoints/(0|[1-9]\d{0,18})(\.tsr)?"


def list_files(folder, below=""):
    """The names of all files: regular ones under the exact names of a ledger; anything else is not even opened."""
    try:
        found = sorted(os.scandir(os.path.join(folder, below)), key=lambda entry: entry.name)
    except OSError as error:
        raise Failure(f"{folder}: cannot be read ({error.strerror})") from None
    names = set()
    for entry in found:
        name = below + entry.name
        known = name == "checkpoint" or re.fullmatch(f"{PART}|{HISTORY}", name, re.ASCII)
        if not known and entry.is_dir(follow_symlinks=False):
            names |= list_files(folder, name + "/")
        elif not known:
            raise Failure(f"{name}: does not belong in a ledger")
        elif not entry.is_file(follow_symlinks=False):
            raise Failure(f"{name}: is not a regular file")
        else:
            names.add(name)
    return names


def check_ledger(folder, policy):
    names = list_files(folder)
    if "checkpoint" not in names:
        raise Failure("checkpoint: is missing")
    newest, root = policy.accept(read(folder, "checkpoint"), "checkpoint")
    published = {newest: root}
    for name in sorted(names - {"checkpoint"}):
        history = re.fullmatch(HISTORY, name, re.ASCII)
        if history and history[2]:
            if name[: -len(".tsr")] not in names:
                raise Failure(f"{name}: is a time-stamp without a checkpoint")
        elif history:
            kept = int(history[1])
            if kept > newest:
                raise Failure(f"{name}: is newer than the checkpoint beside it")
            size, root = policy.accept(read(folder, name), name, older=kept < newest)
            if kept != size:
                raise Failure(f"{name}: states a different size from its name")
            if published.setdefault(size, root) != root:
                raise Failure(f"{name}: TWO ROOTS WERE SIGNED FOR SIZE {size}. The ledger is forked")
    size = newest

    # every entry, hashed; every file of hashes, compared
    level, hashes = 0, []
    for index, width in pieces(size):
        hashes += [leaf(entry) for entry in bundle(folder, index, width)]
    lowest = hashes
    while hashes:
        for index, width in pieces(len(hashes)):
            name = f"tile/{level}/{place(index, width)}"
            if read(folder, name) != b"".join(hashes[index * TILE : index * TILE + width]):
                raise Failure(f"{name}: does not match the hashes below it")
        full = len(hashes) // TILE
        hashes = [root_of(hashes[index * TILE : (index + 1) * TILE]) for index in range(full)]
        level += 1

    for claimed, root in sorted(published.items()):
        if root_of(lowest[:claimed]) != root:
            raise Failure(f"the checkpoint of size {claimed} does not belong to this ledger")
    check_older_files(folder, names, lowest)
    return size, published[size], len(published)


def bundle(folder, index, width):
    name = f"tile/entries/{place(index, width)}"
    data = read(folder, name)
    if len(data) != width * (2 + ENTRY):
        raise Failure(f"{name}: does not have {width} entries of {ENTRY} bytes")
    for at in range(0, len(data), 2 + ENTRY):
        if data[at : at + 2] != ENTRY.to_bytes(2, "big"):
            raise Failure(f"{name}: has an entry of the wrong length")
        yield data[at + 2 : at + 2 + ENTRY]


def check_older_files(folder, names, lowest):
    """Files of earlier sizes must begin the files they became.

    A file that runs ahead of the checkpoint may be half-written, but what it shares with the ledger must be the same.
    """
    counts, size = [], len(lowest)
    while size:
        counts.append(size)
        size //= TILE
    for name in sorted(names):
        part = re.fullmatch(PART, name, re.ASCII)
        if not part:
            continue
        kind, index, width = part[1], int(part[2].replace("x", "").replace("/", "")), int(part[3] or TILE)
        level = 0 if kind == "entries" else int(kind)
        present = min(TILE, (counts[level] if level < len(counts) else 0) - index * TILE)
        data, most = read(folder, name), width * (HASH if kind != "entries" else 2 + ENTRY)
        if len(data) > most or width <= present and len(data) != most:
            raise Failure(f"{name}: has a different length from the one in its name")
        if present > 0:
            whole = read(folder, f"tile/{kind}/{place(index, present)}")
            if data[: len(whole)] != whole[: len(data)]:
                raise Failure(f"{name}: differs from its full tile")


# ---------------------------------------------------------------------------------------------------------------------
# 6. The docket (docs/ledger.md, "The entries on which a release rests")
# ---------------------------------------------------------------------------------------------------------------------


def strict_json(data, path):
    def once(pairs):
        if len(dict(pairs)) != len(pairs):
            raise ValueError
        return dict(pairs)

    def never(_):
        raise ValueError

    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=never, parse_float=never)
    except (ValueError, RecursionError):
        raise Failure(f"{path}: the opening is malformed") from None


def is_hex(value, digits):
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{%d}" % digits, value, re.ASCII) is not None


def check_kept(folder, size, seen, what):
    """What somebody saw of a ledger that you verified, sizes and roots, is still its beginning."""
    hashes = []
    for index, width in pieces(size):
        hashes += [leaf(entry) for entry in bundle(folder, index, width)]
    for kept, root in seen:
        if kept > size:
            raise Failure(f"{what}: shows {kept} entries, and the ledger ends after {size}: it was cut back")
        if root_of(hashes[:kept]) != root:
            raise Failure(f"{what}: shows other entries up to {kept}: history was rewritten")


def shown_by(policy, notes, what):
    """Sizes and roots of checkpoints that a log of your policy signed; two histories are a finding, cosigned or not."""
    asked, policy.quorum = policy.quorum, "none"
    try:
        return [policy.accept(note.encode(), what) for note in notes]
    finally:
        policy.quorum = asked


def checkpoints_in(path):
    """The checkpoints that a file carries: one alone, a proof's, a certificate's, those that an officer's key saw."""
    data = text_of(read(path), path)
    if data.startswith("c2sp.org/tlog-proof"):
        return [data.partition("\n\n")[2]]
    if not data.startswith("{"):
        return [data]
    said = strict_json(data.encode(), path)
    if "custodians" in said:
        seen = [one.get("checkpoints", {}) for one in said["custodians"].values()]
        return [each["note"] for one in seen for each in one.values()]
    return [said["checkpoint"]] + [one["checkpoint"] for one in said.get("earlier", [])]


def open_event(folder, name):
    """An event's entry and fields, from the opening that the docket keeps."""
    path = os.path.join(folder, "events", name)
    kept = strict_json(read(path), path)
    members = {"format", "batch", "seq", "digests", "shown"}
    if (
        not isinstance(kept, dict)
        or set(kept) != members
        or kept["format"] != "gatehouse-opening/1"
        or kept["seq"] != 0
    ):
        raise Failure(f"{path}: is not the opening of an event")
    if not isinstance(kept["digests"], list) or not isinstance(kept["shown"], list):
        raise Failure(f"{path}: the opening's digests and shown must be lists")
    if not is_hex(kept["batch"], 32) or not all(is_hex(each, 64) for each in kept["digests"]):
        raise Failure(f"{path}: the opening is malformed")
    fields = {}
    for text in kept["shown"]:
        if sha256(text.encode("utf-8", "replace")).hex() not in kept["digests"]:
            raise Failure(f"{path}: a field shown does not belong to the entry")
        parts = strict_json(text.encode("utf-8", "replace"), path)
        if not isinstance(parts, list) or len(parts) != 3 or not is_hex(parts[0], 32) or parts[1] in fields:
            raise Failure(f"{path}: a field shown is malformed")
        fields[parts[1]] = parts[2]
    listed = '["' + '","'.join(kept["digests"]) + '"]'
    return b"\x01" + bytes.fromhex(kept["batch"]) + struct.pack(">I", 0) + sha256(listed.encode()), fields


SAID = {"report": "use report", "destroyed": "destruction"}  # what an event says that it is, where its name differs
OF_DOCKET = {
    "received", "docket", "decision", "release", "unsealed", "sealed", "answered", "receipt", "report", "disposal",
    "reconciliation", "recall", "withdrawal", "destroyed",
}  # fmt: skip
APART = {"decision": "number", "release": "release", "sealed": "release", "unsealed": "release"}


def own_events(folder, docket):
    """Every event that the docket keeps, by its name: its entry and fields. Each must be about what its name says."""
    found = {}
    for file in sorted(os.listdir(os.path.join(folder, "events"))):
        entry, fields = open_event(folder, file)
        name = file[: -len(".json")]
        kind = name.partition("-")[0]
        apart = fields.get(APART[kind]) if kind in APART else None
        if (
            not file.endswith(".json")
            or fields.get("event") != SAID.get(kind, kind)
            or kind not in OF_DOCKET
            or fields.get("docket") != docket
            or (kind in APART and name != f"{kind}-{apart}")
        ):
            raise Failure(f"events/{file}: is not what its name says")
        found[name] = (entry, fields)
    return found


def is_text(value):
    return isinstance(value, str) and value != ""


def is_count(value):
    return type(value) is int and 0 <= value < 1 << 53


def is_day(value):
    try:
        day = datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=timezone.utc)
        return day.strftime("%Y-%m-%d") == value
    except (ValueError, TypeError):
        return False


def check_form(received, files):
    """Every field of the two entries is of its kind, or they are no entries that anybody may rest on."""
    kinds = [
        (is_text, received, ("docket", "agency", "submission")),
        (lambda value: is_hex(value, 64), received, ("manifest", "receipt", "pack")),
        (lambda value: value is None or is_hex(value, 64), received, ("signature",)),
        (lambda value: is_hex(value, 32), received, ("batch",)),
        (is_count, received, ("requests", "first")),
        (is_day, received, ("as_of",)),
        (is_count, files, ("received",)),
        (lambda value: value is None or is_text(value), files, ("register",)),
        (lambda value: isinstance(value, dict) and value != {}, files, ("files",)),
        (lambda value: all(is_hex(each, 64) for each in value.values()), files, ("files",)),
    ]
    for fits, fields, names in kinds:
        for name in names:
            if not fits(fields[name]):
                raise Failure(f"the entry '{fields['event']}' has a field '{name}' of the wrong kind")


def digest_of(path):
    digest = hashlib.sha256()
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise Failure(f"{path}: is not a regular file")
        with open(path, "rb") as stream:
            for part in iter(lambda: stream.read(1 << 20), b""):
                digest.update(part)
    except OSError as error:
        raise Failure(f"{path}: cannot be read ({error.strerror})") from None
    return digest.hexdigest()


def check_line(data, line, key, what):
    """One signature line over exactly these bytes."""
    found = re.fullmatch(r"\u2014 ([^ +]+) ([A-Za-z0-9+/=]+)\n?", line)
    blob = unbase64(found[2]) if found else b""
    if not found or key.kind != ED25519 or (found[1], blob[:4]) != (key.name, key.short):
        raise Failure(f"{what}: is not signed with the key that you gave")
    key.check(data, blob[4:])


def entries_of(folder, size):
    for index, width in pieces(size):
        yield from bundle(folder, index, width)


def check_docket(docket, ledger, size, agency_key, receipt_file, *, certificates=()):
    entry, received = open_event(docket, "received.json")
    bound, files = open_event(docket, "docket.json")
    if set(received) != FIELDS["received"] or set(files) != FIELDS["docket"]:
        raise Failure(f"{docket}: an entry does not have the required fields")
    if (received["event"], files["event"]) != ("received", "docket") or files["docket"] != received["docket"]:
        raise Failure(f"{docket}: its two entries are about different dockets")
    check_form(received, files)
    first, count, batch = received["first"], received["requests"], bytes.fromhex(received["batch"])
    if files["received"] != first - 1 or count < 1:
        raise Failure(f"{docket}: the entry for its files is about a different receipt")
    place, at, others, places = None, None, 0, {}
    kept = own_events(docket, received["docket"])
    events = {each: name for name, (each, _) in kept.items()}
    for index, each in enumerate(entries_of(ledger, size)):
        if each in events:
            places[events.pop(each)] = index
        place = index if each == entry else place
        at = index if each == bound else at
        inside = first <= index < first + count
        mine = each[1:17] == batch and struct.unpack(">I", each[17:21])[0] == index - first
        if inside and not mine:
            raise Failure(f"entry {index} is not the determination of request {index - first + 1}")
        others += each[1:17] == batch and not inside
    if place != first - 1:
        raise Failure("the receipt's entry is not directly before its determinations")
    if others:
        raise Failure("the ledger contains more entries of this batch than requests received")
    if events:
        raise Failure(f"events/{min(events.values())}.json: is not an entry of the ledger")
    if at is None or at < first + count:
        raise Failure("the ledger has no entry for the docket's files after its determinations")
    check_submission(docket, received, agency_key, receipt_file)
    check_files(docket, files["files"])
    check_persons(docket, kept)
    check_repeated(kept, places)
    check_certificates(kept, certificates)
    return received, at


def frame(ledger, policy, index):
    """When a quorum of your witnesses had not yet seen an entry, and when it had: by the nearest checkpoints."""
    if policy.quorum == "none":
        return None, None
    sizes = sorted(int(name) for name in os.listdir(os.path.join(ledger, "checkpoints")) if name.isdecimal())
    after, before = None, None
    for size in sizes:
        whole = text_of(read(ledger, "checkpoints", str(size)), f"checkpoints/{size}")
        try:
            time = policy.cosigned_at(whole)
        except Unmet:  # a checkpoint that your policy excepts says nothing of when
            continue
        if size <= index:
            after = time
        else:
            before = time
            break
    return after, before


def bound(stated, days, framed, what):
    """One line of what witnesses say; a failure where a stated time is not within the bound of their times."""
    after, before = framed
    try:
        form = "%Y-%m-%d" if days else "%Y-%m-%dT%H:%M:%SZ"
        first = datetime.strptime(stated, form).replace(tzinfo=timezone.utc)
    except (ValueError, TypeError):
        raise Failure(f"{what}: has no valid time") from None
    last = first + timedelta(days=days)
    if before and (first > before + SKEW or last < before - LAG):
        raise Failure(f"{what} is dated {stated}, but witnesses first saw it by {before}")
    if after and last < after - SKEW:
        raise Failure(f"{what} is dated {stated}, but witnesses had not seen it at {after}")
    return f"{what}, {stated}: " + (f"seen by witnesses by {before}" if before else "no witness says when")


def check_submission(docket, received, agency_key, receipt_file):
    data = read(docket, "submission.json")
    manifest = strict_json(data, "submission.json")
    receipt = strict_json(read(docket, "receipt.json"), "receipt.json")
    for name, committed in (
        ("submission.json", "manifest"),
        ("submission.json.sig", "signature"),
        ("receipt.json", "receipt"),
    ):
        if digest_of(os.path.join(docket, name)) != received[committed]:
            raise Failure(f"{name}: differs from what was received")
    if receipt_file and digest_of(receipt_file) != received["receipt"]:
        raise Failure(f"{receipt_file}: differs from the receipt that the ledger names")
    rows = sum(table["rows"] for table in manifest["tables"])
    if not rows == receipt["requests"] == received["requests"]:
        raise Failure(f"the agency signed {rows} requests, its receipt names {receipt['requests']}, "
                      f"and {received['requests']} were committed")  # fmt: skip
    if (manifest["agency"], manifest["id"]) != (received["agency"], received["submission"]):
        raise Failure("the agency signed a different submission")
    if (receipt["digest"], receipt["submission"]) != (received["manifest"], received["submission"]):
        raise Failure("the receipt is about a different submission")
    check_line(data, text_of(read(docket, "submission.json.sig"), "submission.json.sig"), agency_key, "submission.json")


def check_files(docket, listed):
    """Every file is the one that was committed, but what later entries name."""
    told = os.path.join(docket, "events", "answered.json")
    if os.path.exists(told):
        listed = dict(listed, **{"answers.csv": open_event(docket, "answered.json")[1]["answers"]})
    found = set()
    for parent, folders, names in os.walk(docket):
        below = os.path.relpath(parent, docket)
        if below == ".":
            folders[:] = [name for name in folders if name not in FOLDERS]
        for name in names + [name for name in folders if os.path.islink(os.path.join(parent, name))]:
            path = os.path.normpath(os.path.join(below, name)).replace(os.sep, "/")
            if not (below == "." and (name in LATER or name.startswith("."))):
                found.add(path)
    for name in sorted(found | set(listed)):
        if name not in listed or name not in found:
            raise Failure(f"{name}: is missing, or was never committed")
        if digest_of(os.path.join(docket, name)) != listed[name]:
            raise Failure(f"{name}: differs from the file that was committed")


def check_persons(docket, events):
    for name, (_, said) in events.items():
        release = said.get("release")
        if not name.startswith("release-"):
            continue
        if f"unsealed-{release}" in events:
            if f"sealed-{release}" in events:
                raise Failure(f"events/unsealed-{release}.json: the release was sealed, and is said not to have been")
        elif digest_of(os.path.join(docket, "persons", f"{release}.json")) != said["persons"]:
            raise Failure(f"persons/{release}.json: differs from the list that the release's entry names")


def check_repeated(events, places):
    """No release rests on a signed decision that was entered once more: what it did may have been undone before."""
    first, again = set(), set()
    for name in sorted(events, key=places.get):
        if name.startswith("decision-"):
            statement = events[name][1]["statement"]
            if statement in first:
                again.add(places[name])
            first.add(statement)
    for name, (_, said) in events.items():
        withdrawn = f"unsealed-{said.get('release')}" in events
        if name.startswith("release-") and not withdrawn and again & set(said["decisions"]):
            raise Failure(f"events/{name}.json: a release rests on a signed decision that was entered once more")


def check_certificates(events, certificates):
    """Each release that the agency received is one that the docket accounts for as sealed."""
    for path in certificates:
        placed = strict_json(read(path), path)["release"]
        listed = '["' + '","'.join(placed["digests"]) + '"]'
        entry = b"\x01" + bytes.fromhex(placed["batch"]) + struct.pack(">I", 0) + sha256(listed.encode())
        release = next((said["release"] for kept, said in events.values() if kept == entry), None)
        sealed = events.get(f"sealed-{release}", (None, {}))[1]
        if release is None or sealed.get("certificate") != digest_of(path):
            raise Failure(f"{path}: the docket does not account for this release as sealed")


# ---------------------------------------------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(description="Verify a Gatehouse docket against its ledger under your own policy.")
    parser.add_argument("docket")
    parser.add_argument("--ledger", required=True)
    parser.add_argument("--policy", required=True)
    parser.add_argument("--agency-key", required=True, help="the agency's public key, from the agency")
    parser.add_argument("--receipt", help="the receipt.json that the agency was given")
    parser.add_argument("--certificate", action="append", default=[], help="of a release that was opened; repeatable")
    given = parser.parse_args()
    try:
        key = Key(text_of(read(given.agency_key), given.agency_key).strip())
        policy = Policy(given.policy)
        size, root, _ = check_ledger(given.ledger, policy)
        for path in given.certificate:
            shown = shown_by(policy, checkpoints_in(path), path)
            check_kept(given.ledger, size, shown, path)
        received, at = check_docket(
            given.docket, given.ledger, size, key, given.receipt, certificates=given.certificate
        )
        framed = frame(given.ledger, policy, received["first"] - 1)
        receipt = strict_json(read(given.docket, "receipt.json"), "receipt.json")
        lines = [bound(receipt["received_at"], 0, framed, "the receipt"),
                 bound(received["as_of"], 1, framed, "the law of the determinations")]  # fmt: skip
        print("\n".join(lines))
        print(f"verified: {received['requests']} requests, one entry each from {received['first']}")
        print(f"every file is the one that entry {at} names\nroot: {root.hex()}")
    except Failure as failure:
        print(f"NOT VERIFIED. {failure}", file=sys.stderr)
        return 1
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        print("NOT VERIFIED. A file of the docket is not in the required form", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
