"""The law room; see docs/architecture.md."""
