//! The order in which a search examines numbers. A template is a range, narrowed by the search's pattern; the search
//! takes one number from each template in turn, in a shuffled order.

use std::collections::BTreeSet;

use super::filter::{OfferFilter, Pattern};
use super::{Country, NumberKind, RANGES, Range, SUBSCRIBER_DIGITS, draw};
use crate::model::phone::PhoneNumber;

/// The maximum number of subscriber digits in any range.
const SUBSCRIBER_DIGITS_MAX: usize = *SUBSCRIBER_DIGITS.end() as usize;

/// Iterates over the numbers to examine: one from each template in turn, so that the results come from many places.
pub(super) struct Candidates {
    templates: Vec<Template>,
    next: usize,
    round: u64,
}

impl Candidates {
    pub(super) fn new(seed: u64, country: Country, kind: NumberKind, filter: &OfferFilter) -> Self {
        let wanted = RANGES.values().filter(|range| (range.country, range.kind) == (country, kind));
        let mut shuffled: Vec<(Shuffle, Range)> = wanted
            .filter(|range| filter.admits_range(range))
            .map(|range| (Shuffle::of(seed, range.leading_digits()), *range))
            .collect();
        shuffled.sort_by_key(|(shuffle, range)| (shuffle.rank, range.prefix));
        let templates =
            shuffled.iter().flat_map(|(shuffle, range)| templates(*range, *shuffle, filter.contains.as_ref()));
        Self { templates: templates.collect(), next: 0, round: 0 }
    }
}

impl Iterator for Candidates {
    type Item = (Range, PhoneNumber);

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.templates.len() {
            self.next = 0;
            self.round += 1;
            // A template with fixed digits has fewer numbers, so it drops out once all have been examined.
            self.templates.retain(|template| self.round < template.space());
        }
        let template = self.templates.get(self.next)?;
        self.next += 1;
        Some((template.range, template.number(self.round)))
    }
}

/// A pseudorandom rank for a range, and a pseudorandom order for its numbers.
#[derive(Debug, Clone, Copy)]
struct Shuffle {
    rank: u64,
    step: u64,
    start: u64,
}

impl Shuffle {
    fn of(seed: u64, leading_digits: u64) -> Self {
        let bytes = draw(seed, b"range", leading_digits);
        let word = |at: usize| bytes[at..at + 8].iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        // The step is coprime to 10, so every number is visited before any is visited twice.
        let step = word(8) % 10_000_000 * 10 + 7;
        Self { rank: word(0), step, start: word(16) % 100_000_000 }
    }
}

/// A range in which some subscriber digits may be fixed by a pattern, while the others are open.
struct Template {
    range: Range,
    subscriber: [Option<u8>; SUBSCRIBER_DIGITS_MAX],
    shuffle: Shuffle,
}

impl Template {
    fn digits(&self) -> &[Option<u8>] {
        &self.subscriber[..self.range.subscriber_digits as usize]
    }

    /// Returns the number of ways to fill the open digits: a factor of ten for each.
    fn space(&self) -> u64 {
        self.digits().iter().filter(|digit| digit.is_none()).fold(1, |space, _| space * 10)
    }

    /// Returns the number to examine in a round; `round` must be less than `space`.
    fn number(&self, round: u64) -> PhoneNumber {
        // With at most 20,000 rounds and steps of at most eight digits, nothing overflows.
        let mut free = (round * self.shuffle.step + self.shuffle.start) % self.space();
        let number = self.digits().iter().fold(self.range.leading_digits(), |number, digit| {
            let digit = digit.map(u64::from).unwrap_or_else(|| {
                let digit = free % 10;
                free /= 10;
                digit
            });
            number * 10 + digit
        });
        PhoneNumber::from_digits(number)
    }

    /// Returns whether the template fits no number that could be assigned.
    fn is_hopeless(&self) -> bool {
        let [first, second, third, ..] = self.subscriber;
        // An exchange that ends in 11 would be a service code, such as 911.
        let service_code = self.range.country.has_area_codes() && (second, third) == (Some(1), Some(1));
        first.is_some_and(|digit| digit < 2) || service_code
    }
}

/// Returns one template per position at which the pattern fits the range's numbers.
fn templates(range: Range, shuffle: Shuffle, pattern: Option<&Pattern>) -> Vec<Template> {
    let blank = Template { range, subscriber: [None; SUBSCRIBER_DIGITS_MAX], shuffle };
    let Some(pattern) = pattern else { return vec![blank] };
    let leading: Vec<u8> = range.leading_digits().to_string().bytes().map(|byte| byte - b'0').collect();
    let total = leading.len() + blank.digits().len();
    // A pattern that is longer than the numbers of this range matches none.
    let Some(last) = total.checked_sub(pattern.symbols.len()) else { return Vec::new() };
    let offsets = if pattern.from_start { 0..=0 } else { 0..=last };
    let mut seen = BTreeSet::new();
    let mut templates = Vec::new();
    for offset in offsets {
        let mut template = Template { ..blank };
        let fits = pattern.symbols.iter().enumerate().all(|(at, symbol)| {
            let at = offset + at;
            match leading.get(at) {
                Some(digit) => symbol.is_none_or(|symbol| symbol == *digit),
                None => {
                    template.subscriber[at - leading.len()] = *symbol;
                    true
                }
            }
        });
        // A pattern that lies entirely within the leading digits gives the same template for each of its positions.
        if fits && !template.is_hopeless() && seen.insert(template.subscriber) {
            templates.push(template);
        }
    }
    templates
}
