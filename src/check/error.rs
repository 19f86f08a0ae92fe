//! The reasons that a run can't begin.

use crate::client::ApiError;
use crate::io::client::ClientError;

/// The reason that a run could not begin.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// An address of the app is not a URL.
    #[error("{0:?} is not an http or https URL; write it like http://localhost:3000/fax")]
    NotUrl(String),
    /// The app is at a public address.
    #[error(
        "{0}; the checks send requests that an app may not expect, so only apps on this machine or in a private \
             network are checked, unless you say --i-own-this-host"
    )]
    Public(String),
    /// A call to the emulator failed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The account's token is not the one that the app is configured with.
    #[error(
        "account {account} has another token in this emulator, so its signatures would be wrong; leave --auth-token out, \
             or name another account with --account"
    )]
    OtherToken {
        /// The account.
        account: String,
    },
    /// The account has no token yet.
    #[error(
        "account {account} has no token yet, because no client has signed in to it; give the app's with --auth-token"
    )]
    NoToken {
        /// The account.
        account: String,
    },
    /// Faxes of the account are in progress, and the run would end them.
    #[error(
        "account {account} has {pending} faxes in progress, which the checks would disturb; wait for them with: fauxfax \
             wait --idle, or name another account with --account"
    )]
    Busy {
        /// The account.
        account: String,
        /// The number of faxes and calls that have not ended.
        pending: u64,
    },
    /// Another run is under way in the account, or was killed before it could put everything back.
    #[error(
        "other checks are running in account {account}, or were killed before they could put everything back; wait for \
             them, or put it back with: fauxfax reset --snapshot {snapshot} --account {account}, and then: fauxfax snapshots \
             remove {snapshot} --account {account}, and: fauxfax clock run --account {account}"
    )]
    UnderWay {
        /// The account.
        account: String,
        /// The snapshot of the account as it was before that run.
        snapshot: String,
    },
    /// The HTTP client can't be created.
    #[error(transparent)]
    Client(#[from] ClientError),
}
