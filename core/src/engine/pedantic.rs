//! Pedantic mode: the emulator deviates from its usual behaviour in ways in which the real service may deviate, too.
//! Only a correct app copes with all of these deviations. The mode works like a set of rules that no tester has to
//! write; where a tester's rule acts, the mode does nothing.
//!
//! All deviations are drawn from the world's seed, in a stream of their own, so the mode changes no other draw.
//! Decisions about webhooks are made at the same deadlines as those of rules, and each depends on one fax alone. No
//! webhook is lost, delayed or signed wrongly, and the notices of a fax keep their order: only a second delivery of a
//! notice may come late.

use std::sync::Arc;

use rand::Rng;
use rand_chacha::ChaCha12Rng;

use super::Engine;
use super::event::{EventKind, RuledWebhook};
use super::random::{Luck, WorldSeed};
use super::rule::check::{MEDIA_RATE_MAX, MEDIA_RATE_MIN};
use super::rule::{ApiFault, DownloadFault, RuleEffect, WebhookFault};
use crate::model::request_edits::RequestEdits;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::Purpose;

/// The percentage of webhooks that are delivered twice. All percentages here are much higher than at the real service,
/// so that a test with a few faxes meets each deviation.
const DUPLICATE_PERCENT: u64 = 15;
/// The percentage of second deliveries that come only after the fax's next notice, if another one is expected.
const LATE_PERCENT: u64 = 50;
/// The percentage of webhooks with a parameter that no documentation names.
const UNKNOWN_PARAM_PERCENT: u64 = 20;
/// The percentage of webhooks with a parameter without a value.
const BLANK_PARAM_PERCENT: u64 = 10;
/// The percentage of webhooks with a parameter whose value begins and ends with a space.
const SPACES_PERCENT: u64 = 10;
/// The percentage of webhooks whose parameters come in another order.
const ORDER_PERCENT: u64 = 15;
/// The percentage of webhooks with a header that no documentation names.
const UNKNOWN_HEADER_PERCENT: u64 = 15;
/// The percentage of webhooks whose header names are in lower case.
const LOWER_CASE_PERCENT: u64 = 15;
/// The percentage of faxes whose downloads begin late.
const SLOW_START_PERCENT: u64 = 15;
/// The percentage of faxes whose downloads are slow.
const SLOW_PERCENT: u64 = 15;
/// The percentage of faxes whose downloads are redirected.
const REDIRECT_PERCENT: u64 = 20;
/// The percentage of REST calls that are refused because there are too many.
const TOO_MANY_PERCENT: u64 = 4;
/// The percentage of REST calls that are refused because the service is not available.
const UNAVAILABLE_PERCENT: u64 = 2;

/// The longest wait before a download begins, in milliseconds of real time.
const SLOW_START_MS_MAX: u64 = 200;
/// The time that a slow download takes, in milliseconds of real time; that of a very small document takes less.
const SLOW_MS: u64 = 300;
/// The maximum number of redirects that lead to a document.
const REDIRECTS_MAX: u64 = 2;

/// The parameters that no documentation names; a webhook has at most one of them. Their names say that pedantic mode
/// added them. In alphabetical order, the first comes before all documented parameters, the second among them, and
/// the third after them.
const UNKNOWN_PARAMS: [(&str, &str); 3] =
    [("APedanticParameter", "1"), ("PedanticParameter", "a=b & c d"), ("pedantic_parameter", "ü")];
const BLANK_PARAM: &str = "PedanticBlank";
const SPACES_PARAM: (&str, &str) = ("PedanticSpaces", " 1 ");
const UNKNOWN_HEADER: (&str, &str) = ("X-Pedantic", "1");

/// The HTTP statuses of refused REST calls.
const TOO_MANY: u16 = 429;
const UNAVAILABLE: u16 = 503;

/// The random draws for one thing: a webhook, the downloads of a fax, or a REST call.
struct Draws(ChaCha12Rng);

impl Draws {
    fn of(seed: &WorldSeed, purpose: &str, parent: &[u8], ordinal: u64) -> Self {
        Self(seed.generator(purpose, parent, ordinal))
    }

    /// Returns a number from 0 to `sides - 1`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0.next_u64() % sides
    }

    fn happens(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }
}

/// Returns the deviation of a webhook, if it has one; `place` is its index among those of its fax.
fn webhook(seed: &WorldSeed, luck: Luck, (webhook, place): (RuledWebhook, u64)) -> Option<WebhookFault> {
    let mut draws = Draws::of(seed, "pedantic-webhook", &luck.0.to_be_bytes(), place);
    let duplicate = draws.happens(DUPLICATE_PERCENT);
    let late = draws.happens(LATE_PERCENT) && duplicate && another_follows(webhook);
    let edits = edits(&mut draws);
    let edits = (!edits.is_empty()).then(|| Arc::new(edits));
    let fault = WebhookFault { duplicate, late, edits, ..WebhookFault::default() };
    (fault != WebhookFault::default()).then_some(fault)
}

/// Returns whether the fax of a webhook will enter another status, of which its app is probably notified too.
fn another_follows(RuledWebhook { purpose, status }: RuledWebhook) -> bool {
    purpose == Purpose::StatusCallback && status.is_some_and(|status| !status.is_final())
}

fn edits(draws: &mut Draws) -> RequestEdits {
    let mut edits = RequestEdits::default();
    if draws.happens(UNKNOWN_PARAM_PERCENT) {
        // So small a number always fits into `usize`; the default is never used.
        let at = usize::try_from(draws.roll(UNKNOWN_PARAMS.len() as u64)).unwrap_or_default();
        let (name, value) = UNKNOWN_PARAMS[at];
        edits = edits.set_param(name, value);
    }
    if draws.happens(BLANK_PARAM_PERCENT) {
        edits = edits.set_param(BLANK_PARAM, "");
    }
    if draws.happens(SPACES_PERCENT) {
        edits = edits.set_param(SPACES_PARAM.0, SPACES_PARAM.1);
    }
    if draws.happens(ORDER_PERCENT) {
        edits = edits.reversed_params();
    }
    if draws.happens(UNKNOWN_HEADER_PERCENT) {
        edits = edits.set_header(UNKNOWN_HEADER.0, UNKNOWN_HEADER.1);
    }
    if draws.happens(LOWER_CASE_PERCENT) {
        edits = edits.lower_case_headers();
    }
    edits
}

/// Returns the deviation of all downloads of a fax's media, if they have one. It depends on the fax alone, because the
/// order of downloads varies from run to run.
fn download(seed: &WorldSeed, luck: Luck, document_bytes: usize) -> Option<DownloadFault> {
    let mut draws = Draws::of(seed, "pedantic-download", &luck.0.to_be_bytes(), 0);
    let is_late = draws.happens(SLOW_START_PERCENT);
    let delay_ms = if is_late { 1 + draws.roll(SLOW_START_MS_MAX) } else { 0 };
    let rate = u64::try_from(document_bytes).unwrap_or(u64::MAX).saturating_mul(1_000) / SLOW_MS;
    // If even the highest rate would take longer than a slow download should, the download is not slowed.
    let rate = u32::try_from(rate).ok().filter(|rate| *rate <= MEDIA_RATE_MAX).map(|rate| rate.max(MEDIA_RATE_MIN));
    let bytes_per_second = rate.filter(|_| draws.happens(SLOW_PERCENT));
    let is_redirected = draws.happens(REDIRECT_PERCENT);
    let redirects = if is_redirected { 1 + draws.roll(REDIRECTS_MAX) } else { 0 };
    let redirects = u32::try_from(redirects).unwrap_or_default();
    let fault = DownloadFault { delay_ms, bytes_per_second, redirects, ..DownloadFault::default() };
    (fault != DownloadFault::default()).then_some(fault)
}

/// Returns the status with which a REST call is refused, if it is refused; `place` is the call's index among those of
/// the world. Of two calls in a row, at most one is refused, so that a client that tries again succeeds.
fn refusal(seed: &WorldSeed, place: u64) -> Option<u16> {
    let drawn = |place: u64| {
        let rolled = Draws::of(seed, "pedantic-api", b"", place).roll(100);
        match rolled {
            rolled if rolled < TOO_MANY_PERCENT => Some(TOO_MANY),
            rolled if rolled < TOO_MANY_PERCENT + UNAVAILABLE_PERCENT => Some(UNAVAILABLE),
            _ => None,
        }
    };
    let was_drawn_before = place > 0 && drawn(place - 1).is_some();
    drawn(place).filter(|_| !was_drawn_before)
}

impl Engine {
    /// Returns whether the world is in pedantic mode.
    #[must_use]
    pub fn is_pedantic(&self) -> bool {
        self.spec.options.is_pedantic
    }

    /// Returns what pedantic mode does to a webhook on which no rule acts; `place` is its index among those of its fax.
    pub(super) fn pedantic_webhook(
        &mut self,
        (sid, luck): (FaxSid, Luck),
        ruled: RuledWebhook,
        place: u64,
        now: Timestamp,
    ) -> Option<WebhookFault> {
        let fault = webhook(self.pedantic_seed()?, luck, (ruled, place))?;
        self.journal_pedantic(Some(sid), fault.clone(), (Some(ruled), None), now);
        Some(fault)
    }

    /// Returns what pedantic mode does to a download on which no rule acts.
    pub(super) fn pedantic_download(
        &mut self,
        (sid, luck): (FaxSid, Luck),
        document_bytes: usize,
        (method, path): (&str, &str),
        now: Timestamp,
    ) -> Option<DownloadFault> {
        let fault = download(self.pedantic_seed()?, luck, document_bytes)?;
        self.journal_pedantic(Some(sid), fault, (None, Some(call(method, path))), now);
        Some(fault)
    }

    /// Returns the failure that pedantic mode inflicts on the world's latest REST call, on which no rule acts.
    pub(super) fn pedantic_api(&mut self, (method, path): (&str, &str), now: Timestamp) -> Option<ApiFault> {
        let status = refusal(self.pedantic_seed()?, self.world.api_calls)?;
        let fault = ApiFault { refusal: Some((status, None)), ..ApiFault::default() };
        self.journal_pedantic(None, fault, (None, Some(call(method, path))), now);
        Some(fault)
    }

    /// Returns the seed of the draws if the world is in pedantic mode. The seed is the same in a repeated run.
    fn pedantic_seed(&self) -> Option<&WorldSeed> {
        self.is_pedantic().then(|| self.ids.world())
    }

    fn journal_pedantic(
        &mut self,
        fax: Option<FaxSid>,
        effect: impl Into<RuleEffect>,
        (webhook, call): (Option<RuledWebhook>, Option<Box<str>>),
        now: Timestamp,
    ) {
        let kind = EventKind::PedanticActed { effect: Arc::new(effect.into()), webhook, call };
        self.journal.write(now, fax, kind);
    }
}

fn call(method: &str, path: &str) -> Box<str> {
    format!("{method} {path}").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::rule::{Match, Rule};
    use crate::model::account::Dialect;
    use crate::model::fax::Status;
    use crate::model::sid::AccountSid;

    const DRAWN: u64 = 2_000;
    const SENDING: RuledWebhook = RuledWebhook { purpose: Purpose::StatusCallback, status: Some(Status::Sending) };

    fn seed() -> WorldSeed {
        WorldSeed::of(7, AccountSid::from_bytes([0; 16]))
    }

    fn rule(effect: RuleEffect) -> Rule {
        Rule { matches: Match::default(), after: 0, times: None, chance: None, enabled: true, effect }
    }

    #[test]
    fn a_tester_could_write_a_rule_with_the_same_effect_as_each_deviation() {
        let webhooks = (0..DRAWN).filter_map(|place| webhook(&seed(), Luck(1), (SENDING, place))).map(RuleEffect::from);
        let downloads = [0, 1, 40_000, 4_000_000].into_iter().flat_map(|bytes| {
            (0..DRAWN).filter_map(move |luck| download(&seed(), Luck(luck), bytes)).map(RuleEffect::from)
        });
        for effect in webhooks.chain(downloads) {
            let checked = rule(effect.clone()).check(Dialect::Twilio);
            assert!(checked.is_ok(), "{effect:?}: {checked:?}");
        }
    }

    #[test]
    fn each_deviation_happens_about_as_often_as_its_percentage_says() {
        let faults: Vec<WebhookFault> =
            (0..DRAWN).filter_map(|place| webhook(&seed(), Luck(1), (SENDING, place))).collect();
        let edits = || faults.iter().filter_map(|fault| fault.edits.as_ref());
        let sets = |name: &str| edits().filter(|edits| edits.params.set.iter().any(|(own, _)| **own == *name)).count();
        let downloads: Vec<DownloadFault> =
            (0..DRAWN).filter_map(|luck| download(&seed(), Luck(luck), 40_000)).collect();
        let refusals: Vec<u16> = (0..DRAWN).filter_map(|place| refusal(&seed(), place)).collect();
        for (what, count, percent) in [
            ("duplicates", faults.iter().filter(|fault| fault.duplicate).count(), DUPLICATE_PERCENT),
            ("late ones", faults.iter().filter(|fault| fault.late).count(), DUPLICATE_PERCENT * LATE_PERCENT / 100),
            ("unknown", UNKNOWN_PARAMS.iter().map(|(name, _)| sets(name)).sum(), UNKNOWN_PARAM_PERCENT),
            ("blank", sets(BLANK_PARAM), BLANK_PARAM_PERCENT),
            ("spaces", sets(SPACES_PARAM.0), SPACES_PERCENT),
            ("headers", edits().filter(|edits| !edits.headers.set.is_empty()).count(), UNKNOWN_HEADER_PERCENT),
            ("lower case", edits().filter(|edits| edits.headers.lower_case).count(), LOWER_CASE_PERCENT),
            ("late downloads", downloads.iter().filter(|fault| fault.delay_ms > 0).count(), SLOW_START_PERCENT),
            ("slow", downloads.iter().filter(|fault| fault.bytes_per_second.is_some()).count(), SLOW_PERCENT),
            ("redirects", downloads.iter().filter(|fault| fault.redirects > 0).count(), REDIRECT_PERCENT),
            ("too many", refusals.iter().filter(|status| **status == TOO_MANY).count(), TOO_MANY_PERCENT),
            ("unavailable", refusals.iter().filter(|status| **status == UNAVAILABLE).count(), UNAVAILABLE_PERCENT),
        ] {
            let expected = DRAWN * percent / 100;
            // Four standard deviations.
            let is_near = (count as u64).abs_diff(expected).pow(2) <= 16 * expected;
            assert!(is_near, "{what}: {count} of {DRAWN}, expected about {expected}");
        }
    }

    #[test]
    fn a_second_delivery_is_late_only_if_another_notice_follows() {
        for (purpose, status) in [
            (Purpose::FaxUrl, None),
            (Purpose::Action, Some(Status::Received)),
            (Purpose::StatusCallback, Some(Status::Delivered)),
        ] {
            let faults =
                (0..DRAWN).filter_map(|place| webhook(&seed(), Luck(1), (RuledWebhook { purpose, status }, place)));
            assert!(faults.into_iter().all(|fault| !fault.late), "{purpose}");
        }
    }

    #[test]
    fn no_two_calls_in_a_row_are_refused_and_no_download_takes_a_second() {
        for place in 0..DRAWN {
            assert!(refusal(&seed(), place).is_none() || refusal(&seed(), place + 1).is_none(), "{place}");
            for bytes in [10, 40_000, 64 << 20] {
                let Some(fault) = download(&seed(), Luck(place), bytes) else { continue };
                let seconds = fault.bytes_per_second.map_or(0, |rate| bytes as u64 * 1_000 / u64::from(rate));
                assert!(fault.delay_ms + seconds < 1_000, "{bytes} bytes: {fault:?}");
            }
        }
    }
}
