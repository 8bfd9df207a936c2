"""Law applied to facts: the facts of row, batch and match become one determination for every request.

One table from end to end; nothing here reads the register, asks the time or knows a rule of law by name.
"""
