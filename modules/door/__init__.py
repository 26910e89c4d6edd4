"""The door: who may call the program, from where, with how much. No route knows of it."""

from modules.door.installing import install_door
from modules.door.proxies import root_path

__all__ = ["install_door", "root_path"]
