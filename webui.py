"""Starts Easel: the web UI and the API, or with `generate` a single picture on the command line."""

import os
import sys
from pathlib import Path

from modules.launching import choose_wait_policy, mend_process

mend_process(Path(__file__).resolve().parent)

# torch looks at this once, when it is loaded.
choose_wait_policy(os.environ)

from modules.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
