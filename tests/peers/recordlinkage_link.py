"""`recordlinkage` on the same requests and records, as its guide shows; run by `gatehouse bench match --peers`.

Usage: python recordlinkage_link.py GIVEN FILED FOUND, all Parquet. Candidate pairs share surname and ZIP code, TIN, or
street and ZIP code; the unsupervised ECM classifier decides; a request with one person left is answered.
"""

from __future__ import annotations

import sys

import pandas as pd
import recordlinkage

given, filed, found = sys.argv[1:]


def read(path: str) -> pd.DataFrame:
    table = pd.read_parquet(path).set_index("unique_id")
    parts = table[["house_number", "street_name", "box_number"]].fillna("")
    table["street"] = parts.agg(" ".join, axis=1).str.strip()
    table["unit"] = table["unit_number"].fillna(table["unit_kind"])
    return table


left, right = read(given), read(filed)
indexer = recordlinkage.Index()
indexer.block(["last_key", "zip5"])
indexer.block("tin")
indexer.block(["street", "zip5"])
pairs = indexer.index(left, right)
compare = recordlinkage.Compare()
for column in ("first_key", "last_key", "street"):
    compare.string(column, column, method="jarowinkler", threshold=0.9, label=column)
for column in ("middle_key", "suffix_key", "birth_date", "tin", "unit", "zip5"):
    compare.exact(column, column, label=column)
features = compare.compute(pairs, left, right).fillna(0).astype(int)
matched = recordlinkage.ECMClassifier(binarize=0.5).fit_predict(features)
result = pd.DataFrame(
    {
        "request_id": left.loc[matched.get_level_values(0), "request_id"].to_numpy(),
        "person_id": right.loc[matched.get_level_values(1), "person_id"].to_numpy(),
    }
).drop_duplicates()
single = result.groupby("request_id")["person_id"].transform("nunique") == 1
result[single].drop_duplicates().to_parquet(found)
