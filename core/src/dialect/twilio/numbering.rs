//! Reads telephone numbers for look-ups: a number's country, whether its length is possible, and its national format.
//! Nothing here knows whether a number is in use.

mod plans;

use std::fmt::Write;

use self::plans::{AREAS, NORTH_AMERICA, PLANS, Plan, SHARED};

/// The maximum length of a number in a request, in bytes; a longer string counts as `NOT_A_NUMBER`.
const TEXT_LEN_MAX: usize = 64;

/// The reason that a number is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberFault {
    /// The number has too few digits for its country.
    TooShort,
    /// The number has too many digits for its country.
    TooLong,
    /// The number has a possible length, but no number of its country has these digits. Only North American numbers are
    /// checked for this.
    InvalidButPossible,
    /// The number begins with no assigned country code, or the country given for it doesn't exist.
    InvalidCountryCode,
    /// The string is not a number: it is too long, has no digits, or has characters that no number has.
    NotANumber,
}

impl NumberFault {
    /// Returns Twilio's word for the fault.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::TooShort => "TOO_SHORT",
            Self::TooLong => "TOO_LONG",
            Self::InvalidButPossible => "INVALID_BUT_POSSIBLE",
            Self::InvalidCountryCode => "INVALID_COUNTRY_CODE",
            Self::NotANumber => "NOT_A_NUMBER",
        }
    }
}

/// A number that may exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    /// The country code, without the plus.
    pub(super) calling_code: &'static str,
    /// The ISO 3166-1 code of the country; `None` for worldwide services.
    pub(super) country: Option<&'static str>,
    /// The number in E.164 form.
    pub(super) e164: String,
    /// The number as it is dialled within the country.
    pub(super) national_format: String,
}

/// A number that can't exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InvalidNumber {
    /// The reason.
    pub(super) fault: NumberFault,
    /// The number in E.164 form, as far as it could be read, or the string itself.
    pub(super) shown: String,
}

/// Reads a number in E.164 form, or in the national form of the given country, by default the United States.
pub(super) fn parse(text: &str, country: Option<&str>) -> Result<Number, InvalidNumber> {
    let invalid = |fault, shown: &str| Err(InvalidNumber { fault, shown: shown.to_owned() });
    let text = text.trim();
    let (is_international, rest) = text.strip_prefix('+').map_or((false, text), |rest| (true, rest));
    let is_of_a_number = |character: char| character.is_ascii_digit() || " -.()/".contains(character);
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() || text.len() > TEXT_LEN_MAX || !rest.chars().all(is_of_a_number) {
        return invalid(NumberFault::NotANumber, text);
    }
    let (plan, national) = if is_international {
        let found = plans().find_map(|plan| Some((plan, digits.strip_prefix(plan.code)?)));
        let Some(found) = found else { return invalid(NumberFault::InvalidCountryCode, &format!("+{digits}")) };
        found
    } else {
        let Some(plan) = plan_of(country.unwrap_or("US")) else {
            return invalid(NumberFault::InvalidCountryCode, text);
        };
        (plan, without_trunk(plan, &digits))
    };
    let e164 = format!("+{}{national}", plan.code);
    if national.len() < plan.digits_min {
        return invalid(NumberFault::TooShort, &e164);
    }
    if national.len() > plan.digits_max {
        return invalid(NumberFault::TooLong, &e164);
    }
    if *plan == NORTH_AMERICA && !is_north_american(national) {
        return invalid(NumberFault::InvalidButPossible, &e164);
    }
    Ok(Number {
        calling_code: plan.code,
        country: country_of(plan, national),
        national_format: national_format(plan, national),
        e164,
    })
}

fn plans() -> impl Iterator<Item = &'static Plan> {
    std::iter::once(&NORTH_AMERICA).chain(PLANS)
}

/// Returns the plan of a country, given by its ISO 3166-1 code in any case.
fn plan_of(country: &str) -> Option<&'static Plan> {
    let is_it = |own: &str| own.eq_ignore_ascii_case(country);
    if AREAS.iter().any(|(own, _)| is_it(own)) {
        return Some(&NORTH_AMERICA);
    }
    let shared = SHARED.iter().find(|(_, own, _)| is_it(own)).map(|(code, ..)| *code);
    plans().find(|plan| plan.country.is_some_and(is_it) || shared == Some(plan.code))
}

/// Removes the trunk prefix of a national number, unless the number would be too short without it.
fn without_trunk<'a>(plan: &Plan, digits: &'a str) -> &'a str {
    let rest = digits.strip_prefix(plan.trunk).unwrap_or(digits);
    if rest.len() < plan.digits_min { digits } else { rest }
}

/// Returns whether neither the area code nor the exchange begins with 0 or 1.
fn is_north_american(national: &str) -> bool {
    let begins_well = |at: usize| national.as_bytes().get(at).is_some_and(|digit| (b'2'..=b'9').contains(digit));
    begins_well(0) && begins_well(3)
}

fn country_of(plan: &Plan, national: &str) -> Option<&'static str> {
    if *plan == NORTH_AMERICA {
        let area = national.get(..3).and_then(|area| area.parse().ok()).unwrap_or(0);
        let other = AREAS.iter().find(|(_, areas)| areas.contains(&area)).map(|(country, _)| *country);
        return other.or(plan.country);
    }
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| national.starts_with(prefix));
    let shared = SHARED.iter().find(|(code, _, prefixes)| *code == plan.code && begins(prefixes));
    shared.map(|(_, country, _)| *country).or(plan.country)
}

/// Formats a national number: by the country's own rules in North America, the United Kingdom, France and, for the
/// usual area codes, Germany; elsewhere in groups of three digits.
fn national_format(plan: &Plan, national: &str) -> String {
    if *plan == NORTH_AMERICA {
        return format!("({}) {}-{}", &national[..3], &national[3..6], &national[6..]);
    }
    let groups: &[usize] = match plan.code {
        "44" => british(national),
        "33" => &[1, 2, 2, 2],
        "49" => german(national),
        _ => &[3, 3, 3],
    };
    let mut text = plan.trunk.to_owned();
    let mut rest = national;
    for group in groups {
        // Among groups of three, the last one may have four digits, so that no group has only one.
        if rest.len() <= *group || (groups == [3, 3, 3] && rest.len() == 4) {
            break;
        }
        let (first, others) = rest.split_at(*group);
        // Writing to a string never fails.
        let _ = write!(text, "{first} ");
        rest = others;
    }
    text + rest
}

/// Returns the lengths of all groups but the last of a British number (Ofcom, National Telephone Numbering Plan).
fn british(national: &str) -> &'static [usize] {
    let digits = national.as_bytes();
    match (digits.first(), digits.get(1), digits.get(2), national.len()) {
        (Some(b'2' | b'5'), _, _, 10) => &[2, 4],
        (Some(b'1'), Some(b'1'), _, 10) | (Some(b'1'), _, Some(b'1'), 10) | (Some(b'3' | b'8' | b'9'), _, _, 10) => {
            &[3, 3]
        }
        (_, _, _, 7 | 8) | (Some(b'8'), _, _, 9) => &[3],
        _ => &[4],
    }
}

/// Returns the length of the area code of a German number: two digits for Berlin, Hamburg, Frankfurt and Munich, three
/// or four for mobile networks, and three for all others, although many towns have more.
fn german(national: &str) -> &'static [usize] {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| national.starts_with(prefix));
    if begins(&["30", "40", "69", "89"]) {
        &[2]
    } else if begins(&["15"]) {
        &[4]
    } else {
        &[3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, country: Option<&str>) -> (&'static str, Option<&'static str>, String, String) {
        let number = parse(text, country).unwrap_or_else(|invalid| panic!("{text}: {invalid:?}"));
        (number.calling_code, number.country, number.e164, number.national_format)
    }

    #[test]
    fn a_number_has_a_country_and_a_national_format() {
        for (text, code, country, national) in [
            ("+14155550132", "1", Some("US"), "(415) 555-0132"),
            ("+15005550006", "1", Some("US"), "(500) 555-0006"),
            ("+15558675310", "1", Some("US"), "(555) 867-5310"),
            ("+14165550132", "1", Some("CA"), "(416) 555-0132"),
            ("+18765550132", "1", Some("JM"), "(876) 555-0132"),
            ("+18005550132", "1", Some("US"), "(800) 555-0132"),
            ("+442077651182", "44", Some("GB"), "020 7765 1182"),
            ("+447772000001", "44", Some("GB"), "07772 000001"),
            ("+441134960123", "44", Some("GB"), "0113 496 0123"),
            ("+441614960123", "44", Some("GB"), "0161 496 0123"),
            ("+441632960123", "44", Some("GB"), "01632 960123"),
            ("+448001111", "44", Some("GB"), "0800 1111"),
            ("+441534123456", "44", Some("JE"), "01534 123456"),
            ("+33142685300", "33", Some("FR"), "01 42 68 53 00"),
            ("+493012345678", "49", Some("DE"), "030 12345678"),
            ("+4915123456789", "49", Some("DE"), "01512 3456789"),
            ("+492211234567", "49", Some("DE"), "0221 1234567"),
            ("+74951234567", "7", Some("RU"), "8495 123 4567"),
            ("+77271234567", "7", Some("KZ"), "8727 123 4567"),
            ("+4545123456", "45", Some("DK"), "451 234 56"),
            ("+390612345678", "39", Some("IT"), "061 234 5678"),
            ("+80012345678", "800", None, "123 456 78"),
        ] {
            assert_eq!(found(text, None), (code, country, text.to_owned(), national.to_owned()));
        }
    }

    #[test]
    fn a_national_number_is_read_in_the_named_country() {
        for (text, country, e164) in [
            ("(415) 555-0132", None, "+14155550132"),
            ("1 415.555.0132", None, "+14155550132"),
            ("4165550132", Some("ca"), "+14165550132"),
            ("020 7765 1182", Some("GB"), "+442077651182"),
            ("030/12345678", Some("DE"), "+493012345678"),
            ("06 12345678", Some("HU"), "+3612345678"),
            ("0612345678", Some("IT"), "+390612345678"),
            ("8 727 123 4567", Some("KZ"), "+77271234567"),
            ("+442077651182", Some("US"), "+442077651182"),
        ] {
            assert_eq!(found(text, country).2, e164, "{text} in {country:?}");
        }
    }

    #[test]
    fn each_fault_has_its_word() {
        for (text, country, word, shown) in [
            ("", None, "NOT_A_NUMBER", ""),
            ("abc", None, "NOT_A_NUMBER", "abc"),
            ("+1415555CALL", None, "NOT_A_NUMBER", "+1415555CALL"),
            ("++14155550132", None, "NOT_A_NUMBER", "++14155550132"),
            ("+1415555", None, "TOO_SHORT", "+1415555"),
            ("+141599299600", None, "TOO_LONG", "+141599299600"),
            ("+4420", None, "TOO_SHORT", "+4420"),
            ("+10155550132", None, "INVALID_BUT_POSSIBLE", "+10155550132"),
            ("+14151550132", None, "INVALID_BUT_POSSIBLE", "+14151550132"),
            ("+2101234567", None, "INVALID_COUNTRY_CODE", "+2101234567"),
            ("+0123456789", None, "INVALID_COUNTRY_CODE", "+0123456789"),
            ("4155550132", Some("XX"), "INVALID_COUNTRY_CODE", "4155550132"),
        ] {
            let invalid = parse(text, country).expect_err(text);
            assert_eq!((invalid.fault.as_str(), invalid.shown.as_str()), (word, shown));
        }
        assert_eq!(parse(&"1".repeat(65), None).expect_err("too long").fault, NumberFault::NotANumber);
    }

    #[test]
    fn no_country_code_is_a_prefix_of_another_and_every_plan_fits_e164() {
        for plan in plans() {
            assert!(plan.digits_min <= plan.digits_max && plan.code.len() + plan.digits_max <= 15, "{plan:?}");
            let others = plans().filter(|other| other.code != plan.code);
            assert!(others.into_iter().all(|other| !other.code.starts_with(plan.code)), "{plan:?}");
        }
        let mut areas: Vec<u16> = AREAS.iter().flat_map(|(_, areas)| areas.iter().copied()).collect();
        let count = areas.len();
        areas.sort_unstable();
        areas.dedup();
        assert_eq!(areas.len(), count, "no area code belongs to two countries");
    }
}
