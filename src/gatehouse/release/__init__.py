"""No proof, no data: the least fields, sealed once for each named officer, and what comes back afterwards.

The sealer takes a verified certificate or does nothing, and the officer's side checks the same certificate again before
it decrypts a record. Receipts, use reports, disposal certificates and recalls are signed statements.
"""
