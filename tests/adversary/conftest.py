"""The dishonest custodian: every key of the site, every file of it, its database, and all of this code to change.

What it has not: a key of an officer, of a witness or of the agency. The sites are those of the release's tests.
"""

from release_sites import approved, fresh_small, released, releases, small, templates

__all__ = ["approved", "fresh_small", "released", "releases", "small", "templates"]
