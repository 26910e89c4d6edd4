"""The program's name and version: one place."""

__all__ = ["PROGRAM", "VERSION"]

PROGRAM = "Easel"
VERSION = "0.1.0"
