"""`gatehouse reenact`: a documented exchange replayed, its own procedure beside Gatehouse's."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatehouse.cli.law_words import PACK_FOLDER
from gatehouse.cli.progress import shown
from gatehouse.kernel.errors import WrongInput

if TYPE_CHECKING:
    from gatehouse.synthetic.reenactment import Reenactment

_PACK = "us-irs-6103-i-2"


@click.group()
def reenact() -> None:
    """Replay the documented exchange beside Gatehouse."""


@reenact.command("august-2025")
@click.option(
    "--scale",
    type=float,
    default=0.01,
    show_default=True,
    help="The share of the exchange to run. 1 is 1.28 million requests.",
)
@click.option(
    "--persons",
    type=int,
    help="The number of persons in the register. Default: 10 million at scale 1, fewer in proportion.",
)
@click.option("--seed", type=int, default=2025, show_default=True, help="The same seed gives the same batch.")
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), help="The working folder. Default: a new temporary folder."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The page to write, with the chart beside it. Default: DIR/august-2025.md.",
)
@click.option("--pack", type=PACK_FOLDER, default=_PACK, show_default=True, help="The pack of law.")
@click.option("--memory", default="5GB", show_default=True, help="The most memory that DuckDB may use.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON instead of tables.")
def august_2025(
    scale: float,
    persons: int | None,
    seed: int,
    folder: Path | None,
    out: Path | None,
    pack: Path,
    memory: str,
    *,
    as_json: bool,
) -> None:
    """Run the historical procedure and Gatehouse over the same synthetic batch, and count what each rule stops.

    Exits with status 1 if Gatehouse cleared any request.

    \b
    gatehouse reenact august-2025 --scale 0.01 --dir reenactment
    gatehouse reenact august-2025 --scale 1 --dir reenactment --out docs/august-2025.md
    """
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.kernel.errors import AnswerIsNo
    from gatehouse.synthetic import august_page
    from gatehouse.synthetic.reenactment import reenact as run

    if not 0 < scale <= 1:
        raise WrongInput("the scale must be greater than 0 and at most 1", where="--scale")
    folder = folder or Path(tempfile.mkdtemp(prefix="gatehouse-reenact-"))
    people = persons or max(20_000, round(10_000_000 * scale))
    with shown() as progress, open_workspace(memory, temporary=folder / "spill") as connection:
        result = run(connection, folder, pack=pack, scale=scale, persons=people, seed=seed, progress=progress)
    page = out or folder / "august-2025.md"
    picture = august_page.write(result, page)
    click.echo(json.dumps(facts(result)) if as_json else august_page.summary(result))
    if not as_json:
        click.echo(f"page: {page}\nchart: {picture}\ndocket: {folder / 'docket'}")
    if result.outcomes()["cleared"]:
        raise AnswerIsNo("Gatehouse cleared requests of the exchange", where=str(folder / "docket"))


def facts(result: Reenactment) -> dict[str, object]:
    """The result for a program."""
    from gatehouse.synthetic import august
    from gatehouse.synthetic.august_page import SCENARIOS
    from gatehouse.synthetic.reenactment import BATCH_RULES

    return {
        "requests": result.requests,
        "persons": result.persons,
        "seed": result.seed,
        "historical": {
            "tin_matching": result.answered.tin_matching,
            "address_matching": result.answered.address_matching,
        },
        "scenarios": {name: result.outcomes(satisfied) for name, satisfied in SCENARIOS.items()},
        "rules": {
            rule: {
                "stops": result.stopped(rule),
                "alone": result.alone(rule),
                "alone_batch_aside": None if rule in BATCH_RULES else result.alone(rule, BATCH_RULES),
            }
            for rule in result.rules()
        },
        "grounds": [
            {"ground": ground, "requests": every, "answered": answered}
            for ground, (every, answered) in result.grounds().items()
        ],
        "assumed": list(august.ASSUMED),
        "unknown": result.unknown(),
        "seconds": dict(result.seconds),
    }
