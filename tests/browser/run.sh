#!/usr/bin/env bash
# Drives the console in a real Chromium. FAUXFAX_BIN names the binary; without it that of cargo build is taken.
#
#   tests/browser/run.sh [FILE…]      the tests, or some of them
#   tests/browser/run.sh --pictures [NAME…]   draws the pictures in docs/images anew, or some of them
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../.. && pwd)
FAUXFAX_BIN=$(realpath -m "${FAUXFAX_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug/fauxfax}")
export FAUXFAX_BIN

[[ -x $FAUXFAX_BIN ]] || {
    echo "tests/browser: $FAUXFAX_BIN is not there; build it: cargo build --bin fauxfax" >&2
    exit 1
}
[[ -x ${FAUXFAX_CHROMIUM:-/usr/bin/chromium} ]] || {
    echo 'tests/browser: no Chromium; install it (apt-get install chromium) or name one by FAUXFAX_CHROMIUM' >&2
    exit 1
}
if ! cmp -s package-lock.json node_modules/.made-from; then
    PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error
    cp package-lock.json node_modules/.made-from
fi

if [[ ${1:-} == --pictures ]]; then
    shift; exec node pictures.mjs "$@"
fi
files=("$@")
((${#files[@]})) || files=(./*.test.mjs)
# One after the other: on a small machine browsers at once only wait for each other.
exec node --test --test-concurrency=1 --test-reporter=spec "${files[@]}"
