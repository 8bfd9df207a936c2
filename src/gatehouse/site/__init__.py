"""A site as its custodian configures it: one typed configuration, read by one module and passed on.

A module for each section of gatehouse.toml turns a table of the document into its type. Nothing here asks a database, a
clock or a terminal, and nothing but `configuration` opens the file.
"""
