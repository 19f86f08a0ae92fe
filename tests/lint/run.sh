#!/usr/bin/env bash
# Lints what no Rust tool reads: shell scripts and the Dockerfile. Installs the linters if they are missing.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
venv=tests/lint/.venv
requirements=tests/lint/requirements.txt

if ! cmp -s "$venv/.made-from" "$requirements"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: -r "$requirements"
    cp "$requirements" "$venv/.made-from"
fi

"$venv/bin/shellcheck" -x -P SCRIPTDIR .ci/run tests/*.sh tests/*/run.sh tests/packages/*.sh packages/*/*.sh
"$venv/bin/hadolint" Dockerfile
echo 'shell scripts and Dockerfile are clean'
