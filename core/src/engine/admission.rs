//! The checks before a client's call reaches a world: the account's token, and the account's permissions. The shell
//! keeps a copy of both next to each world, so that the checks never wait for the world's lock.

use subtle::ConstantTimeEq;

use super::Engine;
use super::input::Claim;
use crate::model::account::{AccountStatus, Service};
use crate::model::refusal::Refusal;
use crate::model::sid::AccountSid;

/// An account's token, and the permissions of a client who presents it.
#[derive(Debug, Clone)]
pub struct Gate {
    /// `None` until a client claims the account.
    token: Option<Box<str>>,
    admission: Admission,
}

/// The part of an account's state that decides what its callers may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// The account that this admission is for.
    pub account: AccountSid,
    /// The account's status. If the account isn't active, only its owner may view and update it.
    pub status: AccountStatus,
    /// How much of the service's APIs works for the account.
    pub service: Service,
    /// Whether any of the tester's rules, or one that pedantic mode implies, applies to REST calls.
    pub has_api_rules: bool,
}

/// A part of the REST API with its own access conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// The account itself and its subaccounts.
    Accounts,
    /// The account's API keys, with their secrets.
    Keys,
    /// Faxes and the media stored for them.
    Faxes,
    /// Phone numbers that the account owns.
    Numbers,
    /// Phone numbers that are for sale.
    AvailableNumbers,
    /// Verified caller ids, which the API calls `OutgoingCallerIds`.
    CallerIds,
    /// TwiML applications, which group the URLs of numbers.
    Applications,
    /// The alerts that the Monitor API lists.
    Alerts,
    /// Text messages.
    Messages,
    /// Information about any phone number.
    Lookups,
}

impl Area {
    /// Returns whether this area accepts only the AuthToken, and no API keys (Twilio docs: API keys).
    #[must_use]
    pub const fn needs_token(self) -> bool {
        matches!(self, Self::Accounts | Self::Keys)
    }
}

/// The kind of a REST call within its area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Reads one resource or a list.
    Read,
    /// Creates a new resource, such as a fax or a number.
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

    /// Checks whether a REST call may perform the action. `by_owner` is true if the call comes from the account that
    /// owns this one.
    ///
    /// # Errors
    /// Returns `AccountNotActive`, `ServiceRetired` or `TestCredentials`.
    pub fn admit(&self, area: Area, action: Action, by_owner: bool) -> Result<(), Refusal> {
        // An owner can view and update a suspended or closed subaccount, but do nothing else there.
        let is_about_account = by_owner && area == Area::Accounts;
        if self.status != AccountStatus::Active && !is_about_account {
            return Err(Refusal::AccountNotActive(self.account));
        }
        match self.service {
            Service::Full => Ok(()),
            Service::Retired if area == Area::Faxes => Err(Refusal::ServiceRetired),
            Service::Retired => Ok(()),
            // Test credentials may also place calls (Twilio docs: test credentials), which are not emulated.
            Service::TestCredentials if action == Action::Create && matches!(area, Area::Numbers | Area::Messages) => {
                Ok(())
            }
            Service::TestCredentials => Err(Refusal::TestCredentials),
        }
    }
}

impl Gate {
    /// Copies the token and the admission that an account has now.
    #[must_use]
    pub fn of(engine: &Engine) -> Self {
        Self { token: engine.account().auth_token.clone(), admission: Admission::of(engine) }
    }

    /// Returns whether this copy still agrees with the engine.
    #[must_use]
    pub fn is_of(&self, engine: &Engine) -> bool {
        self.token == engine.account().auth_token && self.admission == Admission::of(engine)
    }

    /// Returns whether a client has claimed the account.
    #[must_use]
    pub const fn is_claimed(&self) -> bool {
        self.token.is_some()
    }

    /// Returns the account's admission if the token is correct. The tokens are compared in constant time.
    #[must_use]
    pub fn opened_by(&self, token: &str) -> Option<Admission> {
        // An unclaimed account has no token yet, so every token is refused.
        let own = self.token.as_deref()?;
        bool::from(own.as_bytes().ct_eq(token.as_bytes())).then_some(self.admission)
    }

    /// Returns the account's admission, for callers that need no token.
    #[must_use]
    pub const fn admission(&self) -> Admission {
        self.admission
    }
}

impl Engine {
    pub(super) fn claim(&mut self, Claim(token): &Claim) -> bool {
        // The first token wins; later claims are only compared with it.
        self.account.auth_token.get_or_insert_with(|| token.clone());
        Gate::of(self).opened_by(token).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREAS: [Area; 10] = [
        Area::Accounts,
        Area::Keys,
        Area::Faxes,
        Area::Numbers,
        Area::AvailableNumbers,
        Area::CallerIds,
        Area::Applications,
        Area::Alerts,
        Area::Messages,
        Area::Lookups,
    ];

    fn admission(status: AccountStatus, service: Service) -> Admission {
        Admission { account: AccountSid::from_bytes([1; 16]), status, service, has_api_rules: false }
    }

    #[test]
    fn an_inactive_account_can_only_be_viewed_and_reactivated_by_its_owner() {
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
    fn test_credentials_can_only_buy_numbers_and_send_messages() {
        let test = admission(AccountStatus::Active, Service::TestCredentials);
        for area in AREAS {
            for action in [Action::Read, Action::Create, Action::Update, Action::Delete] {
                let is_admitted = matches!(area, Area::Numbers | Area::Messages) && action == Action::Create;
                assert_eq!(test.admit(area, action, false).is_ok(), is_admitted, "{area:?} {action:?}");
            }
        }
    }

    #[test]
    fn api_keys_reach_everything_except_accounts_and_keys() {
        let beyond: Vec<Area> = AREAS.into_iter().filter(|area| area.needs_token()).collect();
        assert_eq!(beyond, [Area::Accounts, Area::Keys]);
    }
}
