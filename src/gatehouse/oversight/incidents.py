"""What follows a recall: the report of the incident, and the data for notices to persons.

The incident is the custodian's signed statement of the recall, whose digest is in the ledger, completed by what the
program cannot know (who to call, where, which systems) and by what has come back since. It holds no data about persons.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import duckdb

from gatehouse.kernel import ids
from gatehouse.kernel.errors import WrongInput
from gatehouse.oversight.report import Report, table
from gatehouse.oversight.sources import Record

_TO_FILL = "to be filled in by the custodian's office"
_DISCOVERED = {
    "rule": "a rule was corrected, and released requests were compared with it",
    "pack_change": "the law as written was corrected, and released requests were decided again",
    "order": "an order came into force, and released requests were decided again",
    "requests": "an officer of the custodian found the requests wrong",
}


def incident(connection: duckdb.DuckDBPyConnection, record: Record, asked: Mapping[str, Any]) -> Report:
    """The incident report of one recall. Raises WrongInput when there is no recall of that name."""
    recall, stated = _stated(connection, asked)
    query = f"""
        WITH back AS (
          SELECT release, max(stated_at) FILTER (kind = 'disposal') AS disposed_at,
                 min(method) FILTER (kind = 'disposal') AS method
          FROM returns GROUP BY release
        )
        SELECT release, officer, requests AS records, written(disclosed_at) AS disclosed_at,
               written(recalled_at) AS recalled_at, dispose_by::VARCHAR AS dispose_by,
               written(disposed_at) AS disposed_at, method AS disposal_method
        FROM recalls LEFT JOIN (SELECT release, disclosed_at FROM releases) USING (release)
             LEFT JOIN back USING (release)
        WHERE recall = '{recall}' ORDER BY disclosed_at, release
    """
    occurred = stated["occurred"]
    how = str(stated["how_discovered"])
    facts = (
        ("Recall", recall),
        ("Reporting agency", stated["reporting_agency"]),
        ("Contact", str(asked.get("contact") or stated["contact"] or _TO_FILL)),
        ("Address", str(asked.get("address") or stated["address"] or _TO_FILL)),
        ("Occurred", f"{_instant(occurred['first'])} to {_instant(occurred['last'])}"),
        ("Discovered", _instant(stated["discovered"])),
        ("To be reported by", _instant(stated["report_by"])),
        ("Report to", " and ".join(stated["report_to"])),
        ("How discovered", _DISCOVERED.get(how, how)),
        ("Description", stated["description"]),
        ("Data elements", ", ".join(stated["data_elements"]).replace("_", " ")),
        ("Number of records", f"{stated['records']:,}"),
        ("Sealed releases", f"{len(stated['releases']):,}"),
        ("Recipients", ", ".join(stated["recipients"])),
        ("Information technology", str(asked.get("systems") or stated["information_technology"])),
        ("Encrypted", "yes" if stated["encrypted"] else "no"),
        ("Data about persons in this report", "none"),
    )
    return Report(
        "incident",
        "Incident report",
        str(stated.get("report_law") or ""),
        f"To {' and '.join(stated['report_to'])}, at once; do not wait for the end of an internal investigation, and "
        "tell them before persons or the press are told.",
        record,
        (table("releases", "The sealed releases concerned, and their disposal", query),),
        asked={name: asked[name] for name in ("recall", "contact", "address", "systems") if asked.get(name)},
        facts=facts,
        notes=(
            (
                "Times are in UTC. The statement behind this report was signed at the recall and its digest is in the "
                "ledger; contact, address and systems are added here."
            ),
            "Send it encrypted; it is marked as holding no data about persons.",
        ),
    )


def notices(connection: duckdb.DuckDBPyConnection, record: Record, asked: Mapping[str, Any]) -> Report:
    """Whom a recall concerns: person, request, act and date, for the notices that the law asks for. Personal data."""
    recall, _ = _stated(connection, asked)
    query = f"""
        SELECT given.person_id AS person, docket, given.seq + 1 AS row, request_id, agency, release, officer,
               written(disclosed_at) AS date_of_act, 'disclosure' AS act, array_to_string(given, '; ') AS items
        FROM (SELECT every_request.*, released.release, released.officer, disclosed_at, given
              FROM every_disclosure released JOIN every_request USING (docket, seq)) given
             JOIN recalled USING (release, request_id)
        WHERE recall = '{recall}' ORDER BY person, disclosed_at, release, given.seq
    """
    return Report(
        "notices",
        "Persons concerned by a recall",
        "",
        "For the notices to the persons concerned: who, which act, on what date. Names and addresses for the envelope "
        "come from the register on the day of the notice.",
        record,
        (table("persons", "One line an act and a person", query,
               says={"person": "the person's number in the register", "date_of_act": "when the package was sealed"}),),
        asked={"recall": recall},
        facts=(("Recall", recall),),
        notes=(
            (
                "A recall alone does not say that a notice is due: whether the law asks for one, and what it must say "
                "of the person's rights, is for counsel."
            ),
        ),
        personal=True,
    )  # fmt: skip


def _instant(stamp: str) -> str:
    return stamp.replace("T", " ").replace("Z", " UTC")


def _stated(connection: duckdb.DuckDBPyConnection, asked: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    recall = str(asked["recall"])
    row = None
    if ids.is_name(recall):
        row = connection.execute("SELECT statement FROM incidents WHERE recall = ?", [recall]).fetchone()
    if row is None:
        raise WrongInput(
            "the ledger has no recall with that name", remedy="List the recalls with `gatehouse report inquiry`"
        )
    stated = json.loads(row[0])
    assert isinstance(stated, dict)  # noqa: S101 - a statement's body is an object
    return recall, stated
