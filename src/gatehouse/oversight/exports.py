"""Disclosures in two forms that other systems read: FHIR AuditEvents after IHE BALP, findUsage of Estonia's tracker.

Both are modelled on their specifications and differ where those suppose a hospital or a live register; docs/reports.md
says exactly where. The rows of these reports hold one JSON document each, in the column `document`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import duckdb

from gatehouse.oversight.report import Report, person_of, table
from gatehouse.oversight.sources import Record

PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PrivacyDisclosure.Source"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"


def audit_events(connection: duckdb.DuckDBPyConnection, record: Record, __: Mapping[str, Any]) -> Report:
    """One AuditEvent a request and officer, after the profile PrivacyDisclosure.Source of IHE BALP on FHIR R4."""
    template = _audit_event(record)
    query = (
        f"SELECT release, seq + 1 AS row, {template} AS document FROM ({_DISCLOSED}) "
        "ORDER BY disclosed_at, release, seq"
    )
    return Report(
        "audit-events",
        "Disclosures as FHIR AuditEvents",
        f"Modelled on IHE ITI Basic Audit Log Patterns, {PROFILE.rpartition('/')[2]} (FHIR R4)",
        "For audit repositories that read FHIR: one AuditEvent for each request and each officer it was disclosed to.",
        record,
        (table("events", "One AuditEvent a disclosure", query, cards=True),),
        notes=(
            (
                "The patient entity refers to the request (docket and row) and to no person: only the custodian can "
                "lead it to one."
            ),
            (
                "Approving officers are agents of participation type LA (legal authenticator); the profile's "
                "authorizer speaks for the patient, and nobody here did."
            ),
        ),
    )


_DISCLOSED = """
    SELECT disclosed.*, recipient, package, certificate, releases.ledger_index AS release_index,
           (SELECT list_sort(list(DISTINCT officer)) FROM approvals
            WHERE approvals.release = disclosed.release AND action = 'approve') AS approvers
    FROM disclosed JOIN every_disclosure USING (release, docket, seq) JOIN releases USING (release)
"""


def _audit_event(record: Record) -> str:
    """SQL for the JSON of one AuditEvent: the fixed parts as JSON text, the row's own as columns."""
    observer = {"display": record.checkpoint.origin}

    def coded(system: str, code: str, display: str = "") -> dict[str, Any]:
        one = {"system": system, "code": code}
        return {"coding": [one | ({"display": display} if display else {})]}

    source = {
        "type": coded(_DICOM, "110153", "Source Role ID"), "who": observer, "requestor": False,
        "network": {"address": record.checkpoint.origin, "type": "5"},
    }  # fmt: skip
    keeper = {"type": coded("http://snomed.info/sct", "159541003"), "who": observer, "requestor": False}
    fixed = {
        "resourceType": "AuditEvent",
        "meta": {"profile": [PROFILE]},
        "type": {"system": _DICOM, "code": "110106", "display": "Export"},
        "subtype": [{"system": "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "code": "disclose",
                     "display": "Disclose Record Lifecycle Event"}],
        "action": "R",
        "outcome": "0",
        "source": {"observer": observer, "type": [
            {"system": "http://terminology.hl7.org/CodeSystem/security-source-type", "code": "4"}]},
    }  # fmt: skip
    recipient = json.dumps(coded(_DICOM, "110152", "Destination Role ID"))
    approver = json.dumps(coded(_PARTICIPATION, "LA", "legal authenticator"))
    reason = json.dumps(coded(_REASON, "HLEGAL", "legal")["coding"])
    return f"""
        json_merge_patch({_text(fixed)}, json_object(
          'id', release || '-' || (seq + 1), 'recorded', written(disclosed_at),
          'purposeOfEvent', json_array(json_object('coding', {_text(reason)}::JSON,
            'text', concat_ws(', ', basis, proceeding_kind, authority_citation))),
          'agent', list_concat([{_text(source)}::JSON,
            json_object('type', {_text(recipient)}::JSON,
              'who', json_object('display', agency || ', officer ' || officer), 'requestor', true,
              'network', json_object('address', recipient, 'type', '5')),
            {_text(keeper)}::JSON],
            list_transform(approvers, lambda one: json_object('type', {_text(approver)}::JSON,
              'who', json_object('display', {_text(record.checkpoint.origin)} || ', officer ' || one),
              'requestor', false))),
          'entity', json_array(
            json_object('what', json_object('type', 'Patient', 'identifier',
                json_object('system', 'urn:gatehouse:request', 'value', docket || '/' || (seq + 1))),
              'type', json_object('system', '{_ENTITY}', 'code', '1', 'display', 'Person'),
              'role', json_object('system', '{_ROLE}', 'code', '1', 'display', 'Patient')),
            json_object('what', json_object('identifier',
                json_object('system', 'urn:gatehouse:release', 'value', release)),
              'type', json_object('system', '{_ENTITY}', 'code', '2', 'display', 'System Object'),
              'role', json_object('system', '{_ROLE}', 'code', '3', 'display', 'Report'),
              'detail', json_array(
                json_object('type', 'items', 'valueString', array_to_string(given, '; ')),
                json_object('type', 'package-sha256', 'valueString', package),
                json_object('type', 'certificate-sha256', 'valueString', certificate),
                json_object('type', 'ledger-index-of-determination', 'valueString', ledger_index::VARCHAR),
                json_object('type', 'ledger-index-of-release', 'valueString', release_index::VARCHAR))))
        ))::VARCHAR
    """


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value, or JSON text
    text = value if isinstance(value, str) else json.dumps(value)
    return "'" + text.replace("'", "''") + "'"


def usage(_: duckdb.DuckDBPyConnection, record: Record, asked: Mapping[str, Any]) -> Report:
    """One person's disclosures in the shape of findUsage of the Estonian Data Tracker, version 2. Personal data."""
    number = person_of(asked)
    rows = f"SELECT * FROM disclosed WHERE person_id = {number}"
    query = f"""
        SELECT json_object('totalUsages', (SELECT count(*) FROM ({rows})), 'usages',
          coalesce((SELECT list(json_object(
              'logtime', written(disclosed_at),
              'action', 'Disclosure of ' || replace(array_to_string(given, ', '), '_', ' ') || ' under ' || basis
                        || coalesce(', for ' || replace(proceeding_kind, '_', ' '), '')
                        || coalesce(' under ' || authority_citation, ''),
              'receiverCode', agency, 'receiverName', agency, 'receiverSystem', 'officer ' || officer)
            ORDER BY disclosed_at DESC, release, seq) FROM ({rows})), []))::VARCHAR AS document
    """
    return Report(
        "usage",
        "One person's disclosures as findUsage answers them",
        "Modelled on findUsage of the Estonian Data Tracker (Andmejälgija), OpenAPI 2",
        "For a portal where a person sees who received information about them. Whether a person may be told of a "
        "disclosure for law enforcement is for counsel to say before anything is shown.",
        record,
        (table("usage", "The answer", query, cards=True),),
        asked={"person": number},
        notes=("A disclosure to several officers is several usages; nothing is left out as covert.",),
        personal=True,
    )
