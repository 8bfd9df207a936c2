"""Overseers' halts: enough signatures, the last word on a scope, and no way for silence to mean go."""

from __future__ import annotations

import datetime as dt

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.cli.halt import halt as command
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import halt, signers
from gatehouse.ledger.halt import Action, Oversight, Scope, is_halted

KEYS = [signers.parse_signer(signers.new_key(f"overseer.example/{n}")[0]) for n in range(3)]
TEXT = "".join(f"key {key.key_text}\n" for key in KEYS) + "halt 1\nresume 2\n"
OVERSIGHT = Oversight.parse(TEXT)
T0 = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


def said(action, scope, minutes, *keys):
    data = halt.write(action, Scope.parse(scope), T0 + dt.timedelta(minutes=minutes), "because", keys[0])
    for key in keys[1:]:
        data = halt.join(data, key)
    return data


def test_one_may_stop_and_two_let_go_on():
    stop = OVERSIGHT.accept(said(Action.HALT, "agency us.dhs.ice", 0, KEYS[0]))
    assert is_halted([stop], agency="us.dhs.ice", docket="D-1")
    assert not is_halted([stop], agency="us.other", docket="D-1")
    with pytest.raises(AnswerIsNo, match="1 overseers signed; it takes 2 to resume"):
        OVERSIGHT.accept(said(Action.RESUME, "agency us.dhs.ice", 1, KEYS[0]))
    with pytest.raises(AnswerIsNo):  # the same overseer twice is one voice
        OVERSIGHT.accept(said(Action.RESUME, "agency us.dhs.ice", 1, KEYS[0], KEYS[0]))
    stranger = signers.parse_signer(signers.new_key("overseer.example/1")[0])
    with pytest.raises(AnswerIsNo):
        OVERSIGHT.accept(said(Action.RESUME, "agency us.dhs.ice", 1, KEYS[0], stranger))
    go = OVERSIGHT.accept(said(Action.RESUME, "agency us.dhs.ice", 1, KEYS[0], KEYS[2]))
    assert go.signers == ("overseer.example/0", "overseer.example/2")
    assert not is_halted([stop, go], agency="us.dhs.ice", docket="D-1")


def test_two_overseers_have_two_names():
    twins = [signers.parse_signer(signers.new_key(name)[0]) for name in ("ana-ruiz.court", "Court.Ana.Ruiz")]
    text = "".join(f"key {key.key_text}\n" for key in (*twins, KEYS[0])) + "halt 1\nresume 2\n"
    trusted = Oversight.parse(text)
    with pytest.raises(AnswerIsNo, match="1 overseers signed; it takes 2 to resume"):
        trusted.accept(said(Action.RESUME, "docket D-1", 1, *twins))
    trusted.accept(said(Action.RESUME, "docket D-1", 1, twins[0], KEYS[0]))
    with pytest.raises(WrongInput, match="how many overseers"):
        Oversight.parse("".join(f"key {key.key_text}\n" for key in twins) + "halt 1\nresume 2\n")


def test_the_last_word_counts_and_a_wider_halt_stays():
    every = OVERSIGHT.accept(said(Action.HALT, "everything", 0, KEYS[0]))
    docket = OVERSIGHT.accept(said(Action.HALT, "docket D-1", 1, KEYS[1]))
    freed = OVERSIGHT.accept(said(Action.RESUME, "docket D-1", 2, *KEYS))
    assert is_halted([every, docket, freed], agency="a", docket="D-1")
    assert not is_halted([docket, freed], agency="a", docket="D-1")
    again = OVERSIGHT.accept(said(Action.HALT, "docket D-1", 2, KEYS[1]))
    for order in ([freed, again], [again, freed]):  # without the ledger, at the same instant, the stop prevails
        assert is_halted(halt.by_stated_time(order), agency="a", docket="D-1")


def test_a_changed_statement_is_not_believed(tmp_path):
    data = said(Action.HALT, "docket D-1", 0, KEYS[0])
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1 << position % 8
        with pytest.raises((AnswerIsNo, WrongInput)):
            OVERSIGHT.accept(bytes(changed))
    (tmp_path / "1.halt").write_bytes(data)
    assert len(halt.read_folder(tmp_path, OVERSIGHT)) == 1
    (tmp_path / "2.halt").write_bytes(data[:-9])
    with pytest.raises(WrongInput):
        halt.read_folder(tmp_path, OVERSIGHT)
    assert halt.read_folder(tmp_path / "absent", OVERSIGHT) == []


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_halt_nothing(data):
    with pytest.raises((AnswerIsNo, WrongInput)):
        OVERSIGHT.accept(data)


@pytest.mark.parametrize("scope", ["", "all", "everything now", "agency", "docket ../x", "agency a b", "person 1"])
def test_other_scopes_are_refused(scope):
    with pytest.raises(WrongInput):
        Scope.parse(scope)


@pytest.mark.parametrize(
    "text",
    ["", "halt 1\nresume 1\n", TEXT + "halt 2\n", TEXT.replace("resume 2", "resume 4"),
     TEXT + f"key {KEYS[0].key_text}", TEXT.replace("halt 1", "halt 0"), TEXT + "believe all\n",
     TEXT.replace("resume 2\n", "")],
)  # fmt: skip
def test_oversight_files_that_are_wrong_are_refused(text):
    with pytest.raises(WrongInput):
        Oversight.parse(text)


def test_as_overseers_call_it(tmp_path):
    for number, key in enumerate(["a", "b"]):
        private, _ = signers.new_key(f"overseer.example/{number}")
        (tmp_path / key).write_text(private + "\n")
    keys = [signers.read_signer(tmp_path / name).key_text for name in ("a", "b")]
    (tmp_path / "oversight.policy").write_text(f"key {keys[0]}\nkey {keys[1]}\nhalt 1\nresume 2\n")
    (tmp_path / "halts").mkdir()

    def call(*arguments):
        return CliRunner().invoke(command, [str(part) for part in arguments], catch_exceptions=False).output

    shown = ["show", tmp_path / "halts", "--oversight", tmp_path / "oversight.policy"]
    assert call(*shown) == "nothing is halted\n"
    sign = ["sign", "docket", "D-1", "--reason", "audit", "--key", tmp_path / "a"]
    call(*sign, "--out", tmp_path / "halts/1.halt")
    assert call(*shown).startswith("docket D-1, since ")
    assert "Give --site, or a folder" in str(CliRunner().invoke(command, ["show"]).exception)
    call(*sign, "--resume", "--out", tmp_path / "go.halt")
    call("join", tmp_path / "go.halt", "--key", tmp_path / "b", "--out", tmp_path / "go.halt")
    statement = (tmp_path / "go.halt").read_bytes()
    believed = Oversight.parse((tmp_path / "oversight.policy").read_text())
    assert believed.accept(statement).action is Action.RESUME
