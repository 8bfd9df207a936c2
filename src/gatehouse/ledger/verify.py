"""Verifying a whole ledger from its public folder and the verifier's own policy, believing nothing else.

Every bundle is hashed, every tile compared with what the bundles make it, every published checkpoint compared with
the tree at its size. Only regular files under the standard's exact names may lie in the folder; nothing else is opened.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.kernel.progress import Progress, silent
from gatehouse.ledger import tiles, tree
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.opening import ENTRY_BYTES
from gatehouse.ledger.policy import Policy, Unwitnessed

_MAX_CHECKPOINT = 1 << 20
# a number has one spelling: its first group is never x000
_NUMBER = r"(?:x(?!000)[0-9]{3}/(?:x[0-9]{3}/){0,5})?[0-9]{3}"
_PART = re.compile(
    rf"tile/(entries|[0-7])/({_NUMBER})(?:\.p/([1-9]|[1-9][0-9]|1[0-9]{{2}}|2[0-4][0-9]|25[0-5]))?", re.ASCII
)
_HISTORY = re.compile(r"checkpoints/(0|[1-9][0-9]{0,18})(\.tsr)?", re.ASCII)


@dataclass(frozen=True)
class Verified:
    """What was checked: the newest checkpoint, how many checkpoints agree, and how many files run ahead of it."""

    checkpoint: Checkpoint
    checkpoints: int
    timestamps: int
    ahead: int


def verify_log(root: Path, policy: Policy, *, progress: Progress = silent) -> Verified:
    """Verify a ledger in full; see the module's promise.

    Raises AnswerIsNo with the first thing that does not hold, WrongInput when this is no ledger at all.
    """
    if not os.path.lexists(root / "checkpoint"):
        raise WrongInput("there is no ledger here: the folder has no checkpoint", where=root.name)
    present = set(_walk(root, ""))
    published = _published(root, present, policy)
    newest = max(published, key=lambda found: found.size)
    levels = _replay(root, newest, progress)
    reader = tiles.TileReader(root, newest.size)
    for earlier in published:
        _check_root(earlier, tree.range_hash(0, earlier.size, reader.node))
    ahead = _check_leftovers(root, present, newest.size, levels)
    stamps = sum(name.endswith(".tsr") for name in present)
    return Verified(newest, len({found.size for found in published}), stamps, ahead)


def verify_at(root: Path, data: bytes, policy: Policy, *, where: str = "checkpoint") -> tuple[Checkpoint, Checkpoint]:
    """Verify a ledger in full, and that it begins with the tree of one checkpoint; gives the newest and that one.

    Both must be accepted by the policy. Raises as `verify_log` does, and AnswerIsNo when the ledger does not continue
    the checkpoint.
    """
    asked = policy.accept(data, where=where)
    newest = verify_log(root, policy).checkpoint
    if asked.size > newest.size:
        raise AnswerIsNo("the ledger is shorter than the checkpoint", where=where, remedy="Get a newer copy")
    _check_root(asked, tree.range_hash(0, asked.size, tiles.TileReader(root, newest.size).node))
    return newest, asked


def _published(root: Path, present: set[str], policy: Policy) -> list[Checkpoint]:
    """The newest checkpoint and every older one that is kept, each under the policy.

    The quorum on the newest vouches for every root before it; the quorum on an older one shows that witnesses saw it
    at its time. The policy may except the checkpoints from before there were witnesses.
    """
    found = [policy.accept(_small(root, "checkpoint"), where="checkpoint")]
    for name in sorted(present):
        history = _HISTORY.fullmatch(name)
        if history is None or history[2]:
            continue
        kept = int(history[1])
        if kept > found[0].size:
            raise AnswerIsNo(
                "the checkpoint is older than one of the published checkpoints", where=name, remedy="Get a new copy"
            )
        earlier = (
            _older(policy, _small(root, name), name)
            if kept < found[0].size
            else policy.accept(_small(root, name), where=name)
        )
        if earlier.size != kept:
            raise AnswerIsNo("a checkpoint's file name differs from its size", where=name)
        found.append(earlier)
    return found


def _older(policy: Policy, data: bytes, name: str) -> Checkpoint:
    try:
        return policy.accept_older(data, where=name)
    except Unwitnessed as no:
        remedy = "If it is older than the log's witnesses, state `#unwitnessed ORIGIN SIZE` in your policy"
        raise AnswerIsNo(no.what, where=name, remedy=remedy) from None


def _small(root: Path, name: str) -> bytes:
    with (root / name).open("rb") as stream:
        return stream.read(_MAX_CHECKPOINT + 1)


def _replay(root: Path, newest: Checkpoint, progress: Progress) -> list[int]:
    """Hash every entry up to the root, comparing every tile; returns how many hashes each level has."""
    level, counts, hashes = 0, [], b""
    while (count := newest.size >> tiles.HEIGHT * level) > 0:
        counts.append(count)
        above = []
        for index in range((count + tiles.WIDTH - 1) // tiles.WIDTH):
            width = min(tiles.WIDTH, count - index * tiles.WIDTH)
            if level == 0:
                own = _bundle_hashes(root, index, width)
                progress("entries", index * tiles.WIDTH + width, count)
            else:
                own = hashes[index * tiles.TILE_BYTES : index * tiles.TILE_BYTES + width * tree.HASH]
            name = tiles.tile_name(level, index, width)
            if tiles.read_file(root, name) != own:
                raise AnswerIsNo("a tile does not match the hashes below it", where=name)
            if width == tiles.WIDTH:
                above.append(tiles.tile_root(own))
        level, hashes = level + 1, b"".join(above)
    return counts


def _bundle_hashes(root: Path, index: int, width: int) -> bytes:
    name = tiles.entries_name(index, width)
    entries = tiles.decode_bundle(tiles.read_file(root, name), width, where=name)
    if any(len(entry) != ENTRY_BYTES for entry in entries):
        raise AnswerIsNo(f"an entry is not a commitment of {ENTRY_BYTES} bytes", where=name)
    return tree.leaf_hashes(entries)


def _check_root(found: Checkpoint, root: bytes) -> None:
    if found.root != root:
        raise AnswerIsNo(f"the checkpoint of size {found.size} has a different root from the ledger")


def _walk(folder: Path, below: str) -> Iterator[str]:
    """The names of all files; raises AnswerIsNo at the first that is none of a ledger's, without opening it.

    A folder may be empty, but none stands where a file belongs.
    """
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        name = below + entry.name
        known = name == "checkpoint" or _HISTORY.fullmatch(name) or _PART.fullmatch(name)
        if not known and entry.is_dir(follow_symlinks=False):
            yield from _walk(folder / entry.name, f"{name}/")
        elif not known:
            raise AnswerIsNo("the ledger folder contains a file that does not belong there", where=name)
        elif not entry.is_file(follow_symlinks=False):
            raise AnswerIsNo("a ledger may contain only regular files, and this is not one", where=name)
        else:
            yield name


def _check_leftovers(root: Path, present: set[str], size: int, counts: list[int]) -> int:
    """Older partial tiles must begin the present ones; what runs ahead of the checkpoint is only counted."""
    ahead = 0
    for name in sorted(present - set(tiles.names(size))):
        part = _PART.fullmatch(name)
        if part is None:
            if name.endswith(".tsr") and name.removesuffix(".tsr") not in present:
                raise AnswerIsNo("a time-stamp has no matching checkpoint", where=name)
            continue
        level = 0 if part[1] == "entries" else int(part[1])
        index, width = int(part[2].replace("x", "").replace("/", "")), int(part[3] or tiles.WIDTH)
        present_width = min(tiles.WIDTH, (counts[level] if level < len(counts) else 0) - index * tiles.WIDTH)
        ahead += width > present_width
        entries = part[1] == "entries"
        unit = ENTRY_BYTES + 2 if entries else tree.HASH
        if (root / name).stat().st_size > width * unit:
            raise AnswerIsNo("a part of the ledger is too long", where=name)
        if present_width > 0:
            become = (
                tiles.entries_name(index, present_width) if entries else tiles.tile_name(level, index, present_width)
            )
            _check_beginning(root, name, become, width * unit)
    return ahead


def _check_beginning(root: Path, name: str, become: str, length: int) -> None:
    data, whole = tiles.read_file(root, name), tiles.read_file(root, become)
    # a file that runs ahead may be half-written; what it shares with the checkpoint's tree must still be the same
    shared = min(len(data), len(whole))
    if data[:shared] != whole[:shared] or len(data) > length or (length <= len(whole) and len(data) != length):
        raise AnswerIsNo("an older partial tile of the ledger differs from its full tile", where=name)
