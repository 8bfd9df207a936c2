"""`[[webhooks]]`: where an agency wants to be told that something of its submissions moved."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from gatehouse.kernel.documents import Table
from gatehouse.kernel.errors import WrongInput

_MOST_CHARACTERS = 500


@dataclass(frozen=True)
class Webhook:
    """Where one agency wants to be told."""

    agency: str
    address: str


def parse(document: Table, *, demonstration: bool) -> tuple[Webhook, ...]:
    """Read the webhooks. Raises WrongInput for one without an agency, or not over https, which a demonstration may."""
    listed = document.entries("webhooks")
    return tuple(_webhook(one, number, demonstration) for number, one in enumerate(listed, start=1))  # fmt: skip


def _webhook(table: Table, number: int, demonstration: bool) -> Webhook:  # noqa: FBT001
    where = f"{table.place()}, webhook {number}"
    if set(table) != {"agency", "address"} or not all(table.data.values()):
        raise WrongInput("a webhook needs an agency and an address", where=where, remedy="See docs/api.md")
    hook = Webhook(table.written("agency"), table.written("address"))
    parts = urlsplit(hook.address)
    safe = parts.scheme == "https" or (demonstration and parts.scheme == "http")
    if not safe or not parts.hostname or parts.username or len(hook.address) > _MOST_CHARACTERS:
        raise WrongInput("a webhook's address must begin with https:// and contain no password", where=where)
    return hook
