"""Gatehouse: a disclosure gateway for a custodian of confidential records.

Every request is decided by itself under machine-readable law as of a date; nothing leaves without a proof.
"""

__version__ = "0.1.0"
