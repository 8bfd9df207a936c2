"""pymerkle on the same entries, for `gatehouse bench ledger --peers`: append to a tree in memory, then its root.

Usage: python pymerkle_append.py COUNT. Prints JSON: seconds by the clock, of the processor, peak MiB, root, version.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from importlib.metadata import version

from pymerkle import InmemoryTree

count = int(sys.argv[1])
entries = [number.to_bytes(53, "big") for number in range(count)]
tree = InmemoryTree(algorithm="sha256")
wall, processor = time.perf_counter(), time.process_time()
for entry in entries:
    tree.append_entry(entry)
root = tree.get_state()
spent = [time.perf_counter() - wall, time.process_time() - processor]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
print(json.dumps({"seconds": spent, "peak": peak, "root": root.hex(), "version": version("pymerkle")}))
