"""What the API may do for its callers."""

from typing import ClassVar

from modules.settings.checks import HeaderText
from modules.settings.declare import Section, option

__all__ = ["Api"]


class Api(Section):
    """Pictures that are named by their address. Who reaches the program from outside cannot open this."""

    section_id: ClassVar[str] = "api"
    section_title: ClassVar[str] = "API"

    api_enable_requests: bool = option(
        True, "Allow http:// and https:// URLs for input images in API", restricted=True
    )
    api_forbid_local_requests: bool = option(
        True,
        "Forbid URLs to local resources",
        help="This machine, its network, and every other address that is not of the public internet.",
        restricted=True,
    )
    api_useragent: HeaderText = option("", "User agent for requests", help="Empty: Easel.")
