"""The request table on the wire: its columns, in the order of design §5.2, and what is true of each."""

from __future__ import annotations

COLUMNS = (
    "request_id",
    "last_name",
    "first_name",
    "middle_name",
    "suffix",
    "birth_date",
    "tin",
    "address_line1",
    "address_line2",
    "city",
    "state",
    "postal_code",
    "country",
    "period_from",
    "period_to",
    "authority",
    "proceeding",
    "matter_number",
    "matter_opened_on",
    "final_order_date",
    "final_order_number",
    "review_order_date",
    "removal_ground",
    "reason",
    "officer_ids",
    "items",
)

MAX_ROW = 64 << 10
"""Bytes of one row, ends included; a longer one is no request."""

MAX_ID = 128
"""Characters of a request_id."""
