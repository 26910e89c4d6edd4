"""The API: the field's routes over HTTP. Each is thin: check, submit a job, answer."""

from modules.rest.app import create_api

__all__ = ["create_api"]
