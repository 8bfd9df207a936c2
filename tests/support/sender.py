"""An agency that sends submissions to the tests: well-formed unless a test spoils them."""

from __future__ import annotations

import copy
import csv
import io
import json
from pathlib import Path
from typing import Any

from gatehouse.intake import parties
from gatehouse.intake.wire import COLUMNS
from gatehouse.kernel import digests
from gatehouse.ledger.note import sign_detached
from gatehouse.ledger.signers import new_key, parse_signer

ROW = {
    "request_id": "R1",
    "last_name": "QUILLFEATHER",
    "first_name": "OPHELIA",
    "birth_date": "1980-01-31",
    "tin": "900-70-0001",
    "address_line1": "12 MAIN ST",
    "city": "SPRINGFIELD",
    "state": "IL",
    "postal_code": "62701",
    "period_from": "2023-01-01",
    "period_to": "2024-12-31",
    "authority": "8 USC 1253(a)(1)",
    "proceeding": "investigation",
    "matter_number": "HSI-2025-00417",
    "matter_opened_on": "2025-01-02",
    "final_order_date": "2024-01-02",
    "final_order_number": "A087654321",
    "removal_ground": "8 USC 1227(a)(1)(B)",
    "reason": "The subject missed the flight of 2 July 2024 and hid; the address is needed to serve the target letter",
    "officer_ids": "ICE-1",
    "items": "last_known_address",
}
MANIFEST: dict[str, Any] = {
    "format": "gatehouse-submission/1",
    "id": "ICE-2025-0003",
    "agency": "us.dhs.ice",
    "basis": "us.irs.6103-i-2",
    "agreement": "irs-ice-mou-2025-04-07",
    "signed_on": "2025-06-27",
    "signatory": {"name": "Dana Whitlock", "title": "Director", "capacity": "agency_head"},
    "officers": [
        {
            "id": "ICE-1",
            "name": "Maria Lopez",
            "title": "Special Agent",
            "employee": True,
            "recipient": "age1y8m84r6pwd4da5d45zzk03rlgv2xr7fn9px80suw3psrahul44ashl0usm",
            "attests_sole_use": True,
        }
    ],
    "tables": [],
}
PRIVATE, PUBLIC = new_key("us.dhs.ice")


def csv_text(*rows: dict[str, str]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def put(folder: Path, table: bytes, *, file: str = "requests.csv", rows: int = 1, **changes: Any) -> Path:
    """A submission folder that binds this table and is signed by the agency's key."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_bytes(table)
    manifest = copy.deepcopy(MANIFEST) | changes
    manifest["tables"] = [{"file": file, "sha256": digests.of_bytes(table), "rows": rows}]
    seal(folder, json.dumps(manifest).encode())
    return folder


def seal(folder: Path, document: bytes) -> None:
    (folder / "submission.json").write_bytes(document)
    line = sign_detached(document, parse_signer(PRIVATE))
    (folder / "submission.json.sig").write_text(line, encoding="utf-8")


def known(*, until: str = "2026-01-01", key: str = PUBLIC, agency: str = "us.dhs.ice") -> parties.Parties:
    return parties.parse(
        f"""
        [agencies."{agency}"]
        name = "An agency"
        [[agencies."{agency}".keys]]
        key = "{key}"
        from = 2025-01-01
        until = {until}
        [agencies."{agency}".safeguards]
        """.encode()
    )
