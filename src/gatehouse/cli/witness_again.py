"""`gatehouse witness again`: the witnesses of a demonstration, started once more where its policy expects them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from gatehouse.kernel.errors import WrongInput


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def again(folder: Path) -> None:
    """Start the witnesses of the demonstration in FOLDER again, until stopped with Ctrl-C.

    They stop when `gatehouse demo` stops. Anything published later (a recall, a halt, a release) needs them.

    Example: gatehouse witness again /tmp/gatehouse-demo-x1
    """
    from gatehouse.ledger import policy

    site = folder / "custodian"
    if not (folder / "witnesses").is_dir() or not (site / "witnesses.policy").is_file():
        raise WrongInput(
            "there is no demonstration here", where=str(folder), remedy="Name the folder that `demo` printed"
        )
    processes = []
    for one in policy.read(site / "witnesses.policy").witnesses:
        port = urlsplit(one.url).port if one.url else None
        state = folder / "witnesses" / one.name
        if port is None or not state.is_dir():
            raise WrongInput("this witness is not the demonstration's own", where=one.name)
        arguments = ["serve", "--port", str(port), "--state", str(state), "--log-vkey", str(site / "log.vkey")]
        command = [sys.executable, "-m", "gatehouse", "witness", *arguments]
        processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))  # noqa: S603 - our own command
        click.echo(f"{one.name}: listening at {one.url}")
    click.echo("Leave this running. In another terminal the site's commands can publish again; Ctrl-C stops it.")
    try:
        for process in processes:
            process.wait()
    except KeyboardInterrupt:
        pass
    finally:
        for process in processes:
            process.terminate()
