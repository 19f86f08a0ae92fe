#!/usr/bin/env bash
# Makes every package from the local static binary, below target/packages, and tries each as its user would. Most scripts
# in tests/packages/ make one package.
#
#   bash tests/packages.sh             all packages
#   bash tests/packages.sh python npm  these
#
# FAUXFAX_BIN names a static binary that is already built.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
root=$(pwd)
# shellcheck source=tests/steps.sh
source tests/steps.sh
find_rust || exit 1
target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")
host=$(rustc -vV | sed -n 's/^host: //p')
logs=${FAUXFAX_TEST_LOGS:-$target/test-logs}
mkdir -p "$logs"

if [[ -z ${FAUXFAX_BIN:-} ]]; then
    export FAUXFAX_BIN=$target/$host/dist/fauxfax
    step 'static binary' build_static
fi
(($#)) || set -- "${PACKAGES_IN_ORDER[@]}"
for name in "$@"; do
    step "package $name" bash "tests/packages/$name.sh"
done
summary
