"""One epoch of answers: both maps over everybody in the register, built in columns, and what is kept to answer from.

Everybody has a leaf, whether or not anything was disclosed, so absence is an opened blank list and no neighbour's leaf
comes or goes with a disclosure. What is kept is small: the order of the numbers, the lists of the few who have one, a
secret from which all salts follow, and the roots of buckets of some thousand people; the rest is made again for each
answer, by the same steps for everybody. Whoever deletes the folder makes the epoch's leaves stand for nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import secrets
import struct
from array import array
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from gatehouse.kernel import files
from gatehouse.kernel.errors import WrongInput
from gatehouse.kernel.progress import Progress, silent
from gatehouse.ledger import dictionary
from gatehouse.ledger.answer import BLANK_PAGE, PAGE, SLOT, Map, padded

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_IN_BUCKET = 4096  # people; making so many leaves again takes a hundredth of a second
_WORTHWHILE = 100_000  # people; fewer are done here before other processes have started
_HANDED = 16  # buckets handed to another process at once
_BUCKET = struct.Struct(">I32s32s")
_NUMBER = struct.calcsize("q")
_BLANK = dictionary.digest(dictionary.page_digests([BLANK_PAGE]))

Digests = tuple[bytes, bytes]
"""The digest of a person's list in the notice map and in the sealed map."""


@dataclass(frozen=True)
class Bucket:
    """The people whose indexes begin alike: their indexes in order, and the lists of those who have one, by place."""

    indexes: bytes
    lists: Mapping[int, Digests]


@dataclass(frozen=True)
class Epoch:
    """An epoch's folder, and what it says of itself."""

    folder: Path
    as_of: dt.date
    nonce: str
    secret: bytes
    digits: int
    """Hexadecimal digits of the index that name a bucket."""
    width: int
    """Steps of the longest path of any answer; all are filled up to it."""
    persons: int
    notice: bytes
    sealed: bytes

    def root(self, which: Map) -> bytes:
        """The root of one map."""
        return self.notice if which is Map.NOTICE else self.sealed


@dataclass(frozen=True)
class Found:
    """Where a person's number leads: the padded path, and the leaf's parts in the terms of `answer.Answer`."""

    path: bytes
    leaf: bytes
    salt: bytes
    pages: tuple[bytes, ...]


def build(
    connection: DuckDBPyConnection,
    persons: str,
    disclosures: str,
    as_of: dt.date,
    folder: Path,
    *,
    drawn: tuple[str, bytes] | None = None,
    progress: Progress = silent,
) -> Epoch:
    """Build both maps into a new folder.

    `persons` is a relation with `person_id`; `disclosures` has `person_id`, `entry`, `released_on`, `agency`, `items`
    (names joined by commas) and `told_from` (null where the person is never told). `drawn` is the nonce and the secret
    of an epoch that is built again, to compare its roots. Raises WrongInput where a number is null, negative or stands
    twice, or a disclosure is about a person who is not in the register.
    """
    nonce, secret = drawn or (secrets.token_hex(16), secrets.token_bytes(dictionary.HASH))
    folder.mkdir(mode=0o700, parents=True)
    lists = _write_lists(connection, disclosures, as_of, folder / "lists.parquet")
    count = _put_in_order(connection, persons, nonce, lists)
    digits = _digits(count)
    sizes = _sizes(connection, digits)
    with (folder / "persons").open("xb") as order:
        done = _woven(_buckets(connection, sizes, lists, order), secret, workers=count >= _WORTHWHILE)
        roots, deepest = [], 0
        for notice, sealed, deep in done:
            roots.append((notice, sealed))
            deepest = max(deepest, deep)
            progress("answers", len(roots), len(sizes))
        order.flush()
        os.fsync(order.fileno())  # the epoch before is removed once this one stands
    connection.execute("DROP TABLE answer_order")
    packed = [(size, *pair) for size, pair in zip(sizes.values(), roots, strict=True)]
    kept = dict(zip(sizes, packed, strict=True))
    empty = (0, b"", b"")
    data = b"".join(_BUCKET.pack(*kept.get(name, empty)) for name in _names(digits))
    files.write(folder / "buckets", data, mode=0o600)
    bits = dictionary.partings([_first(name) for name in sizes])
    both = [dictionary.fold(bits, [pair[at] for pair in roots]) for at in (0, 1)]
    head = {
        "as_of": as_of.isoformat(), "nonce": nonce, "secret": secret.hex(), "digits": digits,
        "width": deepest + dictionary.depth(bits), "persons": count, "notice": both[0].hex(), "sealed": both[1].hex(),
    }  # fmt: skip
    files.write(folder / "epoch.json", json.dumps(head).encode(), mode=0o600)
    return read(folder)


def read(folder: Path) -> Epoch:
    """Read what an epoch's folder says of itself."""
    head = json.loads((folder / "epoch.json").read_bytes())
    return Epoch(
        folder, dt.date.fromisoformat(head["as_of"]), head["nonce"], bytes.fromhex(head["secret"]), head["digits"],
        head["width"], head["persons"], bytes.fromhex(head["notice"]), bytes.fromhex(head["sealed"]),
    )  # fmt: skip


def find(connection: DuckDBPyConnection, epoch: Epoch, person: int, which: Map) -> Found:
    """Where a number leads in one map of an epoch; the same files are read, and as much of them, for everybody."""
    index = dictionary.index_of(epoch.nonce, person)
    table = _BUCKET.iter_unpack((epoch.folder / "buckets").read_bytes())
    every = zip(_names(epoch.digits), table, strict=True)
    present = [(name, size, pair[which is Map.SEALED]) for name, (size, *pair) in every if size]
    firsts = [_first(name) for name, _, _ in present]
    at, above = dictionary.descend(firsts, [root for _, _, root in present], index)
    before = sum(size for _, size, _ in present[:at])
    numbers = _numbers(epoch.folder / "persons", before, present[at][1])
    texts = _texts(connection, epoch.folder / "lists.parquet", numbers, which)
    digests = {place: dictionary.digest(dictionary.page_digests(pages)) for place, pages in texts.items()}
    indexes = [dictionary.index_of(epoch.nonce, number) for number in numbers]
    salts = [dictionary.salts_of(epoch.secret, one)[which is Map.SEALED] for one in indexes]
    committed = [dictionary.commitment(salt, digests.get(place, _BLANK)) for place, salt in enumerate(salts)]
    leaves = [dictionary.leaf_hash(one, commitment) for one, commitment in zip(indexes, committed, strict=True)]
    place, below = dictionary.descend(indexes, leaves, index)
    path = padded(above + below, epoch.width)
    if indexes[place] != index:
        return Found(path, indexes[place] + committed[place], b"", ())
    return Found(path, b"", salts[place], tuple(texts.get(place, [BLANK_PAGE])))


def numbers(epoch: Epoch) -> Iterator[list[int]]:
    """The number of everybody in an epoch, some at a time, in its order."""
    for first in range(0, epoch.persons, _WORTHWHILE):
        yield list(_numbers(epoch.folder / "persons", first, min(_WORTHWHILE, epoch.persons - first)))


def weave(bucket: Bucket, secret: bytes) -> tuple[bytes, bytes, int]:
    """The roots of one bucket in the notice map and in the sealed map, and the length of its longest path."""
    sha256, length = hashlib.sha256, dictionary.HASH
    indexes = [bucket.indexes[at : at + length] for at in range(0, len(bucket.indexes), length)]
    bits = dictionary.partings(indexes)
    drawn = [sha256(secret + index).digest() for index in indexes]
    roots = []
    for which, half in enumerate((slice(0, dictionary.SALT), slice(dictionary.SALT, length))):
        # as `dictionary.commitment` and `dictionary.leaf_hash`, without a call for each of ten million people
        committed = [sha256(b"\x22" + salts[half] + _BLANK).digest() for salts in drawn]
        for place, digests in bucket.lists.items():
            committed[place] = dictionary.commitment(drawn[place][half], digests[which])
        pairs = zip(indexes, committed, strict=True)
        roots.append(dictionary.fold(bits, [sha256(b"\x20" + index + one).digest() for index, one in pairs]))
    return roots[0], roots[1], dictionary.depth(bits)


def _woven(buckets: Iterator[Bucket], secret: bytes, *, workers: bool) -> Iterator[tuple[bytes, bytes, int]]:
    """`weave` over all buckets, in order, on every processor where that is worth its start."""
    if not workers:
        yield from (weave(bucket, secret) for bucket in buckets)
        return
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        waiting = []
        for handed in _handed(buckets):
            waiting.append(pool.submit(_weave_all, handed, secret))
            if len(waiting) > 2 * (os.cpu_count() or 1):
                yield from waiting.pop(0).result()
        for one in waiting:
            yield from one.result()


def _weave_all(buckets: Sequence[Bucket], secret: bytes) -> list[tuple[bytes, bytes, int]]:
    return [weave(bucket, secret) for bucket in buckets]


def _handed(buckets: Iterator[Bucket]) -> Iterator[list[Bucket]]:
    while handed := list(islice(buckets, _HANDED)):
        yield handed


def _put_in_order(connection: DuckDBPyConnection, persons: str, nonce: str, lists: Mapping[int, Digests]) -> int:
    """Make `answer_order`: every person's number and index; gives how many there are."""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE answer_order AS SELECT person_id::BIGINT AS person_id, "
        f"sha256('{dictionary.prefix(nonce)}' || person_id::BIGINT) AS index FROM {persons}"
    )
    [(count, distinct, least, known)] = connection.execute(
        "SELECT count(*), count(DISTINCT person_id), min(person_id), count(*) FILTER (person_id IN "
        "(SELECT unnest($1::BIGINT[]))) FROM answer_order",
        [list(lists)],
    ).fetchall()
    if not count or distinct != count or least < 0:
        raise WrongInput(
            "the register's person numbers must be whole numbers, 0 or greater, each appearing once", where="persons"
        )
    if known != len(lists):
        raise WrongInput("a disclosure is about a person who is not in the register", where="persons")
    return int(count)


def _sizes(connection: DuckDBPyConnection, digits: int) -> dict[str, int]:
    """How many people each bucket holds that holds anybody, in order."""
    rows = connection.execute(
        f"SELECT substr(index, 1, {digits}) AS name, count(*) FROM answer_order GROUP BY name ORDER BY name"
    ).fetchall()
    return dict(rows)


def _buckets(
    connection: DuckDBPyConnection, sizes: Mapping[str, int], lists: Mapping[int, Digests], order: BinaryIO
) -> Iterator[Bucket]:
    """Every bucket in order; the people's numbers are written to a file in that order."""
    ordered = connection.execute("SELECT person_id, index FROM answer_order ORDER BY index")
    for size in sizes.values():
        rows = ordered.fetchmany(size)
        numbers = [number for number, _ in rows]
        order.write(array("q", numbers).tobytes())
        mine = {place: lists[number] for place, number in enumerate(numbers) if number in lists} if lists else {}
        yield Bucket(bytes.fromhex("".join([index for _, index in rows])), mine)


def _write_lists(connection: DuckDBPyConnection, disclosures: str, as_of: dt.date, path: Path) -> dict[int, Digests]:
    """Write every list there is, as text, person by person; gives the digests of each."""
    told = "told_from IS NOT NULL AND told_from <= $as_of"
    row = "concat_ws(' ', entry, released_on::DATE, agency, {items}, coalesce(told_from::DATE::VARCHAR, 'never'))"
    whole, short = row.format(items="items"), row.format(items="'*' || len(string_split(items, ','))")
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE answer_lists AS
        WITH rows AS (
          SELECT person_id, entry, {told} AS told,
                 CASE WHEN length({whole}) < {SLOT} THEN {whole} ELSE {short} END AS text FROM {disclosures}
        ), slots AS (
          SELECT person_id, entry, text, told, rpad(text, {SLOT - 1}, ' ') || chr(10) AS slot FROM rows
        )
        SELECT person_id::BIGINT AS person_id, max(strlen(text)) AS longest,
               coalesce(string_agg(slot, '' ORDER BY entry, text) FILTER (told), '') AS notice,
               string_agg(slot, '' ORDER BY entry, text) AS sealed
        FROM slots GROUP BY person_id ORDER BY person_id
        """,
        {"as_of": as_of},
    )
    rows = connection.execute("SELECT person_id, longest, notice, sealed FROM answer_lists").fetchall()
    if any(longest >= SLOT for _, longest, _, _ in rows):
        raise WrongInput("an agency's name is too long for a row of an answer", remedy="Use at most 64 characters")
    with files.replacing(path) as temporary:
        literal = str(temporary).replace("'", "''")
        connection.execute(f"COPY (SELECT person_id, notice, sealed FROM answer_lists) TO '{literal}' (FORMAT parquet)")
        temporary.chmod(0o600)
    connection.execute("DROP TABLE answer_lists")
    return {person: (_digest(notice), _digest(sealed)) for person, _, notice, sealed in rows}


def _pages(text: str) -> list[bytes]:
    """A list's rows as pages of fixed size; at least one."""
    whole = text.encode()
    return [whole[at : at + PAGE].ljust(PAGE) for at in range(0, len(whole) or 1, PAGE)]


def _digest(text: str) -> bytes:
    return dictionary.digest(dictionary.page_digests(_pages(text)))


def _texts(connection: DuckDBPyConnection, path: Path, numbers: Sequence[int], which: Map) -> dict[int, list[bytes]]:
    """The pages of those in a bucket who have a list, by place."""
    rows = connection.execute(
        f"SELECT person_id, {which} FROM read_parquet($1) WHERE person_id IN (SELECT unnest($2::BIGINT[]))",
        [str(path), list(numbers)],
    ).fetchall()
    texts = dict(rows)
    return {place: _pages(texts[number]) for place, number in enumerate(numbers) if number in texts}


def _numbers(path: Path, first: int, count: int) -> array[int]:
    with path.open("rb") as stream:
        stream.seek(first * _NUMBER)
        return array("q", stream.read(count * _NUMBER))


def _digits(count: int) -> int:
    digits = 0
    while count > _IN_BUCKET * 16**digits:
        digits += 1
    return digits


def _names(digits: int) -> Iterator[str]:
    return (f"{number:0{digits}x}" for number in range(16**digits)) if digits else iter([""])


def _first(name: str) -> bytes:
    """The lowest index of a bucket."""
    return bytes.fromhex(name.ljust(2 * dictionary.HASH, "0"))
