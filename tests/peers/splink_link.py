"""Splink 5 on the same requests and records, trained as its own guide says; run by `gatehouse bench match --peers`.

Usage: python splink_link.py GIVEN FILED FOUND, all Parquet. A request is answered with the person of its best pair
where that pair reaches a match probability of 0.99 and the next person is clearly behind.
"""

from __future__ import annotations

import sys

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

THRESHOLD = 0.99
MARGIN = 3
given, filed, found = sys.argv[1:]

db = duckdb.connect()
for name, path, other in (("given", given, "NULL::BIGINT AS person_id"), ("filed", filed, "NULL AS request_id")):
    db.execute(
        f"CREATE TABLE {name} AS SELECT *, {other}, concat_ws(' ', house_number, street_name, box_number) AS street, "
        f"coalesce(unit_number, unit_kind) AS unit FROM read_parquet('{path}')"
    )
api = DuckDBAPI(connection=db)
settings = SettingsCreator(
    link_type="link_only",
    comparisons=[
        cl.NameComparison("first_key").configure(term_frequency_adjustments=True),
        cl.NameComparison("last_key").configure(term_frequency_adjustments=True),
        cl.ExactMatch("middle_key"),
        cl.ExactMatch("suffix_key"),
        cl.DateOfBirthComparison("birth_date", input_is_string=True),
        cl.ExactMatch("tin"),
        cl.LevenshteinAtThresholds("street", [1, 3]),
        cl.ExactMatch("unit"),
        cl.ExactMatch("zip5").configure(term_frequency_adjustments=True),
        cl.ExactMatch("city_key").configure(term_frequency_adjustments=True),
    ],
    blocking_rules_to_generate_predictions=[
        block_on("tin"),
        block_on("first_key", "last_key"),
        block_on("last_key", "zip5"),
        block_on("first_key", "zip5"),
        block_on("birth_date", "zip5"),
        block_on("street", "zip5"),
    ],
    additional_columns_to_retain=["person_id", "request_id"],
)
linker = Linker([api.register("given"), api.register("filed")], settings)
linker.training.estimate_probability_two_random_records_match(
    [block_on("tin"), block_on("first_key", "last_key", "birth_date")], recall=0.7
)
linker.training.estimate_u_using_random_sampling(max_pairs=5e6, seed=1)
linker.training.estimate_parameters_using_expectation_maximisation(block_on("first_key", "last_key"))
linker.training.estimate_parameters_using_expectation_maximisation(block_on("birth_date"))
linker.training.estimate_parameters_using_expectation_maximisation(block_on("street", "zip5"))
pairs = linker.inference.predict(threshold_match_probability=THRESHOLD)
# The best person of a request, where the next best is at least MARGIN bits of evidence behind.
db.execute(
    f"COPY (WITH best AS (SELECT coalesce(request_id_l, request_id_r) AS request_id, "
    f"coalesce(person_id_l, person_id_r) AS person_id, max(match_weight) AS weight "
    f"FROM {pairs.physical_name} GROUP BY ALL), ranked AS (SELECT *, "
    "lead(weight) OVER (PARTITION BY request_id ORDER BY weight DESC) AS next, row_number() OVER (PARTITION BY "
    "request_id ORDER BY weight DESC) AS place FROM best) SELECT request_id, person_id FROM ranked WHERE place = 1 "
    f"AND (next IS NULL OR weight - next >= {MARGIN})) TO '{found}' (FORMAT parquet)"
)
