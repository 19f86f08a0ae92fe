#!/usr/bin/env bash
# Tests the console in a real Chromium, and its main journey in a real Firefox. FAUXFAX_BIN names the binary (default: the one that
# cargo build makes).
#
#   tests/browser/run.sh [FILE…]              runs all tests, or those in FILE
#   tests/browser/run.sh --pictures [NAME…]   takes the screenshots in docs/images again, or those named NAME
#   tests/browser/run.sh --recording          records a fax that arrives, for the README
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../.. && pwd)
FAUXFAX_BIN=$(realpath -m "${FAUXFAX_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug/fauxfax}")
export FAUXFAX_BIN

[[ -x $FAUXFAX_BIN ]] || {
    echo "tests/browser: $FAUXFAX_BIN does not exist; build it: cargo build --bin fauxfax" >&2
    exit 1
}
[[ -x ${FAUXFAX_CHROMIUM:-/usr/bin/chromium} ]] || {
    echo 'tests/browser: Chromium not found; install it (apt-get install chromium) or set FAUXFAX_CHROMIUM to its path' >&2
    exit 1
}
[[ -x ${FAUXFAX_FIREFOX:-/usr/bin/firefox-esr} ]] || {
    echo 'tests/browser: Firefox not found; install it (apt-get install firefox-esr) or set FAUXFAX_FIREFOX to its path' >&2
    exit 1
}
if ! cmp -s package-lock.json node_modules/.made-from; then
    PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error
    cp package-lock.json node_modules/.made-from
fi

if [[ ${1:-} == --pictures ]]; then
    shift; exec node pictures.mjs "$@"
fi
if [[ ${1:-} == --recording ]]; then
    exec node recording.mjs
fi
files=("$@")
((${#files[@]})) || files=(./*.test.mjs)
# One file at a time: on a small machine, browsers running at once only slow each other down.
exec node --test --test-concurrency=1 --test-reporter=spec "${files[@]}"
