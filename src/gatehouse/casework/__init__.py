"""The casework room; see docs/architecture.md."""
