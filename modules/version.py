"""The program's version: one place."""

__all__ = ["VERSION"]

VERSION = "0.1.0"
