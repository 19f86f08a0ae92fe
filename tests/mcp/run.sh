#!/usr/bin/env bash
# Calls every tool of the Model Context Protocol server with the official Python client: over standard input and output and over
# HTTP, in version 2026-07-28 of the protocol and in the one before it. FAUXFAX_BIN names the binary.
#
#   tests/mcp/run.sh [--install|--no-install]
#
# --install only installs the client, --no-install never installs it.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../.. && pwd)
FAUXFAX_BIN=$(realpath -m "${FAUXFAX_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug/fauxfax}")
export FAUXFAX_BIN
venv=.venv

if [[ ${1:-} != --no-install ]] && ! cmp -s "$venv/.made-from" requirements.txt; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.txt
    "$venv/bin/python" -m pip check
    cp requirements.txt "$venv/.made-from"
fi
[[ ${1:-} != --install ]] || exit 0
PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" tools.py
