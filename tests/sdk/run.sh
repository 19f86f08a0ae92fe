#!/usr/bin/env bash
# Runs Twilio's real client libraries, unmodified, against the emulator, and real webhook apps behind it.
#
#   tests/sdk/run.sh [--install|--no-install] [SUITE…]
#
# A suite is one library at one version; without a name all run. --install only installs, --no-install never does.
# FAUXFAX_BIN names the binary; without it that of cargo build is taken.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../.. && pwd)
suites=(python-6.63.2 python-7.5.1 python-9.13.0 node-3 node-5 node-6)

# From 7.9.2 (Python) and 3.77.2 (node) on the libraries have no Fax API: they take part with their validators, their
# TwiML and the calls for numbers and accounts.
python_without_fax=(test_account_resources.py test_accounts.py test_inbound.py test_numbers.py test_validators.py)
node_without_fax=(node/inbound.test.mjs node/numbers.test.mjs node/resources.test.mjs)

die() {
    echo "tests/sdk: $*" >&2
    exit 1
}

# Whether what is in folder $1 was made from file $2 as it is now.
is_fresh() {
    [[ -f $1/.made-from ]] && cmp -s "$1/.made-from" "$2"
}

install_python() {
    local venv=.venv/$1 requirements=requirements/twilio-$1.txt
    is_fresh "$venv" "$requirements" && return
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$requirements"
    "$venv/bin/python" -m pip check
    cp "$requirements" "$venv/.made-from"
}

install_node() {
    is_fresh node_modules package-lock.json && return
    npm ci --no-audit --no-fund --loglevel=error
    cp package-lock.json node_modules/.made-from
}

run_python() {
    local files=()
    "$(pwd)/.venv/$1/bin/python" -c 'import importlib.util as u, sys; sys.exit(not u.find_spec("twilio.rest.fax"))' ||
        files=("${python_without_fax[@]}")
    (cd python && PYTHONDONTWRITEBYTECODE=1 "../.venv/$1/bin/python" -m pytest -p no:cacheprovider "${files[@]}")
}

run_node() {
    local files=(node/*.test.mjs)
    [[ $1 == 3 ]] || files=("${node_without_fax[@]}")
    # Three emulators and their apps at once would only wait for each other on a small machine.
    TWILIO_LIBRARY=twilio-$1 node --test --test-concurrency=1 --test-reporter=spec "${files[@]}"
}

mode=both
chosen=()
for argument in "$@"; do
    case $argument in
        --install) mode=install ;;
        --no-install) mode=run ;;
        -*) die "unknown option $argument" ;;
        *)
            [[ " ${suites[*]} " == *" $argument "* ]] || die "no suite $argument; there are: ${suites[*]}"
            chosen+=("$argument")
            ;;
    esac
done
((${#chosen[@]})) || chosen=("${suites[@]}")

if [[ $mode != install ]]; then
    FAUXFAX_BIN=$(realpath -m "${FAUXFAX_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug/fauxfax}")
    [[ -x $FAUXFAX_BIN ]] || die "$FAUXFAX_BIN is not there; build it: cargo build --bin fauxfax"
    export FAUXFAX_BIN
fi

failed=()
for suite in "${chosen[@]}"; do
    language=${suite%%-*}
    version=${suite#*-}
    if [[ $mode != run ]]; then
        "install_$language" "$version"
    fi
    if [[ $mode != install ]]; then
        echo "== twilio-$suite"
        "run_$language" "$version" || failed+=("$suite")
    fi
done
((${#failed[@]} == 0)) || die "failed: ${failed[*]}"
