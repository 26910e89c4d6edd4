"""Settings, flags and memory over the API."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Body

from modules.house import House
from modules.memory import memory_report
from modules.rest.answers import MemoryAnswer

__all__ = ["settings_routes"]


def settings_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = APIRouter(prefix="/sdapi/v1", tags=["settings"])

    @router.get("/options")
    def get_options() -> dict[str, Any]:
        """Every setting with its value."""
        return house.store.options.model_dump(mode="json")

    @router.post("/options")
    def set_options(values: dict[str, Any] = Body(default_factory=dict)) -> dict[str, str]:  # noqa: B008
        """Change settings; one wrong value changes nothing."""
        house.change_settings(values)
        return {}

    @router.get("/cmd-flags")
    def cmd_flags() -> dict[str, Any]:
        """The command line that the program was started with; passwords are not told."""
        secret = {"gradio_auth", "api_auth", "ngrok"}
        flags = {
            key: None if key in secret else value
            for key, value in asdict(house.folders.told(house.flags)).items()
        }
        return {key: str(value) if isinstance(value, Path) else value for key, value in flags.items()}

    @router.get("/memory")
    def memory() -> MemoryAnswer:
        """Memory of the machine and of its device, in bytes."""
        report = memory_report()
        return MemoryAnswer(ram=report.ram, cuda=report.cuda)

    return router
