"""The judge of reasons: does this text say something of this matter, and why the item bears on a criminal proceeding?

A reason passes only on evidence of both. A purpose that is stated and is not criminal decides against it whatever
stands beside it; what cannot be told is left to a person.
"""

from gatehouse.intake.reasons.explanation import explain
from gatehouse.intake.reasons.verdict import PURPOSES, VERDICTS, judge

__all__ = ["PURPOSES", "VERDICTS", "explain", "judge"]
