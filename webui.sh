#!/usr/bin/env bash
# Starts Easel on Linux and macOS: finds a Python, the rest is launch.py. Your own settings go into webui-user.sh.
if [ -z "${BASH_VERSION:-}" ]; then exec bash "$0" "$@"; fi
if [[ "${BASH_SOURCE[0]:-$0}" != "$0" ]]; then
    # Read by somebody's own shell, which has to stay as it is.
    bash "${BASH_SOURCE[0]}" "$@"
    return
fi
set -euo pipefail
# They belong to other shells and other Pythons; one that is meant for Easel can be set in webui-user.sh.
unset CDPATH PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONSTARTUP

# The folder of this file, whatever links lead to it. The x saves a line end that belongs to a name.
easel_file="${BASH_SOURCE[0]:-$0}"
while [[ -L "$easel_file" ]]; do
    easel_link="$(readlink -- "$easel_file" && printf x)"
    easel_link="${easel_link%$'\nx'}"
    [[ "$easel_link" == /* || "$easel_file" != */* ]] || easel_link="${easel_file%/*}/$easel_link"
    easel_file="$easel_link"
done
easel_folder="./"
[[ "$easel_file" != */* ]] || easel_folder="${easel_file%/*}/"
easel_folder="$(builtin cd -P -- "$easel_folder" && builtin pwd -P && printf x)"
easel_folder="${easel_folder%$'\nx'}"
if [[ ! -f "$easel_folder/launch.py" ]]; then
    echo "There is no launch.py in $easel_folder: call webui.sh by its path, or through a link to it." >&2
    exit 1
fi

easel_stands="${PWD:-}"
easel_words=("$@")
export COMMANDLINE_ARGS="${COMMANDLINE_ARGS:-}"
easel_given="$COMMANDLINE_ARGS"

easel_suits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

easel_find_python() {
    local candidate
    python="${python_cmd:-${PYTHON:-}}"
    if [[ "$python" == */* && "$python" != /* ]]; then
        python="$easel_folder/$python"
    fi
    if [[ -z "$python" ]]; then
        for candidate in python3.13 python3.12 python3.11 python3 python; do
            if command -v "$candidate" >/dev/null && easel_suits "$candidate"; then
                python="$candidate"
                return
            fi
        done
        echo "Python 3.11, 3.12 or 3.13 is needed and none was found: install one, or name it as python_cmd in" \
            "webui-user.sh." >&2
        exit 1
    fi
    if ! command -v "$python" >/dev/null; then
        echo "There is no Python at $python: mend python_cmd in webui-user.sh, or the variable PYTHON." >&2
        exit 1
    fi
}

easel_start() {
    trap - EXIT
    # The user's file may have changed how this shell reads.
    set -eu +f
    IFS=$' \t\n'
    local name
    # Variables as the field's start files name them.
    export VENV_DIR="${venv_dir:-${VENV_DIR:-}}"
    export GIT="${GIT:-git}"
    for name in TORCH_COMMAND REQS_FILE; do
        if [[ -n "${!name:-}" ]]; then
            export "${name?}"
        fi
    done
    # Relative paths in the user's file start at its folder, all others where the person stands.
    unset EASEL_STARTING EASEL_STANDS EASEL_ARGS_FOLDER CDPATH
    if [[ "$COMMANDLINE_ARGS" != "$easel_given" ]]; then
        export EASEL_ARGS_FOLDER="$easel_folder"
    fi
    builtin cd -- "${easel_stands:-$easel_folder}" 2>/dev/null || builtin cd -- "$easel_folder"
    easel_find_python
    exec "$python" "$easel_folder/launch.py" ${easel_words[@]+"${easel_words[@]}"}
}

# The user's file may end with exit: what it has set by then counts, and a failure is said.
easel_ended() {
    local status=$?
    if ((status)); then
        trap - EXIT
        echo "webui-user.sh ended with status $status, so Easel is not started: mend it, or take out the command" \
            "that failed." >&2
        exit "$status"
    fi
    easel_start
}

if [[ "${EASEL_STARTING:-}" == "$$" ]]; then
    # The user's file has put this start in its own place.
    easel_stands="${EASEL_STANDS:-}"
    easel_given=""
elif [[ -n "${EASEL_STARTING:-}" ]]; then
    echo "webui-user.sh is read by webui.sh: take the call of webui.sh out of it." >&2
    exit 1
fi
if [[ -f "$easel_folder/webui-user.sh" && -z "${EASEL_STARTING:-}" ]]; then
    easel_settings="$(<"$easel_folder/webui-user.sh")"
    # Editors of Windows write other line ends, and a mark at the beginning.
    easel_own="${easel_settings//$'\r'/}"
    easel_own="${easel_own#$'\xef\xbb\xbf'}"
    if ! "$BASH" -n <<<"$easel_own"; then
        echo "webui-user.sh cannot be read, the reason is above: mend it, often a quotation mark is missing." >&2
        exit 1
    fi
    export EASEL_STARTING="$$" EASEL_STANDS="$easel_stands"
    builtin cd -- "$easel_folder"
    trap easel_ended EXIT
    # It may be less strict than this file.
    set +eu
    if [[ "$easel_own" == "$easel_settings" ]]; then
        # shellcheck source=/dev/null
        source ./webui-user.sh
    else
        eval "$easel_own"
    fi
fi
easel_start
