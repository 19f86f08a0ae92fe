#!/usr/bin/env bash
# Checks that a binary works on the system that it was built for: it has the right version, receives a fax, and sends one.
#
#   packages/release/smoke.sh BINARY
set -euo pipefail

binary=${1:?usage: packages/release/smoke.sh BINARY}
version=$(python3 "$(dirname "${BASH_SOURCE[0]}")/../project.py" version)
[[ $("$binary" --version) == "fauxfax $version" ]] || {
    echo "$binary is $("$binary" --version), not $version" >&2
    exit 1
}
"$binary" exec --fax-twiml '<Response><Receive/></Response>' -- "$binary" receive --pages 2 --wait
"$binary" exec -- "$binary" send --from +15005550006 --to +15558675310 \
    "$(dirname "${BASH_SOURCE[0]}")/../../fixtures/documents/two-pages.pdf" --wait
