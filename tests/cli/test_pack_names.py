"""Every command that takes a pack takes a folder or a shipped pack's name, `determine` as `law` does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gatehouse.cli.law_words import PACK_FOLDER, PACK_OR_KINDS
from gatehouse.cli.main import cli
from gatehouse.law import shipped

TAKES = {"--pack", "--like", "--before"}


def commands(group: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    yield name.strip(), group
    if isinstance(group, click.Group):
        context = click.Context(group)
        for each in group.list_commands(context):
            found = group.get_command(context, each)
            assert found is not None
            yield from commands(found, f"{name} {each}")


def test_every_pack_is_named_alike() -> None:
    taken = {
        f"{name} {param.name}": param.type
        for name, command in commands(cli)
        for param in command.params
        if TAKES & set(param.opts) or (isinstance(param, click.Argument) and str(param.name).startswith("pack"))
    }
    assert {"determine folder", "init packs", "law check pack"} <= set(taken)
    drafts = {"order preview packs"}  # copies of the site's own, with an order added: no shipped pack is one
    assert {name for name, kind in taken.items() if kind not in {PACK_FOLDER, PACK_OR_KINDS}} == drafts


def test_a_shipped_name_a_folder_and_a_name_that_is_neither() -> None:
    name = shipped.packs()[0].name
    assert PACK_FOLDER.convert(name, None, None) == shipped.pack(name)
    assert PACK_FOLDER.convert(str(shipped.pack(name)), None, None) == Path(shipped.pack(name))
    with pytest.raises(click.BadParameter, match=f"Did you mean {name}"):
        PACK_FOLDER.convert(f"{name}x", None, None)
