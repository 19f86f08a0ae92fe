//! The filters of an inventory search, and whether a number matches them.

use std::str::FromStr;

use super::{AddressRequirements, Offer, Place, Point, Range, place_of};
use crate::model::phone::PhoneNumber;

/// The largest radius of a search around a point, in miles (`Distance`).
pub const DISTANCE_MILES_MAX: u16 = 500;
/// The default radius of a search around a point, in miles (`Distance`).
pub const DISTANCE_MILES_DEFAULT: u16 = 25;
/// The longest pattern: a plus sign and the fifteen digits of an E.164 number.
pub const PATTERN_LEN_MAX: usize = 16;
/// The shortest pattern: "If specified, this value must have at least two characters" (`Contains`).
pub const PATTERN_LEN_MIN: usize = 2;

/// The error for an invalid filter value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{parameter} {reason}")]
pub struct InvalidFilter {
    /// The parameter's name in the API.
    pub parameter: &'static str,
    /// The requirement for the value, worded so that it can follow the name.
    pub reason: &'static str,
}

/// A pattern that a number must contain (`Contains`): digits, letters as on a keypad, and `*` for any one digit. With a
/// leading `+`, the number must begin with the pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pub(super) symbols: Vec<Option<u8>>,
    pub(super) from_start: bool,
}

impl FromStr for Pattern {
    type Err = InvalidFilter;

    fn from_str(text: &str) -> Result<Self, InvalidFilter> {
        let invalid = |reason| InvalidFilter { parameter: "Contains", reason };
        if !(PATTERN_LEN_MIN..=PATTERN_LEN_MAX).contains(&text.chars().count()) {
            return Err(invalid("must have 2 to 16 characters"));
        }
        let tail = text.strip_prefix('+');
        let symbols = tail.unwrap_or(text).chars().map(keypad).collect::<Option<Vec<_>>>();
        let symbols = symbols.ok_or(invalid("may contain digits, letters and * only"))?;
        Ok(Self { symbols, from_start: tail.is_some() })
    }
}

/// The filters of a search; an omitted filter excludes nothing. The value of an `in_…` filter may also be an E.164
/// number, which stands for the corresponding attribute of that number's place; case is ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfferFilter {
    /// The area code; ignored outside the United States and Canada.
    pub area_code: Option<u16>,
    /// The pattern that a number must contain.
    pub contains: Option<Pattern>,
    /// The state, province or similar region of the number's place.
    pub in_region: Option<String>,
    /// The postal code of the number's place.
    pub in_postal_code: Option<String>,
    /// The city of the number's place.
    pub in_locality: Option<String>,
    /// The rate center of the number's place.
    pub in_rate_center: Option<String>,
    /// The local access and transport area of the number's place.
    pub in_lata: Option<String>,
    /// Only offers within `distance_miles` of this number's place match; if that place is unknown, nothing matches.
    pub near_number: Option<PhoneNumber>,
    /// Only offers within `distance_miles` of this point match.
    pub near_lat_long: Option<Point>,
    /// The radius in miles: 25 by default, 500 at most.
    pub distance_miles: Option<u16>,
    /// `Some(true)` requires numbers that take calls, `Some(false)` excludes them.
    pub voice_enabled: Option<bool>,
    /// `Some(true)` requires numbers that take text messages, `Some(false)` excludes them.
    pub sms_enabled: Option<bool>,
    /// `Some(true)` requires numbers that take picture messages, `Some(false)` excludes them.
    pub mms_enabled: Option<bool>,
    /// `Some(true)` requires numbers that take faxes, `Some(false)` excludes them.
    pub fax_enabled: Option<bool>,
    /// Excludes numbers that require an address of any kind.
    pub exclude_all_address_required: bool,
    /// Excludes numbers that require an address in their country.
    pub exclude_local_address_required: bool,
    /// Excludes numbers that require an address outside their country.
    pub exclude_foreign_address_required: bool,
    /// `Some(false)` excludes numbers that are new to the platform.
    pub beta: Option<bool>,
}

impl OfferFilter {
    /// Returns whether a range may contain matching numbers.
    pub(super) fn admits_range(&self, range: &Range) -> bool {
        let area = self.area_code.filter(|_| range.country.has_area_codes());
        area.is_none_or(|area| u32::from(area) == range.prefix) && self.admits_place(range.place)
    }

    fn admits_place(&self, place: Option<&Place>) -> bool {
        let is = |wanted: &Option<String>, attribute: fn(&Place) -> Option<&'static str>| {
            let Some(wanted) = wanted else { return true };
            // The value may be an E.164 number; if that number's place is unknown, nothing matches.
            let of_number = wanted.parse().ok().map(|number| place_of(number).and_then(attribute));
            let wanted = of_number.unwrap_or(Some(wanted));
            place
                .and_then(attribute)
                .zip(wanted)
                .is_some_and(|(has, wanted)| has.to_lowercase() == wanted.to_lowercase())
        };
        is(&self.in_region, |place| Some(place.region))
            && is(&self.in_postal_code, |place| Some(place.postal_code))
            && is(&self.in_locality, |place| Some(place.locality))
            && is(&self.in_rate_center, |place| place.rate_center)
            && is(&self.in_lata, |place| place.lata)
            && self
                .near_number
                .is_none_or(|number| place_of(number).is_some_and(|other| self.is_near(place, other.location)))
            && self.near_lat_long.is_none_or(|point| self.is_near(place, point))
    }

    fn is_near(&self, place: Option<&Place>, point: Point) -> bool {
        let distance = self.distance_miles.unwrap_or(DISTANCE_MILES_DEFAULT).min(DISTANCE_MILES_MAX);
        place.is_some_and(|place| place.location.miles_to(point) <= f64::from(distance))
    }

    /// Returns whether an offer has the requested attributes. Digits and place were checked when candidates were
    /// chosen.
    pub(super) fn admits(&self, offer: &Offer) -> bool {
        let is = |wanted: Option<bool>, has: bool| wanted.is_none_or(|wanted| wanted == has);
        let excluded = match offer.address_requirements {
            AddressRequirements::None => false,
            AddressRequirements::Any => self.exclude_all_address_required,
            AddressRequirements::Local => self.exclude_all_address_required || self.exclude_local_address_required,
            AddressRequirements::Foreign => self.exclude_all_address_required || self.exclude_foreign_address_required,
        };
        is(self.voice_enabled, offer.capabilities.voice)
            && is(self.sms_enabled, offer.capabilities.sms)
            && is(self.mms_enabled, offer.capabilities.mms)
            && is(self.fax_enabled, offer.capabilities.fax)
            && !excluded
            // `Some(true)` includes new numbers, but doesn't exclude the others.
            && (self.beta != Some(false) || !offer.beta)
    }
}

/// Parses a pattern symbol, with letters as on a telephone keypad (ITU-T E.161): `Some(None)` means any digit, `None`
/// an invalid symbol.
fn keypad(symbol: char) -> Option<Option<u8>> {
    let digit = match symbol.to_ascii_uppercase() {
        '*' => return Some(None),
        digit @ '0'..='9' => return Some(digit.to_digit(10).and_then(|digit| u8::try_from(digit).ok())),
        'A'..='C' => 2,
        'D'..='F' => 3,
        'G'..='I' => 4,
        'J'..='L' => 5,
        'M'..='O' => 6,
        'P'..='S' => 7,
        'T'..='V' => 8,
        'W'..='Z' => 9,
        _ => return None,
    };
    Some(Some(digit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::{Country, NumberKind, offers, search};

    fn pattern(text: &str) -> Option<Pattern> {
        text.parse().ok()
    }

    fn us_local(filter: &OfferFilter) -> Vec<Offer> {
        search(8, Country::Us, NumberKind::Local, filter, 20, &|_| false)
    }

    #[test]
    fn a_pattern_may_contain_only_digits_keypad_letters_and_asterisks() {
        let fax = Pattern { symbols: vec![Some(3), Some(2), Some(9)], from_start: false };
        assert_eq!(pattern("fAx"), Some(fax.clone()));
        assert_eq!(pattern("329"), Some(fax));
        assert_eq!(pattern("1*").map(|pattern| pattern.symbols), Some(vec![Some(1), None]));
        for bad in ["", "5", "555-1234", "(510)", "5 5", "é5", "12345678901234567", "5+"] {
            let error = bad.parse::<Pattern>().map_err(|error| error.parameter);
            assert_eq!(error, Err("Contains"), "{bad}");
        }
    }

    #[test]
    fn numbers_found_by_a_pattern_contain_it() {
        for (text, needle) in [("510", "510"), ("VOTE", "8683"), ("1FAX", "1329")] {
            let filter = OfferFilter { contains: pattern(text), ..OfferFilter::default() };
            let found = us_local(&filter);
            assert_eq!(found.len(), 20, "{text}");
            assert!(found.iter().all(|offer| offer.number.to_string().contains(needle)), "{text}: {found:?}");
        }
    }

    #[test]
    fn a_leading_plus_anchors_the_pattern() {
        let filter = OfferFilter { contains: pattern("+1510***77"), ..OfferFilter::default() };
        for offer in us_local(&filter) {
            let digits = offer.number.to_string();
            assert!(digits.starts_with("+1510") && &digits[8..10] == "77", "{digits}");
        }
        assert_eq!(us_local(&filter).len(), 20);
        assert!(us_local(&OfferFilter { contains: pattern("+44"), ..OfferFilter::default() }).is_empty());
    }

    #[test]
    fn a_complete_number_is_found_by_its_digits_if_it_is_for_sale() {
        let offer = us_local(&OfferFilter::default())[0];
        let national = &offer.number.to_string()[2..];
        let filter = OfferFilter { contains: pattern(national), ..OfferFilter::default() };
        assert_eq!(us_local(&filter), [offer]);
    }

    #[test]
    fn each_capability_can_be_required_or_excluded() {
        for wanted in [true, false] {
            let fax = OfferFilter { fax_enabled: Some(wanted), ..OfferFilter::default() };
            let sms = OfferFilter { sms_enabled: Some(wanted), ..OfferFilter::default() };
            let mms = OfferFilter { mms_enabled: Some(wanted), ..OfferFilter::default() };
            assert!(us_local(&fax).len() == 20 && us_local(&fax).iter().all(|o| o.capabilities.fax == wanted));
            assert!(us_local(&sms).len() == 20 && us_local(&sms).iter().all(|o| o.capabilities.sms == wanted));
            assert!(us_local(&mms).len() == 20 && us_local(&mms).iter().all(|o| o.capabilities.mms == wanted));
        }
        assert!(us_local(&OfferFilter { voice_enabled: Some(false), ..OfferFilter::default() }).is_empty());
    }

    #[test]
    fn a_search_stays_within_its_place() {
        let text = |text: &str| Some(text.to_owned());
        let none = OfferFilter::default;
        let filters = [
            OfferFilter { in_region: text("ca"), in_locality: text("san francisco"), ..none() },
            OfferFilter { in_postal_code: text("94105"), ..none() },
            OfferFilter { in_lata: text("722"), in_rate_center: text("SNFC CNTRL"), ..none() },
            OfferFilter { in_locality: text("+14155550100"), ..none() },
        ];
        for filter in filters {
            let found = us_local(&filter);
            assert_eq!(found.len(), 20, "{filter:?}");
            assert!(found.iter().all(|o| o.place.is_some_and(|place| place.locality == "San Francisco")), "{filter:?}");
        }
        assert!(us_local(&OfferFilter { in_locality: text("+18005550100"), ..none() }).is_empty());
        assert!(us_local(&OfferFilter { in_region: text("ON"), ..none() }).is_empty());
        let toll_free = OfferFilter { in_region: text("CA"), ..none() };
        assert!(search(8, Country::Us, NumberKind::TollFree, &toll_free, 1, &|_| false).is_empty());
    }

    #[test]
    fn nearness_is_measured_in_miles() {
        let near = |distance_miles| OfferFilter {
            near_number: "+14155550100".parse().ok(),
            distance_miles,
            ..OfferFilter::default()
        };
        let cities = |filter: &OfferFilter| {
            let found = offers(8, Country::Us, NumberKind::Local, filter).take(200);
            found.filter_map(|offer| Some(offer.place?.locality)).collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(cities(&near(Some(10))).into_iter().collect::<Vec<_>>(), ["Oakland", "San Francisco"]);
        assert_eq!(cities(&near(None)), cities(&near(Some(10))), "the default of 25 miles leaves out Concord, at 25.2");
        assert!(cities(&near(Some(30))).contains("Concord") && !cities(&near(Some(30))).contains("San Jose"));
        assert!(cities(&near(Some(u16::MAX))).contains("Los Angeles"));
        assert!(!cities(&near(Some(u16::MAX))).contains("New York"));
        let point = OfferFilter { near_lat_long: "37.77,-122.41".parse().ok(), ..near(Some(5)) };
        assert_eq!(cities(&point).into_iter().collect::<Vec<_>>(), ["San Francisco"]);
        assert!(cities(&OfferFilter { near_number: "+4915112345678".parse().ok(), ..near(None) }).is_empty());
    }

    #[test]
    fn a_point_consists_of_latitude_and_longitude_in_degrees() {
        let point = "38.8048,-77.0469".parse::<Point>().expect("a valid point");
        assert_eq!((point.latitude(), point.longitude()), ("38.804800".to_owned(), "-77.046900".to_owned()));
        let london = Point { latitude_microdegrees: 51_507_400, longitude_microdegrees: -127_800 };
        assert_eq!(london.longitude(), "-0.127800");
        for bad in ["", "38.8", "91,0", "0,181", "a,b", "NaN,0"] {
            assert_eq!(bad.parse::<Point>().map_err(|error| error.parameter), Err("NearLatLong"), "{bad}");
        }
    }

    #[test]
    fn address_requirements_can_be_excluded() {
        let local = |filter: &OfferFilter, country| search(8, country, NumberKind::Local, filter, 5, &|_| false).len();
        let all = OfferFilter { exclude_all_address_required: true, ..OfferFilter::default() };
        let only_local = OfferFilter { exclude_local_address_required: true, ..OfferFilter::default() };
        let only_foreign = OfferFilter { exclude_foreign_address_required: true, ..OfferFilter::default() };
        assert_eq!([local(&all, Country::Us), local(&all, Country::De), local(&all, Country::Jp)], [5, 0, 0]);
        assert_eq!([local(&only_local, Country::De), local(&only_local, Country::Jp)], [0, 5]);
        assert_eq!(local(&only_foreign, Country::De), 5);
        assert!(search(8, Country::De, NumberKind::Mobile, &only_foreign, 5, &|_| false).is_empty());
    }

    #[test]
    fn new_numbers_are_listed_unless_excluded() {
        let betas = |beta| {
            let filter = OfferFilter { beta, ..OfferFilter::default() };
            offers(8, Country::Us, NumberKind::Local, &filter).take(500).filter(|offer| offer.beta).count()
        };
        assert!(betas(None) > 0);
        assert_eq!(betas(Some(true)), betas(None));
        assert_eq!(betas(Some(false)), 0);
    }
}
