//! The reasons why a request was assigned to no world.

use crate::model::words::words;

words!(
    /// The reason why a request was assigned to no world.
    NoWorld {
        /// The guard, which checks where a request comes from and which host it names, refused the request.
        NotAllowed = "not-allowed",
        /// No resource has this path.
        UnknownPath = "unknown-path",
        /// The resource doesn't support this method.
        WrongMethod = "wrong-method",
        /// The request has no credential, or a malformed one.
        NoCredential = "no-credential",
        /// There is no such account: it is not configured and others are refused, the path names something that isn't
        /// an account's SID, or the account in a media URL has no world.
        UnknownAccount = "unknown-account",
        /// The token or the API key's secret doesn't match, or there is no such key.
        WrongCredential = "wrong-credential",
        /// The credential belongs to an account other than the one in the path.
        OtherAccount = "other-account",
        /// The path belongs to a dialect other than the account's.
        OtherDialect = "other-dialect",
        /// The credential is a standard API key, which isn't enough for the path's resource: Twilio's Accounts or Keys.
        KeyNotEnough = "key-not-enough",
        /// The account's world has broken because of a fault in the emulator.
        Broken = "world-broken",
        /// The account needs a new world, but there are already too many.
        TooManyAccounts = "too-many-accounts",
        /// The account has no world yet, and a read-only request doesn't create one.
        NotCreated = "account-not-created",
    }
);

impl NoWorld {
    /// Says what is wrong with the request, as a sentence.
    #[must_use]
    pub const fn cause(self) -> &'static str {
        match self {
            Self::NotAllowed => "The emulator doesn't answer to this host name, or to this web page.",
            Self::UnknownPath => "No resource has this path.",
            Self::WrongMethod => "The resource at this path doesn't support this method.",
            Self::NoCredential => "The request has no credential, or a malformed one.",
            Self::UnknownAccount => "There is no such account.",
            Self::WrongCredential => "The token or the key's secret is wrong.",
            Self::OtherAccount => "The credential belongs to an account other than the one in the path.",
            Self::OtherDialect => {
                "The path belongs to Twilio's API and the account to SignalWire's, or the other way round."
            }
            Self::KeyNotEnough => "An API key is not enough for this resource.",
            Self::Broken => "The account's world is broken because of a fault in the emulator.",
            Self::TooManyAccounts => "There are already too many accounts.",
            Self::NotCreated => "Nothing has used this account yet, and reading doesn't create it.",
        }
    }

    /// Says what to do, as a sentence.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::NotAllowed => {
                "If the name or the page is yours, start the emulator with --allow-host or --allow-origin."
            }
            Self::UnknownPath => {
                "Check the path, including upper and lower case; the response says where the resource is, if it exists elsewhere."
            }
            Self::WrongMethod => "The response names the methods of this path in its Allow header.",
            Self::NoCredential => "Send the account's SID and token by Basic authentication.",
            Self::UnknownAccount => {
                "Check the SID: fauxfax accounts lists the accounts. With --accounts strict, only those can be used."
            }
            Self::WrongCredential => {
                "Use the account's token: fauxfax accounts --json lists it, and so does the console."
            }
            Self::OtherAccount => "Use the SID and token of the account in the path, or of its owner.",
            Self::OtherDialect => {
                "Use the paths of the API that the account belongs to, or an account of the API that has this path."
            }
            Self::KeyNotEnough => "Sign in with the account's SID and token.",
            Self::Broken => "Reset the account: fauxfax reset. The log says what to report.",
            Self::TooManyAccounts => "Remove accounts that are no longer needed, or use fewer.",
            Self::NotCreated => "Send a fax, buy a number or change something first.",
        }
    }
}
