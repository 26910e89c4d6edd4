"""The versions of Python that the pinned packages exist for. Old Pythons can read this file, too."""

__all__ = ["NEWEST", "OLDEST", "is_supported", "spoken"]

OLDEST = (3, 11)
NEWEST = (3, 13)


def is_supported(version: "tuple[int, ...]") -> bool:
    """Whether `version` (major, minor, ...) is one of them."""
    return OLDEST <= tuple(version[:2]) <= NEWEST


def spoken() -> str:
    """As said in a sentence."""
    minors = range(OLDEST[1], NEWEST[1] + 1)
    names = [f"3.{minor}" for minor in minors]
    return "Python " + ", ".join(names[:-1]) + " or " + names[-1]
