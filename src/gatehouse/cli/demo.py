"""`gatehouse demo`: the whole journey on synthetic data, by the same commands that carry a real submission.

What follows a `$` can be typed again. The pretended date is 7 August 2025, when the agreement was in force
and no court had stopped it; the site is marked as a demonstration, and a real site refuses a pretended date.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from gatehouse.kernel import files
from gatehouse.kernel.errors import MachineFailed, WrongInput

DAY = "2025-08-07T14:00:00Z"
SIZES = {"small": (20_000, 2_000), "full": (10_000_000, 1_280_000)}
WITNESSES = ("inspector-general", "court-registry", "outside-body")
OFFICERS = (("do-1", "Ana Ruiz"), ("do-2", "Brian Cole"))
OVERSEERS = ("inspector-general", "court")
SEED = 1


@click.command()
@click.option("--size", type=click.Choice(list(SIZES)), default="small", show_default=True)
@click.option("--dir", "folder", type=click.Path(path_type=Path), help="Where to make it; a new temporary folder else.")
@click.option("--no-serve", is_flag=True, help="End with the verified ledger instead of opening the console.")
def demo(size: str, folder: Path | None, no_serve: bool) -> None:
    """The whole journey on synthetic data: receive, decide, approve twice, release, open, verify.

    Example: gatehouse demo --no-serve
    """
    place = (folder or Path(tempfile.mkdtemp(prefix="gatehouse-demo-"))).absolute()
    if place.exists() and any(place.iterdir()):
        raise WrongInput("the folder is not empty", where=str(place), remedy="Name a new one with --dir")
    place.mkdir(parents=True, exist_ok=True)
    os.environ["GATEHOUSE_NOW"] = DAY
    stage = Stage(place, *SIZES[size])
    click.echo(f"A demonstration in {place}. All data is invented; the pretended date is 7 August 2025.")
    with stage.witnesses():
        stage.found()
        stage.ask()
        stage.decide()
        stage.release()
        stage.answer()
        stage.verify()
        stage.say_what_next()
        if not no_serve:
            stage.serve()


@dataclass
class Stage:
    """The folders of a demonstration and the steps of the journey."""

    root: Path
    persons: int
    requests: int
    step: int = 0

    @property
    def site(self) -> Path:
        """The custodian's side."""
        return self.root / "custodian"

    @property
    def agency(self) -> Path:
        """The requesting agency's side."""
        return self.root / "agency"

    @property
    def keys(self) -> Path:
        """Keys of the custodian's two officers, each their own on a real site."""
        return self.root / "custodian-officers"

    def say(self, line: str) -> None:
        """Announce the next step."""
        self.step += 1
        click.echo(f"\n{self.step}. {line}")

    def call(self, *arguments: str | Path) -> None:
        """Run a gatehouse command in this process, showing what would be typed."""
        from gatehouse.cli.main import cli

        given = [str(argument) for argument in arguments]
        shown = shlex.join(argument.replace(f"{self.root}{os.sep}", "") for argument in given)
        click.echo(f"   $ gatehouse {shown}")
        cli.main(given, prog_name="gatehouse", standalone_mode=False)

    @contextlib.contextmanager
    def witnesses(self) -> Iterator[None]:
        """Keep the processes of the three witnesses until the journey ends."""
        self._processes: list[subprocess.Popen[bytes]] = []
        try:
            yield
        finally:
            for process in self._processes:
                process.terminate()
            for process in self._processes:
                process.wait()

    def found(self) -> None:
        """The custodian's side: a register, a site, two officers, three witnesses."""
        self.say(f"The custodian keeps a register of {self.persons:,} invented persons and makes a site.")
        self.call("synth", "register", "--out", self.root / "register", "--persons", str(self.persons), "--seed", "1")
        self.call("key", "new", self.agency / "agency.key", "--name", "us.dhs.ice")
        parties = self.root / "parties.toml"
        self._write_parties(parties)
        self.call(
            *("init", self.site, "--name", "gateway.example/disclosures/2025", "--demonstration"),
            *("--register", self.root / "register", "--parties", parties),
        )
        for identity, name in OFFICERS:
            self.call("key", "new", self.keys / f"{identity}.key", "--name", identity)
            self._appoint(identity, name)
        self._name_overseers()
        click.echo(
            "   Three witnesses cosign the ledger. Here they are this machine's own; on a real site they are not."
        )
        self._start_witnesses()

    def ask(self) -> None:
        """The agency's side: a signed submission."""
        self.say(f"An agency prepares {self.requests:,} requests, lawful and not, checks their form, and signs.")
        self.call(
            *("synth", "submission", "--out", self.submission, "--register", self.root / "register"),
            *("--requests", str(self.requests), "--seed", str(SEED)),
        )
        self.call("submission", "sign", self.submission, "--key", self.agency / "agency.key")

    @property
    def submission(self) -> Path:
        """The agency's submission."""
        return self.agency / "submission"

    @property
    def docket(self) -> str:
        """The docket's name: the submission's id."""
        from gatehouse.intake import manifest

        return manifest.parse((self.submission / manifest.NAME).read_bytes()).id

    def decide(self) -> None:
        """The machine decides; people approve."""
        self.say("Gatehouse receives it, decides every request on its own, and commits each to the ledger.")
        self.call("run", self.submission, "--site", self.site)
        self.say("Two officers approve, each after looking at a sample drawn by chance.")
        for identity, _ in OFFICERS:
            self._approve(identity)

    def release(self) -> None:
        """What was approved is sealed; an officer opens it."""
        self.say("What both approved is sealed for the officers who were named: no proof, no data.")
        self.call("release", self.docket, "--site", self.site)
        self.say("One of them checks the proof and opens it, with no connection to the custodian.")
        from gatehouse.store.shelf import Shelf
        from gatehouse.synthetic import officers

        sealed = Shelf().releases(self.docket)[0]
        key = self.agency / f"{sealed.officer}.key"
        files.write(key, f"{officers.identity(SEED, sealed.officer)}\n".encode(), mode=0o600)
        package = self.site / "dockets" / self.docket / "releases" / f"{sealed.id}.age"
        opened = self.agency / "opened"
        self.call("open", package, "--key", key, "--trust", self.site / "trust", "--out", opened)

    def verify(self) -> None:
        """Anyone checks the ledger; the docket is derived again."""
        self.say("Anyone can check: every entry of the ledger, every determination of the docket, again.")
        folder = self.site / "dockets" / self.docket
        self.call("replay", folder)
        policy = self.site / "witnesses.policy"
        self.call("verify", "docket", folder, "--ledger", self.site / "ledger", "--policy", policy)
        self.call("verify", self.site / "ledger", "--policy", policy)

    def answer(self) -> None:
        """Somebody who was disclosed learns of it, with a proof."""
        self.say("A person asks what was disclosed about them. The answer is small, and proves itself.")
        self.call("answer", "build", "--site", self.site)
        number, file = str(self._some_released()), self.root / "person.answer"
        self.call("answer", "person", number, "--site", self.site, "--out", file)
        self.call("verify", "answer", file, "--policy", self.site / "witnesses.policy")

    def say_what_next(self) -> None:
        """Three things to try."""
        click.echo("\nWhat to try next:")
        folder = self.site / "dockets" / self.docket
        click.echo(f"  ./gatehouse explain {folder} {self._some_refused()}")
        click.echo(f"  ./gatehouse report declaration --site {self.site}")
        click.echo("  ./gatehouse reenact august-2025 --scale 0.01")
        click.echo(f"  GATEHOUSE_NOW={DAY} ./gatehouse serve --site {self.site}")

    def serve(self) -> None:
        """Open the console on the site."""
        self.say("The console. Stop it with Ctrl-C.")
        self.call("serve", "--site", self.site)

    def _write_parties(self, path: Path) -> None:
        from gatehouse.ledger.signers import read_signer
        from gatehouse.synthetic.parties import invent

        key = read_signer(self.agency / "agency.key").verifier.text
        files.write(path, invent(key, usual_requests=self.requests).encode())

    def _appoint(self, identity: str, name: str) -> None:
        from gatehouse.ledger.signers import read_signer

        key = read_signer(self.keys / f"{identity}.key").verifier.text
        section = f'\n[[officers]]\nid = "{identity}"\nname = "{name}"\nrole = "disclosure_officer"\n'
        configuration = self.site / "gatehouse.toml"
        text = f'{configuration.read_text()}{section}key = "{key}"\nfrom = 2025-01-01\n'
        files.write(configuration, text.encode())

    def _name_overseers(self) -> None:
        """Two overseers outside the custodian: one of them can halt, both must agree to resume."""
        from gatehouse.ledger.signers import read_signer

        lines = []
        for name in OVERSEERS:
            self.call("key", "new", self.root / "overseers" / f"{name}.key", "--name", name)
            lines.append(f"key {read_signer(self.root / 'overseers' / f'{name}.key').verifier.text}\n")
        files.write(self.site / "oversight.policy", "".join([*lines, "halt 1\n", "resume 2\n"]).encode())

    def _start_witnesses(self) -> None:
        lines = [f"log {(self.site / 'log.vkey').read_text().strip()}"]
        for name in WITNESSES:
            port, state = _free_port(), self.root / "witnesses" / name
            arguments = ["witness", "serve", "--port", str(port), "--state", str(state), "--name", f"{name}.example"]
            arguments += ["--log-vkey", str(self.site / "log.vkey")]
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and command
                [sys.executable, "-m", "gatehouse", *arguments], stdout=subprocess.DEVNULL
            )
            self._processes.append(process)
            lines.append(f"witness {name} {_wait_for(state / 'witness.vkey', process)} http://127.0.0.1:{port}")
        lines += [f"group outside 2 {' '.join(WITNESSES)}", "quorum outside"]
        files.write(self.site / "witnesses.policy", ("\n".join(lines) + "\n").encode())

    def _approve(self, identity: str) -> None:
        from gatehouse.casework.approval import Proposal
        from gatehouse.casework.states import Action
        from gatehouse.kernel import clock
        from gatehouse.pipeline import approve
        from gatehouse.pipeline.site import open_site

        office = approve.office(open_site(self.site))
        board = office.casebook.board(self.docket)
        selection = board.approvable_by(office.roster.people(identity))
        chosen = ("approve", self.docket, "--site", self.site, "--officer", identity, "--all-cleared")
        examined: tuple[str, ...] = ()
        if len(selection) > 5:
            drawn = approve.draw(
                office, identity, Proposal(self.docket, Action.APPROVE, selection, ""), now=clock.now()
            )
            click.echo(f"   {identity} looks at a sample of {len(drawn.drawn)} of {len(selection)} cases")
            examined = ("--examined", drawn.id, "--found", "0")
        reason = "The sample agrees with the file; every element is met on each request."
        self.call(*chosen, "--key", self.keys / f"{identity}.key", *examined, "--reason", reason)

    def _some_refused(self) -> str:
        return str(self._first("request_id", "refused") or "REQUEST")

    def _some_released(self) -> int:
        return int(self._first("person_id", "cleared") or 0)

    def _first(self, column: str, outcome: str) -> str | int | None:
        from gatehouse.intake.workspace import open_workspace

        table = self.site / "dockets" / self.docket / "determinations.parquet"
        with open_workspace() as connection:
            found = connection.execute(
                f"SELECT {column} FROM read_parquet(?) WHERE outcome = ? ORDER BY seq LIMIT 1", [str(table), outcome]
            ).fetchone()
        return None if found is None else found[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> str:
    for _ in range(300):
        if path.is_file() and (text := path.read_text().strip()):
            return text
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise MachineFailed("a witness of the demonstration did not start")
