#!/usr/bin/env bash
# The action's second step: starts the emulator, waits until it is ready, and hands its address and account to later steps. It runs
# until the job ends. Also runs with macOS's bash 3.2.
set -euo pipefail

# How long the emulator may take to start, in tenths of a second.
readonly START_LIMIT=300

fail() {
    echo "::error title=fauxfax::$1"
    exit 1
}

environment=${FAUXFAX_ACTION_ENVIRONMENT:-account}
case $environment in
    account | all | none) ;;
    *) fail "the input 'environment' is '$environment'; it must be account, all or none" ;;
esac

folder=$(mktemp -d "${RUNNER_TEMP:?}/fauxfax-XXXXXX")
# xargs interprets quotes as a shell does, but expands nothing.
printf '%s' "${FAUXFAX_ACTION_ARGS:-}" | xargs -r printf '%s\0' >"$folder/args" ||
    fail "the input 'args' can't be split into arguments; is a quote missing? $FAUXFAX_ACTION_ARGS"
args=()
while IFS= read -r -d '' argument; do
    args+=("$argument")
done <"$folder/args"

log=$folder/log.txt
fauxfax serve --port-file "$folder/port" ${args[@]+"${args[@]}"} >"$log" 2>&1 </dev/null &
emulator=$!
for ((waited = 0; ; waited++)); do
    [[ ! -s $folder/port ]] || break
    kill -0 $emulator 2>/dev/null || {
        cat "$log"
        fail 'the emulator ended before it was ready; its log is above'
    }
    ((waited < START_LIMIT)) || {
        cat "$log"
        kill $emulator
        fail "the emulator was not ready after $((START_LIMIT / 10)) s; its log is above"
    }
    sleep 0.1
done
disown

# The address is read from the log, since a flag in `args` may name an address other than 127.0.0.1.
url=$(sed -n 's/.*fauxfax ready \(http[^ ]*\).*/\1/p; s/.*"url":"\(http[^"]*\)".*/\1/p' "$log" | head -n 1)
[[ -n $url ]] || url=http://127.0.0.1:$(cat "$folder/port")
fauxfax healthcheck --url "$url" || fail "the emulator at $url is not healthy"

variables=$(fauxfax env --url "$url" --shell plain)
case $environment in
    account) grep -E '^(FAUXFAX|TWILIO|SIGNALWIRE)_' <<<"$variables" ;;
    # GitHub refuses the whole file if it sets NODE_OPTIONS.
    all) grep -v '^NODE_OPTIONS=' <<<"$variables" ;;
    none) ;;
esac >>"${GITHUB_ENV:?}"
{
    echo "url=$url"
    echo "log=$log"
    echo "pid=$emulator"
    echo "node-options=$(sed -n 's/^NODE_OPTIONS=//p' <<<"$variables")"
} >>"${GITHUB_OUTPUT:?}"
echo "fauxfax runs at $url; its log is $log"
