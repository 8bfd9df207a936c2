"""The match room; see docs/architecture.md."""
