"""An upload of 300 MB takes no more memory than one of 3 MB: it streams through the server to the disk."""

from __future__ import annotations

import http.client
import re
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import serving

MB = 1 << 20


def peak(pid: int) -> int:
    """The most memory that a process ever held, in bytes."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) * 1024


def hand_in(served, key: str, size: int) -> None:
    edge, chunk = uuid.uuid4().hex, bytes(range(256)) * (MB // 256)
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="s.zip"\r\n\r\n'.encode()
    tail = f"\r\n--{edge}--\r\n".encode()
    line = http.client.HTTPConnection(urlsplit(served).netloc, timeout=300)
    line.putrequest("POST", "/api/v1/submissions")
    line.putheader("Authorization", f"Bearer {key}")
    line.putheader("Idempotency-Key", edge)
    line.putheader("Content-Type", f"multipart/form-data; boundary={edge}")
    line.putheader("Content-Length", str(len(head) + size * MB + len(tail)))
    line.endheaders(head)
    for _ in range(size):
        line.send(chunk)
    line.send(tail)
    answer = line.getresponse()
    assert answer.status == 202, answer.read()


@pytest.mark.parametrize("size", [30, pytest.param(300, marks=pytest.mark.scale)])
def test_an_upload_streams_in_constant_memory(site, size):
    from gatehouse.console import tokens
    from gatehouse.console.models import Account, Arrival

    account = Account.objects.get(username="requester")
    key = tokens.make(account, "size", tokens.possible(account), 1, account)
    with serving.gatehouse(site.root, serving.free_port(), "--leave-work") as served:
        hand_in(served, key, 3)
        before = peak(served.pid)
        hand_in(served, key, size)
        after = peak(served.pid)
    kept = [site.root / "inbox" / f"{arrival.identifier}.zip" for arrival in Arrival.objects.order_by("-pk")[:2]]
    print(f"upload of {size} MB: peak memory {before / MB:.0f} MB after 3 MB, {after / MB:.0f} MB after it")
    assert max(path.stat().st_size for path in kept) == size * MB
    for path in kept:
        path.unlink()
    Arrival.objects.filter(identifier__in=[path.stem for path in kept]).delete()
    assert after - before < 16 * MB
