"""Keys and notes agree with the C2SP examples and refuse everything else."""

from __future__ import annotations

import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import note, signers
from gatehouse.ledger.signers import Algorithm, Verifier

EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()


def test_the_example_of_the_standard_opens():
    opened = note.open_note(EXAMPLE_NOTE, [Verifier.parse(EXAMPLE_KEY)])
    assert opened.text == "This is an example message.\n"
    assert opened.encoded == EXAMPLE_NOTE


def test_every_changed_bit_of_the_example_is_noticed():
    known = [Verifier.parse(EXAMPLE_KEY)]
    for position in range(len(EXAMPLE_NOTE)):
        for bit in range(8):
            changed = bytearray(EXAMPLE_NOTE)
            changed[position] ^= 1 << bit
            with pytest.raises((AnswerIsNo, WrongInput)):
                note.open_note(bytes(changed), known)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_key_survives_its_text(algorithm):
    private, public = signers.new_key("example.org/log", algorithm)
    signer = signers.parse_signer(private)
    assert signer.key_text == public
    assert Verifier.parse(public) == signer.verifier
    assert signer.verifier.accepts(b"message", signer.sign(b"message"))
    assert not signer.verifier.accepts(b"other", signer.sign(b"message"))


def test_keys_whose_base64_contains_a_plus_are_read():
    for _ in range(200):
        private, public = signers.new_key("n")
        if "+" in public.split("+", 2)[2] and "+" in private.removeprefix("PRIVATE+KEY+").split("+", 2)[2]:
            break
    assert signers.parse_signer(private).key_text == public


@settings(deadline=None)
@given(st.text(max_size=80))
def test_arbitrary_text_is_no_key(text):
    with pytest.raises(WrongInput):
        Verifier.parse(text)
    with pytest.raises(WrongInput):
        signers.parse_signer(text)


@settings(deadline=None)
@given(st.integers(0, len(EXAMPLE_KEY) - 1), st.characters())
def test_a_changed_key_is_refused(position, character):
    changed = EXAMPLE_KEY[:position] + character + EXAMPLE_KEY[position + 1 :]
    if changed != EXAMPLE_KEY:
        with pytest.raises(WrongInput):
            Verifier.parse(changed)


def test_a_private_key_file_is_the_owners_alone_and_never_overwritten(tmp_path):
    path = tmp_path / "log.key"
    verifier = signers.write_key(path, "example.org/log")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert signers.read_signer(path).verifier == verifier
    with pytest.raises(WrongInput, match="exists"):
        signers.write_key(path, "example.org/log")


def test_errors_never_quote_a_private_key():
    private, _ = signers.new_key("holder")
    secret = private.split("+")[-1]
    with pytest.raises(WrongInput) as caught:
        signers.parse_signer(private[:-6] + "AAAAA=")
    assert secret[:12] not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\nb", "x" * 256, "a\x00", "\u3164", "a\ufe0f", "--"])
def test_bad_names_are_refused(name):
    with pytest.raises(WrongInput):
        signers.new_key(name)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_detached_signatures_cover_exact_bytes(data):
    signer = signers.parse_signer(signers.new_key("agency.example")[0])
    line = note.sign_detached(data, signer)
    assert note.verify_detached(data, line, [signer.verifier]) == signer.verifier
    with pytest.raises(AnswerIsNo):
        note.verify_detached(data + b"\n", line, [signer.verifier])


def test_a_stranger_of_the_same_name_is_not_the_known_key():
    known = signers.parse_signer(signers.new_key("agency.example")[0])
    stranger = signers.parse_signer(signers.new_key("agency.example")[0])
    with pytest.raises(AnswerIsNo, match="with an unknown key"):
        note.verify_detached(b"data", note.sign_detached(b"data", stranger), [known.verifier])


def test_a_signer_counts_once_and_unknown_signers_do_not_matter():
    first, second = (signers.parse_signer(signers.new_key(name)[0]) for name in ("first", "second"))
    signed = note.sign("text\n", first, first, second)
    assert list(signed.signed_by([first.verifier])) == [first.verifier]


def test_one_wrong_signature_of_a_known_key_spoils_the_note():
    signer = signers.parse_signer(signers.new_key("log")[0])
    right, wrong = note.sign("text\n", signer), note.sign("other\n", signer)
    with pytest.raises(AnswerIsNo):
        note.open_note(right.plus([wrong.lines[0].text]).encoded, [signer.verifier])


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_no_note(data):
    with pytest.raises((WrongInput, AnswerIsNo)):
        note.open_note(data, [Verifier.parse(EXAMPLE_KEY)])
