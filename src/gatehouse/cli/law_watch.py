"""`gatehouse law watch`: a pack against a newer official text."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatehouse.cli.law_words import AS_JSON, PACK
from gatehouse.kernel import files
from gatehouse.kernel.errors import AnswerIsNo, WrongInput

if TYPE_CHECKING:
    from gatehouse.law.pack import Pack
    from gatehouse.law.watch import Watched


@click.command()
@PACK
@click.argument("newtext", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--write", "edition", metavar="EDITION", help="Copy the text into the pack, under this name for its edition."
)
@AS_JSON
def watch(pack: Path, newtext: Path, edition: str | None, *, as_json: bool) -> None:
    """Compare PACK with a newer text of the Code: a file or folder of United States Legislative Markup.

    Lists the provisions that changed, the rules that cite them and what counsel must review. Exits with status 1 if a
    quote no longer matches. --write copies the texts from NEWTEXT into the pack; check and sign it as a new version.

    \b
    Examples:
      gatehouse law watch packs/us-irs-6103-i-2 usc26.xml
      gatehouse law watch packs/us-irs-6103-i-2 uslm/ --write "release point 119-100"
    """
    from gatehouse.law import texts
    from gatehouse.law.reading import load
    from gatehouse.law.watch import rests_on
    from gatehouse.law.watch import watch as compare

    loaded = load(pack)
    if edition is not None:
        taken = texts.extract(newtext, rests_on(loaded), edition)
        folder = pack / "texts"
        folder.mkdir(exist_ok=True)
        for text in taken:
            files.write(folder / texts.file_name(text), texts.written(text).encode())
        for path in set(folder.glob("*.toml")) - {folder / texts.file_name(text) for text in taken}:
            path.unlink()
        click.echo(f"{len(taken)} sections copied into {folder}. Check the pack and sign it as a new version")
        return
    newer = texts.read_code(newtext)
    if not any(text.identifier in newer for text in loaded.texts):
        raise WrongInput(
            "the newer text contains no section that the pack cites",
            where=str(newtext),
            remedy=f"The pack cites {', '.join(text.identifier for text in loaded.texts) or 'no text'}",
        )
    found = compare(loaded, newer)
    click.echo(json.dumps(_document(found), indent=1) if as_json else "\n".join(_told(loaded, found)))
    if found.fallen:
        raise AnswerIsNo(
            f"{len(found.fallen)} quotes no longer stand in the newer text", where=str(pack),
            remedy="Counsel must read the provisions named above and correct the pack",
        )  # fmt: skip


def _document(found: Watched) -> dict[str, object]:
    return {
        "changes": [{"kind": change.kind, **vars(change)} for change in found.changes],
        "rules": {rule: list(names) for rule, names in found.rules.items()},
        "entries": {entry: list(names) for entry, names in found.entries.items()},
        "fallen": [{"of": name, "quote": quote} for name, quote in found.fallen],
        "not_compared": list(found.absent),
    }


def _told(pack: Pack, found: Watched) -> Iterator[str]:
    count = len(found.changes)
    yield f"{pack.id} {pack.version}: {count or 'no'} provision{'' if count == 1 else 's'} changed"
    fallen = {name for name, _ in found.fallen}
    for change in found.changes:
        yield f"  {change.kind}: {change.identifier}"
        yield from _wrapped("was", change.before)
        yield from _wrapped("is now", change.after)
        resting = [name for name, names in {**found.rules, **found.entries}.items() if change.identifier in names]
        told = ", ".join(f"{name} (its quote no longer matches)" if name in fallen else name for name in resting)
        yield f"    counsel must review: {told or 'the context; no rule cites it alone'}"
    for name, quote in found.fallen:
        yield f"  no longer stands: {name}"
        yield from _wrapped("quote", quote)
    for section in found.absent:
        yield f"  not compared: {section} is not in the newer text"


def _wrapped(label: str, words: str) -> list[str]:
    text = f"{label}: {words}" if words else ""
    return textwrap.wrap(text, 116, initial_indent="    ", subsequent_indent="      ")
