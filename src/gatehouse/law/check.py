"""Everything a pack must pass before anyone signs it: lint, examples, coverage, properties and mutation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gatehouse.kernel.progress import Progress, silent
from gatehouse.law import examples
from gatehouse.law.examples import Failure, Survivor
from gatehouse.law.lint import Finding, lint
from gatehouse.law.pack import Pack
from gatehouse.law.prove import Status, Verdict, prove_all


@dataclass(frozen=True)
class Report:
    """What `law check` found. `passed` is true where nothing stands against signing."""

    pack: Pack
    findings: Sequence[Finding]
    failures: Sequence[Failure]
    verdicts: Sequence[Verdict]
    mutants: int
    survivors: Sequence[Survivor]

    @property
    def passed(self) -> bool:
        """No error, no failing example, every property proved, every mutation noticed."""
        errors = [finding for finding in self.findings if finding.severity == "error"]
        proved = all(verdict.status is Status.PROVED for verdict in self.verdicts)
        return not errors and not self.failures and not self.survivors and proved and bool(self.verdicts)


def check(pack: Pack, progress: Progress = silent) -> Report:
    """Check a loaded pack."""
    decisions, failures = examples.run(pack)
    found = examples.truths(pack, decisions)
    findings = lint(pack, progress)
    findings += [
        Finding("error", "coverage", f"{rule.file}, line {rule.line}, rule {rule.id}", says, "Add an example")
        for rule, says in examples.uncovered(pack, decisions, found)
    ]
    findings += _kinds(pack)
    verdicts = prove_all(pack, progress=progress)
    survivors = examples.mutate(pack, found, progress)
    return Report(pack, findings, failures, verdicts, 2 * len(pack.rules), survivors)


def _kinds(pack: Pack) -> list[Finding]:
    """A pack without safety proves nothing; a pack without liveness may refuse everything and still be proved."""
    where = str(pack.folder / "properties.toml")
    wanted = {"safety": True, "liveness": False}
    return [
        Finding("error", "properties", where, f"there is no {name} property", f"State at least one {name} property")
        for name, safety in wanted.items()
        if not any(each.safety is safety for each in pack.properties)
    ]
