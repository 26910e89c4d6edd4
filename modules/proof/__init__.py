"""Proof: a picture is made again from the record that it carries, and compared."""

from modules.proof.comparing import PixelDifference, compare
from modules.proof.evidence import Evidence, read_evidence
from modules.proof.inputs import Source
from modules.proof.judging import judge
from modules.proof.retrace import Proof, retrace
from modules.proof.verdict import Difference, Verdict, VerdictKind
from modules.proof.verifying import cannot, verify_picture

__all__ = [
    "Difference",
    "Evidence",
    "PixelDifference",
    "Proof",
    "Source",
    "Verdict",
    "VerdictKind",
    "cannot",
    "compare",
    "judge",
    "read_evidence",
    "retrace",
    "verify_picture",
]
