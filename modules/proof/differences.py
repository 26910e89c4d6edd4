"""What was another when a picture was drawn first."""

from dataclasses import fields

from modules.generation import Surroundings
from modules.infotext import read_infotext
from modules.proof.evidence import Evidence
from modules.proof.verdict import Difference

__all__ = ["differences"]

LABELS = {
    "program": "the program",
    "processor": "the kind of processor",
    "dtype": "the number type",
    "vae_dtype": "the number type of the VAE",
    "upcast_attention": "attention in float32",
    "tf32": "arithmetic in TF32",
    "threads": "the number of threads",
}
"""What people call the fields of `Surroundings` that do not speak for themselves."""


def differences(evidence: Evidence, now: Surroundings) -> tuple[Difference, ...]:
    """What is another `now`, in the order of the fields of `Surroundings`; the generation text knows no more
    than the program.
    """
    if evidence.record is None:
        version = read_infotext(evidence.infotext).fields.get("Version", now.program)
        return () if version == now.program else (Difference(LABELS["program"], version, now.program),)
    then = evidence.record.surroundings
    pairs = [(each.name, getattr(then, each.name), getattr(now, each.name)) for each in fields(Surroundings)]
    return tuple(
        Difference(LABELS.get(name, name), _shown(before), _shown(after))
        for name, before, after in pairs
        if before != after
    )


def _shown(value: str | bool | int) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
