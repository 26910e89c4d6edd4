"""The report about program and machine that goes into bug reports. It holds no secret."""

import dataclasses
import os
import platform
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import psutil
import torch
from pydantic import Field

from modules.flags import option_string
from modules.house import House
from modules.rest.answer import Answer
from modules.rest.sdapi.settings import SECRET_FLAGS
from modules.settings import Options
from modules.version import VERSION

__all__ = ["SystemReport", "system_report"]

TELLING_VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "HF_HUB_OFFLINE",
    "HSA_OVERRIDE_GFX_VERSION",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "PYTORCH_CUDA_ALLOC_CONF",
    "VENV_DIR",
)
HIDDEN = "(hidden)"


class SystemReport(Answer):
    """The report, under the headings of the field."""

    platform: str = Field(alias="Platform")
    python: str = Field(alias="Python")
    version: str = Field(alias="Version")
    script_path: str = Field(alias="Script path")
    data_path: str = Field(alias="Data path")
    extensions_dir: str = Field(alias="Extensions dir")
    commandline: list[str] = Field(alias="Commandline")
    torch_env_info: dict[str, Any] = Field(alias="Torch env info")
    exceptions: list[str] = Field([], alias="Exceptions")
    cpu: dict[str, Any] = Field(alias="CPU")
    ram: dict[str, str] = Field(alias="RAM")
    extensions: list[Any] = Field([], alias="Extensions")
    inactive_extensions: list[Any] = Field([], alias="Inactive extensions")
    environment: dict[str, str] = Field(alias="Environment")
    config: dict[str, Any] = Field(alias="Config")
    startup: dict[str, Any] = Field({}, alias="Startup")
    packages: list[str] = Field(alias="Packages")


def system_report(house: House) -> SystemReport:
    """What is known now. The home folder, whose name is a person's, is told as ~."""
    folders = house.folders
    return SystemReport.model_validate(
        {
            "Platform": platform.platform(),
            "Python": platform.python_version(),
            "Version": VERSION,
            "Script path": _without_home(folders.program),
            "Data path": _without_home(folders.data),
            "Extensions dir": _without_home(folders.extensions),
            "Commandline": _command_line(house),
            "Torch env info": _torch_facts(),
            "CPU": {
                "model": platform.processor(),
                "count logical": psutil.cpu_count(),
                "count physical": psutil.cpu_count(logical=False),
            },
            "RAM": _memory(),
            "Environment": {name: os.environ[name] for name in TELLING_VARIABLES if name in os.environ},
            "Config": _changed_settings(house.store.options),
            "Packages": sorted(f"{each.name}=={each.version}" for each in distributions()),
        }
    )


def _without_home(place: Any) -> str:
    return str(place).replace(str(Path.home()), "~") if Path.home() != Path("/") else str(place)


def _command_line(house: House) -> list[str]:
    """The flags that were given, with their values but for passwords."""
    flags = house.flags
    values = {field.name: getattr(flags, field.name) for field in dataclasses.fields(flags)}
    values |= {name: HIDDEN for name in SECRET_FLAGS if values[name]}
    given = [field.name for field in dataclasses.fields(flags) if values[field.name] != field.default]
    return [f"{option_string(name)} {_without_home(values[name])}" for name in given]


def _torch_facts() -> dict[str, Any]:
    cuda = torch.cuda.is_available()
    return {
        "torch_version": torch.__version__,
        "is_debug_build": str(torch.version.debug),
        "cuda_compiled_version": torch.version.cuda,
        "hip_compiled_version": torch.version.hip,
        "os": sys.platform,
        "python_version": sys.version,
        "is_cuda_available": str(cuda),
        "nvidia_gpu_models": [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())],
        "threads": torch.get_num_threads(),
    }


def _memory() -> dict[str, str]:
    memory = psutil.virtual_memory()
    return {
        name: f"{getattr(memory, name) / 2**30:.1f} GB" for name in ("total", "used", "free", "available")
    }


def _changed_settings(options: Options) -> dict[str, Any]:
    """Settings that were set. Of those that this version does not know, only the name: they may be secret."""
    known = type(options).model_fields
    values = options.model_dump(mode="json", exclude_unset=True)
    return {key: _told(value) if key in known else HIDDEN for key, value in values.items()}


def _told(value: Any) -> Any:
    return _without_home(value) if isinstance(value, str) else value
