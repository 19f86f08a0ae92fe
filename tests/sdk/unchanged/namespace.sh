#!/usr/bin/env bash
# Runs apps without a proxy, in a network namespace where /etc/hosts resolves Twilio's hosts to this machine and the emulator
# listens on port 443. $1 is a Python with Twilio's library, $2 the folder node_modules. Exits with 77 if there are no namespaces.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [[ -z ${FAUXFAX_IN_NAMESPACE:-} ]]; then
    if ! unshare -n -m true 2>/dev/null || ! command -v ip >/dev/null; then
        echo 'skipped: a network namespace is needed; run this as root, where unshare -n -m is allowed, with iproute2 installed'
        exit 77
    fi
    FAUXFAX_IN_NAMESPACE=1 exec unshare -n -m bash "$0" "$@"
fi

folder=$(mktemp -d)
ip link set lo up
printf '127.0.0.1 localhost fax.twilio.com api.twilio.com media.twiliocdn.com\n' >"$folder/hosts"
mount --bind "$folder/hosts" /etc/hosts
export XDG_DATA_HOME=$folder/data
mkdir "$XDG_DATA_HOME"
exec {ready}< <(exec "$FAUXFAX_BIN" serve --listen 127.0.0.1:0 --tls-listen 127.0.0.1:443 --pace max 2>"$folder/log")
emulator=$!
trap 'kill $emulator; umount /etc/hosts; rm -rf "$folder"' EXIT
read -r _ _ url _ <&"$ready"
variables=$("$FAUXFAX_BIN" env --url "$url")
eval "$variables"
# /etc/hosts leads to the emulator, so only the variables about trust are kept.
unset HTTP_PROXY HTTPS_PROXY http_proxy https_proxy NODE_OPTIONS JAVA_TOOL_OPTIONS

"$1" "$here/app.py"
NODE_PATH=$2 node "$here/app.cjs"
echo 'python and node passed'
