#!/usr/bin/env bash
# Tests --state with a file that can be written but not replaced, because it is a mount point, as with
# `docker run -v "$PWD/state.json:/state.json"`. Also tests --state with files that can't be written, which must cause an error at
# startup. Exits with 77 if nothing can be mounted.
#
#   tests/mounted.sh BINARY
set -euo pipefail
binary=$(realpath "$1")
readonly NOBODY=65534
letter=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../fixtures/documents/two-pages.pdf")

if [[ -z ${FAUXFAX_IN_NAMESPACE:-} ]]; then
    if ! unshare -m true 2>/dev/null; then
        echo 'skipped: unshare -m fails here, so nothing can be mounted; it may need root'
        exit 77
    fi
    FAUXFAX_IN_NAMESPACE=1 exec unshare -m bash "$0" "$@"
fi

folder=$(mktemp -d)
chmod 0755 "$folder"
server=
finish() {
    [[ -z $server ]] || kill "$server" 2>/dev/null || true
    umount "$folder/state.json" 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT
export HOME=$folder
# User $NOBODY, as which the image runs, must be able to execute the binary, so the binary is copied out of the project's folder.
cp "$binary" "$folder/fauxfax"
binary=$folder/fauxfax

# Starts an emulator as user $1, sends a fax, and stops it. The worlds are saved in $folder/state.json.
run_once() {
    local as=() state=$folder/state.json
    [[ $1 == 0 ]] || as=(setpriv "--reuid=$1" "--regid=$1" --clear-groups)
    coproc emulator {
        exec "${as[@]}" "$binary" serve --listen 127.0.0.1:0 --state "$state" --pace max 2>"$folder/log"
    }
    server=${emulator_PID:?}
    read -r -t 20 _ _ url _ <&"${emulator[0]}" || {
        cat "$folder/log"
        return 1
    }
    "$binary" send --url "$url" --from +15005550006 --to +15558675310 "$letter" --wait >/dev/null
    kill -TERM "$server"
    local status=0
    wait "$server" || status=$?
    server=
    [[ $status == 0 ]] || {
        echo "after SIGTERM, the emulator exited with $status instead of 0"
        cat "$folder/log"
        return 1
    }
    grep '"fauxfax_state"' "$state" >/dev/null
}

faxes() {
    grep -c '"FX[0-9a-f]*"' "$folder/state.json" || true
}

echo '--- a file that is a mount point'
touch "$folder/host.json" "$folder/state.json"
mount --bind "$folder/host.json" "$folder/state.json"
run_once 0
first=$(faxes)
run_once 0
[[ $(faxes) -gt $first ]] || {
    echo "the second run did not continue from the first: $first faxes, then $(faxes)"
    exit 1
}
cmp "$folder/host.json" "$folder/state.json"

echo "--- the same in a folder without write permission, as user $NOBODY, as which the image runs"
chown $NOBODY "$folder/host.json"
run_once $NOBODY
[[ $(stat -c %a "$folder/host.json") == 600 ]]
[[ $(find "$folder" -name '.fauxfax-*' | wc -l) == 0 ]]

echo '--- the same, mounted read-only'
mount -o remount,bind,ro "$folder/state.json"
before=$(sha256sum <"$folder/host.json")
status=0
timeout 20 "$binary" serve --listen 127.0.0.1:0 --state "$folder/state.json" >"$folder/out" 2>"$folder/log" || status=$?
cat "$folder/log"
[[ $status == 1 ]]
grep "can't be saved here" "$folder/log" >/dev/null
[[ ! -s $folder/out && $(sha256sum <"$folder/host.json") == "$before" ]]

echo '--- a link that another user has put into a shared folder'
mkdir -m 1777 "$folder/shared"
echo '{}' >"$folder/victim"
ln -s "$folder/victim" "$folder/shared/state.json"
chown -h $NOBODY "$folder/shared/state.json"
status=0
timeout 20 "$binary" serve --listen 127.0.0.1:0 --state "$folder/shared/state.json" 2>"$folder/log" || status=$?
cat "$folder/log"
[[ $status == 1 && $(cat "$folder/victim") == '{}' ]]
grep "can't be saved here" "$folder/log" >/dev/null
echo 'worlds are saved to a mounted file, and an unwritable file causes an error at startup'
