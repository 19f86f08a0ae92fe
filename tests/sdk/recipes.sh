#!/usr/bin/env bash
# Runs the recipes of docs/recipes: the tests of a Flask app and of an Express app, unchanged. Then runs the code blocks of
# README.md, of all pages in docs and of the skills (blocks.py). A test may take at most RECIPE_LIMIT_MS (default: 1000), or ten
# times as long if it runs all checks of an app. FAUXFAX_BIN names the binary; run.sh --install installs the libraries.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../.. && pwd)
FAUXFAX_BIN=$(realpath -m "${FAUXFAX_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug/fauxfax}")
export FAUXFAX_BIN
limit_ms=${RECIPE_LIMIT_MS:-1000}
venv=$(pwd)/.venv/7.5.1

# The copies must be below this folder, because Node looks for packages in the parent folders of a file.
copy=$(mktemp -d "$(pwd)/recipe-XXXXXX")
trap 'rm -rf "$copy"' EXIT

# Prints how many milliseconds each test in a JUnit report took. Fails if the report has no test, or if one took too long. $1 is
# the name of the test runner.
hold_to_limit() {
    awk -v what="$1" -v limit="$limit_ms" '
        match($0, /<testcase[^>]*>/) {
            match($0, / name="[^"]*"/); name = substr($0, RSTART + 7, RLENGTH - 8)
            match($0, / time="[^"]*"/); ms = 1000 * substr($0, RSTART + 7, RLENGTH - 8)
            count++
            allowed = name ~ /passes.every.check/ ? 10 * limit : limit
            late += (ms > allowed)
            printf "%s: %s took %d ms%s\n", what, name, ms, (ms > allowed ? ", which is too long" : "")
        }
        END { printf "%s: %d tests passed, %d of them too slow\n", what, count, late; exit !count || late > 0 }'
}

grep -rnE '\b(sleep|setTimeout)\b' "$root"/docs/recipes/{pytest,node} && { echo 'a recipe sleeps; recipes must wait for events instead' >&2; exit 1; }

(cd "$root/docs/recipes/pytest" && PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" -m pytest --quiet --junitxml "$copy/pytest.xml")
sed 's/<testcase/\n<testcase/g' "$copy/pytest.xml" | hold_to_limit pytest

cp "$root"/docs/recipes/node/*.mjs "$copy"
node --test --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=junit --test-reporter-destination="$copy/node.xml" "$copy"/*.test.mjs
hold_to_limit node:test <"$copy/node.xml"

"$venv/bin/python" blocks.py
