"""What can go wrong before the program runs, as a sentence."""

from collections.abc import Iterable

from modules.errors import EaselError

__all__ = ["LaunchError", "explain_pip_failure"]

NETWORK = (
    "Temporary failure in name resolution",
    "Name or service not known",
    "nodename nor servname provided",
    "getaddrinfo failed",
    "Network is unreachable",
    "No route to host",
    "Connection refused",
    "Connection reset by peer",
    "Failed to establish a new connection",
    "connection broken by",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "Read timed out",
    "ProxyError",
)
DISK = ("No space left on device", "There is not enough space on the disk", "Disk quota exceeded")
PERMISSION = ("Permission denied", "Access is denied")
MANAGED = ("externally-managed-environment",)
DAMAGED = ("DO NOT MATCH THE HASHES", "zipfile.BadZipFile", "File is not a zip file", "IncompleteRead")


class LaunchError(EaselError):
    """The program cannot be started; the message says why and what to do."""


def explain_pip_failure(lines: Iterable[str], what: str) -> LaunchError:
    """The sentence for a failed pip run. `lines`: what pip wrote; `what`: what it was to install."""
    text = list(lines)
    # Without a network pip ends with "no matching distribution", so that cause is looked for first.
    if _mentions(text, DISK):
        reason = "the disk is full. Make room (the folder for temporary files counts too), then start again."
    elif _mentions(text, NETWORK):
        reason = "the network did not answer. Check the connection or the proxy, then start again."
    elif _mentions(text, MANAGED):
        reason = "this Python belongs to the system. Leave VENV_DIR out, so that a venv is made."
    elif _mentions(text, PERMISSION):
        reason = (
            "a file could not be written. Give yourself the rights to the program's folder, then start again."
        )
    elif _mentions(text, DAMAGED):
        reason = "a download arrived damaged. Start again; if it stays so, run `pip cache purge` once."
    else:
        errors = [line.strip() for line in text if "ERROR:" in line]
        reason = f"{_after('ERROR:', errors[-1]) if errors else 'pip failed'}. What pip wrote is above."
    return LaunchError(f"{what} could not be installed: {reason}")


def _mentions(lines: list[str], marks: tuple[str, ...]) -> bool:
    return any(mark in line for line in lines for mark in marks)


def _after(mark: str, line: str) -> str:
    return line.partition(mark)[2].strip().rstrip(".")
