#!/usr/bin/env bash
# Runs the recipes of docs/recipes as they stand there: the tests of a Flask and of an Express app, each of which may take
# RECIPE_LIMIT_MS at the most (1000). FAUXFAX_BIN names the binary; what they need, run.sh --install brings.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../.. && pwd)
FAUXFAX_BIN=$(realpath -m "${FAUXFAX_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug/fauxfax}")
export FAUXFAX_BIN
limit_ms=${RECIPE_LIMIT_MS:-1000}
venv=$(pwd)/.venv/7.5.1

# Node looks for packages in the folders above a file.
copy=$(mktemp -d "$(pwd)/recipe-XXXXXX")
trap 'rm -rf "$copy"' EXIT

# Tells each test with its milliseconds; fails where there is none, or one took too long. $1: what it is a report of.
hold_to_limit() {
    awk -v what="$1" -v limit="$limit_ms" '
        match($0, /<testcase[^>]*>/) {
            match($0, / name="[^"]*"/); name = substr($0, RSTART + 7, RLENGTH - 8)
            match($0, / time="[^"]*"/); ms = 1000 * substr($0, RSTART + 7, RLENGTH - 8)
            count++
            late += (ms > limit)
            printf "%s: %s took %d ms%s\n", what, name, ms, (ms > limit ? ", which is too long" : "")
        }
        END { printf "%s: %d tests passed, %d of them too slow\n", what, count, late; exit !count || late > 0 }'
}

grep -rnE '\b(sleep|setTimeout)\b' "$root"/docs/recipes/{pytest,node} && { echo 'a recipe sleeps' >&2; exit 1; }

(cd "$root/docs/recipes/pytest" && PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" -m pytest --quiet --junitxml "$copy/pytest.xml")
sed 's/<testcase/\n<testcase/g' "$copy/pytest.xml" | hold_to_limit pytest

cp "$root"/docs/recipes/node/*.mjs "$copy"
node --test --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=junit --test-reporter-destination="$copy/node.xml" "$copy"/*.test.mjs
hold_to_limit node:test <"$copy/node.xml"
