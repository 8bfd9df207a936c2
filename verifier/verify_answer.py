#!/usr/bin/env python3
"""A verifier for answers about one person that shares no code with Gatehouse, for the person and for an inspector.

It is written from docs/answers.md and docs/ledger.md alone. It needs Python 3.9 or newer, the `cryptography` package
and no other file. Sections 1 to 4 are, word for word, those of verify_ledger.py: who has read them there is past them.

    python verify_answer.py FILE --policy MY.policy [--not-before 2026-01-31]

Exit status 0: the answer holds, and it is printed. Exit status 1: it does not, and one line says what; nothing else is
shown. What you believe comes from your policy. Never take a policy from the party that answers you.
"""

# Plain Python without type annotations, on purpose: for readers who do not program for a living.
# ruff: noqa: ANN001, ANN002, ANN201, ANN202, ANN204, C901, D101, D103, N818, PTH118, PTH123, RUF005, RUF021, UP031

import argparse
import base64
import hashlib
import json
import os
import re
import struct
import sys
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LIMITS = (
    "This shows what left through the gateway by the day named. It cannot show what was copied from the register by "
    "another way, nor what law keeps from being told yet."
)
MEMBERS = "checkpoint earlier epoch format index leaf limits map page pages path person proof salt text"
HASH = 32
LIMIT = 1 << 24  # no file that is read is longer
SLOT, ROWS, STEP, SALT = 128, 4, 33, 16
SKEW, LAG, DAY = 600, 72 * 3600, 86400  # seconds: clocks that differ, the longest silence of witnesses, a day
ROW = r"(0|[1-9]\d{0,18}) (\d{4}-\d\d-\d\d) ([!-~]+) ([!-~]+) (\d{4}-\d\d-\d\d|never) *\n"


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
# 4. The tree (RFC 6962 section 2), and the opening of an entry (docs/ledger.md, "Openings")
# ---------------------------------------------------------------------------------------------------------------------


def leaf(entry):
    return sha256(b"\x00", entry)


def root_from_path(start, index, size, path):
    """The root that an inclusion path leads to (RFC 6962 section 2.1.1), by the recursive definition."""
    if index >= size:
        raise Failure("the entry's index is beyond the ledger")
    if size == 1:
        if path:
            raise Failure("the inclusion path is too long")
        return start
    if not path:
        raise Failure("the inclusion path is too short")
    half = 1
    while half * 2 < size:
        half *= 2
    if index < half:
        return sha256(b"\x01", root_from_path(start, index, half, path[:-1]), path[-1])
    return sha256(b"\x01", path[-1], root_from_path(start, index - half, size - half, path[:-1]))


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


def open_record(data, path):
    """Make the entry from an opening, and check that every field shown is one of its digests."""
    opening = strict_json(data, path)
    if not isinstance(opening, dict) or opening.get("format") != "gatehouse-opening/1":
        raise Failure(f"{path}: the opening is malformed")
    batch, seq, digests, shown = (opening.get(name) for name in ("batch", "seq", "digests", "shown"))
    if (
        not is_hex(batch, 32)
        or type(seq) is not int
        or not 0 <= seq < 1 << 32
        or set(opening) - {"format", "batch", "seq", "digests", "shown"}
    ):
        raise Failure(f"{path}: the opening is malformed")
    if not isinstance(digests, list) or not digests or not all(is_hex(item, 64) for item in digests):
        raise Failure(f"{path}: the opening is malformed")
    if not isinstance(shown, list) or not all(isinstance(item, str) for item in shown):
        raise Failure(f"{path}: the opening is malformed")
    fields = {}
    for item in shown:
        if hashlib.sha256(item.encode("utf-8", "replace")).hexdigest() not in digests:
            raise Failure(f"{path}: a field shown does not belong to the record")
        parts = strict_json(item.encode("utf-8", "replace"), path)
        if not isinstance(parts, list) or len(parts) != 3 or not is_hex(parts[0], 32) or not isinstance(parts[1], str):
            raise Failure(f"{path}: a field shown is malformed")
        if parts[1] in fields:
            raise Failure(f"{path}: a field is shown twice")
        fields[parts[1]] = parts[2]
    listed = '["' + '","'.join(digests) + '"]'
    return b"\x01" + bytes.fromhex(batch) + struct.pack(">I", seq) + sha256(listed.encode()), fields


# ---------------------------------------------------------------------------------------------------------------------


# ---------------------------------------------------------------------------------------------------------------------
# 5. The file: one CBOR map (RFC 8949) of texts, bytes and whole numbers
# ---------------------------------------------------------------------------------------------------------------------


def item(data, at):
    """One CBOR value that begins at a place; gives it, and the place behind it."""
    if at >= len(data):
        raise Failure("the answer ends early")
    kind, small = data[at] >> 5, data[at] & 31
    at += 1
    number = small
    if small >= 24:
        length = {24: 1, 25: 2, 26: 4, 27: 8}.get(small)
        if length is None or at + length > len(data):
            raise Failure("the answer is malformed")
        number = int.from_bytes(data[at : at + length], "big")
        if number < {1: 24, 2: 1 << 8, 4: 1 << 16, 8: 1 << 32}[length]:
            raise Failure("the answer has a number that is not in its canonical form")
        at += length
    if kind == 0:
        return number, at
    if kind in (2, 3):
        if at + number > len(data):
            raise Failure("the answer ends early")
        part = data[at : at + number]
        try:
            return (part if kind == 2 else part.decode("utf-8")), at + number
        except UnicodeDecodeError:
            raise Failure("the answer is not UTF-8 text") from None
    raise Failure("the answer may contain only texts, bytes and numbers")


def members(data):
    """The answer's members by name; they stand in their one order, shorter names first, each once."""
    if len(data) > 1 << 16 or not data or data[0] >> 5 != 5:
        raise Failure("this is not an answer")
    if data[0] & 31 != len(MEMBERS.split()):
        raise Failure("the answer does not have the members of an answer")
    found, at, names = {}, 1, []
    for _ in MEMBERS.split():
        name, at = item(data, at)
        value, at = item(data, at)
        names.append(name)
        found[str(name)] = value
    proper = sorted(MEMBERS.split(), key=lambda name: (len(name), name))
    if at != len(data) or names != proper:
        raise Failure("the answer does not have the members of an answer")
    for name in ("format", "limits", "map", "earlier", "checkpoint"):
        if not isinstance(found[name], str):
            raise Failure(f"the answer's {name} is not text")
    for name in ("person", "epoch", "proof", "path", "leaf", "salt", "pages", "text"):
        if not isinstance(found[name], bytes):
            raise Failure(f"the answer's {name} is not bytes")
    for name in ("index", "page"):
        if not isinstance(found[name], int) or found[name] >= 1 << 63:
            raise Failure(f"the answer's {name} is not a number")
    if found["format"] != "gatehouse-answer/2" or found["limits"] != LIMITS:
        raise Failure("this is not an answer in the format gatehouse-answer/2")
    if found["map"] not in ("notice", "sealed") or len(found["person"]) != 8 or found["person"][0] > 127:
        raise Failure("the answer is malformed")
    return found


# ---------------------------------------------------------------------------------------------------------------------
# 6. The day's entry: it stands in the ledger, and names the root of the map
# ---------------------------------------------------------------------------------------------------------------------


def cosigned_at(policy, note):
    """The earliest second by which enough of your witnesses had cosigned; None where your policy asks for none."""
    if policy.quorum == "none":
        return None
    _, lines = split_note(text_of(note, "checkpoint"), "checkpoint")
    dated = []
    for witness, key in policy.witnesses.items():
        mine = [signature for name, short, signature in lines if (name, short) == (key.name, key.short)]
        if mine:
            dated.append((int.from_bytes(mine[0][:8], "big"), witness))
    counted = []
    for time, witness in sorted(dated):
        counted.append(witness)
        if policy._met(policy.quorum, counted):
            return time
    raise Failure("too few of your witnesses cosigned, which is not a quorum")


def check_day(day, after, before):
    """The day named lies between what witnesses saw before and after the entry."""
    try:
        midnight = datetime.fromisoformat(f"{day}T00:00:00+00:00")
    except ValueError:
        raise Failure("the entry shown is not an entry of a day's roots") from None
    if after is None:
        return
    first = int(midnight.timestamp())
    if before - after > LAG:
        raise Failure("the checkpoints around the day's entry are too far apart to confirm its date")
    if first > before + SKEW or first + DAY < after - SKEW or first + DAY < before - LAG:
        raise Failure(f"the answer is dated {day}, and its witnesses were not asked on that day")


def check_epoch(answer, policy):
    size, root = policy.accept(answer["checkpoint"].encode(), "checkpoint")
    size_before, root_before = policy.accept(answer["earlier"].encode(), "the earlier checkpoint")
    entry, fields = open_record(answer["epoch"], "epoch")
    steps = [answer["proof"][at : at + HASH] for at in range(0, len(answer["proof"]), HASH)]
    if len(steps) > 63 or any(len(step) != HASH for step in steps):
        raise Failure("the inclusion path is malformed")
    if root_from_path(leaf(entry), answer["index"], size, steps) != root:
        raise Failure("the day's roots are not at the stated place in the ledger")
    # the entry is the last one, so its path is all of the tree before it: the nodes from the right end to the left
    before = steps[0] if steps else sha256()
    for step in steps[1:]:
        before = sha256(b"\x01", step, before)
    if (size, size_before, root_before) != (answer["index"] + 1, answer["index"], before):
        raise Failure("the checkpoints must be the ones directly before and after the day's entry")
    stated = fields.get(answer["map"])
    if set(fields) != {answer["map"]} or not isinstance(stated, dict):
        raise Failure("the entry shown is not an entry of a day's roots")
    if set(stated) != {"as_of", "entries", "nonce", "root"} or type(stated["entries"]) is not int:
        raise Failure("the entry shown is not an entry of a day's roots")
    for name, form in (("as_of", r"\d{4}-\d\d-\d\d"), ("nonce", "[0-9a-f]{32}"), ("root", "[0-9a-f]{64}")):
        if not isinstance(stated[name], str) or not re.fullmatch(form, stated[name], re.ASCII):
            raise Failure("the entry shown is not an entry of a day's roots")
    if stated["entries"] != answer["index"]:
        raise Failure("the day's roots do not cover every entry before their own")
    times = [cosigned_at(policy, answer[name].encode()) for name in ("earlier", "checkpoint")]
    check_day(stated["as_of"], *times)
    return stated


# ---------------------------------------------------------------------------------------------------------------------
# 7. The way down the map: which leaf the person's number leads to
# ---------------------------------------------------------------------------------------------------------------------


def bit(index, at):
    return index[at // 8] >> (7 - at % 8) & 1


def check_leaf(answer, stated):
    """Whether the number stands in the map. The path is the way down that the number's bits choose, and no other."""
    person = int.from_bytes(answer["person"], "big")
    index = sha256(f"gatehouse-answers/1 {stated['nonce']} {person}".encode())
    steps = answer["path"][:1][0] if answer["path"] else 0
    path, rest = answer["path"][1 : 1 + steps * STEP], answer["path"][1 + steps * STEP :]
    if not answer["path"] or len(path) != steps * STEP or rest.strip(b"\0") or len(rest) % STEP:
        raise Failure("the path is malformed")
    registered = not answer["leaf"]
    if registered:
        if len(answer["salt"]) != SALT or not answer["pages"] or len(answer["pages"]) % HASH:
            raise Failure("the leaf is malformed")
        node = sha256(b"\x20", index, sha256(b"\x22", answer["salt"], sha256(answer["pages"])))
    else:
        other, committed = answer["leaf"][:HASH], answer["leaf"][HASH:]
        if len(committed) != HASH or answer["salt"] or answer["pages"] or answer["text"] or answer["page"]:
            raise Failure("the leaf is malformed")
        if other == index:
            raise Failure("the answer denies a number that is in the register")
        if any(bit(index, at) != bit(other, at) for at in path[::STEP]):
            raise Failure("the answer shows a different leaf from the one for this number")
        node = sha256(b"\x20", other, committed)
    deepest = 256
    for at in range(len(path) - STEP, -1, -STEP):
        where, sibling = path[at], path[at + 1 : at + STEP]
        if where >= deepest:
            raise Failure("the path is malformed")
        sides = (sibling, node) if bit(index, where) else (node, sibling)
        node, deepest = sha256(b"\x21", bytes([where]), *sides), where
    if node.hex() != stated["root"]:
        raise Failure("the answer differs from the one committed for this person on that day")
    return person, registered


# ---------------------------------------------------------------------------------------------------------------------
# 8. The list
# ---------------------------------------------------------------------------------------------------------------------


def check_list(answer, stated):
    digests = [answer["pages"][at : at + HASH] for at in range(0, len(answer["pages"]), HASH)]
    text, page = answer["text"], answer["page"]
    if not 1 <= page <= len(digests) or sha256(text) != digests[page - 1] or len(text) != SLOT * ROWS:
        raise Failure("the page does not belong to the committed list")
    slots = [text[at : at + SLOT] for at in range(0, len(text), SLOT)]
    rows = [slot for slot in slots if slot.strip(b" ")]
    if slots[: len(rows)] != rows or (page < len(digests) and len(rows) < ROWS) or (not rows and len(digests) > 1):
        raise Failure("the page has gaps between its rows")
    found = []
    for row in rows:
        parts = re.fullmatch(ROW, row.decode("ascii", "replace"), re.ASCII)
        if not parts:
            raise Failure("a row of the list is malformed")
        entry, day, agency, items, told = parts.groups()
        early = answer["map"] == "notice" and (told == "never" or told > stated["as_of"])
        if early or int(entry) >= stated["entries"] or day > stated["as_of"]:
            raise Failure("a row does not match the answer's day and map")
        found.append((int(entry), day, agency, items, told))
    return found, page, len(digests)


def check_answer(data, policy, not_before=""):
    answer = members(data)
    stated = check_epoch(answer, policy)
    if stated["as_of"] < not_before:
        raise Failure(f"the answer is dated {stated['as_of']}, which is too old")
    person, registered = check_leaf(answer, stated)
    rows, page, pages = check_list(answer, stated) if registered else ([], 0, 0)
    return answer["map"], person, stated["as_of"], registered, rows, page, pages


# ---------------------------------------------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(description="Verify an answer about one person under your own policy.")
    parser.add_argument("file")
    parser.add_argument("--policy", required=True)
    parser.add_argument("--not-before", default="", metavar="DATE")
    given = parser.parse_args()
    try:
        data, policy = read(given.file), Policy(given.policy)
        name, person, as_of, registered, rows, page, pages = check_answer(data, policy, given.not_before)
        size, root = policy.accept(members(data)["checkpoint"].encode(), "checkpoint")
    except Failure as failure:
        print(f"NOT VERIFIED. {failure}", file=sys.stderr)
        return 1
    print(f"verified: number {person} as of {as_of}, {name} map")
    if not registered:
        print("the register had no such number")
    elif not rows:
        print("no disclosure" if name == "sealed" else "no disclosure that may be shown")
    else:
        print(f"page {page} of {pages}:")
    for entry, day, agency, items, told in rows:
        print(f"  {day} to {agency}: {items} (entry {entry}; may be shown from: {told})")
    print(f"under a ledger of: {size} {root.hex()}")
    print(LIMITS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
