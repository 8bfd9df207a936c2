"""The small pack's helpers stand beside these tests."""

from __future__ import annotations

import pytest
from small import key

from gatehouse.ledger.signers import Signer


@pytest.fixture
def keys() -> tuple[Signer, Signer]:
    """Counsel and the custodian's office."""
    return key("counsel.example"), key("custodian.example")
