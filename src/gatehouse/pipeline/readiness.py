"""Whether a site could do its work now, asked by whatever watches over it: yes or no for each part, and no more.

Cheap enough to ask every few seconds: the law is verified again only when its files changed, the ledger's newest
checkpoint under its witnesses' policy. Whether everything agrees with everything is `pipeline.consistency`'s question.
"""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from pathlib import Path

from gatehouse.kernel.errors import GatehouseError
from gatehouse.kernel.line import Call
from gatehouse.law import adoption
from gatehouse.ledger import policy
from gatehouse.match.register import reachable
from gatehouse.pipeline import packs
from gatehouse.pipeline.parts import Part, messages
from gatehouse.pipeline.site import Site

LEAST_FREE_BYTES = 1 << 30


def check(site: Site) -> dict[str, bool]:
    """Each part of the site by name, and whether it is ready."""
    parts: dict[str, Callable[[], bool]] = {
        "database": _database,
        "ledger": lambda: _ledger(site),
        "law": lambda: _law(site, _changed(site.packs)),
        "register": lambda: _register(site),
        "disk": lambda: shutil.disk_usage(site.root).free >= LEAST_FREE_BYTES,
    }
    return {name: _holds(part) for name, part in parts.items()}


def _holds(part: Callable[[], bool]) -> bool:
    try:
        return part()
    except (GatehouseError, OSError):
        return False


def _database() -> bool:
    from django.db import Error, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error:
        return False


def _ledger(site: Site) -> bool:
    policy.read(site.policy).accept((site.ledger / "checkpoint").read_bytes())
    return True


def _register(site: Site) -> bool:
    """Whether the register is there; the web, which has none, asks the decider."""
    decider = site.parts.of(Part.DECIDER) if site.parts else None
    if decider is None:
        return reachable(site.register)
    with Call(decider, messages.FROM_DECIDER, most=0) as call:
        call.ask(messages.AskRegister())
    return True


@functools.lru_cache(maxsize=4)
def _law(site: Site, changed: int) -> bool:
    """Whether there is law in force and every pack of it verifies; kept until the packs or the configuration change."""
    bases = adoption.pinned(site.packs)
    for basis in bases:
        packs.in_force(site, basis)
    return bool(bases)


def _changed(folder: Path) -> int:
    return max((path.stat().st_mtime_ns for path in folder.rglob("*")), default=0)
