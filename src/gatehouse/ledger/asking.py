"""Asking a witness or an authority over HTTP, within one deadline for all of it: name, connection, question and answer.

An answer that comes byte by byte, each in time, ends at the deadline like any other.
"""

from __future__ import annotations

import contextlib
import http.client
import queue
import socket
import threading
import urllib.error
import urllib.request
from typing import Any

_HEADROOM = 1  # a byte more than may come shows that too much came


def post(url: str, data: bytes, *, seconds: float, most: int, content_type: str = "") -> tuple[int, bytes]:
    """The status and the first `most` bytes of the answer to a POST, whatever the status.

    `url` begins with http:// or https://. Raises OSError when nobody answers by the deadline, or with more bytes.
    """
    request = urllib.request.Request(url, data=data, method="POST")  # noqa: S310 - the caller has checked the scheme
    if content_type:
        request.add_header("Content-Type", content_type)
    kept = _Kept()
    opener = urllib.request.build_opener(kept.plain(), kept.secure(), _Stays())
    answers: queue.SimpleQueue[tuple[int, bytes] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(_answer(opener, request, seconds, most))
        except Exception as failed:  # noqa: BLE001 - handed to whoever waits
            answers.put(failed)

    threading.Thread(target=ask, name="asking", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        kept.close()
        raise TimeoutError("no answer by the deadline") from None
    if isinstance(answer, (OSError, http.client.HTTPException, ValueError)):
        raise OSError("the answer could not be read") from answer
    if isinstance(answer, Exception):
        raise answer
    if len(answer[1]) > most:
        raise OSError("the answer is too long")
    return answer


def _answer(
    opener: urllib.request.OpenerDirector, request: urllib.request.Request, seconds: float, most: int
) -> tuple[int, bytes]:
    try:
        with opener.open(request, timeout=seconds) as answer:
            return int(answer.status), bytes(answer.read(most + _HEADROOM))
    except urllib.error.HTTPError as declined:
        with declined:
            return declined.code, declined.read(most + _HEADROOM)


class _Stays(urllib.request.HTTPRedirectHandler):
    """Nobody is led elsewhere: an answer that names another address is an answer, and is not followed."""

    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401 - as urllib hands them over
        return None


class _Kept:
    """The sockets that were opened, so that whoever gives up can end the thread that still reads from one."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._closed = False

    def close(self) -> None:
        self._closed = True
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def plain(self) -> urllib.request.HTTPHandler:
        kept = self

        class Connection(http.client.HTTPConnection):
            def connect(self) -> None:
                super().connect()
                kept.opened(self.sock)

        class Handler(urllib.request.HTTPHandler):
            def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
                return self.do_open(Connection, req)

        return Handler()

    def secure(self) -> urllib.request.HTTPSHandler:
        kept = self

        class Connection(http.client.HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                kept.opened(self.sock)

        class Handler(urllib.request.HTTPSHandler):
            def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
                return self.do_open(Connection, req)

        return Handler()

    def opened(self, made: Any) -> None:  # noqa: ANN401 - a plain socket or one under TLS
        self._sockets.append(made)
        if self._closed:
            self.close()
