"""`gatehouse demo`: the whole journey on synthetic data, by the same commands that carry a real submission.

What follows a `$` can be typed again. The pretended date is 7 August 2025, when the agreement was in force
and no court had stopped it; the site is marked as a demonstration, and a real site refuses a pretended date.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import click

from gatehouse.casework.sampling import SINGLE_LIMIT
from gatehouse.kernel import clock, extras, files
from gatehouse.kernel.errors import MachineFailed, WrongInput

DAY = "2025-08-07T14:00:00Z"
SIZES = {"small": (6_000, 500), "full": (10_000_000, 1_280_000)}
EARLIER = 120  # requests of each of the two earlier submissions
WITNESSES = ("inspector-general", "court-registry", "outside-body")
OFFICERS = (("do-1", "Ana Ruiz"), ("do-2", "Brian Cole"))
OVERSEERS = ("inspector-general", "court")
SEED = 1
STEPS = 8
FRESH = 3  # the submission that waits for the visitor
REASON = "The sample agrees with the file; every element is met on each request."


@click.command()
@click.option("--size", type=click.Choice(list(SIZES)), default="small", show_default=True)
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), help="The folder to make. Default: a new temporary folder."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The console's port. Default: 8000, or a free port if 8000 is taken."
)
@click.option("--verbose", is_flag=True, help="Show every command and its output.")
@click.option("--no-serve", is_flag=True, help="Stop after the ledger is verified; do not start the console.")
@click.option("--browser/--no-browser", default=True, help="Open a browser when the server is ready.")
def demo(*, size: str, folder: Path | None, port: int | None, verbose: bool, no_serve: bool, browser: bool) -> None:
    """Run the whole journey on synthetic data: receive, decide, approve twice, release, open, verify.

    It makes three submissions: one is closed, one has a recalled release, and one waits for your decision.

    \b
    Examples:
      gatehouse demo
      gatehouse demo --port 8080 --no-browser
      gatehouse demo --no-serve --verbose
    """
    place = (folder or Path(tempfile.mkdtemp(prefix="gatehouse-demo-"))).absolute()
    if place.exists() and any(place.iterdir()):
        raise WrongInput("the folder is not empty", where=str(place), remedy="Name a new folder with --dir")
    place.mkdir(parents=True, exist_ok=True)
    os.environ[clock.PRETENDED] = DAY
    os.environ[clock.SINCE] = str(clock.machine().timestamp())  # from here on the day goes by
    stage = Stage(place, *SIZES[size], verbose=verbose)
    click.echo(f"A demonstration in {place}. All data is invented; the pretended day is 7 August 2025.")
    with stage.witnesses():
        stage.found()
        for number in (1, 2, 3):
            stage.submit(number)
        stage.answer()
        stage.verify()
        if no_serve:
            stage.say_how_to_go_on()
        else:
            stage.say_who_signs_how()
        stage.say_what_next()
        if not no_serve:
            stage.serve(port, browser=browser)


@dataclass
class Stage:
    """The folders of a demonstration and the steps of the journey."""

    root: Path
    persons: int
    requests: int
    verbose: bool = False
    number: int = 0

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

    @contextlib.contextmanager
    def step(self, line: str) -> Iterator[None]:
        """Announce the next step, and end its line with the time it took; what it says is shown when it fails."""
        self.number += 1
        began, said = time.monotonic(), io.StringIO()
        click.echo(f"{self.number}/{STEPS}  {line}", nl=self.verbose)
        try:
            with contextlib.ExitStack() as quiet:
                if not self.verbose:
                    quiet.enter_context(contextlib.redirect_stdout(said))
                    quiet.enter_context(contextlib.redirect_stderr(said))
                yield
        except BaseException:
            click.echo(f"\n{said.getvalue()}", err=True)
            raise
        click.echo(f"{'   done' if self.verbose else ''}  {time.monotonic() - began:.1f} s")

    def call(self, *arguments: str | Path) -> None:
        """Run a gatehouse command in this process, showing what would be typed."""
        from gatehouse.cli.main import cli

        given = [str(argument) for argument in arguments]
        shown = shlex.join(argument.replace(f"{self.root}{os.sep}", "") for argument in given)
        if self.verbose:
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
        with self.step(f"The custodian keeps a register of {self.persons:,} invented persons and makes a site."):
            register = self.root / "register"
            self.call("synth", "register", "--out", register, "--persons", str(self.persons), "--seed", str(SEED))
            self.call("key", "new", self.agency / "agency.key", "--name", "us.dhs.ice")
            parties = self.root / "parties.toml"
            self._write_parties(parties)
            self.call(
                *("init", self.site, "--name", "gateway.example/disclosures/2025", "--demonstration"),
                *("--register", register, "--parties", parties),
            )
            for identity, name in OFFICERS:
                self.call("key", "new", self.keys / f"{identity}.key", "--name", identity)
                self._appoint(identity, name)
            self._name_overseers()
        with self.step(
            "Three witnesses cosign its ledger: here they run on this machine; on a real site, outsiders run them."
        ):
            self._start_witnesses()

    def submit(self, number: int) -> None:
        """One submission of the agency: closed, recalled or fresh, in this order."""
        ends = ("everything is answered", "one release is recalled", "it waits for your decision")[number - 1]
        requests = self.requests if number == FRESH else EARLIER
        with self.step(f"Submission {number} of 3: {requests:,} requests are decided one by one; {ends}."):
            folder, seed = self.submission(number), str(SEED + number - 1)
            self.call(
                *("synth", "submission", "--out", folder, "--register", self.root / "register"),
                *("--requests", str(requests), "--seed", seed),
            )
            self.call("submission", "sign", folder, "--key", self.agency / "agency.key")
            self.call("run", folder, "--site", self.site)
            if number == FRESH:
                return
            docket = self.docket(number)
            self._refuse_held(docket)
            for identity, _ in OFFICERS:
                self._approve(docket, identity)
            self.call("release", docket, "--site", self.site)
            if number == 1:
                self._open_one(docket)
            else:
                self._recall_one(docket)

    def submission(self, number: int) -> Path:
        """One of the agency's submissions; the first has its packages opened."""
        return self.agency / ("submission" if number == 1 else f"submission-{number}")

    def docket(self, number: int) -> str:
        """The name of its docket: the submission's id."""
        from gatehouse.intake import manifest

        return manifest.parse((self.submission(number) / manifest.NAME).read_bytes()).id

    def _open_one(self, docket: str) -> None:
        """An officer checks the proof of a package and opens it, with no connection to the custodian."""
        from gatehouse.store.shelf import Shelf
        from gatehouse.synthetic import officers

        sealed = Shelf().releases(docket)[0]
        key = self.agency / f"{sealed.officer}.key"
        files.write(key, f"{officers.identity(SEED, sealed.officer)}\n".encode(), mode=0o600)
        package = self.site / "dockets" / docket / "releases" / f"{sealed.id}.age"
        opened = self.agency / "opened"
        self.call("open", package, "--key", key, "--trust", self.site / "trust", "--out", opened)

    def _recall_one(self, docket: str) -> None:
        request = str(self._first(docket, "request_id", "cleared"))
        identity = OFFICERS[0][0]
        self.call(
            *("recall", "--site", self.site, "--docket", docket, "--requests", request, "--officer", identity),
            *("--key", self.keys / f"{identity}.key", "--reason", "The person released is not the one named."),
        )

    def verify(self) -> None:
        """Anyone checks the ledger; the docket is derived again."""
        with self.step("Anyone can check: every entry of the ledger, every determination of a docket, again."):
            folder = self.site / "dockets" / self.docket(1)
            self.call("replay", folder)
            policy = self.site / "witnesses.policy"
            self.call("verify", "docket", folder, "--ledger", self.site / "ledger", "--policy", policy)
            self.call("verify", self.site / "ledger", "--policy", policy)

    def answer(self) -> None:
        """Somebody who was disclosed learns of it, with a proof."""
        with self.step("A person asks what was disclosed about them, and gets a small answer that they can verify."):
            self.call("answer", "build", "--site", self.site)
            number, file = str(self._first(self.docket(1), "person_id", "cleared")), self.root / "person.answer"
            self.call("answer", "person", number, "--site", self.site, "--out", file)
            self.call("verify", "answer", file, "--policy", self.site / "witnesses.policy")

    def say_how_to_go_on(self) -> None:
        """What somebody needs who comes back to the folder: the witnesses, and the console at a time that goes on."""
        click.echo("\nThe witnesses end with this command. To go on from here later:")
        click.echo(f"  ./gatehouse witness again {self.root}")
        click.echo(f"  {clock.PRETENDED}={clock.stamp(clock.now())} ./gatehouse serve --one-click --site {self.site}")

    def say_who_signs_how(self) -> None:
        """The last step, and what a visitor of the console needs to know."""
        click.echo(f"{STEPS}/{STEPS}  The console: choose a role on its first page. Ctrl-C stops it.")
        click.echo(
            f"     To sign as an officer or an overseer, choose a key file from {self.root} when the page asks for one."
        )
        if find_spec("z3") is None:
            click.echo(
                f"     The console shows the proofs that ship with the packs. To prove a change: "
                f"{extras.remedy('prove')}"
            )

    def say_what_next(self) -> None:
        """Three things to try."""
        folder = self.site / "dockets" / self.docket(1)
        refused = self._first(self.docket(1), "request_id", "refused")
        click.echo("\nThree things to try:")
        click.echo(f"  ./gatehouse explain {folder} {refused}")
        click.echo(f"  ./gatehouse report disclosures --site {self.site} --year 2025")
        click.echo("  ./gatehouse reenact august-2025 --scale 0.01")

    def serve(self, port: int | None, *, browser: bool) -> None:
        """Open the console on the site, at the port asked for or a free one, and say who is who there."""
        chosen = free_port(8000) if port is None else port
        click.echo()
        self.call(
            *("serve", "--site", self.site, "--port", str(chosen), "--one-click"),
            *(() if browser else ("--no-browser",)),
        )

    def _write_parties(self, path: Path) -> None:
        from gatehouse.ledger.signers import read_signer
        from gatehouse.synthetic.parties import invent

        key = read_signer(self.agency / "agency.key").verifier.text
        files.write(path, invent(key, usual_requests=self.requests).encode())

    def _appoint(self, identity: str, name: str) -> None:
        from gatehouse.casework.roster import Officer
        from gatehouse.ledger.signers import read_signer
        from gatehouse.site import configuration

        key = read_signer(self.keys / f"{identity}.key").verifier
        configuration.appoint(self.site, Officer(identity, name, "disclosure_officer", key, dt.date(2025, 1, 1)))

    def _name_overseers(self) -> None:
        """Two overseers outside the custodian: one of them can halt, both must agree to resume."""
        from gatehouse.ledger.signers import read_signer

        lines = []
        for name in OVERSEERS:
            self.call("key", "new", self.root / "overseers" / f"{name}.key", "--name", name)
            lines.append(f"key {read_signer(self.root / 'overseers' / f'{name}.key').verifier.text}\n")
        files.write(self.site / "oversight.policy", "".join([*lines, "halt 1\n", "resume 2\n"]).encode())

    def _start_witnesses(self) -> None:
        started = []
        for name in WITNESSES:
            port, state = free_port(), self.root / "witnesses" / name
            arguments = ["witness", "serve", "--port", str(port), "--state", str(state), "--name", f"{name}.example"]
            arguments += ["--log-vkey", str(self.site / "log.vkey")]
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and command
                [sys.executable, "-m", "gatehouse", *arguments], stdout=subprocess.DEVNULL
            )
            self._processes.append(process)
            started.append((name, port, state, process))
        lines = [f"log {(self.site / 'log.vkey').read_text().strip()}"]
        for name, port, state, process in started:
            lines.append(f"witness {name} {_wait_for(state / 'witness.vkey', process)} http://127.0.0.1:{port}")
        lines += [f"group outside 2 {' '.join(WITNESSES)}", "quorum outside"]
        files.write(self.site / "witnesses.policy", ("\n".join(lines) + "\n").encode())

    def _approve(self, docket: str, identity: str) -> None:
        from gatehouse.casework.approval import Proposal
        from gatehouse.casework.states import Action
        from gatehouse.cli import marks
        from gatehouse.intake.workspace import open_workspace
        from gatehouse.pipeline import approve
        from gatehouse.pipeline.site import open_site

        office = approve.office(open_site(self.site))
        selection = office.casebook.board(docket).approvable_by(office.roster.people(identity))
        chosen = ("approve", docket, "--site", self.site, "--officer", identity, "--all-cleared")
        examined: tuple[str, ...] = ()
        if len(selection) > SINGLE_LIMIT:
            drawn = approve.draw(office, identity, Proposal(docket, Action.APPROVE, selection, ""), now=clock.now())
            click.echo(f"   {identity} looks at a sample of {len(drawn.drawn)} of {len(selection)} cases")
            marked = self.root / f"marks-{drawn.id}.csv"
            with open_workspace() as connection:
                marks.write(marked, approve.request_ids(connection, office.site, docket, drawn.drawn))
            marked.write_text(marked.read_text().replace(",\n", f",{marks.RIGHT}\n"))
            examined = ("--examined", drawn.id, "--marks", str(marked))
        self.call(*chosen, "--key", self.keys / f"{identity}.key", *examined, "--reason", REASON)

    def _refuse_held(self, docket: str) -> None:
        """An officer refuses what was held for a person, so that the docket can be closed."""
        from gatehouse.casework.states import State
        from gatehouse.intake.workspace import open_workspace
        from gatehouse.pipeline import approve
        from gatehouse.pipeline.site import open_site

        office = approve.office(open_site(self.site))
        with open_workspace() as connection:
            approve.open_docket(connection, office, approve.docket_of(office.site, docket))
            held = office.casebook.board(docket).states[State.HELD]
            named = approve.request_ids(connection, office.site, docket, held)
        identity, _ = OFFICERS[0]
        self.call(
            *("approve", docket, "--site", self.site, "--officer", identity, "--decision", "refuse"),
            *("--key", self.keys / f"{identity}.key", "--reason", "The record on file does not settle who is meant."),
            *(part for request in named for part in ("--request", request)),
        )

    def _first(self, docket: str, column: str, outcome: str) -> str | int | None:
        from gatehouse.intake.workspace import open_workspace

        table = self.site / "dockets" / docket / "determinations.parquet"
        with open_workspace() as connection:
            found = connection.execute(
                f"SELECT {column} FROM read_parquet(?) WHERE outcome = ? ORDER BY seq LIMIT 1", [str(table), outcome]
            ).fetchone()
        return None if found is None else found[0]


def free_port(wanted: int = 0) -> int:
    """The port wanted, or another that is free where somebody listens there already."""
    for port in dict.fromkeys((wanted, 0)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise MachineFailed("no port is free", remedy="Stop another server, or name a free port with --port")


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> str:
    for _ in range(300):
        if path.is_file() and (text := path.read_text().strip()):
            return text
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise MachineFailed("one of the demonstration's witnesses did not start")
