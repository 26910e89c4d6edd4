"""The page in the browser."""

from modules.web.mounting import MountedPage, mount
from modules.web.page import build_page

__all__ = ["MountedPage", "build_page", "mount"]
