"""Messages between parts: typed, bounded, refused at the door, from whom the kernel names."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gatehouse.casework.board import Blocked
from gatehouse.kernel import line
from gatehouse.kernel.errors import AnswerIsNo, GatehouseError, MachineFailed, WrongInput
from gatehouse.kernel.line import Call, Line


@dataclass(frozen=True)
class Ask:
    name: str
    count: int
    several: tuple[str, ...]
    maybe: str | None
    free: Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    name: str
    uid: int


def _handle(caller: line.Caller, message: Ask, data: bytes) -> line.Answer:
    if message.name == "blocked":
        raise Blocked("changed", "not any more", where="here", remedy="Again")
    if message.name == "broken":
        raise ValueError("a person's name")
    return Told(f"{message.name} {message.count} {len(data)}", caller.uid), data[::-1]


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "part" / "socket"
    listening = line.listen(place)

    def converse(connection: socket.socket) -> None:
        talk = Line(connection, [Ask], most=1000)
        line.answer(talk, lambda message, data: _handle(talk.caller, message, data))

    def served() -> None:
        with contextlib.suppress(OSError):  # until the socket is closed
            line.serve(listening, converse, patience=5.0)

    threading.Thread(target=served, daemon=True).start()
    yield place
    listening.close()


def ask(name: str = "x", **changed: object) -> Ask:
    return Ask(**{"name": name, "count": 3, "several": ("a",), "maybe": None, "free": {"k": [1]}, **changed})  # type: ignore[arg-type]


def test_what_is_said_comes_back(path: Path) -> None:
    with Call(path, [Told], most=1000) as call:
        for size in (0, 1, 1000):
            said, data = call.ask(ask(), b"ab" * (size // 2))
            assert said.name == f"x 3 {size // 2 * 2}"
            assert data == b"ba" * (size // 2)


def test_who_calls_says_the_kernel(path: Path) -> None:
    with Call(path, [Told], most=0) as call:
        assert call.ask(ask())[0].uid == os.getuid()


def test_what_is_refused_there_is_raised_here(path: Path) -> None:
    with Call(path, [Told], most=0) as call:
        with pytest.raises(Blocked, match="not any more") as caught:
            call.ask(ask("blocked"))
        assert (caught.value.code, caught.value.where, caught.value.remedy) == ("changed", "here", "Again")
        with pytest.raises(MachineFailed, match="ValueError") as failed:
            call.ask(ask("broken"))
        assert "person" not in str(failed.value)
        assert call.ask(ask())[0].name == "x 3 0"  # the line goes on


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"message":"Ask"}', b'{"message":"Told","fields":{}}',
        b'{"message":"Ask","fields":{"name":"x"}}',
        b'{"message":"Ask","fields":{"name":"x","count":true,"several":[],"maybe":null,"free":{}}}',
        b'{"message":"Ask","fields":{"name":"x","count":1.5,"several":[],"maybe":null,"free":{}}}',
        b'{"message":"Ask","fields":{"name":"x","count":1,"several":[1],"maybe":null,"free":{}}}',
        b'{"message":"Ask","fields":{"name":"x","count":1,"several":"a","maybe":null,"free":{}}}',
        b'{"message":"Ask","fields":{"name":"x","count":1,"several":[],"maybe":1,"free":{}}}',
        b'{"message":"Ask","fields":{"name":"x","count":1,"several":[],"maybe":null,"free":[]}}',
        b'{"message":"Ask","fields":{"name":"x","count":1,"several":[],"maybe":null,"free":{},"more":1}}',
        b"\xff\xfe",
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused(path: Path, text: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(path))
        raw.sendall(struct.pack(">IQ", len(text), 0) + text)
        said, _ = Line(raw, [line.Refused], most=0).receive() or (None, b"")
        assert said.kind == "WrongInput"
        assert raw.recv(1) == b""  # and the line is at its end


@pytest.mark.parametrize("head", [(line.MOST_TEXT + 1, 0), (10, 1001), (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)])
def test_more_than_may_come_is_not_read(path: Path, head: tuple[int, int]) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(path))
        raw.sendall(struct.pack(">IQ", *head))
        said, _ = Line(raw, [line.Refused], most=0).receive() or (None, b"")
        assert "larger than the limit" in said.what


def test_a_message_that_breaks_off_ends_the_line_and_nothing_else(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(path))
        raw.sendall(struct.pack(">IQ", 100, 0) + b"{")
        raw.shutdown(socket.SHUT_WR)
        said, _ = Line(raw, [line.Refused], most=0).receive() or (None, b"")
        assert "ends early" in said.what
    with Call(path, [Told], most=0) as call:
        assert call.ask(ask())[0]


def test_an_unknown_kind_of_refusal_is_a_failure() -> None:
    assert isinstance(line._raised(line.Refused("Unheard", "x", "", "", "")), MachineFailed)
    for kind in (AnswerIsNo, WrongInput, MachineFailed):
        assert type(line._raised(line.Refused(kind.__name__, "x", "w", "r", ""))) is kind
    assert issubclass(Blocked, GatehouseError)


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(MachineFailed, match="the away does not answer"):
        Call(tmp_path / "away" / "socket", [], most=0)
