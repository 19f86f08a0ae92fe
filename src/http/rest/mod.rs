//! The building blocks of all dialects' REST APIs: routes, and calls whose client has signed in. `dispatch.rs` finds a
//! request's route; the routes and handlers are in one folder per dialect.

mod call;
mod route;

use std::borrow::Cow;
use std::str::FromStr;

use matchit::Params;
use percent_encoding::percent_decode_str;

pub(super) use self::call::Call;
pub(super) use self::route::Route;
use crate::model::sid::AccountSid;

/// The named parts of a path, as matched by its route.
pub(super) struct PathParams<'a>(pub(super) Params<'static, 'a>);

impl PathParams<'_> {
    /// Returns the account in the path: `None` if the path has none, `Some(None)` if that part is not an AccountSid.
    pub(super) fn account(&self) -> Option<Option<AccountSid>> {
        self.0.get("account").map(|_| self.parse("account"))
    }

    /// Returns a part of the path, percent-decoded; `None` if there is no such part, or it isn't UTF-8.
    fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        percent_decode_str(self.0.get(name)?).decode_utf8().ok()
    }

    /// Parses a part of the path; `None` if it is missing or malformed.
    pub(super) fn parse<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }
}
