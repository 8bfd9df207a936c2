"""The oversight room; see docs/architecture.md."""
