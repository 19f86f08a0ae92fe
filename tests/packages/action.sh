#!/usr/bin/env bash
# Checks the GitHub Action against GitHub's schema and for security holes. Then runs its steps as a runner would, with a release
# on a local server, and uses fauxfax as a later step would, with the PATH and the variables that those steps have set.
# shellcheck source=tests/packages/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tests/packages/linters.sh
source "$root/tests/packages/linters.sh"

echo '--- schema and security'
install_linters
check_schema github-actions "$root/action.yml"
sed 's/using: composite/using: composit/' "$root/action.yml" >"$work/misspelt.yml"
refuses composit check_schema github-actions "$work/misspelt.yml"
check_security "$root/action.yml"

echo '--- a release on a local server'
version=$(project version)
mkdir -p "$work/releases/v$version"
python3 "$root/packages/release/archive.py" "$FAUXFAX_BIN" "$host" "$work/releases/v$version"
python3 "$root/packages/release/release.py" checksums "$work/releases/v$version"
coproc server {
    exec python3 -u -c '
import functools, http.server, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
print(server.server_port)
server.serve_forever()' "$work/releases" 2>"$work/server.log"
}
processes=("${server_PID:?}")
finish() {
    kill "${processes[@]}" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
read -r -t 20 port <&"${server[0]}"
releases=http://127.0.0.1:$port

case $host in
    x86_64-*) arch=X64 ;;
    aarch64-*) arch=ARM64 ;;
esac

# Runs a step as the runner would: with the inputs as variables, and with the files to which a step writes settings for later
# steps.
run_step() {
    local script=$1
    shift
    env RUNNER_OS=Linux RUNNER_ARCH="$arch" RUNNER_TEMP="$work/temp" GITHUB_PATH="$work/path" GITHUB_ENV="$work/env" \
        GITHUB_OUTPUT="$work/output" "$@" bash "$root/packages/action/$script.sh"
}
fresh() {
    rm -rf "$work/temp"
    mkdir "$work/temp"
    : >"$work/path"
    : >"$work/env"
    : >"$work/output"
}

# Runs a command as a later step would: with the folder and the variables that earlier steps have written, and nothing else from
# the action.
later() {
    local variables=() line
    while IFS= read -r line; do
        variables+=("$line")
    done <"$work/env"
    env -u FAUXFAX_URL -u http_proxy -u https_proxy -u HTTP_PROXY -u HTTPS_PROXY \
        "${variables[@]}" "PATH=$(tail -n 1 "$work/path"):$PATH" "$@"
}
output() {
    sed -n "s/^$1=//p" "$work/output"
}

echo '--- install'
fresh
run_step install FAUXFAX_ACTION_VERSION= FAUXFAX_ACTION_RELEASES="$releases"
[[ $(output version) == "$version" && $(later fauxfax --version) == "fauxfax $version" ]]
run_step install FAUXFAX_ACTION_VERSION="v$version" FAUXFAX_ACTION_RELEASES="$releases" >/dev/null

echo '--- start, with quoted arguments'
start() {
    PATH=$(tail -n 1 "$work/path"):$PATH run_step start "$@"
}
# Starts an emulator, and notes its process, so that it is stopped at the end.
started() {
    start "$@"
    processes+=("$(output pid | tail -n 1)")
}
started FAUXFAX_ACTION_ARGS="--listen 127.0.0.1:0 --seed 7
    --fax-twiml '<Response><Receive/></Response>'"
[[ -f $(output log) && $(output node-options) == *--require* ]]
grep -qx "FAUXFAX_URL=$(output url)" "$work/env"
if grep -v -E '^(FAUXFAX|TWILIO)_' "$work/env"; then
    echo 'by default, only the address and the account belong in the environment'
    exit 1
fi
later fauxfax receive --pages 2 --wait | tee "$work/received"
grep -q received "$work/received"
later fauxfax events | grep -q twiml.executed

echo '--- start, for programs that name twilio.com'
: >"$work/env"
started FAUXFAX_ACTION_ARGS='--listen 127.0.0.1:0' FAUXFAX_ACTION_ENVIRONMENT=all
if grep '^NODE_OPTIONS' "$work/env"; then
    echo 'GitHub refuses NODE_OPTIONS'
    exit 1
fi
# shellcheck disable=SC2016  # The shell of the later step expands them.
later bash -c 'curl -sSf -u "$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN" https://fax.twilio.com/v1/Faxes' | grep -q '"faxes"'

echo '--- error messages'
refuses 'is there a release of version 9.9.9' run_step install FAUXFAX_ACTION_VERSION=9.9.9 FAUXFAX_ACTION_RELEASES="$releases"
refuses "must be a whole version such as $version" run_step install FAUXFAX_ACTION_VERSION=latest FAUXFAX_ACTION_RELEASES="$releases"
refuses 'there is no release for Linux on X86' run_step install RUNNER_ARCH=X86 FAUXFAX_ACTION_RELEASES="$releases"
refuses "'environment' is 'al'" start FAUXFAX_ACTION_ENVIRONMENT=al
refuses 'is a quote missing' start FAUXFAX_ACTION_ARGS="--fax-twiml '<Response/>"
refuses 'unexpected argument.*--no-such-flag' start FAUXFAX_ACTION_ARGS=--no-such-flag
printf '%064d  %s\n' 0 "fauxfax-$host.tar.gz" >"$work/releases/v$version/SHA256SUMS"
fresh
refuses 'SHA256SUMS says 0000' run_step install FAUXFAX_ACTION_VERSION="$version" FAUXFAX_ACTION_RELEASES="$releases"
[[ ! -s $work/path && -z $(find "$work/temp" -name 'fauxfax*.gz') ]]
echo "the action installs $version, starts it, and a fax is received"
