//! The W3C Trace Context header `traceparent` of webhooks. A fax is a trace, and each request is a span. The ids are
//! derived rather than random, so that a tester can find the trace by the fax's SID.

use crate::model::sid::FaxSid;
use crate::model::webhook::Attempt;

/// Version 00 of the header (Trace Context §3.2).
const VERSION: &str = "00";
/// The flag for a sampled trace (Trace Context §3.2).
const SAMPLED: &str = "01";

/// Returns the header's value: the trace id consists of the 32 hexadecimal digits of the fax's SID, and the span id is
/// derived from the request's idempotency token and attempt. If there is no fax, the trace id is derived from the token
/// as well.
#[must_use]
pub fn of(fax: Option<FaxSid>, idempotency_token: &str, attempt: Attempt) -> String {
    // 32 hexadecimal digits are 128 bits, the size of a trace id.
    let token = idempotency_token.bytes().filter_map(|byte| char::from(byte).to_digit(16)).take(32);
    let token = token.fold(0_u128, |bits, digit| bits << 4 | u128::from(digit));
    let trace = fax.map_or(token, |fax| u128::from_be_bytes(*fax.bytes()));
    // The upper half of 128 bits always fits.
    let first = u64::try_from(token >> 64).unwrap_or_default();
    // Each attempt is a separate request and needs its own span.
    let span = first.wrapping_add(attempt.number - 1);
    // All-zero ids are invalid (Trace Context §3.2.2.3, §3.2.2.4).
    format!("{VERSION}-{:032x}-{:016x}-{SAMPLED}", trace.max(1), span.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fault::Fault;

    const TOKEN: &str = "0123abcd-4567-4def-8123-456789abcdef";

    #[test]
    fn a_fax_is_a_trace_and_each_attempt_a_span() {
        let fax = "FX00112233445566778899aabbccddeeff".parse().expect("a SID");
        let first = of(Some(fax), TOKEN, Attempt::FIRST);
        assert_eq!(first, "00-00112233445566778899aabbccddeeff-0123abcd45674def-01");
        let second = of(Some(fax), TOKEN, Attempt::FIRST.next(5, Fault::ReadTimeout));
        assert_eq!(second, "00-00112233445566778899aabbccddeeff-0123abcd45674df0-01");
    }

    #[test]
    fn the_header_is_valid_without_a_fax_and_for_empty_input() {
        assert_eq!(of(None, TOKEN, Attempt::FIRST), "00-0123abcd45674def8123456789abcdef-0123abcd45674def-01");
        let zero = FaxSid::from_bytes([0; 16]);
        assert_eq!(of(Some(zero), "", Attempt::FIRST), format!("00-{:032x}-{:016x}-01", 1, 1));
    }
}
