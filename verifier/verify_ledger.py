#!/usr/bin/env python3
"""A verifier for Gatehouse ledgers and proofs that shares no code with Gatehouse.

It is written from docs/ledger.md alone, to be read in an hour by whoever must rely on it. It needs Python 3.9 or newer
and the `cryptography` package, and reads three kinds of file: your own policy, a ledger's folder, a proof.
Of several ledgers, one a year and the earliest first, each must begin with what the one before it came to.

    python verify_ledger.py ledger FOLDER [FOLDER ...] --policy MY.policy [--since "SIZE ROOT" | --since FILE]
    python verify_ledger.py proof  FILE --policy MY.policy

With --since it also compares the last ledger with what you saw of it earlier: a size and root that you noted, or a file
that carries a checkpoint, as a proof, the certificate of a release and an officer's KEY.known do.

Exit status 0: everything holds. Exit status 1: it does not, and one line says what; nothing else is shown.
What you believe comes from your policy. Never take a policy from the party that you verify.
"""

# Plain Python without type annotations, on purpose: for readers who do not program for a living.
# ruff: noqa: ANN001, ANN002, ANN201, ANN202, ANN204, C901, D101, D103, N818, PLR0912, PTH118, PTH123, RUF005, RUF021, UP031

import argparse
import base64
import hashlib
import json
import os
import re
import struct
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ENTRY = 53  # bytes of every entry: version 1, batch 16, sequence number 4, root 32
TILE = 256  # hashes or entries in a full file
HASH = 32
LIMIT = 1 << 24  # no file that is read is longer


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


def check_years(folders, policy):
    """Ledgers of successive years: each must begin with a published checkpoint of the one before it."""
    found = [check_ledger(folder, policy) for folder in folders]
    for at in range(1, len(folders)):
        before, folder, size = folders[at - 1], folders[at], found[at][0]
        links = []
        for name in sorted(next(os.walk(os.path.join(before, "checkpoints")))[2]):
            if name.isdecimal():  # check_ledger has accepted each of them
                lines = text_of(read(before, "checkpoints", name), name).split("\n")[:3]
                text = "gatehouse-shard/1\n" + "\n".join(lines) + "\n"
                links.append(b"\x01" + bytes(20) + sha256(text.encode()))
        if not size or next(bundle(folder, 0, min(size, TILE))) not in links:
            raise Failure(f"{folder}: does not begin with a checkpoint of {before}")
    return found


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
# 6. A proof with an opening (c2sp.org/tlog-proof; docs/ledger.md, "Openings")
# ---------------------------------------------------------------------------------------------------------------------


def check_proof(path, policy):
    head, gap, note = read(path).partition(b"\n\n")
    lines = text_of(head, path).split("\n")
    if not gap or len(lines) < 3 or lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1].startswith("extra "):
        raise Failure(f"{path}: is not a proof with an opening")
    if not lines[2].startswith("index "):
        raise Failure(f"{path}: names no index")
    index = number(lines[2][len("index ") :])
    steps = [unbase64(line) for line in lines[3:]]
    if len(steps) > 63 or any(len(step) != HASH for step in steps):
        raise Failure(f"{path}: has a malformed inclusion path")
    size, root = policy.accept(note, path)
    entry, fields = open_record(unbase64(lines[1][len("extra ") :]), path)
    if root_from_path(leaf(entry), index, size, steps) != root:
        raise Failure(f"{path}: the entry is not at the stated place in the ledger")
    return index, size, root, fields


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


def check_since(folder, size, policy, noted):
    """Compare the ledger with what you saw earlier: a note of your own, or a file that its log signed."""
    written = re.fullmatch(r"(0|[1-9][0-9]{0,18})[ :]+([0-9a-f]{64})", noted.strip(), re.ASCII)
    if written:
        return check_kept(folder, size, [(int(written[1]), bytes.fromhex(written[2]))], "your note")
    origin = text_of(read(folder, "checkpoint"), "checkpoint").split("\n")[0]
    mine = [note for note in checkpoints_in(noted) if note.split("\n")[0] == origin]
    if not mine:
        raise Failure(f"{noted}: is about a different ledger")
    return check_kept(folder, size, shown_by(policy, mine, noted), noted)


# ---------------------------------------------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(description="Verify a Gatehouse ledger or proof under your own policy.")
    parser.add_argument("what", choices=["ledger", "proof"])
    parser.add_argument(
        "path", nargs="+", help="a proof; a ledger's folder, or those of successive years, earliest first"
    )
    parser.add_argument("--policy", required=True)
    parser.add_argument(
        "--since", metavar="NOTED", help="what you saw earlier: 'SIZE ROOT', or a file with a checkpoint"
    )
    given = parser.parse_args()
    if given.since and given.what == "proof":
        parser.error("--since is asked of a ledger")
    if given.what == "proof" and len(given.path) != 1:
        parser.error("one proof at a time")
    try:
        policy = Policy(given.policy)
        if given.what == "ledger":
            shown = check_years(given.path, policy)
            if given.since:
                check_since(given.path[-1], shown[-1][0], policy, given.since)
            for size, root, checkpoints in shown:
                print(f"verified: {size} entries, {checkpoints} checkpoints\nroot: {root.hex()}")
        else:
            index, size, root, fields = check_proof(given.path[0], policy)
            print(f"verified: entry {index} under {size} entries\nroot: {root.hex()}")
            for name, value in fields.items():
                print(f"{name}: {json.dumps(value)}")
    except Failure as failure:
        print(f"NOT VERIFIED. {failure}", file=sys.stderr)
        return 1
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        print("NOT VERIFIED. A file is not in the required form", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
