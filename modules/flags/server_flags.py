"""Flags of the server, the page, saving and settings."""

from dataclasses import dataclass
from pathlib import Path

from modules.flags.declare import FlagGroup, flag, path_flag

__all__ = ["SavingFlags", "ServerFlags"]

S = FlagGroup.SERVER
V = FlagGroup.SAVING


@dataclass(frozen=True, kw_only=True)
class ServerFlags:
    """Who is served, where, and with what page."""

    port: int | None = flag(None, "Port to serve at; without it 7860 or the next free one.", S, convert=int)
    listen: bool = flag(False, "Serve every machine of the network, not only this one.", S)
    server_name: str | None = flag(None, "Address to serve at, in place of --listen.", S)
    api: bool = flag(False, "The API is always on; the flag is accepted.", S)
    api_server_stop: bool = flag(False, "Let the API stop, restart and kill the server.", S)
    add_stop_route: bool = flag(False, "Older name of --api-server-stop.", S)
    nowebui: bool = flag(False, "Serve the API without the page.", S)
    tls_keyfile: Path | None = path_flag(None, "Private key for HTTPS; with --tls-certfile.", S)
    tls_certfile: Path | None = path_flag(None, "Certificate for HTTPS; with --tls-keyfile.", S)
    timeout_keep_alive: int = flag(30, "Seconds that an idle connection is kept.", S, convert=int)
    autolaunch: bool = flag(False, "Open the page in the browser when the server is ready.", S)
    theme: str | None = flag(None, "light or dark; without it as the browser is set.", S)
    share: bool = flag(False, "Show the page on the internet through Gradio's relay.", S)
    hide_ui_dir_config: bool = flag(False, "Keep folder settings and folder buttons out of the page.", S)
    loglevel: str | None = flag(None, "CRITICAL, ERROR, WARNING, INFO or DEBUG.", S)


@dataclass(frozen=True, kw_only=True)
class SavingFlags:
    """What bounds saving and settings."""

    freeze_settings: bool = flag(False, "Settings cannot be changed.", V)
    freeze_settings_in_sections: str | None = flag(
        None, "Settings of these sections cannot be changed: saving-images,vae.", V
    )
    freeze_specific_settings: str | None = flag(
        None, "These settings cannot be changed: samples_save,samples_format.", V
    )
    no_hashing: bool = flag(False, "Do not compute the sha256 of checkpoints.", V)
    unix_filenames_sanitization: bool = flag(
        False, "Keep characters in names of pictures that only Windows forbids; not on Windows.", V
    )
    filenames_max_length: int = flag(
        128,
        "Characters of a prompt, or of another single text, in the name of a picture at most.",
        V,
        convert=int,
    )
