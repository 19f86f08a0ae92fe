//! What is checked before a client's call reaches a world: the account's token, and what the account may do. The shell
//! keeps a copy beside each world, so that the check never waits for the world's lock.

use subtle::ConstantTimeEq;

use super::Engine;
use super::input::Claim;
use crate::model::account::{AccountStatus, Service};
use crate::model::refusal::Refusal;
use crate::model::sid::AccountSid;

/// An account's token, and what a client who presents it may do.
#[derive(Debug, Clone)]
pub struct Gate {
    /// `None` until a client claims the account.
    token: Option<Box<str>>,
    admission: Admission,
}

/// What an account may do, independent of who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// The account that this admission is for.
    pub account: AccountSid,
    /// Active, suspended or closed; only an active account may do anything.
    pub status: AccountStatus,
    /// How much of the Fax API works for the account.
    pub service: Service,
    /// Whether any of the tester's rules applies to REST calls.
    pub has_api_rules: bool,
}

/// A part of the REST API that has its own conditions of access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// The account itself and its subaccounts.
    Accounts,
    /// API keys and their secrets.
    Keys,
    /// Faxes and their media.
    Faxes,
    /// Phone numbers that the account owns.
    Numbers,
    /// Phone numbers that are for sale.
    AvailableNumbers,
    /// Verified caller ids, also called outgoing.
    CallerIds,
    /// TwiML applications, which group the URLs of numbers.
    Applications,
    /// Alerts in the Monitor API.
    Alerts,
}

impl Area {
    /// Whether this area needs the AuthToken, because API keys can't reach it (Twilio docs: API keys).
    #[must_use]
    pub const fn needs_token(self) -> bool {
        matches!(self, Self::Accounts | Self::Keys)
    }
}

/// What a REST call does in its area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Reads one resource or a list.
    Read,
    /// Creates a resource.
    Create,
    /// Updates an existing resource.
    Update,
    /// Deletes an existing resource.
    Delete,
}

impl Admission {
    fn of(engine: &Engine) -> Self {
        let account = engine.account();
        Self {
            account: account.sid,
            status: account.status,
            service: account.service,
            has_api_rules: engine.has_api_rules(),
        }
    }

    /// Checks whether a REST call may perform the action; `by_owner` says that it comes from the account that owns this
    /// one.
    ///
    /// # Errors
    /// Returns `AccountNotActive`, `ServiceRetired` or `TestCredentials`.
    pub fn admit(&self, area: Area, action: Action, by_owner: bool) -> Result<(), Refusal> {
        // An owner can view and reactivate a suspended subaccount, but do nothing else there.
        let is_about_account = by_owner && area == Area::Accounts;
        if self.status != AccountStatus::Active && !is_about_account {
            return Err(Refusal::AccountNotActive(self.account));
        }
        match self.service {
            Service::Full => Ok(()),
            Service::Retired if area == Area::Faxes => Err(Refusal::ServiceRetired),
            Service::Retired => Ok(()),
            // Calls and messages are not emulated, so only buying a number is left (Twilio docs: test credentials).
            Service::TestCredentials if area == Area::Numbers && action == Action::Create => Ok(()),
            Service::TestCredentials => Err(Refusal::TestCredentials),
        }
    }
}

impl Gate {
    /// Captures the admission of an account as it is now.
    #[must_use]
    pub fn of(engine: &Engine) -> Self {
        Self { token: engine.account().auth_token.clone(), admission: Admission::of(engine) }
    }

    /// Whether this copy still agrees with the engine.
    #[must_use]
    pub fn is_of(&self, engine: &Engine) -> bool {
        self.token == engine.account().auth_token && self.admission == Admission::of(engine)
    }

    /// Whether a client has claimed the account.
    #[must_use]
    pub const fn is_claimed(&self) -> bool {
        self.token.is_some()
    }

    /// The account's admission, if the token is the account's; compared in constant time.
    #[must_use]
    pub fn opened_by(&self, token: &str) -> Option<Admission> {
        // An unclaimed account has no token yet, so no token opens it.
        let own = self.token.as_deref()?;
        bool::from(own.as_bytes().ct_eq(token.as_bytes())).then_some(self.admission)
    }

    /// The account's admission, for callers that need no token.
    #[must_use]
    pub const fn admission(&self) -> Admission {
        self.admission
    }
}

impl Engine {
    pub(super) fn claim(&mut self, Claim(token): &Claim) -> bool {
        // The first token wins; a later claim only compares its token with that.
        self.account.auth_token.get_or_insert_with(|| token.clone());
        Gate::of(self).opened_by(token).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREAS: [Area; 8] = [
        Area::Accounts,
        Area::Keys,
        Area::Faxes,
        Area::Numbers,
        Area::AvailableNumbers,
        Area::CallerIds,
        Area::Applications,
        Area::Alerts,
    ];

    fn admission(status: AccountStatus, service: Service) -> Admission {
        Admission { account: AccountSid::from_bytes([1; 16]), status, service, has_api_rules: false }
    }

    #[test]
    fn an_inactive_account_does_nothing_but_its_owner_can_view_and_reactivate_it() {
        let suspended = admission(AccountStatus::Suspended, Service::Full);
        for area in AREAS {
            let refused = Err(Refusal::AccountNotActive(suspended.account));
            assert_eq!(suspended.admit(area, Action::Read, false), refused, "{area:?}");
            let by_owner = suspended.admit(area, Action::Update, true);
            assert_eq!(by_owner.is_ok(), area == Area::Accounts, "{area:?}");
        }
    }

    #[test]
    fn a_retired_service_refuses_only_faxes() {
        let retired = admission(AccountStatus::Active, Service::Retired);
        for area in AREAS {
            let admitted = retired.admit(area, Action::Create, false);
            assert_eq!(admitted == Err(Refusal::ServiceRetired), area == Area::Faxes, "{area:?}");
        }
    }

    #[test]
    fn test_credentials_buy_numbers_and_do_nothing_else() {
        let test = admission(AccountStatus::Active, Service::TestCredentials);
        for area in AREAS {
            for action in [Action::Read, Action::Create, Action::Update, Action::Delete] {
                let is_purchase = area == Area::Numbers && action == Action::Create;
                assert_eq!(test.admit(area, action, false).is_ok(), is_purchase, "{area:?} {action:?}");
            }
        }
    }

    #[test]
    fn an_api_key_reaches_everything_except_accounts_and_keys() {
        let beyond: Vec<Area> = AREAS.into_iter().filter(|area| area.needs_token()).collect();
        assert_eq!(beyond, [Area::Accounts, Area::Keys]);
    }
}
