//! Decides which request follows a redirect: 301, 302 and 303 turn the request into a GET, while 307 and 308 keep the
//! method.

use crate::dialect::address::normal;
use crate::model::reference::{resolve, without_userinfo};
use crate::model::webhook::{ExchangeFailure, Method};

/// The step that follows a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// No further step: the response is final.
    Done,
    /// Make a further request, as the redirect says.
    Hop {
        /// The URL to request, which may carry userinfo.
        to: String,
        /// The method to use for that URL.
        method: Method,
    },
}

/// Returns the step that follows a response with this status and `Location`, or an error if the redirect has no usable
/// target.
pub(super) fn next(status: u16, location: Option<&str>, from: &str, method: Method) -> Result<Next, ExchangeFailure> {
    let method = match status {
        301..=303 => Method::Get,
        307 | 308 => method,
        _ => return Ok(Next::Done),
    };
    // Treating a redirect without a target as the final response would hide the app's mistake.
    let Some(location) = location else { return Err(ExchangeFailure::RedirectsNowhere { status, location: None }) };
    let to = resolve(from, location.trim()).filter(|to| normal(to).is_some());
    let nowhere = || ExchangeFailure::RedirectsNowhere { status, location: Some(without_userinfo(location)) };
    Ok(Next::Hop { to: to.ok_or_else(nowhere)?, method })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fault::Fault;

    fn from(status: u16, location: Option<&str>) -> Result<Next, ExchangeFailure> {
        next(status, location, "https://app.test/a/b?x=1", Method::Post)
    }

    #[test]
    fn older_redirects_become_get_and_newer_ones_keep_the_method() {
        for (status, method) in [(301, Method::Get), (302, Method::Get), (303, Method::Get), (307, Method::Post)] {
            let expected = Next::Hop { to: "https://app.test/a/c".to_owned(), method };
            assert_eq!(from(status, Some("c")), Ok(expected), "{status}");
        }
        let elsewhere = Next::Hop { to: "http://other.test".to_owned(), method: Method::Post };
        assert_eq!(from(308, Some("http://other.test")), Ok(elsewhere));
    }

    #[test]
    fn only_redirect_statuses_redirect_and_they_need_a_target() {
        for status in [200, 204, 300, 304, 401, 404] {
            assert_eq!(from(status, Some("/c")), Ok(Next::Done), "{status}");
        }
        for location in [None, Some("http://"), Some("mailto:someone")] {
            let failure = from(302, location).expect_err("nowhere");
            assert_eq!(failure.fault(), Fault::BadRedirect, "{location:?}");
            assert!(failure.to_string().contains("302"), "{failure}");
        }
        assert!(from(307, None).unwrap_err().to_string().contains("without a Location header"));
    }
}
