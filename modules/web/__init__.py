"""The page in the browser."""

from modules.web.mounting import mount
from modules.web.page import build_page

__all__ = ["build_page", "mount"]
