"""What belongs to a shell: completion of commands and options, and the manual page made from every `--help`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from gatehouse import __version__
from gatehouse.kernel import files

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print a script that lets a shell complete commands and options.

    \b
    Examples:
      gatehouse completion bash > ~/.local/share/bash-completion/completions/gatehouse
      gatehouse completion zsh > ~/.zfunc/_gatehouse
      gatehouse completion fish > ~/.config/fish/completions/gatehouse.fish
    """
    from click.shell_completion import get_completion_class

    from gatehouse.cli.main import cli

    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 - click knows the shells named above
    click.echo(found(cli, {}, "gatehouse", "_GATEHOUSE_COMPLETE").source())


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Write it to this file instead of printing it.")
def manual(out: Path | None) -> None:
    """Print the manual page, generated from the help of every command.

    Example: gatehouse manual --out gatehouse.1 && man ./gatehouse.1
    """
    text = "".join(_page())
    if out is None:
        click.echo(text, nl=False)
    else:
        files.write(out, text.encode())


def _page() -> Iterator[str]:
    from gatehouse.cli.main import COMMANDS, cli

    yield f'.TH GATEHOUSE 1 "" "gatehouse {__version__}" "Gatehouse"\n'
    yield ".SH NAME\ngatehouse \\- a disclosure gateway\n"
    yield ".SH SYNOPSIS\n.B gatehouse\n\\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n"
    yield f".SH DESCRIPTION\n{_roff(cli.help or '')}\n"
    yield (
        "It ends with status 0 (done), 1 (the answer is no), 2 (wrong input) or 3 (the machine failed).\n.SH COMMANDS\n"
    )
    context = click.Context(cli, info_name="gatehouse")
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if command is not None:
            yield from _command(command, context, name)


def _command(command: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    if name == "test":  # its help is pytest's
        yield f".SS gatehouse test\n{_roff(command.help or '')}\n"
        return
    context = click.Context(command, info_name=name, parent=parent)
    usage = " ".join(command.collect_usage_pieces(context))
    yield f".SS {_roff(context.command_path)} {_roff(usage)}\n{_roff(command.help or '')}\n"
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            yield f".TP\n.B {_roff(record[0])}\n{_roff(record[1]) or 'See above.'}\n"
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None:
                yield from _command(found, context, inner)


def _roff(text: str) -> str:
    """Text as roff takes it: backslashes and leading dots escaped, examples kept as they are written."""
    lines = []
    literal = False
    for line in text.strip().split("\n"):
        if line.strip() == "\b":
            literal = True
            lines.append(".nf")
            continue
        if literal and not line.strip():
            literal = False
            lines.append(".fi")
        plain = "".join(_letter(letter) for letter in line)
        shown = plain if literal else plain.strip()
        lines.append(f"\\&{shown}" if shown[:1] in {".", "'"} else shown or ".PP")
    if literal:
        lines.append(".fi")
    return "\n".join(lines)


def _letter(letter: str) -> str:
    if letter in {"\\", "-"}:
        return {"\\": "\\e", "-": "\\-"}[letter]
    return letter if letter.isascii() else f"\\[u{ord(letter):04X}]"
