"""`gatehouse witness`: cosign another's checkpoints, over HTTP or by files carried by hand."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatehouse.cli.witness_again import again
from gatehouse.kernel import clock, files
from gatehouse.kernel.errors import AnswerIsNo, WrongInput

if TYPE_CHECKING:
    from gatehouse.ledger.witness import Witness

_STATE = click.option(
    "--state", type=click.Path(path_type=Path), required=True, help="The witness's folder for its own state."
)
_LOGS = click.option(
    "--log-vkey",
    "log_keys",
    type=click.Path(path_type=Path),
    required=True,
    multiple=True,
    help="The public key of a log to watch. Repeat it for more logs.",
)
_NAME = click.option("--name", help="The witness's name. Only used when its key is made.")


@click.group()
def witness() -> None:
    """Cosign checkpoints from outside the custodian.

    A witness remembers the newest checkpoint of each log it watches and cosigns only what continues it. It sees a
    size and a root, never an entry.
    """


@witness.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), required=True, help="The port to listen on. 0 picks a free port."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@_STATE
@_LOGS
@_NAME
@click.option("--ml-dsa", is_flag=True, help="Make an ML-DSA-44 key (post-quantum). Only used when the key is made.")
def serve(port: int, host: str, state: Path, log_keys: tuple[Path, ...], name: str | None, *, ml_dsa: bool) -> None:
    """Answer add-checkpoint requests over HTTP until stopped. The witness's key is written to STATE/witness.vkey.

    \b
    Example:
      gatehouse witness serve --port 8081 --state inspector --log-vkey site/log.vkey --name inspector.example/w1
    """
    from gatehouse.ledger.witness_server import server

    made = _witness(state, log_keys, name, ml_dsa=ml_dsa)
    serving = server(made, host, port)
    click.echo(f"listening on http://{host}:{serving.server_address[1]}")
    signal.signal(signal.SIGTERM, lambda *_: _stop())
    try:
        serving.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        serving.server_close()
        made.close()


@witness.command()
@click.argument("request", type=click.Path(path_type=Path))
@_STATE
@_LOGS
@_NAME
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The file to write the cosignature to.")
def cosign(request: Path, state: Path, log_keys: tuple[Path, ...], name: str | None, out: Path) -> None:
    """Cosign a request that arrives as a file, for a witness without a network.

    A request that does not know this witness's last cosignature, because an answer was lost on the way, is refused.
    That last answer is then written again beside --out, so that you can carry it back.

    \b
    Example:
      gatehouse witness cosign 1280000.request --state inspector --log-vkey site/log.vkey --out 1280000.cosignature
    """
    from gatehouse.ledger.witness import MAX_REQUEST

    made = _witness(state, log_keys, name, ml_dsa=False)
    try:
        with request.open("rb") as stream:
            asked = stream.read(MAX_REQUEST + 1)
        answer = made.add_checkpoint(asked)
        if answer.status == 409:
            _catch_up(made, asked, out)
    except OSError as error:
        raise WrongInput(f"the request cannot be read ({error.strerror})", where=request.name) from None
    finally:
        made.close()
    if answer.status != 200:
        raise _declined(answer.status, answer.body.decode(errors="replace").strip(), request.name)
    files.write(out, answer.body)
    click.echo(f"cosigned: {out}")


def _witness(state: Path, log_keys: tuple[Path, ...], name: str | None, *, ml_dsa: bool) -> Witness:
    from gatehouse.ledger.signers import Algorithm, read_verifier
    from gatehouse.ledger.witness import Witness, open_key

    algorithm = Algorithm.MLDSA44_COSIGNATURE if ml_dsa else Algorithm.ED25519_COSIGNATURE
    logs = [read_verifier(path) for path in log_keys]
    return Witness(state, open_key(state, name, algorithm), logs, clock.now)


def _catch_up(made: Witness, asked: bytes, out: Path) -> None:
    """Write the last answer again, under the name by which the log looks for it."""
    origin = asked.partition(b"\n\n")[2].partition(b"\n")[0].decode(errors="replace")
    known = made.answer_again(origin)
    if known is not None:
        size, lines = known
        files.write(out.with_name(f"{size}.cosignature"), lines)


def _declined(status: int, said: str, where: str) -> AnswerIsNo | WrongInput:
    if status == 400:
        return WrongInput(said, where=where)
    if status == 409 and said.isdigit():
        return AnswerIsNo(
            f"the request is stale: this witness has seen size {said}", where=where,
            remedy=f"Carry {said}.cosignature, written beside --out, back to the log and take its next request",
        )  # fmt: skip
    return AnswerIsNo(said, where=where)


def _stop() -> None:
    raise KeyboardInterrupt


witness.add_command(again)
