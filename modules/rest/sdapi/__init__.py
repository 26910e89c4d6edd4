"""The routes of the field under /sdapi/v1 and /internal, with its names, defaults and answers."""
