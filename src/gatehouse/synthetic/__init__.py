"""Synthetic registers, submissions and the documented exchange of August 2025.

Nothing here describes a living person: names are drawn from lists of common names, TINs from ranges that were never
issued, and streets are invented under real city, state and ZIP combinations.
"""
