"""Django's models can be imported only once Django is configured; these names are looked up at first use instead.

So the stages and doors may be imported before anybody knows which site's database they will work on.
"""

from __future__ import annotations

import importlib
from typing import Any


class Deferred:
    """Stands for a module and imports it when the first name is asked of it."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the module holds
        return getattr(importlib.import_module(self._module), name)
