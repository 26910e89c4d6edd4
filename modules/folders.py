"""Every path that the program reads or writes. Nothing else joins folder names of its own."""

import dataclasses
import sys
from pathlib import Path
from typing import Any

from modules.errors import EaselError
from modules.filenames import EVERYWHERE, NameRules
from modules.flags import Flags, Paths
from modules.listing import shown_name

__all__ = ["PROGRAM", "Folders"]

PROGRAM = Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Folders:
    """Absolute paths. Where there are several, they stand in the order in which they are searched."""

    program: Path
    data: Path
    models: Path
    configs: Path

    checkpoints: tuple[Path, ...]
    new_checkpoints: Path
    checkpoint_file: Path | None
    vae: tuple[Path, ...]
    vae_file: Path | None
    diffusers: Path
    midas: Path
    embeddings: tuple[Path, ...]
    loras: tuple[Path, ...]
    lycoris: tuple[Path, ...]
    hypernetworks: tuple[Path, ...]
    upscalers: dict[str, Path]
    face_restorers: dict[str, Path]
    clip_interrogator: Path
    interrogators: tuple[Path, ...]

    outputs: Path
    log: Path
    cache: Path
    config_states: Path
    database_file: Path
    lock_file: Path
    session_key_file: Path
    job_files: Path
    inputs: Path
    batches: Path
    config_file: Path
    ui_config_file: Path
    styles_files: tuple[Path, ...]
    params_file: Path
    user_css: Path

    extensions: Path
    scripts: Path
    localizations: Path
    textual_inversion_templates: Path

    names: NameRules = EVERYWHERE
    """What the files in them may be called."""
    scratch: Path | None = None
    """Where the state of the program lies for one run, if the data folder cannot be written."""

    @classmethod
    def from_flags(cls, flags: Flags, program: Path = PROGRAM) -> "Folders":
        """The paths for a command line; `program` is the folder of `webui.py`.

        `models/Stable-diffusion` of the program itself is searched last whatever the flags say: the embedded
        checkpoint lies there.
        """
        data = _absolute(flags.data_dir or program)
        models = _absolute(flags.models_dir or data / "models")
        return cls(
            program=program,
            data=data,
            models=models,
            configs=program / "configs",
            outputs=data / "outputs",
            log=data / "log",
            cache=data / "cache",
            config_states=data / "config_states",
            database_file=data / "easel.sqlite3",
            lock_file=data / "easel.lock",
            session_key_file=data / "easel-session.key",
            job_files=data / "cache" / "jobs",
            inputs=data / "cache" / "inputs",
            batches=data / "cache" / "batches",
            config_file=_absolute(flags.ui_settings_file or data / "config.json"),
            ui_config_file=_absolute(flags.ui_config_file or data / "ui-config.json"),
            styles_files=_distinct(*flags.styles_file) or (data / "styles.csv",),
            params_file=data / "params.txt",
            user_css=data / "user.css",
            extensions=data / "extensions",
            scripts=program / "scripts",
            localizations=_absolute(flags.localizations_dir or program / "localizations"),
            textual_inversion_templates=_absolute(
                flags.textual_inversion_templates_dir or program / "textual_inversion_templates"
            ),
            names=_name_rules(flags),
            **_model_folders(flags, program, data, models),
        )

    def place(self, text: str) -> Path:
        """The absolute path that a setting or request means: relative ones start at the data folder."""
        return (self.data / Path(text).expanduser()).expanduser().absolute()

    def told(self, flags: Flags) -> Flags:
        """`flags` with the folders that are used where none was named, as clients of the API expect."""
        paths: dict[str, Any] = {
            f"{name.lower()}_models_path": path
            for name, path in (self.upscalers | self.face_restorers).items()
        }
        return dataclasses.replace(
            flags,
            data_dir=self.data,
            models_dir=self.models,
            embeddings_dir=self.embeddings[0],
            hypernetwork_dir=self.hypernetworks[0],
            lora_dir=self.loras[0],
            lyco_dir_backcompat=self.lycoris[0],
            localizations_dir=self.localizations,
            textual_inversion_templates_dir=self.textual_inversion_templates,
            ui_config_file=self.ui_config_file,
            ui_settings_file=self.config_file,
            styles_file=self.styles_files,
            **paths,
        )

    def ensure(self) -> tuple[str, ...]:
        """Make the missing folders that a user puts files into; those named by a flag are left alone.
        Sentences about those that cannot be made.

        Raises EaselError where the data folder cannot be.
        """
        if problem := _make(self.data):
            raise EaselError(
                f"The folder {self.data} cannot be made: {problem}. Give yourself the rights to it, or name "
                "another folder as --data-dir."
            )
        own = (self.models, self.data)
        wanted = (
            *self.checkpoints, *self.vae, self.diffusers, self.midas, *self.embeddings, *self.loras,
            *self.hypernetworks,
            *self.upscalers.values(), *self.interrogators, self.outputs, self.cache, self.extensions,
        )  # fmt: skip
        failed: dict[str, list[str]] = {}
        for folder in wanted:
            if any(folder.is_relative_to(place) for place in own) and (problem := _make(folder)):
                failed.setdefault(problem, []).append(str(folder))
        return tuple(
            f"Not there, and cannot be made ({problem}): {', '.join(places[:4])}"
            + (f" and {len(places) - 4} more folders." if len(places) > 4 else ".")
            for problem, places in failed.items()
        )


UPSCALER_FOLDERS = ("ESRGAN", "RealESRGAN", "BSRGAN", "DAT", "LDSR", "ScuNET", "SwinIR")
FACE_FOLDERS = ("GFPGAN", "Codeformer")
INTERROGATOR_FOLDERS = ("Interrogators", "BLIP", "torch_deepdanbooru")


def _model_folders(flags: Flags, program: Path, data: Path, models: Path) -> dict[str, Any]:
    def named(flag: Path | None, usual: Path) -> Path:
        return _absolute(flag or usual)

    def all_named(usual: Path, *flags: Paths) -> tuple[Path, ...]:
        return _distinct(*flags) or (usual,)

    def by_kind(names: tuple[str, ...]) -> dict[str, Path]:
        return {name: named(getattr(flags, f"{name.lower()}_models_path"), models / name) for name in names}

    return {
        "checkpoints": _distinct(
            models / "Stable-diffusion", flags.ckpt_dir, program / "models" / "Stable-diffusion"
        ),
        "new_checkpoints": all_named(models / "Stable-diffusion", flags.ckpt_dir)[0],
        "checkpoint_file": flags.ckpt and _absolute(flags.ckpt),
        "vae": _distinct(models / "VAE", flags.vae_dir),
        "vae_file": flags.vae_path and _absolute(flags.vae_path),
        "diffusers": models / "diffusers",
        "midas": models / "midas",
        "embeddings": all_named(data / "embeddings", flags.embeddings_dir),
        "loras": all_named(models / "Lora", flags.lora_dir),
        "lycoris": all_named(models / "LyCORIS", flags.lyco_dir, flags.lyco_dir_backcompat),
        "hypernetworks": all_named(models / "hypernetworks", flags.hypernetwork_dir),
        "upscalers": by_kind(UPSCALER_FOLDERS),
        "face_restorers": by_kind(FACE_FOLDERS),
        "clip_interrogator": named(flags.clip_models_path, models / "CLIP"),
        "interrogators": _distinct(
            *(models / name for name in INTERROGATOR_FOLDERS), program / "models" / "Interrogators"
        ),
    }


def _name_rules(flags: Flags) -> NameRules:
    if flags.filenames_max_length < 1:
        raise EaselError(
            f"--filenames-max-length {flags.filenames_max_length}: a text in a file name has at least one "
            "character. Give a larger number, or leave the flag out for 128."
        )
    # Windows refuses such names itself, whoever asks for them.
    only_unix = flags.unix_filenames_sanitization and sys.platform != "win32"
    return NameRules(flags.filenames_max_length, only_unix)


def _make(folder: Path) -> str | None:
    """Make `folder` where it is missing; why it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        return "there is a file of that name"
    except OSError as error:
        return error.strerror or str(error)
    return None


def _absolute(path: Path) -> Path:
    """Raises EaselError for a path that is no text: neither settings nor answers could name it."""
    if shown_name(str(path)) != str(path):
        raise EaselError(
            f"The path {shown_name(str(path))} holds bytes that are not UTF-8, or control characters. Rename "
            "the folder, or name another one."
        )
    # Not resolved: a symbolic link stays the name that the user knows, and may point elsewhere tomorrow.
    return path.expanduser().absolute()


def _distinct(*paths: Paths) -> tuple[Path, ...]:
    single = (each for given in paths for each in (given if isinstance(given, tuple) else (given,)))
    return tuple(dict.fromkeys(_absolute(path) for path in single if path))
