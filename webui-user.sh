#!/usr/bin/env bash
# Your own settings: take away the # of a line to use it. webui.sh reads them.

# Run by itself, this file starts Easel too.
[ "${EASEL_STARTING:-}" ] || [ "${BASH_SOURCE:-$0}" != "$0" ] ||
    exec bash "$(dirname "$(readlink -f "$0" || echo "$0")")/webui.sh" "$@"

# The Python to use, 3.11 to 3.13
#python_cmd="python3.12"

# The git to use for extensions
#export GIT="git"

# Folder of the virtual environment, or - for none
#venv_dir="venv"

# Flags, as `./webui.sh --help` lists them, for example "--medvram --data-dir /big/disk".
# Relative paths start at the folder of this file.
#export COMMANDLINE_ARGS=""

# Another build of torch than the one that is found for this machine
#export TORCH_COMMAND="pip install torch==2.14.1 torchvision==0.29.1"

# Another list of packages
#export REQS_FILE="requirements.txt"
