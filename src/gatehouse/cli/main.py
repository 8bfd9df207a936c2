"""The `gatehouse` command: a table of commands that are imported only when they are called.

Every command ends with exit status 0 (done), 1 (the answer is no), 2 (wrong input) or 3 (the machine failed),
and an error is one line on standard error.
"""

from __future__ import annotations

import importlib
import os
import sys

import click

from gatehouse import __version__
from gatehouse.kernel.errors import GatehouseError

# command name -> (module below gatehouse.cli, attribute, one line of help); imported at the moment of use
COMMANDS: dict[str, tuple[str, str, str]] = {
    "demo": ("demo", "demo", "The whole journey on synthetic data, from receipt to verified release."),
    "test": ("test", "test", "Run the tests, counting aloud what was skipped and why."),
    "synth": ("synth", "synth", "Make synthetic registers and submissions with the answers beside them."),
    "address": ("address", "address", "Judge whether addresses are real."),
    "match": ("match", "match", "Match requests to a register, for measuring error; never for release."),
    "key": ("key", "key", "Make keys; print the public one."),
    "submission": ("submission", "submission", "The requesting side: make, sign and check a submission."),
    "determine": ("determine", "determine", "Determinations without any power to release: back-test, impact."),
    "init": ("site", "init", "Make a site."),
    "run": ("site", "run", "Receive, determine and commit a submission to the ledger, up to the approvals."),
    "approve": ("casework", "approve", "Approve, refuse or return cases; two officers release."),
    "release": ("release", "release", "Seal what two officers approved for the officers who were named."),
    "open": ("officer", "open_", "The officer's side: check the proof, open a release, write a receipt."),
    "use": ("officer", "use", "The officer's side: log use, report, dispose."),
    "recall": ("recall", "recall", "Recall releases and notify their recipients."),
    "drill": ("drill", "drill", "Rehearse a recall on a copy and measure it."),
    "destroy": ("destroy", "destroy", "Destroy a docket's keys and tables, on record; every proof stays valid."),
    "replay": ("oversight", "replay", "Derive every determination of a docket again and compare."),
    "verify": ("verify", "verify", "Verify a ledger, a proof or a docket without trusting the custodian."),
    "prove": ("prove", "prove", "Open part of one determination or event for somebody outside, with a proof."),
    "answer": ("answer", "answer", "What was disclosed about one person, or that nothing was, with a proof."),
    "explain": ("oversight", "explain", "Explain one request in plain words with citations."),
    "report": ("report", "report", "Statutory reports, rebuilt from ledger and dockets."),
    "witness": ("witness", "witness", "Cosign checkpoints from outside the custodian."),
    "halt": ("halt", "halt", "Stop a docket, an agency or everything by a quorum of overseers; resume with a reason."),
    "order": ("order", "order", "Enter a court's order: preview, two signatures, in force at once."),
    "law": ("law", "law", "Counsel's bench: check, prove, compare and sign packs of law."),
    "reenact": ("reenact", "reenact", "Replay the documented exchange beside Gatehouse."),
    "backup": ("backup", "backup", "Copy a site at one instant: files, ledger and database."),
    "restore": ("backup", "restore", "Make a site from a backup, and say where its parts disagree."),
    "check": ("backup", "check", "See whether ledger, dockets and database of a site tell one story."),
    "work": ("work", "work", "Carry on what was handed in over the web, in a process of its own."),
    "serve": ("serve", "serve", "Console and API."),
    "bench": ("bench", "bench", "Benchmarks, each with its ratio to the floor of the same run."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when called, so that help answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of the journey."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command; None when there is none of that name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, attribute, _ = entry
        command = getattr(importlib.import_module(f"gatehouse.cli.{module}"), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - a wrong table is a programming error
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gatehouse")
def cli() -> None:
    """A disclosure gateway: every request decided under law, every release under a proof."""


def main() -> None:
    """Run the command and end with the exit status of design §6."""
    try:
        sys.exit(cli.main(standalone_mode=False, prog_name="gatehouse") or 0)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(2)
    except click.exceptions.Abort:
        click.echo("gatehouse: stopped", err=True)
        sys.exit(3)
    except GatehouseError as error:
        click.echo(f"gatehouse: {error}", err=True)
        sys.exit(error.status)
    except BrokenPipeError:
        os._exit(0)
    except (OSError, MemoryError) as failure:
        _last_resort(failure)
    except Exception as failure:  # noqa: BLE001 - the last line of defence: no traceback with personal data
        _last_resort(failure)


def _last_resort(failure: BaseException) -> None:
    if os.environ.get("GATEHOUSE_DEBUG"):
        raise failure
    detail = failure.strerror if isinstance(failure, OSError) else type(failure).__name__
    more = "Trying again is safe; GATEHOUSE_DEBUG=1 shows more"
    click.echo(f"gatehouse: the machine failed ({detail}). {more}", err=True)
    sys.exit(3)
