# What the scripts beside this file share. Each makes one package from the binary, below $PACKAGES, and tries it as its user would.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
host=$(rustc -vV | sed -n 's/^host: //p')
target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")
# The static binary, as `bash tests/packages.sh` builds it.
FAUXFAX_BIN=$(realpath -m "${FAUXFAX_BIN:-$target/$host/dist/fauxfax}")
# Where the packages are put.
PACKAGES=$(realpath -m "${PACKAGES:-$target/packages}")
# The exit status of a package that can't be made or tried on this machine, as in automake. The last line says why.
readonly SKIPPED=77
export FAUXFAX_BIN PACKAGES root target SKIPPED

[[ -x $FAUXFAX_BIN ]] || {
    echo "$FAUXFAX_BIN is missing; bash tests/packages.sh builds it" >&2
    exit 1
}
mkdir -p "$PACKAGES"
# Files that a script needs only while it runs.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Prints a fact of the project: project version.
project() {
    python3 "$root/packages/project.py" "$@"
}

# Prints the size of a package, as the last line of a script's log.
weigh() {
    stat -c '%n %s' "$@" | awk '{ sub(".*/", "", $1); printf "%s%s has %.1f MB", (NR > 1 ? ", " : ""), $1, $2 / 1e6 } END { print "" }'
}
