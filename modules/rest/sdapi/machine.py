"""The program and its machine: memory, the loaded checkpoint, whether it is up, a report for bug reports."""

from typing import Annotated

import psutil
from fastapi import APIRouter, Query, Response

from modules.door import Router
from modules.house import House
from modules.memory import memory_report
from modules.rest.errors import error_statuses
from modules.rest.sdapi.answers import Empty, MemoryAnswer, StartupAnswer
from modules.rest.sdapi.sysinfo import SystemReport, system_report

__all__ = ["machine_routes"]

REPORT_NAME = "easel-sysinfo.json"
Attachment = Annotated[bool, Query(description="Let a browser save it as a file.")]


def machine_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = Router(tags=["machine"], responses=error_statuses())

    @router.get("/sdapi/v1/memory")
    def memory() -> MemoryAnswer:
        """Memory of the machine and of its device, in bytes."""
        report = memory_report()
        return MemoryAnswer(ram=report.ram, cuda=report.cuda)

    @router.post("/sdapi/v1/unload-checkpoint")
    def unload_checkpoint() -> Empty:
        """Free the memory that the checkpoint takes, once the running picture is done. The next picture loads
        it again.
        """
        house.engine.unload()
        return Empty()

    @router.post("/sdapi/v1/reload-checkpoint", responses=error_statuses(404, 422))
    def reload_checkpoint() -> Empty:
        """Bring the chosen checkpoint into memory."""
        house.engine.preload(house.store.options)
        return Empty()

    @router.get("/internal/ping")
    async def ping() -> Empty:
        """Answers as soon as the program serves."""
        return Empty()

    @router.get("/internal/profile-startup")
    def profile_startup() -> StartupAnswer:
        """Seconds from the process's begin until the program was built."""
        seconds = max(house.started - psutil.Process().create_time(), 0.0)
        return StartupAnswer(total=seconds, records={"program built": seconds})

    @router.get("/internal/sysinfo", responses=error_statuses(422))
    def sysinfo(response: Response, attachment: Attachment = False) -> SystemReport:
        """Versions, machine, flags and changed settings, for bug reports; without passwords."""
        if attachment:
            response.headers["Content-Disposition"] = f'attachment; filename="{REPORT_NAME}"'
        return system_report(house)

    @router.get("/internal/sysinfo-download")
    def sysinfo_download(response: Response) -> SystemReport:
        """The report of /internal/sysinfo as a file."""
        return sysinfo(response, attachment=True)

    return router
