"""The whole journey, one module a stage; the only place that joins rooms to each other and to the store.

Every stage can be run again after a crash: it finds what it finished, and does the rest.
"""
