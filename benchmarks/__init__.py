"""Speed and memory of each step, as ratios to a floor of the same run; `gatehouse bench` runs them from a checkout.

They are not in the wheel: who installs Gatehouse has no use for them, and nothing of the product imports them.
"""
