"""The door: who may call the program, from where, with how much. No route knows of it."""

from modules.door.answers import refusal
from modules.door.bodies import received_body
from modules.door.fetching import FetchRules, TooManyFetches, fetch_picture
from modules.door.host_guard import HostAct, is_open_to, refuse_strangers
from modules.door.installing import install_door
from modules.door.json_bodies import RefusedBody, Router
from modules.door.proxies import root_path

__all__ = [
    "FetchRules",
    "HostAct",
    "RefusedBody",
    "Router",
    "TooManyFetches",
    "fetch_picture",
    "install_door",
    "is_open_to",
    "received_body",
    "refusal",
    "refuse_strangers",
    "root_path",
]
