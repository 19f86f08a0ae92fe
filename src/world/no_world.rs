//! The reasons that a request belongs to no world.

use crate::model::words::words;

words!(
    /// The reason a request belongs to no world.
    NoWorld {
        /// The guard, which checks where a request comes from and which host it names, refused the request.
        NotAllowed = "not-allowed",
        /// No resource has this path.
        UnknownPath = "unknown-path",
        /// The resource doesn't support this method.
        WrongMethod = "wrong-method",
        /// The request has no credential, or a malformed one.
        NoCredential = "no-credential",
        /// No such account is configured, and unknown accounts are refused.
        UnknownAccount = "unknown-account",
        /// The token or the API key's secret doesn't match, or there is no such key.
        WrongCredential = "wrong-credential",
        /// The credential belongs to an account other than the one in the path.
        OtherAccount = "other-account",
        /// The path belongs to a dialect other than the account's.
        OtherDialect = "other-dialect",
        /// The credential is a standard API key, which isn't enough for the Accounts and Keys that the path asks for.
        KeyNotEnough = "key-not-enough",
        /// The account's world has broken because of a fault in the emulator.
        Broken = "world-broken",
        /// The account needs a new world, but there are already too many.
        TooManyAccounts = "too-many-accounts",
        /// The account has no world yet, and a read-only request doesn't create one.
        NotCreated = "account-not-created",
    }
);
