"""What a run answers: its pictures, and the facts about them as the field's clients read them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modules.generation.drawn import ModelFacts
from modules.generation.run import Run
from modules.generation.watcher import MadePicture
from modules.infotext import read_infotext

__all__ = ["GenerationResult"]

ADAPTER_FIELDS = ("Lora hashes", "TI hashes")


@dataclass(frozen=True)
class GenerationResult:
    """Pictures in the order of the answer (a grid first), and the run that made them."""

    pictures: tuple[MadePicture, ...]
    run: Run
    extra_fields: Mapping[str, Any]
    model: ModelFacts | None
    """None when the run was stopped before a model was there."""
    version: str
    job_timestamp: str

    @property
    def model_name(self) -> str:
        """The checkpoint's name without folder and extension."""
        return self.model.stem if self.model else ""

    @property
    def model_hash(self) -> str:
        """The checkpoint's short hash, empty where it is not known."""
        return (self.model.short_hash if self.model else None) or ""

    @property
    def infotexts(self) -> list[str]:
        """The generation text of each picture, in the same order."""
        return [picture.infotext for picture in self.pictures]

    def _adapter_hashes(self) -> dict[str, str]:
        """The fields about adapters, which only drawing told."""
        fields = read_infotext(self.infotexts[-1]).fields if self.pictures else {}
        return {key: fields[key] for key in ADAPTER_FIELDS if key in fields}

    def info_json(self, notes: Sequence[str] = ()) -> str:
        """The `info` text of the field's answers: JSON with the seeds, prompts and texts of all pictures,
        and the `notes` for the person where there are any.
        """
        run, request, model = self.run, self.run.request, self.model
        count = run.pictures
        has_grid = bool(self.pictures and self.pictures[0].is_grid)
        info: dict[str, Any] = {
            "prompt": run.prompt,
            "all_prompts": [run.prompt] * count,
            "negative_prompt": run.negative_prompt,
            "all_negative_prompts": [run.negative_prompt] * count,
            "seed": run.seeds.seeds[0],
            "all_seeds": list(run.seeds.seeds),
            "subseed": run.seeds.subseeds[0],
            "all_subseeds": list(run.seeds.subseeds),
            "subseed_strength": request.subseed_strength,
            "width": request.width,
            "height": request.height,
            "sampler_name": run.sampler.name,
            "scheduler": run.schedule.name,
            "cfg_scale": request.cfg_scale,
            "steps": request.steps,
            "batch_size": request.batch_size,
            "restore_faces": False,
            "face_restoration_model": None,
            "sd_model_name": self.model_name,
            "sd_model_hash": self.model_hash,
            "sd_vae_name": model.vae_name if model else None,
            "sd_vae_hash": model.vae_short_hash if model else None,
            "seed_resize_from_w": request.seed_resize_from_w,
            "seed_resize_from_h": request.seed_resize_from_h,
            "denoising_strength": request.denoising_strength,
            "extra_generation_params": {**self.extra_fields, **self._adapter_hashes()},
            "index_of_first_image": int(has_grid),
            "infotexts": self.infotexts,
            "styles": list(request.styles),
            "job_timestamp": self.job_timestamp,
            "clip_skip": run.options.CLIP_stop_at_last_layers,
            "is_using_inpainting_conditioning": bool(model and model.is_inpainting),
            "version": self.version,
        }
        if notes:
            info["notes"] = list(notes)
        return json.dumps(info, ensure_ascii=False)
