"""The `gatehouse` command: a table of commands that are imported only when they are called.

Every command ends with exit status 0 (done), 1 (the answer is no), 2 (wrong input) or 3 (the machine failed),
and an error is one line on standard error.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys

import click
from click.shell_completion import CompletionItem

from gatehouse import __version__
from gatehouse.kernel.errors import GatehouseError

# command name -> (module below gatehouse.cli, attribute, one line of help); imported at the moment of use
COMMANDS: dict[str, tuple[str, str, str]] = {
    "demo": ("demo", "demo", "The whole journey on synthetic data, from receipt to verified release."),
    "test": ("test", "test", "Run the tests and report skips with their reasons."),
    "synth": ("synth", "synth", "Make synthetic registers and submissions, with the true answers beside them."),
    "address": ("address", "address", "Judge whether addresses are real."),
    "element": ("element", "element", "Judge whether reasons, numbers, dates and officers are specific and real."),
    "match": ("match", "match", "Match requests to a register, to measure error; never for release."),
    "register": ("register", "register", "Show the register contract, and check a folder or database against it."),
    "key": ("key", "key", "Make keys and print their public halves; sign; rotate the ledger's key."),
    "submission": ("submission", "submission", "For the requesting agency: make, sign and check a submission."),
    "determine": ("determine", "determine", "Decide a submission without any power to release: back-test, impact."),
    "init": ("site", "init", "Make a site."),
    "run": ("site", "run", "Receive, determine and commit a submission to the ledger, up to the approvals."),
    "approve": ("casework", "approve", "Approve, refuse or return cases; two officers release."),
    "release": (
        "release",
        "release",
        "Seal the cases that two officers approved, for the officers named in the request.",
    ),
    "open": ("officer", "open_", "For the receiving officer: check the proof, open a release, write a receipt."),
    "use": ("officer", "use", "For the receiving officer: log use, report it, dispose of the records."),
    "recall": ("recall", "recall", "Recall releases and notify their recipients."),
    "drill": ("drill", "drill", "Rehearse a recall on a copy and measure it."),
    "destroy": ("destroy", "destroy", "Destroy a docket's keys and tables, on record; every proof stays valid."),
    "replay": ("oversight", "replay", "Derive every determination of a docket again and compare."),
    "verify": ("verify", "verify", "Verify a ledger, a proof or a docket without trusting the custodian."),
    "prove": ("prove", "prove", "Open part of one determination or event for an outsider, with a proof."),
    "answer": ("answer", "answer", "Answer, with a proof, what was disclosed about one person."),
    "explain": ("oversight", "explain", "Explain one request in plain words with citations."),
    "report": ("report", "report", "Make statutory reports from the ledger and dockets."),
    "witness": ("witness", "witness", "Cosign checkpoints from outside the custodian."),
    "halt": ("halt", "halt", "Halt a docket, an agency or everything by a quorum of overseers; resume with a reason."),
    "order": ("order", "order", "Enter a court's order: preview, two signatures, in force at once."),
    "law": ("law", "law", "For counsel: check, prove, compare and sign packs of law."),
    "reenact": ("reenact", "reenact", "Rerun the documented exchange beside Gatehouse."),
    "roster": ("roster", "roster", "Show who may decide; endorse an officer; acknowledge lost entries."),
    "backup": ("backup", "backup", "Copy a site at one instant: files, ledger and database."),
    "restore": ("backup", "restore", "Restore a site from a backup, and report where its parts disagree."),
    "check": ("backup", "check", "Check that a site's ledger, dockets and database agree."),
    "work": ("work", "work", "Process what was handed in over the web, in a separate process."),
    "part": ("part", "part", "Run one part of a site by itself: the log writer, the sealer or the decider."),
    "account": ("account", "account", "Manage accounts and keys for programs; every change goes on record."),
    "serve": ("serve", "serve", "Serve the console and the API."),
    "completion": ("shell", "completion", "Print a script that lets a shell complete commands and options."),
    "manual": ("shell", "manual", "Print the manual page, generated from the help of every command."),
    "bench": ("bench", "bench", "Run the benchmarks, each with its ratio to the floor of the same run."),
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

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command from the table, importing none of them."""
        names = [CompletionItem(name, help=line) for name, (_, _, line) in COMMANDS.items()]
        return [*(item for item in names if item.value.startswith(incomplete)),
                *click.Command.shell_complete(self, ctx, incomplete)]  # fmt: skip

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gatehouse")
def cli() -> None:
    """A disclosure gateway: every request decided under law, every release under a proof."""


class _Stopped(SystemExit):
    """The system asks this process to end; what it holds is put away on the way out."""


def _stop(number: int, _frame: object) -> None:
    signal.signal(number, signal.SIG_IGN)  # once is enough: nothing interrupts the putting away
    raise _Stopped(128 + number)


def main() -> None:
    """Run the command and end with the exit status of design §6.

    Whatever a command makes is its owner's alone, from its first file on; asked to end (SIGTERM, SIGHUP), it removes
    what it holds in temporary folders and ends the processes that it began, as it does when it is interrupted.
    """
    os.umask(0o077)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
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
    more = "It is safe to try again. GATEHOUSE_DEBUG=1 shows more"
    click.echo(f"gatehouse: the machine failed ({detail}). {more}", err=True)
    sys.exit(3)
