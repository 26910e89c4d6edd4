"""What texts of older versions of stable-diffusion-webui mean, told from their "Version" field."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["fields_of_old_versions", "version_of_field"]

VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-(\d+))?(?:-.*)?")

Version = tuple[int, int, int, int]

BRACKETS_EDIT_BOTH_PASSES: Version = (1, 6, 0, 0)
ALPHAS_IN_FULL_PRECISION: Version = (1, 7, 0, 225)


def version_of_field(text: str) -> Version | None:
    """`v1.7.0-225-gdead` as (1, 7, 0, 225); None for a version of another program."""
    match = VERSION.fullmatch(text.strip())
    if match is None:
        return None
    major, minor, patch, commits = match.groups(default="0")
    return int(major), int(minor), int(patch), int(commits)


def fields_of_old_versions(prompt: str, fields: Mapping[str, str]) -> dict[str, bool]:
    """Fields that restore what a later version changed; empty for new texts and those of other programs."""
    version = version_of_field(fields.get("Version", ""))
    if version is None:
        return {}
    old: dict[str, bool] = {}
    if version < BRACKETS_EDIT_BOTH_PASSES and "[" in prompt:
        old["Old prompt editing timelines"] = True
    if version < BRACKETS_EDIT_BOTH_PASSES and fields.get("Sampler") in ("DDIM", "PLMS"):
        old["Pad conds v0"] = True
    if version < ALPHAS_IN_FULL_PRECISION:
        old["Downcast alphas_cumprod"] = True
    return old
