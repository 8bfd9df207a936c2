"""The release room; see docs/architecture.md."""
