"""A determined docket at a site, made from columns in seconds: no register of millions, no matching, no faults of form.

For measuring and testing what happens after the determinations. Requests, facts and evidence are written directly;
the law, the ledger and everything later is the real thing. The first requests are held, the last ones incomplete, and
those between are cleared; request n is about person n.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import duckdb

from gatehouse.determine import answers, determinations, summary
from gatehouse.determine.docket import TABLES, Docket
from gatehouse.intake.receipt import Receipt
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import digests
from gatehouse.law.evaluate import evaluate
from gatehouse.law.pack import Pack
from gatehouse.law.reading import load
from gatehouse.ledger.note import sign_detached
from gatehouse.ledger.signers import Signer, new_key, parse_signer
from gatehouse.pipeline import approve
from gatehouse.pipeline.commit import commit_docket
from gatehouse.pipeline.site import Site
from gatehouse.synthetic.officers import names

AGENCY, BASIS, AGREEMENT = "us.dhs.ice", "us.irs.6103-i-2", "irs-ice-mou-2025-04-07"


@cache
def agency_signer() -> Signer:
    """The invented agency's key: one in a process, and nowhere else."""
    return parse_signer(new_key(f"{AGENCY}/invented")[0])


def parties() -> str:
    """What the custodian knows of the invented agency: a parties.toml."""
    return f"""
[agencies."{AGENCY}"]
name = "Invented agency"
keys = [{{ key = "{agency_signer().key_text}", from = 2025-01-01 }}]
safeguards = {{ report_approved_until = 2026-12-31, open_findings = 0 }}

[agreements."{AGREEMENT}"]
parties = ["{AGENCY}"]
basis = ["{BASIS}"]
from = 2025-04-07
items = ["last_known_address"]
capacities = ["agency_head"]
"""


@dataclass(frozen=True)
class Plan:
    """How many requests, and what becomes of them."""

    name: str
    requests: int
    recipients: Mapping[str, str]
    """Officer id → age recipient. Request n names officer n modulo their number, and matter `HSI-<n modulo 3>`."""
    held: int = 0
    incomplete: int = 0
    facts: Mapping[int, str] = field(default_factory=dict)
    """Other facts of single requests, as the SET of an SQL update."""


def make_homes(folder: Path, persons: int) -> Path:
    """A register in which person n lives at number 100 + n."""
    folder.mkdir()
    queries = {
        "persons": "SELECT range::BIGINT AS person_id, '900000000' AS tin, 'LAST' AS last_name, 'FIRST' AS first_name, "
        "NULL::VARCHAR AS middle_name, NULL::VARCHAR AS suffix, DATE '1980-01-01' AS birth_date FROM range($n)",
        "addresses": "SELECT range::BIGINT AS person_id, (100 + range) || ' Main St' AS line1, NULL::VARCHAR AS line2, "
        "'Springfield' AS city, 'IL' AS state, '62701' AS postal_code, 'US' AS country, "
        "DATE '2024-01-01' AS valid_from, NULL::DATE AS valid_to, true AS last_known FROM range($n)",
        "restrictions": "SELECT range::BIGINT AS person_id, 'informant' AS kind, DATE '2024-01-01' AS determined_on "
        "FROM range(0) WHERE $n > 0",
    }
    with open_workspace() as connection:
        for name, query in queries.items():
            connection.execute(f"CREATE TEMP TABLE {name} AS {query}", {"n": persons})
            connection.execute(f"COPY {name} TO '{folder / name}.parquet' (FORMAT parquet)")
    return folder


def make_docket(connection: duckdb.DuckDBPyConnection, site: Site, plan: Plan, pack: Path, now: dt.datetime) -> Docket:
    """Determine a docket under a pack as of today, commit it to the site's ledger and open it for decisions."""
    name = plan.name
    docket = Docket(site.dockets / name)
    docket.releases.mkdir(parents=True)
    docket.certificates.mkdir()
    recipients = list(plan.recipients.items())
    manifest = {
        "format": "gatehouse-submission/1", "id": name, "agency": AGENCY, "basis": BASIS,
        "agreement": AGREEMENT, "signed_on": "2025-08-30",
        "signatory": {"name": "Dana Whitlock", "title": "Director", "capacity": "agency_head"},
        "officers": [{"id": officer, "name": name, "title": "Agent", "employee": True,
                      "recipient": recipient, "attests_sole_use": True}
                     for (officer, recipient), name in zip(recipients, names(len(recipients)), strict=True)],
        "tables": [{"file": "requests.csv", "sha256": "0" * 64, "rows": plan.requests}],
    }  # fmt: skip
    docket.manifest.write_text(json.dumps(manifest))
    docket.signature.write_text(sign_detached(docket.manifest.read_bytes(), agency_signer()))
    receipt = Receipt(name, digests.of_file(docket.manifest), plan.requests, now, None, None, "clerk-1")
    docket.receipt.write_bytes(receipt.encoded)
    law = load(pack)
    _write_tables(connection, docket, plan, law, now.date())
    said = {"submission": name, "submission_digest": receipt.digest, "agency": AGENCY, "as_of": now.date().isoformat()}
    counted = summary.count(connection, determinations="determinations", pack=law, provenance=said)
    docket.summary.write_text(json.dumps(counted))
    shutil.copytree(pack, docket.pack)
    shutil.copyfile(site.parties, docket.parties)
    answers.publish(connection, determinations="determinations", pack=law, path=docket.answers)
    commit_docket(connection, site, docket, now)
    approve.open_docket(connection, approve.office(site), docket)
    return docket


def _write_tables(
    connection: duckdb.DuckDBPyConnection, docket: Docket, plan: Plan, pack: Pack, as_of: dt.date
) -> None:
    connection.execute(
        "CREATE OR REPLACE TABLE requests AS SELECT range::BIGINT AS seq, printf('R-%06d', range) AS request_id, "
        "'HSI-' || (range % 3) AS matter_number, [$officers[range % len($officers) + 1]]::VARCHAR[] AS officer_list, "
        "['last_known_address'] AS item_list, 'investigation' AS proceeding_kind, "
        "'8 USC 1253(a)(1)' AS authority_citation, '=1+1, the reason of row ' || range AS reason, "
        "CASE WHEN range % 2 = 0 THEN 'valid' ELSE 'absent' END AS tin_state, 'complete' AS address_verdict, "
        "DATE '2023-01-01' AS period_from_on, DATE '2024-12-31' AS period_to_on FROM range($n)",
        {"n": plan.requests, "officers": sorted(plan.recipients)},
    )
    _write_facts(connection, plan, pack)
    connection.execute(
        "CREATE OR REPLACE TABLE evidence AS SELECT seq, request_id, 1 AS rank, seq AS person_id, true AS agrees, "
        "'agrees' AS verdict FROM requests"
    )
    connection.execute("CREATE OR REPLACE VIEW matches AS SELECT seq, person_id FROM evidence")
    evaluate(connection, pack, "facts", "decided", as_of)
    determinations.assemble(
        connection, requests="requests", decided="decided", matches="matches", target="determinations",
        as_of=as_of, pack_digest=pack.digest,
    )  # fmt: skip
    for name in TABLES:
        connection.execute(f"COPY (FROM {name} ORDER BY seq) TO '{docket.table(name)}' (FORMAT parquet)")


def _write_facts(connection: duckdb.DuckDBPyConnection, plan: Plan, pack: Pack) -> None:
    """The facts of the pack's own example that clears; without corroboration a request is held, without a name back."""
    base = next(one.facts for one in pack.examples if one.outcome == "cleared" and not one.fired)
    known = {name: value for name, value in base.items() if name != "corroboration" and value is not None}
    columns = ", ".join(f"{_literal(value)} AS {name}" for name, value in known.items())
    connection.execute(
        f"CREATE OR REPLACE TABLE facts AS SELECT seq, {columns}, "
        "CASE WHEN seq < $held THEN 'none' ELSE 'tin' END AS corroboration FROM requests",
        {"held": plan.held},
    )
    connection.execute(
        "UPDATE facts SET name_state = 'missing' WHERE seq >= $last", {"last": plan.requests - plan.incomplete}
    )
    for seq, change in plan.facts.items():
        connection.execute(f"UPDATE facts SET {change} WHERE seq = {seq}")


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dt.date):
        return f"DATE '{value}'"
    if isinstance(value, list):
        return "[" + ", ".join(f"'{item}'" for item in value) + "]"
    return f"'{value}'"
