"""The API for requesting agencies' systems and for mirrors of the log, described by its own OpenAPI document.

The same rules as the console: an agency reaches its own submissions only, and learns only what its answers say.
Needs the extra `api` (django-ninja); without it the console works alone.
"""
