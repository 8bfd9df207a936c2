"""The api room; see docs/architecture.md."""
