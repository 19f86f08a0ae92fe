<?php
// Uses PHP's curl under `fauxfax exec` as Twilio's library for PHP does: curl returns head and body as one string, preceded by
// the response to the CONNECT, which the library strips only if it is exactly "HTTP/1.1 200 Connection established". Documents
// are read without a User-Agent.

declare(strict_types=1);

const ESTABLISHED = 'HTTP/1.1 200 Connection established';

function fail(string $why): never
{
    fwrite(STDERR, "php: $why\n");
    exit(1);
}

/** Makes a call as the account, and returns the status and the JSON. */
function call(string $url, ?array $form = null): array
{
    $handle = curl_init($url);
    curl_setopt_array($handle, [
        CURLOPT_HEADER => true,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 30,
        CURLOPT_USERPWD => getenv('TWILIO_ACCOUNT_SID') . ':' . getenv('TWILIO_AUTH_TOKEN'),
    ]);
    if ($form !== null) {
        curl_setopt($handle, CURLOPT_POSTFIELDS, http_build_query($form));
    }
    $text = curl_exec($handle);
    if ($text === false) {
        fail("$url: " . curl_error($handle));
    }
    $parts = explode("\r\n\r\n", $text, 3);
    if (str_starts_with($url, 'https://')) {
        if (array_shift($parts) !== ESTABLISHED) {
            fail("the response to CONNECT is not '" . ESTABLISHED . "': $text");
        }
    }
    $body = json_decode($parts[1], true);
    if (!is_array($body)) {
        fail("$url: no JSON after the headers: $text");
    }
    return [curl_getinfo($handle, CURLINFO_RESPONSE_CODE), $body];
}

$emulator = getenv('FAUXFAX_URL');
$order = [
    'To' => '+15558675310',
    'From' => '+15005550006',
    'MediaUrl' => "$emulator/_fauxfax/v1/samples/one-page.pdf",
];
[$status, $fax] = call('https://fax.twilio.com/v1/Faxes', $order);
if ($status !== 201 || $fax['url'] !== "https://fax.twilio.com/v1/Faxes/{$fax['sid']}") {
    fail("create: $status " . json_encode($fax));
}
$wait = "$emulator/_fauxfax/v1/wait?fax={$fax['sid']}&status=delivered&timeout=20";
if (file_get_contents($wait) === false) {
    fail('the fax was not delivered');
}
[, $list] = call('https://fax.sydney.au1.twilio.com/v1/Faxes');
if (array_column($list['faxes'], 'sid') !== [$fax['sid']]) {
    fail('list: ' . json_encode($list));
}
// PHP's streams don't use the proxy, so this call gets a media URL at the emulator's own address.
[, $fax] = call("$emulator/v1/Faxes/{$fax['sid']}");
ini_set('user_agent', '');
if (!str_starts_with((string) file_get_contents($fax['media_url']), '%PDF-')) {
    fail("media: {$fax['media_url']}");
}
echo "4 calls passed\n";
