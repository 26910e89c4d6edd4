"""What was another when a picture was drawn first."""

from dataclasses import fields

from modules.generation import FileFacts, ModelFacts, PictureRecord, Surroundings
from modules.infotext import read_infotext
from modules.proof.evidence import Evidence
from modules.proof.verdict import Difference

__all__ = ["differences"]

CONFIG = "the .yaml beside the checkpoint"
SHOWN_DIGITS = 10
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


def differences(evidence: Evidence, facts: ModelFacts) -> tuple[Difference, ...]:
    """What was another than the `facts` about the new picture: the files' configuration, then the fields of
    `Surroundings` in their order. A generation text knows no more than the program.
    """
    record, now = evidence.record, facts.surroundings
    if record is None:
        version = read_infotext(evidence.infotext).fields.get("Version", now.program)
        return () if version == now.program else (Difference(LABELS["program"], version, now.program),)
    return _of_configs(record, facts) + _of_surroundings(record.surroundings, now)


def _of_configs(record: PictureRecord, facts: ModelFacts) -> tuple[Difference, ...]:
    then = record.model, record.second, record.refiner
    now = facts.files, facts.second, facts.refiner
    configs = [[_hash(files.config) for files in each if files] for each in (then, now)]
    return tuple(
        Difference(CONFIG, before, after) for before, after in zip(*configs, strict=False) if before != after
    )


def _hash(config: FileFacts | None) -> str:
    return (config.sha256 or "unknown")[:SHOWN_DIGITS] if config else "not there"


def _of_surroundings(then: Surroundings, now: Surroundings) -> tuple[Difference, ...]:
    pairs = [(each.name, getattr(then, each.name), getattr(now, each.name)) for each in fields(Surroundings)]
    return tuple(
        Difference(LABELS.get(name, name), _shown(before), _shown(after))
        for name, before, after in pairs
        if before != after
    )


def _shown(value: str | bool | int) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
