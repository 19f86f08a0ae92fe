#!/usr/bin/env bash
# Runs the real client libraries of Twilio and SignalWire, unmodified, against the emulator, with real webhook apps behind it.
#
#   tests/sdk/run.sh [--install|--no-install] [SUITE…]
#
# A suite is one version of a library, or a program; without a name, all suites run. --install only installs, --no-install never
# installs.
# FAUXFAX_BIN names the binary (default: the one that cargo build makes).
# FAUXFAX_WAY selects how the libraries reach the emulator. base-url configures each client; proxy (fauxfax serve and fauxfax
# env) and exec (fauxfax exec) set only environment variables. For SignalWire's libraries there is also space: https, with
# localhost and the emulator's port as the space.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../.. && pwd)
suites=(
    python-6.63.2 python-7.5.1 python-7.9.1 python-9.13.0 node-3 node-5 node-6
    signalwire-python-2.1.1 signalwire-compatibility-3 signalwire-node-2 signalwire-node-3
    curl php java cli-2.36.1 cli-6.2.4 namespace emr inbox
)

# The libraries have no Fax API since 7.9.2 (Python) and 3.77.2 (node). Of these versions, the validators, TwiML and the calls for
# numbers, accounts, messages and look-ups are tested.
python_without_fax=(
    test_account_resources.py test_accounts.py test_inbound.py test_marks.py test_neighbours.py test_numbers.py test_validators.py
)
node_without_fax=(
    node/inbound.test.mjs node/marks.test.mjs node/neighbours.test.mjs node/numbers.test.mjs node/resources.test.mjs
)

die() {
    echo "tests/sdk: $*" >&2
    exit 1
}

# Succeeds if folder $1 was made from the current content of file $2.
is_fresh() {
    [[ -f $1/.made-from ]] && cmp -s "$1/.made-from" "$2"
}

install_python() {
    install_venv "$1" "twilio-$1"
    ".venv/$1/bin/python" -m pip check
}

# Creates the virtual environment .venv/$1 from requirements/$2.txt.
install_venv() {
    local venv=.venv/$1 requirements=requirements/$2.txt
    is_fresh "$venv" "$requirements" && return
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$requirements"
    cp "$requirements" "$venv/.made-from"
}

install_node() {
    is_fresh node_modules package-lock.json && return
    npm ci --no-audit --no-fund --loglevel=error
    cp package-lock.json node_modules/.made-from
}

# The flags of the emulators that the libraries are tested with.
flags=(--seed 2017 --pace max)

# Runs a command in the way that FAUXFAX_WAY selects.
on_its_way() {
    case ${FAUXFAX_WAY:-base-url} in
        base-url) "$@" ;;
        exec) "$FAUXFAX_BIN" exec "${flags[@]}" -- "$@" ;;
        proxy) through_the_proxy "$@" ;;
        space) in_its_space "$@" ;;
        *) die "FAUXFAX_WAY must be base-url, proxy, exec or space, not $FAUXFAX_WAY" ;;
    esac
}

through_the_proxy() (
    XDG_DATA_HOME=$(mktemp -d)
    export XDG_DATA_HOME
    exec {ready}< <(exec "$FAUXFAX_BIN" serve --listen 127.0.0.1:0 "${flags[@]}" 2>/dev/null)
    emulator=$!
    trap 'kill $emulator; rm -rf "$XDG_DATA_HOME"' EXIT
    read -r _ _ url _ <&"$ready"
    variables=$("$FAUXFAX_BIN" env --url "$url")
    eval "$variables"
    "$@"
)

# Runs a command in which only the library's space is configured. The library calls it by https, and must trust the local CA.
in_its_space() (
    [[ " ${flags[*]} " == *' signalwire '* ]] || die "only SignalWire's libraries support FAUXFAX_WAY=space"
    XDG_DATA_HOME=$(mktemp -d)
    export XDG_DATA_HOME
    exec {ready}< <(exec "$FAUXFAX_BIN" serve --listen 127.0.0.1:0 --tls-listen 127.0.0.1:0 "${flags[@]}" 2>/dev/null)
    emulator=$!
    trap 'kill $emulator; rm -rf "$XDG_DATA_HOME"' EXIT
    # The ready line ends with "tls https://127.0.0.1:PORT".
    read -r -a words <&"$ready"
    FAUXFAX_URL=${words[2]}
    SIGNALWIRE_SPACE_URL=localhost:${words[-1]##*:}
    LOCAL_CA=$("$FAUXFAX_BIN" ca path)
    NODE_EXTRA_CA_CERTS=$LOCAL_CA
    export FAUXFAX_URL SIGNALWIRE_SPACE_URL LOCAL_CA NODE_EXTRA_CA_CERTS
    "$@"
)

run_python() {
    local files=() python
    python=$(pwd)/.venv/$1/bin/python
    if ! "$python" -c 'import twilio.rest.fax' 2>/dev/null; then
        files=("${python_without_fax[@]}")
    elif ! "$python" -c 'from twilio.rest.fax.v1.fax import FaxList; FaxList.create' 2>/dev/null; then
        files=("${python_without_fax[@]}" test_read_only.py)
    fi
    (cd python && PYTHONDONTWRITEBYTECODE=1 on_its_way "../.venv/$1/bin/python" -m pytest -p no:cacheprovider "${files[@]}")
}

run_node() {
    local files=(node/*.test.mjs)
    [[ $1 == 3 ]] || files=("${node_without_fax[@]}")
    # On a small machine, several emulators and their apps at once would only slow each other down.
    TWILIO_LIBRARY=twilio-$1 on_its_way node --test --test-concurrency=1 --test-reporter=spec "${files[@]}"
}

install_signalwire() {
    case $1 in
        python-*) install_venv "signalwire-${1#python-}" "signalwire-${1#python-}" ;;
        *) install_node ;;
    esac
}

run_signalwire() {
    local flags=("${flags[@]}" --dialect signalwire) files=(signalwire/node/*.test.mjs)
    if [[ $1 == python-* ]]; then
        (cd signalwire/python && PYTHONDONTWRITEBYTECODE=1 \
            on_its_way "../../.venv/signalwire-${1#python-}/bin/python" -m pytest -p no:cacheprovider)
        return
    fi
    # Version 3 of @signalwire/node has a validator but no client.
    [[ $1 != node-3 ]] || files=(signalwire/node/inbound.test.mjs signalwire/node/validators.test.mjs)
    SIGNALWIRE_LIBRARY=signalwire-$1 on_its_way node --test --test-concurrency=1 --test-reporter=spec "${files[@]}"
}

# Unmodified programs. They always run under exec, whatever FAUXFAX_WAY selects.
install_curl() {
    command -v curl >/dev/null || die 'curl is not installed (Debian: curl)'
}

run_curl() {
    "$FAUXFAX_BIN" exec --pace max -- bash unchanged/curl.sh
}

install_php() {
    php -r 'exit(extension_loaded("curl") ? 0 : 1);' || die 'PHP with curl is not installed (Debian: php-cli, php-curl)'
}

run_php() {
    "$FAUXFAX_BIN" exec --pace max -- php unchanged/fax.php
}

install_java() {
    command -v java >/dev/null || echo 'no JDK: the suite will be skipped'
}

run_java() {
    command -v java >/dev/null || {
        echo 'skipped: no JDK'
        return 77
    }
    "$FAUXFAX_BIN" exec -- java unchanged/Fax.java
}

install_cli() {
    [[ -x .cli/$1/node_modules/.bin/twilio ]] && return
    mkdir -p ".cli/$1"
    npm install --prefix ".cli/$1" --no-audit --no-fund --loglevel=error "twilio-cli@$1"
}

run_cli() {
    "$FAUXFAX_BIN" exec --pace max -- bash unchanged/cli.sh "$(pwd)/.cli/$1/node_modules/.bin/twilio" "$1"
}

install_namespace() {
    install_python 7.5.1
    install_node
}

run_namespace() {
    bash unchanged/namespace.sh "$(pwd)/.venv/7.5.1/bin/python" "$(pwd)/node_modules"
}

install_emr() {
    install_signalwire python-2.1.1
}

run_emr() {
    SIGNALWIRE_SIGNING_KEY=PSK_ofTheTestsAlone "$FAUXFAX_BIN" exec "${flags[@]}" --dialect signalwire -- \
        "$(pwd)/.venv/signalwire-2.1.1/bin/python" unchanged/emr/drive.py
}

# The example app, unmodified, and its tests in one environment.
install_inbox() {
    install_python 7.5.1
}

run_inbox() {
    local python own=$root/examples/inbox-python/requirements.txt
    if grep -vxFf requirements/twilio-7.5.1.txt "$own"; then
        echo "these versions in $own differ from those of the environment" >&2
        return 1
    fi
    python=$(pwd)/.venv/7.5.1/bin/python
    (cd unchanged/inbox && PYTHONDONTWRITEBYTECODE=1 "$FAUXFAX_BIN" exec "${flags[@]}" -- "$python" -m pytest)
}

mode=both
chosen=()
for argument in "$@"; do
    case $argument in
        --install) mode=install ;;
        --no-install) mode=run ;;
        -*) die "unknown option $argument" ;;
        *)
            [[ " ${suites[*]} " == *" $argument "* ]] || die "unknown suite $argument; the suites are ${suites[*]}"
            chosen+=("$argument")
            ;;
    esac
done
((${#chosen[@]})) || chosen=("${suites[@]}")

if [[ $mode != install ]]; then
    FAUXFAX_BIN=$(realpath -m "${FAUXFAX_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug/fauxfax}")
    [[ -x $FAUXFAX_BIN ]] || die "$FAUXFAX_BIN does not exist; build it: cargo build --bin fauxfax"
    export FAUXFAX_BIN
fi

failed=()
skipped=()
for suite in "${chosen[@]}"; do
    language=${suite%%-*}
    version=${suite#*-}
    if [[ $mode != run ]]; then
        "install_$language" "$version"
    fi
    if [[ $mode != install ]]; then
        echo "== $suite"
        status=0
        "run_$language" "$version" || status=$?
        case $status in
            0) ;;
            77) skipped+=("$suite") ;;
            *) failed+=("$suite") ;;
        esac
    fi
done
((${#failed[@]} == 0)) || die "failed: ${failed[*]}"
# As in automake, the exit status 77 means that every suite was skipped. Callers that run one suite at a time rely on it.
((${#skipped[@]} < ${#chosen[@]})) || exit 77
