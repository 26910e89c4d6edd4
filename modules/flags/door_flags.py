"""Flags of the door: who may call the program, from where, with how much."""

from dataclasses import dataclass
from pathlib import Path

from modules.flags.declare import FlagGroup, flag, path_flag

__all__ = ["DoorFlags"]

D = FlagGroup.DOOR


@dataclass(frozen=True, kw_only=True)
class DoorFlags:
    """What is closed by itself, and what opens it; docs/security.md tells the whole."""

    gradio_auth: str | None = flag(None, "Names and passwords for the page: user:password,user:password.", D)
    gradio_auth_path: Path | None = path_flag(None, "File with names and passwords for the page.", D)
    api_auth: str | None = flag(None, "Names and passwords for the API: user:password,user:password.", D)
    allowed_hosts: str | None = flag(
        None, "Names besides addresses and localhost that the program answers to, comma separated; *: any.", D
    )
    cors_allow_origins: str | None = flag(None, "Origins that may call the API, comma separated.", D)
    cors_allow_origins_regex: str | None = flag(None, "Pattern of origins that may call the API.", D)
    max_request_size: int = flag(
        512, "Largest request that is read, in MB: uploaded pictures, base64.", D, convert=int
    )
    enable_insecure_folder_access: bool = flag(
        False, "Let others who reach the page choose folders, and write model files.", D
    )
    gradio_allowed_path: tuple[Path, ...] = path_flag(
        (), "Further folder whose files the page may show; may be repeated.", D, repeatable=True
    )
    disable_tls_verify: bool | None = flag(
        None, "Accept any certificate where the program fetches pictures over HTTPS.", D, store_false=True
    )
    api_log: bool = flag(False, "Write every request to the log: method, path, status, time.", D)
    subpath: str | None = flag(None, "Path under which a reverse proxy shows the page.", D)
