"""People decide: held cases, four eyes, samples examined before bulk, and a written state machine.

The machine clears, holds, returns or refuses; only two authorised people, neither of whom handed the docket in, make
a case releasable. Everything here is pure; the database fulfils `casework.records`.
"""
