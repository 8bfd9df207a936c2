"""A workspace on Apache Spark, for what outgrows one machine: the same SQL, and every text still read by DuckDB.

Spark moves rows: it joins, groups, counts and ranks, by the room's own statements translated to its dialect. What a
text says is read by DuckDB in the tasks, wherever the rows are, so that no two engines read differently. See
docs/spark.md.
"""

from __future__ import annotations

from gatehouse.intake.cluster.session import Cluster, open_cluster

__all__ = ["Cluster", "open_cluster"]
