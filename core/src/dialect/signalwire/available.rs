//! SignalWire's AvailablePhoneNumbers: the search filters, and the resources of the search results.

use serde::Serialize;

use super::{account_path, national_format};
use crate::dialect::error::ApiError;
use crate::dialect::form::{self, Form};
use crate::dialect::paging;
use crate::dialect::twilio::available::{self, OfferSearch};
use crate::model::inventory::{Country, NumberKind, Offer};
use crate::model::sid::AccountSid;

/// Filters that SignalWire accepts for compatibility with Twilio, but ignores.
const IGNORED: &[&str] = &[
    "SmsEnabled",
    "MmsEnabled",
    "VoiceEnabled",
    "FaxEnabled",
    "ExcludeAllAddressRequired",
    "ExcludeLocalAddressRequired",
    "ExcludeForeignAddressRequired",
];
/// The types of number for sale. SignalWire has no list of mobile numbers.
const KINDS: &[NumberKind] = &[NumberKind::Local, NumberKind::TollFree];

/// A search, and the query that the `uri` of its response repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// The country, type, conditions and limit of the search.
    pub wanted: OfferSearch,
    query: String,
}

/// Returns the country and the type in a path; `None` if there is no such list.
#[must_use]
pub fn list_of(country: &str, kind: &str) -> Option<(Country, NumberKind)> {
    available::list_of(country, kind).filter(|(_, kind)| KINDS.contains(kind))
}

/// Reads the parameters of a search.
///
/// # Errors
/// Returns error 54454 for an invalid `PageSize`, otherwise 10000; the message names the parameter.
pub fn search(query: &Form, list: (Country, NumberKind)) -> Result<Search, ApiError> {
    // Checked here, because `available::search` reduces an excessive size as Twilio does.
    paging::strict_size(query, "PageSize")?;
    let heard = Form::of(query.iter().filter(|(name, _)| !IGNORED.contains(name)));
    let mut wanted = available::search(&heard, list)?;
    // The response doesn't say whether a number can receive faxes, so only numbers that can are offered.
    wanted.filter.fax_enabled = Some(true);
    let pairs: Vec<_> = query.iter().collect();
    let query = if pairs.is_empty() { String::new() } else { format!("?{}", form::encode_query(&pairs)) };
    Ok(Search { wanted, query })
}

/// The results of a search, all on one page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfferList {
    uri: String,
    available_phone_numbers: Vec<OfferResource>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct OfferResource {
    friendly_name: String,
    phone_number: String,
    lata: Option<&'static str>,
    rate_center: Option<&'static str>,
    latitude: Option<String>,
    longitude: Option<String>,
    region: Option<&'static str>,
    postal_code: Option<&'static str>,
    iso_country: &'static str,
    capabilities: CapabilitiesResource,
    beta: bool,
}

// As in the captured responses, the names are in mixed case and `fax` is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct CapabilitiesResource {
    voice: bool,
    #[serde(rename = "SMS")]
    sms: bool,
    #[serde(rename = "MMS")]
    mms: bool,
}

impl OfferList {
    /// Returns the resource of a search's results.
    #[must_use]
    pub fn of(offers: &[Offer], search: &Search, account: AccountSid) -> Self {
        let OfferSearch { country, kind, .. } = search.wanted;
        let uri = format!("{}{}", list_path(account, country, kind), search.query);
        Self { uri, available_phone_numbers: offers.iter().map(OfferResource::of).collect() }
    }
}

impl OfferResource {
    fn of(offer: &Offer) -> Self {
        Self {
            friendly_name: national_format(offer.number),
            phone_number: offer.number.to_string(),
            lata: offer.place.and_then(|place| place.lata),
            rate_center: offer.place.and_then(|place| place.rate_center),
            latitude: offer.place.map(|place| place.location.latitude()),
            longitude: offer.place.map(|place| place.location.longitude()),
            region: offer.place.map(|place| place.region),
            postal_code: offer.place.map(|place| place.postal_code),
            iso_country: offer.country.as_str(),
            capabilities: CapabilitiesResource {
                voice: offer.capabilities.voice,
                sms: offer.capabilities.sms,
                mms: offer.capabilities.mms,
            },
            beta: offer.beta,
        }
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
    local: String,
    toll_free: String,
}

impl CountryResource {
    /// Returns the resource of a country.
    #[must_use]
    pub fn of(country: Country, account: AccountSid) -> Self {
        let list = |kind| format!("{}.json", list_path(account, country, kind));
        Self {
            country_code: country.as_str(),
            country: country.name(),
            uri: format!("{}/AvailablePhoneNumbers/{country}.json", account_path(account)),
            beta: false,
            subresource_uris: CountrySubresources {
                local: list(NumberKind::Local),
                toll_free: list(NumberKind::TollFree),
            },
        }
    }
}

/// The countries in which numbers are sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CountryList {
    uri: String,
    countries: Vec<CountryResource>,
}

impl CountryList {
    /// Returns the resource of all countries.
    #[must_use]
    pub fn of(account: AccountSid) -> Self {
        Self {
            uri: format!("{}/AvailablePhoneNumbers.json", account_path(account)),
            countries: Country::ALL.iter().map(|country| CountryResource::of(*country, account)).collect(),
        }
    }
}

fn list_path(account: AccountSid, country: Country, kind: NumberKind) -> String {
    format!("{}/AvailablePhoneNumbers/{country}/{kind}", account_path(account))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::account::Dialect;
    use crate::model::inventory;
    use crate::model::sid::{Id, IdForm};

    const US_LOCAL: (Country, NumberKind) = (Country::Us, NumberKind::Local);

    fn found(query: &str) -> serde_json::Value {
        let search = search(&Form::parse(query.as_bytes()).unwrap(), US_LOCAL).unwrap();
        let OfferSearch { country, kind, filter, limit, .. } = &search.wanted;
        let offers = inventory::search(8, *country, *kind, filter, *limit, &|_| false);
        assert!(offers.iter().all(|offer| offer.capabilities.fax), "every offered number can receive faxes");
        serde_json::to_value(OfferList::of(&offers, &search, AccountSid::minted([0; 16], IdForm::Uuid))).unwrap()
    }

    #[test]
    fn a_search_result_has_the_captured_shape_and_repeats_the_query() {
        let answer = found("InRegion=WA&FaxEnabled=maybe");
        let path = "/api/laml/2010-04-01/Accounts/00000000-0000-4000-8000-000000000000/AvailablePhoneNumbers/US/Local";
        assert_eq!(answer["uri"], format!("{path}?InRegion=WA&FaxEnabled=maybe"));
        assert_eq!(answer.as_object().map(serde_json::Map::len), Some(2), "no paging");
        let offers = answer["available_phone_numbers"].as_array().unwrap();
        assert_eq!((offers.len(), &offers[0]["region"], offers[0].as_object().unwrap().len()), (50, &"WA".into(), 11));
        let capabilities = offers[0]["capabilities"].as_object().unwrap();
        let mut names: Vec<_> = capabilities.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["MMS", "SMS", "voice"]);
        let name = offers[0]["friendly_name"].as_str().unwrap();
        assert_eq!(format!("+1{}", name.replace('-', "")), offers[0]["phone_number"].as_str().unwrap());
    }

    #[test]
    fn invalid_filters_are_refused_and_there_are_no_mobile_numbers() {
        for (query, code) in
            [("AreaCode=x", 10000), ("PageSize=0", 54454), ("PageSize=1001", 54454), ("PageSize=x", 54454)]
        {
            let refused = search(&Form::parse(query.as_bytes()).unwrap(), US_LOCAL).unwrap_err();
            let answer = (refused.status(Dialect::SignalWire), refused.code(Dialect::SignalWire));
            assert_eq!(answer, (422, code), "{query}");
        }
        assert_eq!(list_of("GB", "Mobile"), None);
        assert_eq!(list_of("US", "Local"), Some(US_LOCAL));
    }
}
