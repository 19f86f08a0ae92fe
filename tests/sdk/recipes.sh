#!/usr/bin/env bash
# Runs the recipes of docs/recipes as they stand there: the tests of a Flask and of an Express app. FAUXFAX_BIN names the
# binary; what they need is what run.sh --install has installed.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../.. && pwd)
FAUXFAX_BIN=$(realpath -m "${FAUXFAX_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug/fauxfax}")
export FAUXFAX_BIN
venv=$(pwd)/.venv/7.5.1

(cd "$root/docs/recipes/pytest" && PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" -m pytest --quiet --durations=3)

# Node looks for packages in the folders above a file.
copy=$(mktemp -d "$(pwd)/recipe-XXXXXX")
trap 'rm -rf "$copy"' EXIT
cp "$root"/docs/recipes/node/*.mjs "$copy"
node --test --test-reporter=spec "$copy"/*.test.mjs
