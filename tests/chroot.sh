#!/usr/bin/env bash
# Runs a static binary in an empty chroot, as an unprivileged user, which is how the container image runs it. This proves that
# the binary needs no library, no /etc, no /tmp and no writable folder.
#
#   tests/chroot.sh BINARY
set -euo pipefail

readonly NOBODY=65534
binary=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ((EUID != 0)); then
    echo 'skipped: only root may use chroot; run this step as root'
    exit 77
fi

jail=$(mktemp -d)
server=
finish() {
    [[ -z $server ]] || kill "$server" 2>/dev/null || true
    rm -rf "$jail"
}
trap finish EXIT

cp "$binary" "$jail/fauxfax"
chmod 0555 "$jail/fauxfax" "$jail"
chroot=$(command -v chroot || echo /usr/sbin/chroot)
in_jail() {
    "$chroot" --userspec=$NOBODY:$NOBODY --groups= "$jail" /fauxfax "$@"
}

echo "the binary has $(stat -c %s "$binary") bytes"
if ldd "$binary" 2>&1 | grep '=>' >/dev/null; then
    echo 'the binary is not static:'
    ldd "$binary"
    exit 1
fi
in_jail --version

# The environment variables that the image and the Compose example set. A flag below replaces their port with a free one.
mapfile -t environment < <(
    sed -nE 's/^ENV (FAUXFAX_[A-Z_]+=.*)/\1/p' Dockerfile
    sed -nE 's/^ +(FAUXFAX_[A-Z_]+): (.*)/\1=\2/p' docs/recipes/compose.yaml
)
printf '%s\n' "${environment[@]}"
coproc fauxfax {
    exec env -i "${environment[@]}" \
        "$chroot" --userspec=$NOBODY:$NOBODY --groups= "$jail" /fauxfax serve --listen 0.0.0.0:0
}
server=${fauxfax_PID:?}
read -r -t 10 ready <&"${fauxfax[0]}" || ready='not ready within 10 s'
echo "$ready"
[[ $ready =~ ^fauxfax\ ready\ http://[^\ ]+:([0-9]+)\ account\ (AC[0-9a-f]{32})\ token\ ([^\ ]+)$ ]]
url=http://127.0.0.1:${BASH_REMATCH[1]} login=${BASH_REMATCH[2]}:${BASH_REMATCH[3]}
[[ $(stat -c %u "/proc/$server") == "$NOBODY" ]]

in_jail healthcheck --url "$url"
# Links must contain the port that the Compose example publishes.
curl --silent --fail --user "$login" "$url/v1/Faxes" | grep '"first_page_url": *"http://localhost:8329/v1/Faxes' >/dev/null
# Receives one fax and sends one, with a sample app in the same jail.
in_jail demo --once --listen 127.0.0.1:0

kill -TERM "$server"
status=0
wait "$server" || status=$?
server=
[[ $status == 0 ]] || {
    echo "after SIGTERM, the emulator exited with $status instead of 0"
    exit 1
}
if in_jail healthcheck --url "$url" 2>/dev/null; then
    echo 'healthcheck succeeds although the emulator has stopped'
    exit 1
fi
[[ $(find "$jail" -type f | wc -l) == 1 ]] || {
    echo 'the emulator left files behind:'
    find "$jail" -type f
    exit 1
}
echo 'the emulator runs in an empty chroot'
