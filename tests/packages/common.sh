# Shared by the scripts beside this file. Most of them make a package from the binary, in $PACKAGES, and test it as a user would.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
host=$(rustc -vV | sed -n 's/^host: //p')
target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")
# The static binary, as `bash tests/packages.sh` builds it.
FAUXFAX_BIN=$(realpath -m "${FAUXFAX_BIN:-$target/$host/dist/fauxfax}")
# Where the packages are put.
PACKAGES=$(realpath -m "${PACKAGES:-$target/packages}")
# The exit status if a package can't be made or tested on this machine, as in automake. The last line of the output says why.
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

# Prints a fact about the project, such as its version: project version.
project() {
    python3 "$root/packages/project.py" "$@"
}

# Prints the sizes of packages, as the last line of a script's log.
weigh() {
    stat -c '%n %s' "$@" | awk '{ sub(".*/", "", $1); printf "%s%s has %.1f MB", (NR > 1 ? ", " : ""), $1, $2 / 1e6 } END { print "" }'
}
