"""Starts Easel: the web UI and the API, or with `generate` a single picture on the command line."""

import sys

from modules.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
