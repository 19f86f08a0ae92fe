//! AvailablePhoneNumbers in the 2010-04-01 API: the search filters, and the resources of the search results.

use serde::Serialize;

use super::account_path;
use crate::dialect::error::ApiError;
use crate::dialect::form::{self, Form};
use crate::dialect::paging::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX};
use crate::dialect::parameter;
use crate::model::inventory::{
    Capabilities, Country, DISTANCE_MILES_MAX, InvalidFilter, NumberKind, Offer, OfferFilter,
};
use crate::model::phone::PhoneNumber;
use crate::model::sid::AccountSid;

/// The parameters of a search that the `uri` of its response repeats.
const ECHOED: &[&str] = &[
    "AreaCode",
    "Contains",
    "SmsEnabled",
    "MmsEnabled",
    "VoiceEnabled",
    "FaxEnabled",
    "ExcludeAllAddressRequired",
    "ExcludeLocalAddressRequired",
    "ExcludeForeignAddressRequired",
    "Beta",
    "NearNumber",
    "NearLatLong",
    "Distance",
    "InPostalCode",
    "InRegion",
    "InRateCenter",
    "InLata",
    "InLocality",
    "PageSize",
];

/// A search of the inventory of numbers for sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferSearch {
    /// The country to search in.
    pub country: Country,
    /// The type of number.
    pub kind: NumberKind,
    /// The conditions that numbers must meet.
    pub filter: OfferFilter,
    /// The maximum number of results.
    pub limit: usize,
    query: String,
}

/// Returns the country and the type in a path; `None` if no such numbers are sold there.
#[must_use]
pub fn list_of(country: &str, kind: &str) -> Option<(Country, NumberKind)> {
    let country = country_of(country)?;
    let kind = NumberKind::from_word(kind)?;
    country.kinds().contains(&kind).then_some((country, kind))
}

/// Returns the country in a path; `None` if no numbers are sold there.
#[must_use]
pub fn country_of(code: &str) -> Option<Country> {
    Country::from_word(code)
}

/// Reads the parameters of a search.
///
/// # Errors
/// Returns error 20422 with a message that names the parameter.
pub fn search(query: &Form, (country, kind): (Country, NumberKind)) -> Result<OfferSearch, ApiError> {
    let limit = match parameter::whole_number(query, "PageSize")? {
        Some(0) => return Err(ApiError::invalid("PageSize", "it must be at least 1")),
        Some(size) => usize::try_from(size).unwrap_or(PAGE_SIZE_MAX).min(PAGE_SIZE_MAX),
        None => PAGE_SIZE_DEFAULT,
    };
    let given: Vec<_> = ECHOED.iter().filter_map(|name| Some((*name, query.get(name)?))).collect();
    let query_text = if given.is_empty() { String::new() } else { format!("?{}", form::encode_query(&given)) };
    Ok(OfferSearch { country, kind, filter: filter(query)?, limit, query: query_text })
}

/// The results of a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfferList {
    available_phone_numbers: Vec<OfferResource>,
    uri: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct OfferResource {
    friendly_name: String,
    phone_number: String,
    lata: Option<&'static str>,
    locality: Option<&'static str>,
    rate_center: Option<&'static str>,
    latitude: Option<String>,
    longitude: Option<String>,
    region: Option<&'static str>,
    postal_code: Option<&'static str>,
    iso_country: &'static str,
    address_requirements: &'static str,
    beta: bool,
    capabilities: CapabilitiesResource,
}

// As in captured responses, these keys are in mixed case; the resource of an owned number has them in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct CapabilitiesResource {
    voice: bool,
    #[serde(rename = "SMS")]
    sms: bool,
    #[serde(rename = "MMS")]
    mms: bool,
    fax: bool,
}

impl OfferList {
    /// Returns the resource of a search's results.
    #[must_use]
    pub fn of(offers: &[Offer], search: &OfferSearch, account: AccountSid) -> Self {
        let uri = list_uri(account, search.country, search.kind) + &search.query;
        Self { available_phone_numbers: offers.iter().map(OfferResource::of).collect(), uri }
    }
}

/// A country, with links to the types of number sold there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CountryResource {
    country_code: &'static str,
    country: &'static str,
    uri: String,
    beta: bool,
    subresource_uris: CountrySubresources,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct CountrySubresources {
    #[serde(skip_serializing_if = "Option::is_none")]
    local: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    toll_free: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mobile: Option<String>,
}

impl CountryResource {
    /// Returns the resource of a country.
    #[must_use]
    pub fn of(country: Country, account: AccountSid) -> Self {
        let list = |kind| country.kinds().contains(&kind).then(|| list_uri(account, country, kind));
        Self {
            country_code: country.as_str(),
            country: country.name(),
            uri: format!("{}/AvailablePhoneNumbers/{country}.json", account_path(account)),
            beta: false,
            subresource_uris: CountrySubresources {
                local: list(NumberKind::Local),
                toll_free: list(NumberKind::TollFree),
                mobile: list(NumberKind::Mobile),
            },
        }
    }
}

/// The countries in which numbers are sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CountryList {
    countries: Vec<CountryResource>,
    uri: String,
}

impl CountryList {
    /// Returns the resource of all countries.
    #[must_use]
    pub fn of(account: AccountSid) -> Self {
        Self {
            countries: Country::ALL.iter().map(|country| CountryResource::of(*country, account)).collect(),
            uri: format!("{}/AvailablePhoneNumbers.json", account_path(account)),
        }
    }
}

impl OfferResource {
    fn of(offer: &Offer) -> Self {
        let Capabilities { voice, sms, mms, fax } = offer.capabilities;
        Self {
            friendly_name: offer.number.national_format(),
            phone_number: offer.number.to_string(),
            lata: offer.place.and_then(|place| place.lata),
            locality: offer.place.map(|place| place.locality),
            rate_center: offer.place.and_then(|place| place.rate_center),
            latitude: offer.place.map(|place| place.location.latitude()),
            longitude: offer.place.map(|place| place.location.longitude()),
            region: offer.place.map(|place| place.region),
            postal_code: offer.place.map(|place| place.postal_code),
            iso_country: offer.country.as_str(),
            address_requirements: offer.address_requirements.as_str(),
            beta: offer.beta,
            capabilities: CapabilitiesResource { voice, sms, mms, fax },
        }
    }
}

fn filter(query: &Form) -> Result<OfferFilter, ApiError> {
    let flag = |name| parameter::boolean(query, name);
    let text = |name| parameter::given(query, name).map(str::to_owned);
    Ok(OfferFilter {
        area_code: whole(query, "AreaCode", u16::MAX)?,
        contains: parameter::given(query, "Contains").map(str::parse).transpose().map_err(invalid)?,
        in_region: text("InRegion"),
        in_postal_code: text("InPostalCode"),
        in_locality: text("InLocality"),
        in_rate_center: text("InRateCenter"),
        in_lata: text("InLata"),
        near_number: near_number(query)?,
        near_lat_long: parameter::given(query, "NearLatLong").map(str::parse).transpose().map_err(invalid)?,
        distance_miles: whole(query, "Distance", DISTANCE_MILES_MAX)?,
        voice_enabled: flag("VoiceEnabled")?,
        sms_enabled: flag("SmsEnabled")?,
        mms_enabled: flag("MmsEnabled")?,
        fax_enabled: flag("FaxEnabled")?,
        exclude_all_address_required: flag("ExcludeAllAddressRequired")?.unwrap_or(false),
        exclude_local_address_required: flag("ExcludeLocalAddressRequired")?.unwrap_or(false),
        exclude_foreign_address_required: flag("ExcludeForeignAddressRequired")?.unwrap_or(false),
        beta: flag("Beta")?,
    })
}

fn whole(query: &Form, name: &str, max: u16) -> Result<Option<u16>, ApiError> {
    let Some(number) = parameter::whole_number(query, name)? else { return Ok(None) };
    let number = u16::try_from(number).ok().filter(|number| *number <= max);
    number.map(Some).ok_or_else(|| ApiError::invalid(name, &format!("it must be at most {max}")))
}

fn near_number(query: &Form) -> Result<Option<PhoneNumber>, ApiError> {
    let Some(text) = parameter::given(query, "NearNumber") else { return Ok(None) };
    let number = text
        .parse()
        .map_err(|error| ApiError::invalid("NearNumber", &format!("'{}' is {error}", parameter::excerpt(text))));
    number.map(Some)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn invalid(error: InvalidFilter) -> ApiError {
    ApiError::invalid(error.parameter, error.reason)
}

fn list_uri(account: AccountSid, country: Country, kind: NumberKind) -> String {
    format!("{}/AvailablePhoneNumbers/{country}/{kind}.json", account_path(account))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::twilio::keys_of;
    use crate::model::account::Dialect;
    use crate::model::inventory;

    const ACCOUNT: AccountSid = AccountSid::from_bytes([0; 16]);
    const US_LOCAL: (Country, NumberKind) = (Country::Us, NumberKind::Local);

    fn found(query: &str, list: (Country, NumberKind)) -> serde_json::Value {
        let search = search(&Form::parse(query.as_bytes()).unwrap(), list).unwrap();
        let offers = inventory::search(8, search.country, search.kind, &search.filter, search.limit, &|_| false);
        serde_json::to_value(OfferList::of(&offers, &search, ACCOUNT)).unwrap()
    }

    #[test]
    fn search_results_have_the_captured_shape() {
        let answer = found("AreaCode=415&FaxEnabled=True&PageSize=2", US_LOCAL);
        assert_eq!(keys_of(&answer), ["available_phone_numbers", "uri"].into(), "no paging keys");
        let path = "/2010-04-01/Accounts/AC00000000000000000000000000000000/AvailablePhoneNumbers/US/Local.json";
        assert_eq!(answer["uri"], format!("{path}?AreaCode=415&FaxEnabled=True&PageSize=2"));
        let offers = answer["available_phone_numbers"].as_array().unwrap();
        assert_eq!(offers.len(), 2);
        let documented = [
            "friendly_name",
            "phone_number",
            "lata",
            "locality",
            "rate_center",
            "latitude",
            "longitude",
            "region",
            "postal_code",
            "iso_country",
            "address_requirements",
            "beta",
            "capabilities",
        ];
        assert_eq!(keys_of(&offers[0]), documented.into());
        assert_eq!(keys_of(&offers[0]["capabilities"]), ["voice", "SMS", "MMS", "fax"].into());
        assert_eq!(offers[0]["capabilities"]["fax"], true);
        assert!(offers[0]["phone_number"].as_str().unwrap().starts_with("+1415"));
        assert!(offers[0]["friendly_name"].as_str().unwrap().starts_with("(415) "));
        assert!(offers[0]["latitude"].is_string());
    }

    #[test]
    fn toll_free_numbers_have_no_place() {
        let answer = found("PageSize=1", (Country::Us, NumberKind::TollFree));
        for key in ["lata", "locality", "rate_center", "latitude", "longitude", "region", "postal_code"] {
            assert!(answer["available_phone_numbers"][0][key].is_null(), "{key}");
        }
    }

    #[test]
    fn fifty_numbers_are_returned_by_default() {
        assert_eq!(found("", US_LOCAL)["available_phone_numbers"].as_array().map(Vec::len), Some(50));
        assert!(found("", US_LOCAL)["uri"].as_str().unwrap().ends_with("/Local.json"));
        assert_eq!(found("PageSize=5000", US_LOCAL)["available_phone_numbers"].as_array().map(Vec::len), Some(1_000));
    }

    #[test]
    fn invalid_filters_are_refused_and_named() {
        for bad in [
            "AreaCode=x",
            "AreaCode=99999",
            "Contains=5",
            "FaxEnabled=yes",
            "NearNumber=5551234",
            "NearLatLong=91,0",
            "Distance=501",
            "Beta=2",
            "PageSize=0",
            "ExcludeAllAddressRequired=no",
        ] {
            let error = search(&Form::parse(bad.as_bytes()).unwrap(), US_LOCAL).unwrap_err();
            assert_eq!((error.status(Dialect::Twilio), error.code(Dialect::Twilio)), (400, 20422), "{bad}");
            assert!(error.message.contains(bad.split('=').next().unwrap()), "{}", error.message);
        }
    }

    #[test]
    fn only_existing_lists_have_a_path() {
        assert_eq!(list_of("US", "Local"), Some(US_LOCAL));
        assert_eq!(list_of("GB", "Mobile"), Some((Country::Gb, NumberKind::Mobile)));
        for (country, kind) in [("US", "Mobile"), ("US", "local"), ("US", "Voip"), ("ZZ", "Local")] {
            assert_eq!(list_of(country, kind), None, "{country}/{kind}");
        }
    }

    #[test]
    fn countries_link_to_their_lists() {
        let list = serde_json::to_value(CountryList::of(ACCOUNT)).unwrap();
        let countries = list["countries"].as_array().unwrap();
        assert_eq!(countries.len(), Country::ALL.len());
        assert_eq!(keys_of(&countries[0]["subresource_uris"]), ["local", "toll_free"].into());
        let path = "/2010-04-01/Accounts/AC00000000000000000000000000000000/AvailablePhoneNumbers";
        assert_eq!(countries[0]["subresource_uris"]["toll_free"], format!("{path}/US/TollFree.json"));
        assert_eq!(
            (&countries[0]["uri"], &countries[0]["country"]),
            (&format!("{path}/US.json").into(), &"United States".into())
        );
    }
}
