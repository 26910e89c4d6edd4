"""The API over HTTP: the field's routes (`sdapi/`) and Easel's own (`easel/`). Thin: check, ask, answer."""

from modules.rest.app import create_api
from modules.rest.errors import install_error_answers
from modules.rest.sdapi.sysinfo import system_report
from modules.rest.server_control import Ending, ServerControl

__all__ = ["Ending", "ServerControl", "create_api", "install_error_answers", "system_report"]
