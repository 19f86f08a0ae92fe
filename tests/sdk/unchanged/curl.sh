#!/usr/bin/env bash
# Runs curl under `fauxfax exec`: with and without options that change how curl reaches a host, and with several addresses.
set -euo pipefail

login=$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN
sample=$FAUXFAX_URL/_fauxfax/v1/samples/one-page.pdf

fail() {
    echo "curl: $*" >&2
    exit 1
}

fax=$(curl -sS -u "$login" https://fax.twilio.com/v1/Faxes --data-urlencode To=+15558675310 --data-urlencode From=+15005550006 --data-urlencode "MediaUrl=$sample")
[[ $fax == *'"url":"https://fax.twilio.com/v1/Faxes/FX'* ]] || fail "sent: $fax"
sid=$(grep -o '"sid":"FX[0-9a-f]*"' <<<"$fax" | cut -d'"' -f4)
curl -sSf "$FAUXFAX_URL/_fauxfax/v1/wait?fax=$sid&status=delivered&timeout=20" >/dev/null

media=$(curl -sS -u "$login" "https://fax.twilio.com/v1/Faxes/$sid" | grep -o '"media_url":"[^"]*"' | cut -d'"' -f4)
# JVBERi is %PDF in base64. The whole output is read, because curl fails if it can't write all of it.
[[ $(curl -sS "${media//\\u0026/&}" | base64 -w 0) == JVBERi* ]] || fail "media: $media"

port=${FAUXFAX_URL##*:}
list() {
    curl -sS -u "$login" "$@" | grep "$sid" >/dev/null || fail "list: $*"
}
list https://fax.twilio.com/v1/Faxes
list https://fax.sydney.au1.twilio.com/v1/Faxes
list http://fax.twilio.com/v1/Faxes
list -p http://fax.twilio.com/v1/Faxes
list --noproxy '*' --connect-to "fax.twilio.com:443:127.0.0.1:$port" https://fax.twilio.com/v1/Faxes
list "https://localhost:$port/v1/Faxes"
list "$FAUXFAX_URL/v1/Faxes"
echo '10 calls passed'
