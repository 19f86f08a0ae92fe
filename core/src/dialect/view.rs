//! The context that resources are shown in, besides the thing itself.

use crate::model::account::PriceForm;
use crate::model::sid::AccountSid;
use crate::model::time::Timestamp;

/// The account, the client and the moment that resources are shown for.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The SID of the account that owns the resources.
    pub account: AccountSid,
    /// The scheme and host that the client used, on which links are built.
    pub origin: &'a str,
    /// The world's time, from which the validity of media URLs counts.
    pub now: Timestamp,
    /// The key that media URLs are signed with.
    pub signing_key: &'a [u8],
    /// How a price is written.
    pub price: PriceForm,
}
