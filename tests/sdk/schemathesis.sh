#!/usr/bin/env bash
# Checks the control API against its OpenAPI document: schemathesis makes valid and invalid calls, and no response may be a
# 5xx, or have a status or a form that the document doesn't list. FAUXFAX_BIN names the binary.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../.. && pwd)
FAUXFAX_BIN=$(realpath -m "${FAUXFAX_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug/fauxfax}")
venv=.venv/schemathesis
requirements=requirements/schemathesis.txt
examples=${SCHEMATHESIS_EXAMPLES:-30}

if ! cmp -s "$venv/.made-from" "$requirements"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$requirements"
    cp "$requirements" "$venv/.made-from"
fi

folder=$(mktemp -d)
"$FAUXFAX_BIN" serve --listen 127.0.0.1:0 --port-file "$folder/port" --seed 7 --pace max >"$folder/ready" 2>"$folder/log" &
emulator=$!
trap 'kill "$emulator"; wait "$emulator" || true; rm -rf "$folder"' EXIT
until [[ -s $folder/port ]]; do
    kill -0 "$emulator" || { cat "$folder/log" >&2; exit 1; }
    # Waits 50 ms; unlike sleep, a read that times out starts no process.
    read -r -t 0.05 <> <(:) || true
done
url=http://127.0.0.1:$(<"$folder/port")

# With the seed, each run makes the same calls. SCHEMATHESIS_EXAMPLES sets how many it makes; more calls find more faults.
"$venv/bin/schemathesis" run "$url/_fauxfax/v1/openapi.json" --url "$url" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --max-examples "$examples" --seed 7 --request-timeout 60 --generation-database none --suppress-health-check all \
    --phases examples,coverage,fuzzing
