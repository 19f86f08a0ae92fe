//! The invented inventory of numbers for sale: which numbers exist, where, and with which capabilities
//! (docs/fidelity.md, "Numbers, accounts, keys"). It is computed from a seed and a number's digits: there is no list,
//! and the inventory doesn't know which numbers are owned.

mod candidates;
mod filter;
mod places;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use self::candidates::Candidates;
pub use self::filter::{
    DISTANCE_MILES_DEFAULT, DISTANCE_MILES_MAX, InvalidFilter, OfferFilter, PATTERN_LEN_MAX, PATTERN_LEN_MIN, Pattern,
};
use self::places::{PLACELESS, PLACES};
use super::phone::PhoneNumber;
use super::words::words;

/// The maximum number of candidates that one search examines, so that a search without matches ends within
/// milliseconds.
pub const CANDIDATES_MAX: usize = 20_000;

/// How many of 256 numbers that a network could assign are for sale, on average.
const FOR_SALE_IN_256: u8 = 64;
/// How many of 256 numbers for sale are new to the platform, on average.
const BETA_IN_256: u8 = 6;
/// The number of digits that may follow a range's leading digits.
const SUBSCRIBER_DIGITS: RangeInclusive<u32> = 6..=8;
/// The mean radius of the Earth.
const EARTH_RADIUS_MILES: f64 = 3_958.8;

words!(
    /// The type of a number. The word for the type is also the name of the list in the API's path.
    NumberKind {
        /// The area code belongs to a place.
        Local = "Local",
        /// Calls are free of charge for the caller.
        TollFree = "TollFree",
        /// The number belongs to a mobile network.
        Mobile = "Mobile",
    }
);

words!(
    /// A country in which numbers are sold, identified by its ISO 3166-1 code.
    Country {
        /// The United States (+1, with area codes).
        Us = "US",
        /// Canada (+1, with area codes).
        Ca = "CA",
        /// The United Kingdom, whose postal codes are given by district.
        Gb = "GB",
        /// Japan, which sells no mobile numbers here.
        Jp = "JP",
        /// Germany, where every number requires an address.
        De = "DE",
    }
);

impl Country {
    /// Returns the country's name in English.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Us => "United States",
            Self::Ca => "Canada",
            Self::Gb => "United Kingdom",
            Self::Jp => "Japan",
            Self::De => "Germany",
        }
    }

    /// Returns the country code, the digits that follow the plus sign (ITU-T E.164 annex).
    #[must_use]
    pub const fn dialling_prefix(self) -> u64 {
        match self {
            Self::Us | Self::Ca => 1,
            Self::Gb => 44,
            Self::Jp => 81,
            Self::De => 49,
        }
    }

    /// Returns the types of number that are sold in the country. North America has no separate mobile numbers.
    #[must_use]
    pub const fn kinds(self) -> &'static [NumberKind] {
        match self {
            Self::Us | Self::Ca | Self::Jp => &[NumberKind::Local, NumberKind::TollFree],
            Self::Gb | Self::De => &[NumberKind::Local, NumberKind::TollFree, NumberKind::Mobile],
        }
    }

    /// Returns whether the search parameter `AreaCode` applies to this country.
    #[must_use]
    pub const fn has_area_codes(self) -> bool {
        matches!(self, Self::Us | Self::Ca)
    }
}

words!(
    /// Whether an address must be on file before the number is bought.
    AddressRequirements {
        /// No address is needed.
        None = "none",
        /// An address anywhere is sufficient.
        Any = "any",
        /// The address must be in the number's country.
        Local = "local",
        /// The address must be outside the number's country.
        Foreign = "foreign",
    }
);

/// The kinds of traffic that a number carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Capabilities {
    /// Whether the number takes voice calls.
    pub voice: bool,
    /// Whether the number takes text messages.
    pub sms: bool,
    /// Whether the number takes picture messages; a number for sale does so only if it also takes text messages.
    pub mms: bool,
    /// Whether the number takes faxes.
    pub fax: bool,
}

impl Capabilities {
    /// All capabilities, as for configured numbers and Twilio's magic number.
    pub const ALL: Self = Self { voice: true, sms: true, mms: true, fax: true };
}

/// A point on the globe, given by its coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Latitude in millionths of a degree, north positive.
    pub latitude_microdegrees: i32,
    /// Longitude in millionths of a degree, east positive.
    pub longitude_microdegrees: i32,
}

impl Point {
    /// Formats the latitude in degrees with six decimals, as in `38.804800`.
    #[must_use]
    pub fn latitude(self) -> String {
        degrees(self.latitude_microdegrees)
    }

    /// Formats the longitude in degrees with six decimals, as in `-77.046900`.
    #[must_use]
    pub fn longitude(self) -> String {
        degrees(self.longitude_microdegrees)
    }

    /// Returns the great-circle distance in miles, by the haversine formula.
    #[must_use]
    pub fn miles_to(self, other: Self) -> f64 {
        let radians = |microdegrees: i32| (f64::from(microdegrees) / 1e6).to_radians();
        let (here, there) = (radians(self.latitude_microdegrees), radians(other.latitude_microdegrees));
        let width = radians(other.longitude_microdegrees) - radians(self.longitude_microdegrees);
        let half_chord = ((there - here) / 2.0).sin().powi(2) + here.cos() * there.cos() * (width / 2.0).sin().powi(2);
        // Rounding may yield more than 1 for antipodes, where `asin` is undefined.
        2.0 * EARTH_RADIUS_MILES * half_chord.sqrt().min(1.0).asin()
    }
}

impl FromStr for Point {
    type Err = InvalidFilter;

    /// Parses the value of `NearLatLong`, such as `37.840699,-122.461853`.
    fn from_str(text: &str) -> Result<Self, InvalidFilter> {
        let reason = "must be latitude and longitude in degrees, such as 37.7793,-122.4192";
        let invalid = InvalidFilter { parameter: "NearLatLong", reason };
        let (latitude, longitude) = text.split_once(',').ok_or(invalid.clone())?;
        let latitude_microdegrees = microdegrees(latitude, 90.0).ok_or(invalid.clone())?;
        let longitude_microdegrees = microdegrees(longitude, 180.0).ok_or(invalid)?;
        Ok(Self { latitude_microdegrees, longitude_microdegrees })
    }
}

/// A city or region to which local numbers belong.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    /// The country that the place is in.
    pub country: Country,
    /// The state, province or similar region; two letters in North America.
    pub region: &'static str,
    /// The city's name, in Latin letters.
    pub locality: &'static str,
    /// A postal code of the city.
    pub postal_code: &'static str,
    /// The telephone exchange area, for billing; `None` outside North America.
    pub rate_center: Option<&'static str>,
    /// The local access and transport area; `None` outside North America.
    pub lata: Option<&'static str>,
    /// The coordinates of the city's centre.
    pub location: Point,
    prefixes: &'static [u32],
    subscriber_digits: u32,
}

/// A number for sale, with the properties that a search shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The number that is for sale.
    pub number: PhoneNumber,
    /// The type of the number, which determines the list that it is in.
    pub kind: NumberKind,
    /// The country whose lists offer the number.
    pub country: Country,
    /// The place that the number belongs to; `None` unless the number is local.
    pub place: Option<&'static Place>,
    /// The address that Twilio would ask the buyer for.
    pub address_requirements: AddressRequirements,
    /// Whether the number is new to the platform.
    pub beta: bool,
    /// The kinds of traffic that the number carries.
    pub capabilities: Capabilities,
}

/// Returns the first `limit` numbers for sale that match the filter and are not taken. The same seed yields the same
/// numbers in the same order, and a greater limit only adds to the end. Gives up after [`CANDIDATES_MAX`] numbers.
#[must_use]
pub fn search(
    seed: u64,
    country: Country,
    kind: NumberKind,
    filter: &OfferFilter,
    limit: usize,
    taken: &dyn Fn(PhoneNumber) -> bool,
) -> Vec<Offer> {
    offers(seed, country, kind, filter).filter(|offer| !taken(offer.number)).take(limit).collect()
}

/// Returns the number's offer, exactly as a search shows it, or `None` if it is not for sale.
#[must_use]
pub fn offer_of(seed: u64, number: PhoneNumber) -> Option<Offer> {
    range_of(number)?.offer(seed, number)
}

/// Returns the first untaken number in a North American area code, which a purchase by `AreaCode` buys.
#[must_use]
pub fn first_in_area(seed: u64, area_code: u16, taken: &dyn Fn(PhoneNumber) -> bool) -> Option<Offer> {
    let filter = OfferFilter { area_code: Some(area_code), ..OfferFilter::default() };
    let lists =
        [Country::Us, Country::Ca].into_iter().flat_map(|country| country.kinds().iter().map(move |k| (country, *k)));
    lists.flat_map(|(country, kind)| offers(seed, country, kind, &filter)).find(|offer| !taken(offer.number))
}

/// Iterates over the numbers that match the filter, including taken ones.
fn offers(
    seed: u64,
    country: Country,
    kind: NumberKind,
    filter: &OfferFilter,
) -> impl Iterator<Item = Offer> + use<'_> {
    let mut seen = BTreeSet::new();
    Candidates::new(seed, country, kind, filter)
        .take(CANDIDATES_MAX)
        .filter_map(move |(range, number)| range.offer(seed, number))
        .filter(|offer| filter.admits(offer))
        // A number may fit the pattern at several positions and occur more than once.
        .filter(move |offer| seen.insert(offer.number))
}

/// The number in the examples of Twilio's documentation, which tests copy. It is in no list, so whoever buys it gets a
/// number with all capabilities, whatever the seed.
const EXAMPLE: PhoneNumber = PhoneNumber::from_digits(15_017_122_661);

/// A block of numbers with the same leading digits.
#[derive(Debug, Clone, Copy)]
struct Range {
    country: Country,
    kind: NumberKind,
    /// The leading national digits, without a trunk zero.
    prefix: u32,
    subscriber_digits: u32,
    place: Option<&'static Place>,
}

impl Range {
    /// Returns the dialling prefix and the national digits with which every number of the range begins.
    fn leading_digits(&self) -> u64 {
        let prefix = u64::from(self.prefix);
        self.country.dialling_prefix() * 10u64.pow(prefix.ilog10() + 1) + prefix
    }

    fn offer(&self, seed: u64, number: PhoneNumber) -> Option<Offer> {
        if number == EXAMPLE {
            return None;
        }
        // Each property has its own byte, so that none depends on another.
        let [for_sale, fax, sms, mms, beta, ..] = draw(seed, b"number", number.digits());
        let subscriber = number.digits() % 10u64.pow(self.subscriber_digits);
        if for_sale >= FOR_SALE_IN_256 || !is_plausible(self.country, self.subscriber_digits, subscriber) {
            return None;
        }
        let [fax_in_256, sms_in_256, mms_in_256] = self.chances();
        let sms = sms < sms_in_256;
        Some(Offer {
            number,
            kind: self.kind,
            country: self.country,
            place: self.place,
            address_requirements: self.address_requirements(),
            beta: beta < BETA_IN_256,
            capabilities: Capabilities { voice: true, sms, mms: sms && mms < mms_in_256, fax: fax < fax_in_256 },
        })
    }

    /// Returns how many numbers in 256 carry faxes, text messages and, among those with text messages, picture
    /// messages.
    const fn chances(&self) -> [u8; 3] {
        match (self.country, self.kind) {
            (Country::Us | Country::Ca, NumberKind::Local) => [192, 240, 240],
            (Country::Us | Country::Ca, NumberKind::TollFree) => [192, 128, 0],
            (Country::Gb, NumberKind::Local) => [128, 64, 0],
            (Country::Jp | Country::De, NumberKind::Local) => [160, 0, 0],
            (Country::Gb | Country::Jp | Country::De, NumberKind::TollFree) => [96, 0, 0],
            (_, NumberKind::Mobile) => [0, 250, 0],
        }
    }

    const fn address_requirements(&self) -> AddressRequirements {
        match (self.country, self.kind) {
            (Country::Us | Country::Ca, _) | (Country::Gb, NumberKind::Local | NumberKind::Mobile) => {
                AddressRequirements::None
            }
            (Country::Gb, NumberKind::TollFree) | (Country::De, NumberKind::Mobile) => AddressRequirements::Foreign,
            (Country::Jp, _) => AddressRequirements::Any,
            (Country::De, NumberKind::Local | NumberKind::TollFree) => AddressRequirements::Local,
        }
    }
}

/// All ranges by their leading digits, so that a number's range is looked up, not searched for.
static RANGES: LazyLock<BTreeMap<u64, Range>> = LazyLock::new(|| {
    let local = PLACES.iter().flat_map(|place| {
        place.prefixes.iter().map(move |prefix| Range {
            country: place.country,
            kind: NumberKind::Local,
            prefix: *prefix,
            subscriber_digits: place.subscriber_digits,
            place: Some(place),
        })
    });
    local.chain(PLACELESS.iter().copied()).map(|range| (range.leading_digits(), range)).collect()
});

fn range_of(number: PhoneNumber) -> Option<Range> {
    SUBSCRIBER_DIGITS.into_iter().find_map(|subscriber_digits| {
        let range = RANGES.get(&(number.digits() / 10u64.pow(subscriber_digits)))?;
        // The numbers in the range with these leading digits may be longer or shorter than this one.
        (range.subscriber_digits == subscriber_digits).then_some(*range)
    })
}

fn place_of(number: PhoneNumber) -> Option<&'static Place> {
    range_of(number)?.place
}

/// Returns whether a real network could assign this subscriber number: it begins with 2 to 9, and a North American
/// exchange doesn't end in 11.
fn is_plausible(country: Country, digits: u32, subscriber: u64) -> bool {
    let first = subscriber / 10u64.pow(digits - 1);
    // In North America, the first three of the subscriber's digits are the exchange.
    let exchange = subscriber / 10u64.pow(digits.saturating_sub(3));
    first >= 2 && !(country.has_area_codes() && exchange % 100 == 11)
}

/// Draws pseudorandom bytes for the digits of a number or range; `purpose` says which of the two they belong to.
fn draw(seed: u64, purpose: &[u8], digits: u64) -> [u8; 32] {
    let hash = Sha256::new().chain_update(b"inventory").chain_update(seed.to_be_bytes()).chain_update(purpose);
    hash.chain_update(digits.to_be_bytes()).finalize().into()
}

fn degrees(microdegrees: i32) -> String {
    let sign = if microdegrees < 0 { "-" } else { "" };
    let size = microdegrees.unsigned_abs();
    format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000)
}

fn microdegrees(text: &str, limit: f64) -> Option<i32> {
    let degrees: f64 = text.trim().parse().ok()?;
    // The degrees are within ±180, so the product fits.
    #[expect(clippy::cast_possible_truncation, reason = "checked against the limit first")]
    (degrees.abs() <= limit).then(|| (degrees * 1e6).round() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everything() -> impl Iterator<Item = (Country, NumberKind)> {
        Country::ALL.iter().flat_map(|country| country.kinds().iter().map(|kind| (*country, *kind)))
    }

    fn some(seed: u64, country: Country, kind: NumberKind, limit: usize) -> Vec<Offer> {
        search(seed, country, kind, &OfferFilter::default(), limit, &|_| false)
    }

    #[test]
    fn an_offer_looked_up_by_number_equals_the_search_result() {
        for (country, kind) in everything() {
            let found = some(8, country, kind, 1_000);
            assert_eq!(found.len(), 1_000, "{country} {kind}");
            for offer in found {
                assert_eq!(offer_of(8, offer.number), Some(offer));
                assert_eq!((offer.country, offer.kind), (country, kind));
                assert_eq!(offer.place.is_some(), kind == NumberKind::Local);
            }
        }
    }

    #[test]
    fn searches_are_reproducible_and_a_greater_limit_adds_to_the_end() {
        let many = some(8, Country::Us, NumberKind::Local, 300);
        assert_eq!(many[..30], some(8, Country::Us, NumberKind::Local, 30));
        assert_ne!(many[..30], some(9, Country::Us, NumberKind::Local, 30));
        let others = some(9, Country::Us, NumberKind::Local, 1_000);
        assert!(others.iter().any(|offer| offer_of(8, offer.number).is_none()));
    }

    #[test]
    fn numbers_are_unique_and_well_formed() {
        for (country, kind) in everything() {
            let offers = some(8, country, kind, 1_000);
            let numbers: BTreeSet<PhoneNumber> = offers.iter().map(|offer| offer.number).collect();
            assert_eq!(numbers.len(), offers.len());
            for number in numbers {
                let text = number.to_string();
                assert_eq!(text.parse(), Ok(number));
                assert!(text.starts_with(&format!("+{}", country.dialling_prefix())));
                assert!(!text.starts_with("+1500555"), "Twilio's magic numbers are not for sale");
                if country.has_area_codes() {
                    assert!(text.len() == 12 && &text[6..8] != "11" && !"01".contains(&text[5..6]), "{text}");
                }
            }
        }
    }

    #[test]
    fn the_number_of_twilios_examples_can_fax_with_any_seed() {
        assert!((0..100).all(|seed| offer_of(seed, EXAMPLE).is_none()));
    }

    #[test]
    fn about_one_in_four_local_american_numbers_and_all_mobile_numbers_cannot_fax() {
        let without = |offers: &[Offer]| offers.iter().filter(|offer| !offer.capabilities.fax).count();
        assert!((200..300).contains(&without(&some(8, Country::Us, NumberKind::Local, 1_000))));
        assert_eq!(without(&some(8, Country::Gb, NumberKind::Mobile, 1_000)), 1_000);
    }

    #[test]
    fn no_two_ranges_overlap() {
        let rows = PLACES.iter().map(|place| place.prefixes.len()).sum::<usize>() + PLACELESS.len();
        assert_eq!(RANGES.len(), rows, "no two rows have the same leading digits");
        let ranges: Vec<Range> = RANGES.values().copied().collect();
        for range in &ranges {
            assert!(SUBSCRIBER_DIGITS.contains(&range.subscriber_digits));
            let first = range.leading_digits() * 10u64.pow(range.subscriber_digits);
            for number in [first, first + 10u64.pow(range.subscriber_digits) - 1] {
                let owners =
                    ranges.iter().filter(|other| number / 10u64.pow(other.subscriber_digits) == other.leading_digits());
                assert_eq!(owners.count(), 1, "{number}");
            }
        }
    }

    #[test]
    fn an_area_code_has_numbers_for_sale_until_all_are_owned() {
        let first = first_in_area(8, 415, &|_| false).expect("415 has numbers");
        assert!(first.number.to_string().starts_with("+1415"));
        let second = first_in_area(8, 415, &|number| number == first.number).expect("415 has more");
        assert_ne!(second.number, first.number);
        assert_eq!(first_in_area(8, 416, &|_| false).map(|offer| offer.country), Some(Country::Ca));
        assert_eq!(first_in_area(8, 800, &|_| false).map(|offer| offer.kind), Some(NumberKind::TollFree));
        for nowhere in [533, 500, 0, 44, 2070] {
            assert_eq!(first_in_area(8, nowhere, &|_| false), None, "{nowhere}");
        }
        assert_eq!(first_in_area(8, 415, &|_| true), None);
    }

    #[test]
    fn area_codes_narrow_searches_in_countries_that_have_them() {
        let filter = OfferFilter { area_code: Some(212), ..OfferFilter::default() };
        let found = search(8, Country::Us, NumberKind::Local, &filter, 50, &|_| false);
        assert!(found.len() == 50 && found.iter().all(|offer| offer.number.to_string().starts_with("+1212")));
        let british = search(8, Country::Gb, NumberKind::Local, &filter, 5, &|_| false);
        assert_eq!(british, some(8, Country::Gb, NumberKind::Local, 5), "elsewhere an area code has no effect");
    }

    #[test]
    fn san_francisco_has_fax_numbers_for_sale() {
        let filter = OfferFilter { area_code: Some(415), fax_enabled: Some(true), ..OfferFilter::default() };
        let found = search(8, Country::Us, NumberKind::Local, &filter, 50, &|_| false);
        assert!(found.len() == 50 && found.iter().all(|offer| offer.capabilities.fax));
    }

    #[test]
    fn a_number_that_is_taken_is_not_offered() {
        let all = some(8, Country::Us, NumberKind::Local, 4);
        let rest = search(8, Country::Us, NumberKind::Local, &OfferFilter::default(), 3, &|n| n == all[0].number);
        assert_eq!(rest, all[1..]);
    }

    #[test]
    fn numbers_outside_every_range_are_not_for_sale() {
        for number in ["+15005550006", "+15005550000", "+33123456789", "+14150000000", "+14152110000"] {
            assert_eq!(offer_of(8, number.parse().expect("a valid number")), None, "{number}");
        }
    }

    #[test]
    fn a_search_without_matches_ends() {
        let filter = OfferFilter { voice_enabled: Some(false), ..OfferFilter::default() };
        assert_eq!(offers(8, Country::Us, NumberKind::Local, &filter).count(), 0);
    }
}
