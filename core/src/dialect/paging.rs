//! Paging of lists: sizes, tokens and links in the v1, 2010-04-01 and SignalWire forms. Lists must already be filtered
//! and sorted newest first.

use serde::Serialize;

use super::error::{ApiError, Reason};
use super::form::{self, Form};
use super::parameter;
use crate::engine::agenda::Ordinal;
use crate::engine::{Cursor, Page};
use crate::model::sid::{AccountSid, Id, IdForm};

/// The default number of items on a page.
pub const PAGE_SIZE_DEFAULT: usize = 50;
/// The maximum number of items on a page. In Twilio's form, larger sizes are reduced and not refused, since SDKs send
/// their `limit` unchecked.
pub const PAGE_SIZE_MAX: usize = 1_000;

/// A client's request for a page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The maximum number of items on the page.
    pub size: usize,
    /// The page number, from zero. A token says where the page begins or ends, so if there is one, the number is only
    /// shown, and incremented or decremented in the links.
    pub page: u64,
    names: Names,
    token: Option<Token>,
    filters: Vec<(String, String)>,
}

/// What follows `PA` or `PB` in a list's tokens. It also determines the names of the paging parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// The prefix of the items' SIDs and 32 hexadecimal digits.
    Prefixed(&'static str),
    /// A UUID that begins with this number, which identifies the list.
    Uuid(u32),
    /// Like `Uuid`, but with snake_case parameter names, in SignalWire's APIs other than the compatibility API.
    Native(u32),
}

impl Names {
    /// Returns the parameter names for the size, the page and the token.
    const fn parameters(self) -> [&'static str; 3] {
        match self {
            Self::Prefixed(_) | Self::Uuid(_) => ["PageSize", "Page", "PageToken"],
            Self::Native(_) => ["page_size", "page_number", "page_token"],
        }
    }
}

/// The position at which a page starts or ends. It is a position in the order of creation, so it stays valid when the
/// item at that position is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// `PA…`: items older than this ordinal.
    Older(Ordinal),
    /// `PB…`: items newer than this ordinal.
    Newer(Ordinal),
}

/// The range that a page covers, and whether other pages precede or follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The number of items on the page.
    pub count: usize,
    /// The ordinals of the newest and the oldest item; `None` if the page is empty.
    pub ends: Option<(Ordinal, Ordinal)>,
    /// Whether a page with older items follows it.
    pub has_next: bool,
    /// Whether a page with newer items precedes it.
    pub has_previous: bool,
}

impl Extent {
    /// Returns a page's extent.
    #[must_use]
    pub fn of<T>(page: &Page<'_, T>, ordinal: impl Fn(&T) -> Ordinal) -> Self {
        let ends = page.items.first().zip(page.items.last()).map(|(first, last)| (ordinal(first), ordinal(last)));
        Self { count: page.items.len(), ends, has_next: page.has_next, has_previous: page.has_previous }
    }
}

/// The `meta` object of a v1 list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Meta {
    key: &'static str,
    page: u64,
    page_size: usize,
    first_page_url: String,
    previous_page_url: Option<String>,
    url: String,
    next_page_url: Option<String>,
}

/// The paging fields of a 2010-04-01 list, which are siblings of its items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flat {
    page: u64,
    page_size: usize,
    start: u64,
    end: u64,
    uri: String,
    first_page_uri: String,
    next_page_uri: Option<String>,
    previous_page_uri: Option<String>,
}

/// The paging fields of a SignalWire list, which precede its items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Uris {
    uri: String,
    first_page_uri: String,
    next_page_uri: Option<String>,
    previous_page_uri: Option<String>,
    page: u64,
    page_size: usize,
}

/// The links of a list in SignalWire's APIs other than the compatibility API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Links {
    #[serde(rename = "self")]
    own: String,
    first: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev: Option<String>,
}

/// Reads a page size by SignalWire's rules; the default is 50.
///
/// # Errors
/// Returns error 54454 if the value is not a number from 1 to 1000.
pub fn strict_size(query: &Form, name: &str) -> Result<usize, ApiError> {
    let size = parameter::whole_number(query, name).map_err(|error| ApiError::new(Reason::PageSize, error.message))?;
    let Some(size) = size else { return Ok(PAGE_SIZE_DEFAULT) };
    let size = usize::try_from(size).ok().filter(|size| (1..=PAGE_SIZE_MAX).contains(size));
    size.ok_or_else(|| ApiError::new(Reason::PageSize, format!("{name} must be between 1 and {PAGE_SIZE_MAX}")))
}

impl PageRequest {
    /// Reads `PageSize`, `Page` and `PageToken`, and keeps `filters` for the links; `prefix` is the items' SID prefix.
    ///
    /// # Errors
    /// Returns error 20422 with a message that names the parameter.
    pub fn parse(query: &Form, prefix: &'static str, filters: &[&str]) -> Result<Self, ApiError> {
        let size = match parameter::whole_number(query, "PageSize")? {
            Some(0) => {
                return Err(ApiError::new(Reason::PageSize, "Invalid parameter PageSize: it must be at least 1"));
            }
            // A size beyond usize is clamped like any other excessive size.
            Some(size) => usize::try_from(size).unwrap_or(PAGE_SIZE_MAX).min(PAGE_SIZE_MAX),
            None => PAGE_SIZE_DEFAULT,
        };
        let (page, names) = (parameter::whole_number(query, "Page")?.unwrap_or(0), Names::Prefixed(prefix));
        let token = parameter::given(query, "PageToken").map(|text| {
            Token::parse(text, names).ok_or_else(|| {
                let message =
                    format!("Invalid parameter PageToken: '{}' is not a token of this list", parameter::excerpt(text));
                ApiError::new(Reason::PageToken, message)
            })
        });
        let filters = filters.iter().filter_map(|name| Some(((*name).to_owned(), query.get(name)?.to_owned())));
        Ok(Self { size, page, names, token: token.transpose()?, filters: filters.collect() })
    }

    /// Reads the same parameters as [`Self::parse`] by SignalWire's rules, which refuse two things that Twilio accepts:
    /// a size beyond the maximum, and a page number without a token. `list` distinguishes this list's tokens from those
    /// of other lists.
    ///
    /// # Errors
    /// Returns error 54454 for an invalid size, 10000 for an invalid page number, 54453 for a missing token, or 21481
    /// for an invalid one.
    pub fn parse_strictly(query: &Form, list: u32, filters: &[&str]) -> Result<Self, ApiError> {
        Self::parse_named(query, Names::Uuid(list), filters)
    }

    /// Reads `page_size`, `page_number` and `page_token` by SignalWire's rules.
    ///
    /// # Errors
    /// Returns the same errors as [`Self::parse_strictly`].
    pub fn parse_native(query: &Form, list: u32, filters: &[&str]) -> Result<Self, ApiError> {
        Self::parse_named(query, Names::Native(list), filters)
    }

    fn parse_named(query: &Form, names: Names, filters: &[&str]) -> Result<Self, ApiError> {
        let [name_of_size, name_of_page, name_of_token] = names.parameters();
        let size = strict_size(query, name_of_size)?;
        let page = parameter::whole_number(query, name_of_page)?.unwrap_or(0);
        let token = parameter::given(query, name_of_token).map(|text| {
            let refused = || format!("{name_of_token} '{}' is not a token of this list", parameter::excerpt(text));
            Token::parse(text, names).ok_or_else(|| ApiError::new(Reason::PageToken, refused()))
        });
        let token = token.transpose()?;
        if page > 0 && token.is_none() {
            let message = format!(
                "{name_of_token} is required if {name_of_page} is greater than 0; follow the link to the next page"
            );
            return Err(ApiError::new(Reason::PageTokenMissing, message));
        }
        let filters = filters.iter().filter_map(|name| Some(((*name).to_owned(), query.get(name)?.to_owned())));
        Ok(Self { size, page, names, token, filters: filters.collect() })
    }

    /// Returns the position at which the page begins or ends.
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        match self.token {
            Some(Token::Older(ordinal)) => Cursor::Before(ordinal),
            Some(Token::Newer(ordinal)) => Cursor::After(ordinal),
            // A client may ask for any page number; a page beyond the end of the list is empty.
            None => Cursor::Skip(self.page.saturating_mul(self.size as u64)),
        }
    }

    /// Cuts the page out of a complete list.
    pub fn cut<'a, T>(
        &self,
        newest_first: impl Iterator<Item = &'a T>,
        ordinal: impl Fn(&T) -> Ordinal,
    ) -> Page<'a, T> {
        let all: Vec<&T> = newest_first.collect();
        let newer_than = |anchor: Ordinal| all.partition_point(|item| ordinal(item) > anchor);
        let (from, to) = match self.cursor() {
            Cursor::Skip(skip) => {
                let from = usize::try_from(skip).unwrap_or(usize::MAX).min(all.len());
                (from, all.len().min(from.saturating_add(self.size)))
            }
            Cursor::Before(anchor) => {
                // The anchor itself is one of the items to skip.
                let from = newer_than(anchor.saturating_sub(1));
                (from, all.len().min(from.saturating_add(self.size)))
            }
            Cursor::After(anchor) => {
                let to = newer_than(anchor);
                (to.saturating_sub(self.size), to)
            }
        };
        Page { items: all[from..to].to_vec(), has_next: to < all.len(), has_previous: from > 0 }
    }

    /// Returns the `meta` of the page; `url` is the list's URL, without a query.
    #[must_use]
    pub fn meta(&self, key: &'static str, url: &str, extent: &Extent) -> Meta {
        let link = |(page, token)| self.link(url, page, token);
        Meta {
            key,
            page: self.page,
            page_size: self.size,
            first_page_url: link((0, None)),
            previous_page_url: self.previous(extent).map(link),
            url: link((self.page, self.token)),
            next_page_url: self.next(extent).map(link),
        }
    }

    /// Returns the paging fields of the page; `uri` is the list's path, without a query.
    #[must_use]
    pub fn flat(&self, uri: &str, extent: &Extent) -> Flat {
        let link = |(page, token)| self.link(uri, page, token);
        let start = self.page.saturating_mul(self.size as u64);
        Flat {
            page: self.page,
            page_size: self.size,
            start,
            // The index of the last item; an empty page ends where it starts.
            end: start.saturating_add((extent.count as u64).saturating_sub(1)),
            uri: link((self.page, self.token)),
            first_page_uri: link((0, None)),
            next_page_uri: self.next(extent).map(link),
            previous_page_uri: self.previous(extent).map(link),
        }
    }

    /// Returns the paging fields in SignalWire's form; `uri` is the list's path, without a query.
    #[must_use]
    pub fn uris(&self, uri: &str, extent: &Extent) -> Uris {
        let link = |(page, token)| self.link(uri, page, token);
        Uris {
            uri: link((self.page, self.token)),
            first_page_uri: link((0, None)),
            next_page_uri: self.next(extent).map(link),
            previous_page_uri: self.previous(extent).map(link),
            page: self.page,
            page_size: self.size,
        }
    }

    /// Returns the links of the page; `url` is the list's URL, without a query.
    #[must_use]
    pub fn links(&self, url: &str, extent: &Extent) -> Links {
        let link = |(page, token)| self.link(url, page, token);
        Links {
            own: link((self.page, self.token)),
            first: link((0, None)),
            next: self.next(extent).map(link),
            prev: self.previous(extent).map(link),
        }
    }

    fn next(&self, extent: &Extent) -> Option<(u64, Option<Token>)> {
        // Only a token can lead to an empty page with older items after it.
        let newer = match self.token {
            // The page of items newer than this ordinal is empty, so the next page begins with the item of this ordinal
            // itself. A token excludes its own ordinal, so the new one is one higher.
            Some(Token::Newer(ordinal)) => Some(Token::Older(ordinal.saturating_add(1))),
            Some(Token::Older(_)) | None => None,
        };
        let token = extent.ends.map(|(_, oldest)| Token::Older(oldest)).or(newer);
        extent.has_next.then(|| (self.page.saturating_add(1), token))
    }

    fn previous(&self, extent: &Extent) -> Option<(u64, Option<Token>)> {
        let older = match self.token {
            // Likewise, the item with the token's own ordinal is one of the newer items here.
            Some(Token::Older(ordinal)) => Some(Token::Newer(ordinal.saturating_sub(1))),
            Some(Token::Newer(_)) | None => None,
        };
        let token = extent.ends.map(|(newest, _)| Token::Newer(newest)).or(older);
        // With a token, even page 0 may have a page before it, since clients choose the number.
        extent.has_previous.then(|| (self.page.saturating_sub(1), token))
    }

    fn link(&self, base: &str, page: u64, token: Option<Token>) -> String {
        let mut pairs = self.filters.clone();
        let [name_of_size, name_of_page, name_of_token] = self.names.parameters().map(str::to_owned);
        let (size, page) = ((name_of_size, self.size.to_string()), (name_of_page, page.to_string()));
        // Twilio writes the size before the page, SignalWire the page before the size.
        pairs.extend(match self.names {
            Names::Prefixed(_) => [size, page],
            Names::Uuid(_) | Names::Native(_) => [page, size],
        });
        pairs.extend(token.map(|token| (name_of_token, token.text(self.names))));
        format!("{base}?{}", form::encode_query(&pairs))
    }
}

impl Token {
    fn parse(text: &str, names: Names) -> Option<Self> {
        let (direction, rest) = text.split_at_checked(2)?;
        let ordinal = match names {
            Names::Prefixed(prefix) => {
                let digits = rest.strip_prefix(prefix).filter(|digits| digits.len() == 32)?;
                // `from_str_radix` alone would accept a plus sign.
                let digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(digits)?;
                Ordinal::from_str_radix(digits, 16).ok()?
            }
            Names::Uuid(list) | Names::Native(list) => {
                let id: AccountSid = rest.parse().ok()?;
                let ordinal = Ordinal::from_be_bytes(*id.bytes().last_chunk()?) & ORDINAL_BITS;
                // Tokens of other lists, and invented ones, have other bits.
                (id == anchor(list, ordinal)).then_some(ordinal)?
            }
        };
        match direction {
            "PA" => Some(Self::Older(ordinal)),
            "PB" => Some(Self::Newer(ordinal)),
            _ => None,
        }
    }

    fn text(self, names: Names) -> String {
        let (direction, ordinal) = match self {
            Self::Older(ordinal) => ("PA", ordinal),
            Self::Newer(ordinal) => ("PB", ordinal),
        };
        match names {
            Names::Prefixed(prefix) => format!("{direction}{prefix}{ordinal:032x}"),
            Names::Uuid(list) | Names::Native(list) => format!("{direction}{}", anchor(list, ordinal)),
        }
    }
}

/// The bits of a UUID that hold an ordinal; the bits before them hold the UUID's variant.
const ORDINAL_BITS: Ordinal = (1 << 56) - 1;

/// Returns the UUID for a position in a list. It contains the position, so a client can continue from there even after
/// the list has changed. The id's type doesn't matter, since all UUIDs are written alike.
fn anchor(list: u32, ordinal: Ordinal) -> AccountSid {
    let mut bits = [0; 16];
    bits[..4].copy_from_slice(&list.to_be_bytes());
    bits[8..].copy_from_slice(&(ordinal & ORDINAL_BITS).to_be_bytes());
    AccountSid::minted(bits, IdForm::Uuid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::account::Dialect;

    const URL: &str = "http://localhost:8329/v1/Faxes";

    fn request(query: &str) -> PageRequest {
        PageRequest::parse(&Form::parse(query.as_bytes()).unwrap(), "FX", &["From", "To"]).unwrap()
    }

    fn code(query: &str) -> Option<u32> {
        PageRequest::parse(&Form::parse(query.as_bytes()).unwrap(), "FX", &[])
            .err()
            .map(|error| error.code(Dialect::Twilio))
    }

    /// Cuts the page out of a list of ordinals and returns its items and `meta`.
    fn cut(query: &str, list: &[u64]) -> (Vec<u64>, Meta) {
        let request = request(query);
        let page = request.cut(list.iter(), |item| *item);
        let meta = request.meta("faxes", URL, &Extent::of(&page, |item| *item));
        (page.items.into_iter().copied().collect(), meta)
    }

    #[test]
    fn a_single_page_has_all_seven_keys_and_null_neighbours() {
        let (_, meta) = cut("To=%2B14155554321&From=%2B14155551234", &[]);
        let url = format!("{URL}?From=%2B14155551234&To=%2B14155554321&PageSize=50&Page=0");
        let expected = serde_json::json!({
            "key": "faxes", "page": 0, "page_size": 50, "first_page_url": url, "previous_page_url": null, "url": url,
            "next_page_url": null,
        });
        assert_eq!(serde_json::to_value(meta).unwrap(), expected);
    }

    #[test]
    fn sizes_are_clamped_and_invalid_ones_are_refused() {
        assert_eq!(request("PageSize=5000").size, 1_000);
        assert_eq!(request("PageSize=99999999999999999999").size, 1_000);
        assert_eq!(request("PageSize=").size, 50);
        for bad in ["PageSize=0", "PageSize=-1", "PageSize=many", "Page=x", "PageToken=PAFX1", "PageToken=é"] {
            assert_eq!(code(bad), Some(20422), "{bad}");
        }
        let sign = format!("PageToken=PAFX%2B{:031x}", 1);
        assert_eq!(code(&sign), Some(20422));
        assert_eq!(code(&format!("PageToken=PAPN{:032x}", 1)), Some(20422), "a token of another list");
    }

    #[test]
    fn following_next_then_previous_visits_each_item_once_each_way() {
        let list: Vec<u64> = (1..=7).rev().collect();
        let (mut query, mut down) = ("PageSize=3".to_owned(), Vec::new());
        let mut last = String::new();
        loop {
            let (items, meta) = cut(&query, &list);
            down.extend(items);
            last.clone_from(&meta.url);
            let Some(next) = meta.next_page_url else { break };
            query = next.split_once('?').unwrap().1.to_owned();
        }
        assert_eq!(down, list);
        let (mut query, mut up) = (last.split_once('?').unwrap().1.to_owned(), Vec::new());
        loop {
            let (mut items, meta) = cut(&query, &list);
            items.reverse();
            up.extend(items);
            let Some(previous) = meta.previous_page_url else { break };
            query = previous.split_once('?').unwrap().1.to_owned();
        }
        up.reverse();
        assert_eq!(up, list);
    }

    #[test]
    fn a_token_survives_the_deletion_of_its_anchor_and_new_arrivals() {
        let (_, meta) = cut("PageSize=2", &[5, 4, 3, 2, 1]);
        let next = meta.next_page_url.unwrap();
        assert!(next.ends_with(&format!("PageSize=2&Page=1&PageToken=PAFX{:032x}", 4)), "{next}");
        let query = next.split_once('?').unwrap().1;
        let (items, meta) = cut(query, &[6, 5, 3, 2, 1]);
        assert_eq!((items, meta.page), (vec![3, 2], 1));
        let previous = meta.previous_page_url.unwrap();
        assert!(previous.ends_with(&format!("Page=0&PageToken=PBFX{:032x}", 3)), "{previous}");
    }

    #[test]
    fn an_empty_page_still_links_back() {
        let (items, meta) = cut(&format!("Page=1&PageToken=PAFX{:032x}", 1), &[5, 1]);
        assert_eq!((items, meta.next_page_url), (vec![], None));
        let back = meta.previous_page_url.unwrap();
        assert_eq!(cut(back.split_once('?').unwrap().1, &[5, 1]).0, [5, 1]);
        let (items, meta) = cut("Page=9", &[5, 1]);
        assert_eq!((items, meta.previous_page_url.unwrap()), (vec![], format!("{URL}?PageSize=50&Page=8")));
        let (items, meta) = cut(&format!("PageToken=PBFX{:032x}", 5), &[5, 1]);
        assert!(items.is_empty());
        assert_eq!(cut(meta.next_page_url.unwrap().split_once('?').unwrap().1, &[5, 1]).0, [5, 1]);
    }

    #[test]
    fn twilio_accepts_a_page_number_without_a_token() {
        assert_eq!(cut("Page=1&PageSize=2", &[5, 4, 3, 2, 1]).0, [3, 2]);
        assert_eq!(cut(&format!("Page={}&PageSize=1000", u64::MAX), &[1]).0, Vec::<u64>::new());
    }

    #[test]
    fn a_2010_list_counts_its_items_and_has_relative_links() {
        let request = request("PageSize=2&Page=1");
        let page = request.cut([5u64, 4, 3, 2, 1].iter(), |item| *item);
        let flat = request.flat("/2010-04-01/Accounts.json", &Extent::of(&page, |item| *item));
        assert_eq!((flat.page, flat.start, flat.end), (1, 2, 3));
        assert_eq!(flat.uri, "/2010-04-01/Accounts.json?PageSize=2&Page=1");
        assert!(flat.next_page_uri.unwrap().starts_with("/2010-04-01/Accounts.json?PageSize=2&Page=2&PageToken=PAFX"));
    }

    fn strict(query: &str) -> Result<PageRequest, u32> {
        let read = PageRequest::parse_strictly(&Form::parse(query.as_bytes()).unwrap(), 1, &["To"]);
        read.map_err(|error| error.code(Dialect::SignalWire))
    }

    #[test]
    fn signalwire_refuses_an_out_of_range_size_and_a_page_without_its_token() {
        for bad in ["PageSize=0", "PageSize=1001", "PageSize=x", "PageSize=99999999999999999999"] {
            assert_eq!(strict(bad), Err(54454), "{bad}");
        }
        assert_eq!(strict("Page=1"), Err(54453));
        assert_eq!(strict("Page=x"), Err(10000));
        for bad in ["PA", "PAx", "PA831455c6-574e-4d8b-b6ee-2418140bf4cd", "é"] {
            assert_eq!(strict(&format!("Page=1&PageToken={bad}")), Err(21481), "{bad}");
        }
        assert_eq!(strict("Page=0&PageSize=1000").map(|request| request.size), Ok(1_000));
    }

    #[test]
    fn signalwire_links_lead_through_the_whole_list_and_back() {
        let list: Vec<u64> = (1..=7).rev().collect();
        let cut = |query: &str| {
            let request = strict(query).unwrap();
            let page = request.cut(list.iter(), |item| *item);
            let uris = request.uris("/F", &Extent::of(&page, |item| *item));
            (page.items.into_iter().copied().collect::<Vec<u64>>(), uris)
        };
        let query = |uri: String| uri.strip_prefix("/F?").unwrap().to_owned();
        let (items, uris) = cut("PageSize=3&To=1");
        assert_eq!((items, uris.uri.as_str()), (vec![7, 6, 5], "/F?To=1&Page=0&PageSize=3"));
        let (items, uris) = cut(&query(uris.next_page_uri.unwrap()));
        assert_eq!((items, uris.page), (vec![4, 3, 2], 1));
        assert!(uris.uri.contains("&PageToken=PA00000001-0000-4000-8000-000000000005"), "{}", uris.uri);
        let (items, last) = cut(&query(uris.next_page_uri.unwrap()));
        assert_eq!((items, last.next_page_uri), (vec![1], None));
        let (items, _) = cut(&query(last.previous_page_uri.unwrap()));
        assert_eq!(items, [4, 3, 2]);
    }

    #[test]
    fn a_token_from_a_different_list_is_refused() {
        let token = Token::Older(5).text(Names::Uuid(2));
        assert_eq!(strict(&format!("Page=1&PageToken={token}")), Err(21481));
        assert_eq!(Token::parse(&token, Names::Uuid(2)), Some(Token::Older(5)));
    }
}
