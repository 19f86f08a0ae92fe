#!/usr/bin/env bash
# Runs twilio-cli under `fauxfax exec`. $1 is the program, $2 its version. Since version 3, twilio-cli can read and remove
# faxes, but not send them.
set -euo pipefail

twilio=$1
version=$2
sample=$FAUXFAX_URL/_fauxfax/v1/samples/one-page.pdf
HOME=$(mktemp -d)
export HOME
trap 'rm -rf "$HOME"' EXIT

fail() {
    echo "twilio-cli $version: $*" >&2
    exit 1
}

if [[ $version == 2.* ]]; then
    sid=$("$twilio" api:fax:v1:faxes:create --from +15005550006 --to +15558675310 --media-url "$sample" -o json |
        grep -o '"sid": "FX[0-9a-f]*"' | cut -d'"' -f4)
else
    sid=$(curl -sS -u "$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN" "$FAUXFAX_URL/v1/Faxes" --data-urlencode To=+15558675310 \
        --data-urlencode From=+15005550006 --data-urlencode "MediaUrl=$sample" | grep -o '"sid":"FX[0-9a-f]*"' | cut -d'"' -f4)
fi
[[ $sid == FX* ]] || fail "no fax: $sid"
curl -sSf "$FAUXFAX_URL/_fauxfax/v1/wait?fax=$sid&status=delivered&timeout=20" >/dev/null
"$twilio" api:fax:v1:faxes:list --properties sid,status | grep "$sid.*delivered" >/dev/null || fail 'list'
"$twilio" api:fax:v1:faxes:fetch --sid "$sid" --properties url -o json |
    grep "https://fax.twilio.com/v1/Faxes/$sid" >/dev/null || fail 'fetch'
"$twilio" api:fax:v1:faxes:media:list --fax-sid "$sid" --properties contentType | grep application/pdf >/dev/null || fail 'media'
"$twilio" api:fax:v1:faxes:remove --sid "$sid" || fail 'remove'
"$twilio" api:fax:v1:faxes:fetch --sid "$sid" >/dev/null 2>&1 && fail 'the fax is still there'
echo '6 commands passed'
