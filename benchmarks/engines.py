"""Run a job of conditions over rows in whichever other engines this Python has; needs nothing of Gatehouse.

`python engines.py JOB.json` prints one JSON object: engine → rows, seconds, and a digest of the answers.
Engines that cannot be imported are left out; one that fails says why.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Answers = list[list[bool]]


def by_python(job: dict[str, Any], rows: list[Row]) -> Answers:
    """Compiled Python functions of a dict."""
    ready = eval(f"lambda r: [{', '.join(job['python'])}]", {})  # noqa: S307 - text made from a checked pack
    return [[bool(each) for each in ready(row)] for row in rows]


def by_cel(job: dict[str, Any], rows: list[Row]) -> Answers:
    """Common Expression Language in Rust (common-expression-language)."""
    import cel  # type: ignore[import-not-found,unused-ignore]

    program = cel.compile(f"[{', '.join(job['cel'])}]")
    return [[bool(each) for each in program.execute(row)] for row in rows]


def by_cedar(job: dict[str, Any], rows: list[Row]) -> Answers:
    """Cedar: one policy a rule, and the policies that determined each answer."""
    import cedarpy  # type: ignore[import-not-found,unused-ignore]

    policies = "\n".join(f"permit(principal, action, resource) when {{ {each} }};" for each in job["cedar"])
    who = {"principal": 'A::"a"', "action": 'Action::"ask"', "resource": 'R::"r"'}
    asked = [{**who, "context": row} for row in rows]
    ids = [f"policy{number}" for number in range(len(job["cedar"]))]
    found = cedarpy.is_authorized_batch(asked, policies, [])
    return [[each in set(result.diagnostics.reasons) for each in ids] for result in found]


def by_rego(job: dict[str, Any], rows: list[Row]) -> Answers:
    """Rego in C++ (regopy)."""
    import regopy  # type: ignore[import-not-found,unused-ignore]

    engine = regopy.Interpreter()
    engine.add_module("law", job["rego"])
    answers = []
    for row in rows:
        engine.set_input(row)
        found = json.loads(str(engine.query("x := data.law.holds")))
        result = found.get("result", [found])[0] if isinstance(found, dict) else found[0]
        holds = set(result["bindings"]["x"])
        answers.append([rule in holds for rule in job["rules"]])
    return answers


ENGINES: dict[str, tuple[Callable[[dict[str, Any], list[Row]], Answers], int]] = {
    "plain Python": (by_python, 20_000),
    "CEL (Rust)": (by_cel, 2_000),
    "Cedar": (by_cedar, 2_000),
    "Rego (C++)": (by_rego, 100),
}


def digest(answers: Answers) -> str:
    """A digest of the answers, row by row."""
    return hashlib.sha256("\n".join("".join("01"[each] for each in row) for row in answers).encode()).hexdigest()


def main(path: Path) -> dict[str, Any]:
    """Run every engine that can be imported on as many rows as it manages in seconds."""
    job = json.loads(path.read_text())
    found: dict[str, Any] = {}
    for name, (run, most) in ENGINES.items():
        rows = job["rows"][:most]
        started = time.perf_counter()
        try:
            answers = run(job, rows)
        except ImportError:
            continue
        except Exception as failure:  # noqa: BLE001 - another engine's failure is a finding, not ours
            found[name] = {"failed": f"{type(failure).__name__}: {failure}"[:300]}
            continue
        found[name] = {"rows": len(rows), "seconds": time.perf_counter() - started, "digest": digest(answers)}
    return found


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
