#!/usr/bin/env python3
"""A verifier for answers about one person that shares no code with Gatehouse, for the person and for an inspector.

It is written from docs/answers.md alone and stands beside verify_ledger.py, whose policy, notes and tree it uses.

    python verify_answer.py FILE --policy MY.policy [--not-before 2026-01-31]

Exit status 0: the answer holds, and it is printed. Exit status 1: it does not, and one line says what; nothing else is
shown. What you believe comes from your policy. Never take a policy from the party that answers you.
"""

# Plain Python without type annotations, on purpose: for readers who do not program for a living.
# ruff: noqa: ANN001, ANN201, C901, D103

import argparse
import datetime
import re
import sys

from verify_ledger import HASH, Failure, Policy, leaf, open_record, read, root_from_path, sha256, split_note, text_of

LIMITS = (
    "This shows what left through the gateway by the day named. It cannot show what was copied from the register by "
    "another way, nor what law keeps from being told yet."
)
MEMBERS = "checkpoint earlier epoch format index leaf limits map page pages path person proof salt text"
SLOT, ROWS, STEP, SALT = 128, 4, 33, 16
SKEW, LAG, DAY = 600, 72 * 3600, 86400  # seconds: clocks that differ, the longest silence of witnesses, a day
ROW = r"(0|[1-9]\d{0,18}) (\d{4}-\d\d-\d\d) ([!-~]+) ([!-~]+) (\d{4}-\d\d-\d\d|never) *\n"


# ---------------------------------------------------------------------------------------------------------------------
# 1. The file: one CBOR map (RFC 8949) of texts, bytes and whole numbers
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
# 2. The day's entry: it stands in the ledger, and names the root of the map
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
        midnight = datetime.datetime.combine(datetime.date.fromisoformat(day), datetime.time(), datetime.UTC)
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
# 3. The way down the map: which leaf the person's number leads to
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
# 4. The list
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
        name, person, as_of, registered, rows, page, pages = check_answer(
            read(given.file), Policy(given.policy), given.not_before
        )
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
    print(LIMITS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
