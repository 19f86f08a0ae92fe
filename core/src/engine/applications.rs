//! TwiML applications, and the choice between a number's own URLs and those of its application.

use super::Engine;
use super::input::{CreateApplication, DeleteApplication, UpdateApplication};
use super::ordered_map::OrderedMap;
use crate::model::application::{Application, ApplicationAttributes};
use crate::model::phone::PhoneNumber;
use crate::model::refusal::Refusal;
use crate::model::sid::ApplicationSid;
use crate::model::time::Timestamp;
use crate::model::webhook::Method;

/// The maximum number of applications per account; far more than a test needs.
const APPLICATIONS_MAX: usize = 10_000;

/// The applications of one account, in the order of creation.
pub(super) type Applications = OrderedMap<ApplicationSid, Application>;

/// A URL and the HTTP method to request it with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) url: Box<str>,
    pub(super) method: Method,
}

/// The URLs for a number's calls; unset ones are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VoiceUrls {
    pub(super) voice: Address,
    pub(super) fallback: Address,
    pub(super) status_callback: Address,
}

impl Engine {
    /// Returns the application with this SID.
    ///
    /// # Errors
    /// Returns `NoApplication` if there is no such application.
    pub fn application(&self, sid: ApplicationSid) -> Result<&Application, Refusal> {
        self.world.applications.get(&sid).ok_or(Refusal::NoApplication(sid))
    }

    /// Returns all applications of the account, newest first.
    pub fn applications(&self) -> impl Iterator<Item = &Application> {
        self.world.applications.newest_first()
    }

    pub(super) fn create_application(
        &mut self,
        CreateApplication(change): CreateApplication,
        now: Timestamp,
    ) -> Result<ApplicationSid, Refusal> {
        if self.world.applications.len() >= APPLICATIONS_MAX {
            return Err(Refusal::LimitReached { what: "applications", limit: APPLICATIONS_MAX });
        }
        let attributes = ApplicationAttributes::default().with(&change);
        // Checked before an ordinal is taken, because a refused command must change nothing.
        check(&attributes)?;
        let ordinal = self.world.applications.take_ordinal();
        let sid = self.ids.seed().mint::<ApplicationSid>("application", b"", ordinal);
        let application = Application { sid, ordinal, created: now, updated: now, attributes };
        self.world.applications.insert(ordinal, sid, application);
        Ok(sid)
    }

    pub(super) fn update_application(
        &mut self,
        UpdateApplication(sid, change): UpdateApplication,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let application = self.world.applications.get_mut(&sid).ok_or(Refusal::NoApplication(sid))?;
        // Checked on a copy, because a refused command must change nothing.
        let attributes = application.attributes.clone().with(&change);
        check(&attributes)?;
        application.attributes = attributes;
        application.updated = now;
        Ok(())
    }

    pub(super) fn delete_application(
        &mut self,
        DeleteApplication(sid): DeleteApplication,
        _: Timestamp,
    ) -> Result<(), Refusal> {
        self.world.applications.remove(&sid).ok_or(Refusal::NoApplication(sid))?;
        Ok(())
    }

    /// Returns the URLs for a number's calls: those of its application if it has one, otherwise its own. `None` if the
    /// account doesn't own the number.
    pub(super) fn voice_urls(&self, number: PhoneNumber) -> Option<VoiceUrls> {
        let own = &self.world.numbers.by_number(number)?.attributes;
        let address = |url: &str, method| Address { url: url.into(), method };
        // If the application has been deleted, the number falls back to its own URLs.
        let application = own.voice_application_sid.parse().ok().and_then(|sid| self.world.applications.get(&sid));
        Some(match application.map(|application| &application.attributes) {
            Some(theirs) => VoiceUrls {
                voice: address(&theirs.voice_url, theirs.voice_method),
                fallback: address(&theirs.voice_fallback_url, theirs.voice_fallback_method),
                status_callback: address(&theirs.status_callback, theirs.status_callback_method),
            },
            None => VoiceUrls {
                voice: address(&own.voice_url, own.voice_method),
                fallback: address(&own.voice_fallback_url, own.voice_fallback_method),
                status_callback: address(&own.status_callback, own.status_callback_method),
            },
        })
    }

    /// Checks that a number may name this application; an empty SID means no application.
    pub(super) fn check_application(&self, sid: &str) -> Result<(), Refusal> {
        let known = sid.is_empty() || sid.parse().is_ok_and(|sid| self.world.applications.get(&sid).is_some());
        if known { Ok(()) } else { Err(Refusal::ApplicationNotOwned(sid.into())) }
    }
}

fn check(attributes: &ApplicationAttributes) -> Result<(), Refusal> {
    if !attributes.voice_fallback_url.is_empty() && attributes.voice_url.is_empty() {
        return Err(Refusal::FallbackWithoutUrl);
    }
    Ok(())
}
