//! What a client meets before a call of its is let in: the account's token, and on what terms it is called. It is kept
//! beside a world, so that to look at it waits for nothing that happens inside.

use subtle::ConstantTimeEq;

use super::Engine;
use super::input::Claim;
use crate::model::account::{AccountStatus, Service};

/// The token and the terms of an account, as they stand.
#[derive(Debug, Clone)]
pub struct Door {
    /// None while nobody has claimed the account.
    token: Option<Box<str>>,
    terms: Terms,
}

/// On what terms an account is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Whether it may do anything.
    pub status: AccountStatus,
    /// What the Fax API does for it.
    pub service: Service,
    /// Whether a tester's rule is about REST calls.
    pub has_api_rules: bool,
}

impl Terms {
    fn of(engine: &Engine) -> Self {
        let account = engine.account();
        Self { status: account.status, service: account.service, has_api_rules: engine.has_api_rules() }
    }
}

impl Door {
    /// The door of an account.
    #[must_use]
    pub fn of(engine: &Engine) -> Self {
        Self { token: engine.account().auth_token.clone(), terms: Terms::of(engine) }
    }

    /// Whether this is still the account's door.
    #[must_use]
    pub fn is_of(&self, engine: &Engine) -> bool {
        self.token == engine.account().auth_token && self.terms == Terms::of(engine)
    }

    /// Whether the account has a token.
    #[must_use]
    pub const fn is_claimed(&self) -> bool {
        self.token.is_some()
    }

    /// The terms, if the token is the account's.
    #[must_use]
    pub fn opened_by(&self, token: &str) -> Option<Terms> {
        let own = self.token.as_deref()?;
        bool::from(own.as_bytes().ct_eq(token.as_bytes())).then_some(self.terms)
    }

    /// The terms, whoever asks.
    #[must_use]
    pub const fn terms(&self) -> Terms {
        self.terms
    }
}

impl Engine {
    pub(super) fn claim(&mut self, Claim(token): &Claim) -> bool {
        self.account.auth_token.get_or_insert_with(|| token.clone());
        Door::of(self).opened_by(token).is_some()
    }
}
