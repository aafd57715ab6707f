#!/usr/bin/env bash
# Starts the zone program: `/bin/bash /app/run.sh [OPTION...]`, options as of `wwspec serve`.
# The platform may start it with an empty environment and in any folder [99955], so all that the program needs
# is set here. An option given twice counts as given last: `run.sh --port 8081` listens on 8081. Events wait in
# var/notify.db beside this script, unless an option or the environment names another store.
[ -n "${BASH_VERSION:-}" ] || exec /bin/bash "$0" "$@" # `sh run.sh`: what follows is for bash
set -euo pipefail
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
here=${BASH_SOURCE[0]}
if [[ $here != /* || -L $here ]]; then # not as the platform starts it: saves it a process
    here=$(readlink -f -- "$here")
fi
here=${here%/*}

export PATH="$here/.venv/bin:$PATH"
export HOME="${HOME:-$here}"
export LANG=C.UTF-8 PYTHONUTF8=1    # Chinese text in logs and files, whatever the platform's locale
export PYTHONUNBUFFERED=1           # the platform collects log lines as they are written
export PYTHONDONTWRITEBYTECODE=1    # the image brings its byte code
export PYTHONSAFEPATH=1             # nothing is imported from the folder that we were started in
export PYTHONPATH="$here:$here/sdk" # sdk/ holds the vendor's module

# Replies are tens of KB. With its defaults the allocator gives such pages back to the system after each call
# and faults them in again for the next one; these bounds (bytes) let it keep them.
export MALLOC_TOP_PAD_="${MALLOC_TOP_PAD_:-1048576}"
export MALLOC_TRIM_THRESHOLD_="${MALLOC_TRIM_THRESHOLD_:-67108864}"
export MALLOC_MMAP_THRESHOLD_="${MALLOC_MMAP_THRESHOLD_:-4194304}"

python="$here/.venv/bin/python"
if [[ ! -x $python ]]; then
    echo "run.sh: no Python at $python: run.sh starts the program in its image" >&2
    exit 69
fi
host=0.0.0.0
case " $* " in
    *" --allow-remote "*) ;;
    *" --sdk emulator "* | *" --sdk=emulator "*) host=127.0.0.1 ;; # its key is no secret: for this machine only
esac
exec "$python" -m wwspec_router serve --host "$host" --port 8080 --app "$here" "$@"
