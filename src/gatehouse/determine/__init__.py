"""The determine room; see docs/architecture.md."""
