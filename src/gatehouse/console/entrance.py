"""How people come in at the site that this process serves (`site.entrance`)."""

from __future__ import annotations

from gatehouse.console import desk
from gatehouse.site.entrance import Entrance


def entrance() -> Entrance:
    """The entrance of the site. Raises CustodianFault for a wrong configuration."""
    return desk.site().configuration.entrance


def limit(name: str) -> int:
    """One of `site.entrance.LIMITS`, as the site has it."""
    return entrance().limits[name]
