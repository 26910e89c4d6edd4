#!/usr/bin/env bash
# Starts Easel on Linux and macOS: finds a Python, the rest is launch.py. Your own settings go into webui-user.sh.
set -euo pipefail

here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"
cd -- "$here"

export COMMANDLINE_ARGS="${COMMANDLINE_ARGS:-}"
if [[ -f webui-user.sh ]]; then
    # A user's file may be less strict than this one.
    set +eu
    # shellcheck source=/dev/null
    source ./webui-user.sh
    set -eu
fi

# Variables as the field's start files name them.
export VENV_DIR="${venv_dir:-${VENV_DIR:-}}"
export GIT="${GIT:-git}"
for name in TORCH_COMMAND REQS_FILE; do
    if [[ -n "${!name:-}" ]]; then
        export "${name?}"
    fi
done

is_suitable() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

python="${python_cmd:-${PYTHON:-}}"
if [[ -z "$python" ]]; then
    for candidate in python3.13 python3.12 python3.11 python3 python; do
        if command -v "$candidate" >/dev/null && is_suitable "$candidate"; then
            python="$candidate"
            break
        fi
    done
fi
if [[ -z "$python" ]]; then
    echo "Python 3.11, 3.12 or 3.13 is needed and none was found: install one, or name it as python_cmd in" \
        "webui-user.sh." >&2
    exit 1
fi
if ! command -v "$python" >/dev/null; then
    echo "There is no Python at $python: mend python_cmd in webui-user.sh, or the variable PYTHON." >&2
    exit 1
fi

exec "$python" launch.py "$@"
