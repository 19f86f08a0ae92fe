//! The context in which a resource is shown: everything that its JSON depends on besides its own data.

use crate::model::account::PriceFormat;
use crate::model::sid::AccountSid;
use crate::model::time::Timestamp;

/// The account, client and time for which resources are shown.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The SID of the account that owns the resources.
    pub account: AccountSid,
    /// The scheme and host that the client used, on which links are built.
    pub origin: &'a str,
    /// The world's time, at which a media URL becomes valid.
    pub now: Timestamp,
    /// The key that signs media URLs.
    pub signing_key: &'a [u8],
    /// The way in which Twilio's prices are written.
    pub price: PriceFormat,
}
