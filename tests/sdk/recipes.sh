#!/usr/bin/env bash
# Runs the recipes of docs/recipes: the tests of a Flask app and of an Express app, unchanged, and the code on the page about
# SignalWire, in which only the ports are replaced. Each test may take at most RECIPE_LIMIT_MS (default: 1000). FAUXFAX_BIN
# names the binary; run.sh --install installs the libraries.
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

# Prints each test of a JUnit report with its milliseconds. Fails if the report has no test, or if one took too long. $1 is
# the report's name.
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

grep -rnE '\b(sleep|setTimeout)\b' "$root"/docs/recipes/{pytest,node} && { echo 'a recipe sleeps; recipes must wait for events instead' >&2; exit 1; }

(cd "$root/docs/recipes/pytest" && PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" -m pytest --quiet --junitxml "$copy/pytest.xml")
sed 's/<testcase/\n<testcase/g' "$copy/pytest.xml" | hold_to_limit pytest

cp "$root"/docs/recipes/node/*.mjs "$copy"
node --test --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=junit --test-reporter-destination="$copy/node.xml" "$copy"/*.test.mjs
hold_to_limit node:test <"$copy/node.xml"

# Prints code block number $2 in the language $1 of the page about SignalWire, with the ports of this run.
block() {
    awk -v fence="\`\`\`$1" -v wanted="$2" '
        $0 == fence { count++; inside = count == wanted; next }
        /^```/ { inside = 0 }
        inside' "$root/docs/recipes/signalwire.md" | sed -e "s/127\.0\.0\.1:8329/127.0.0.1:$port/" -e "s/localhost:8330/localhost:$tls_port/" |
        grep . || { echo "signalwire.md has no block $2 of $1" >&2; exit 1; }
}

# Fails unless standard input has the word "queued" or "delivered". $1 names the code block that printed it.
hold_to_status() {
    local printed
    printed=$(cat)
    [[ $printed == *queued* || $printed == *delivered* ]] || { echo "signalwire.md, $1: $printed" >&2; exit 1; }
    echo "signalwire.md: $1 passed"
}

# The page calls the binary fauxfax, without a path.
ln -s "$FAUXFAX_BIN" "$copy/fauxfax"
export PATH=$copy:$PATH XDG_DATA_HOME=$copy/data
export SIGNALWIRE_PROJECT_ID=b3877c40-da60-4998-90ad-b792e98472ac SIGNALWIRE_API_TOKEN=PTofTheRecipes
mkdir "$XDG_DATA_HOME"
exec {ready}< <(exec fauxfax serve --listen 127.0.0.1:0 --tls-listen 127.0.0.1:0 --dialect signalwire --pace max 2>"$copy/log")
emulator=$!
trap 'kill $emulator; rm -rf "$copy"' EXIT
read -r -a words <&"$ready"
port=${words[2]##*:}
tls_port=${words[-1]##*:}
venv=$(pwd)/.venv/signalwire-2.1.1

block js 1 >"$copy/app.mjs"
node "$copy/app.mjs" | hold_to_status 'npm by base URL'
sed -e '/baseUrl/d' -e 's/, { signalwireSpaceUrl: "[^"]*" }//' "$copy/app.mjs" >"$copy/plain.mjs"
(
    variables=$(block sh 3)
    eval "$variables"
    node "$copy/plain.mjs"
) | hold_to_status 'npm by https'
fauxfax exec --dialect signalwire -- node "$copy/plain.mjs" | hold_to_status 'npm under exec'
block python 1 | "$venv/bin/python" - | hold_to_status 'PyPI by base URL'
block python 2 | "$venv/bin/python" - | hold_to_status 'PyPI by https'
block sh 4 | bash | hold_to_status 'raw HTTP'
