"""The synthetic room; see docs/architecture.md."""
