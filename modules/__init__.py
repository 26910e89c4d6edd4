"""Easel: every room of the program. `docs/architecture.md` is the map."""
