"""Sites at three points of the journey, as support/release_sites.py makes them."""

from release_sites import approved, fresh_small, released, releases, small, templates

__all__ = ["approved", "fresh_small", "released", "releases", "small", "templates"]
