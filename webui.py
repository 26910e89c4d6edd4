"""Starts Easel: the web UI and the API, or with `generate` a single picture on the command line."""

import os
import sys
from pathlib import Path

from modules.launching import mend_process, wait_briefly

mend_process(Path(__file__).resolve().parent)

# torch looks at this once, when it is loaded.
wait_briefly(os.environ)

from modules.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
