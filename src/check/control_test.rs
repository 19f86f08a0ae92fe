//! The good requests that come before all others. If the app doesn't accept one of them, its refusal of a bad request
//! with the same purpose proves nothing, so the checks that depend on that good request aren't judged.

use tokio::time::Instant;

use super::activity::Request;
use super::conversation::Conversation;
use super::exchange::Exchange;
use super::{Profile, Run, Stop};
use crate::model::webhook::Purpose;

/// The good requests and how the app responded to them.
#[derive(Debug)]
pub(super) struct ControlTests {
    /// An incoming fax for which the app is asked for TwiML.
    received: Result<Conversation, Stop>,
    /// An incoming fax with the action that the user named.
    acted: Option<Result<Conversation, Stop>>,
    /// A fax that the app sends, or one that is sent as if by the app.
    sent: Option<Result<Conversation, Stop>>,
    /// A fax that is sent as if by the app, although the app can send one, to see whether that makes a difference.
    foreign: Option<Conversation>,
    /// The moment at which the faxes that the app should act on had ended.
    pub(super) ended: Instant,
}

impl ControlTests {
    /// Returns control tests that have not been made.
    pub(super) fn not_made() -> Self {
        let received = Err(Stop::not_judged("the control test has not been made"));
        Self { received, acted: None, sent: None, foreign: None, ended: Instant::now() }
    }

    /// Makes the good requests.
    pub(super) async fn made(run: &Run) -> Self {
        let options = &run.options;
        let received = if options.profiles.contains(&Profile::Inbound) {
            run.receive(run.call()).await
        } else {
            Err(Stop::not_judged("incoming faxes are not part of this profile"))
        };
        let acted = match &options.action {
            Some(action) if options.profiles.contains(&Profile::Inbound) => {
                Some(run.receive(run.call().field("action", action.as_str())).await)
            }
            Some(_) | None => None,
        };
        let sent = match (&options.send, &options.status_callback) {
            _ if !options.profiles.contains(&Profile::Outbound) => None,
            (Some(_), _) => Some(run.make_the_app_send().await),
            (None, Some(url)) => Some(run.send(run.order(url)).await),
            (None, None) => None,
        };
        let ended = Instant::now();
        let callback = sent.iter().flatten().find_map(|sent| sent.of(Purpose::StatusCallback).next());
        let foreign = match callback {
            Some(callback) if options.send.is_some() => run.send(run.order_like(callback)).await.ok(),
            Some(_) | None => None,
        };
        Self { received, acted, sent, foreign, ended }
    }
}

impl Run {
    /// Returns the first incoming fax, which the app should receive.
    ///
    /// # Errors
    /// Fails if that fax could not be made.
    pub fn received(&self) -> Result<&Conversation, Stop> {
        self.control.received.as_ref().map_err(Clone::clone)
    }

    /// Returns the first fax that the app sent, or that was sent as if by the app.
    ///
    /// # Errors
    /// Fails if that fax could not be made.
    pub fn sent(&self) -> Result<&Conversation, Stop> {
        let why = "nothing says where the app is notified about faxes that it sends; give --status-callback or --send";
        let sent = self.control.sent.as_ref().ok_or_else(|| Stop::not_judged(why))?;
        sent.as_ref().map_err(Clone::clone)
    }

    /// Returns the first incoming fax that the app was notified of, if the app accepted the notification.
    ///
    /// # Errors
    /// Fails if there was no notification, or if the app did not accept it.
    pub fn notified(&self) -> Result<&Conversation, Stop> {
        self.accepted(Purpose::Action)?;
        self.control.acted.as_ref().unwrap_or(&self.control.received).as_ref().map_err(Clone::clone)
    }

    /// Waits until `is_wanted` holds for the app's requests about the first fax that it was notified of, or until the
    /// time for the app's work is over, and lists them. All checks that call this wait until the same moment.
    ///
    /// # Errors
    /// Fails if the app did not accept the notification, or if the emulator does not respond.
    pub async fn first_requests(
        &self,
        is_wanted: impl Fn(&[Request]) -> bool + Send + Sync,
    ) -> Result<Vec<Request>, Stop> {
        let fax = &self.notified()?.fax;
        Ok(self.requests_until(self.control.ended + self.options.limits.work, fax, is_wanted).await?)
    }

    /// Returns the app's requests about the first fax that it was notified of, once it has downloaded the document.
    ///
    /// # Errors
    /// Fails if the app does not download it.
    pub async fn first_download(&self) -> Result<Vec<Request>, Stop> {
        let requests = self.first_requests(|requests| requests.iter().any(Request::is_download)).await?;
        if requests.iter().any(Request::is_download) {
            return Ok(requests);
        }
        let work = self.options.limits.work.as_secs_f64();
        let host = self.place.api.base();
        Err(Stop::not_judged(format!(
            "the app did not download the first fax's document within {work} s; if it downloads only from hosts that it \
             knows, let it know {host}"
        )))
    }

    /// Returns whether the app refuses notifications of faxes that it did not send, which it may.
    pub(super) fn is_for_own_faxes_only(&self) -> bool {
        let foreign = self.control.foreign.iter().flat_map(|foreign| foreign.of(Purpose::StatusCallback));
        foreign.into_iter().any(|exchange| !exchange.is_accepted())
    }

    /// Returns the good request with this purpose, and the app's response to it.
    ///
    /// # Errors
    /// Fails if there was no such request.
    pub fn good(&self, purpose: Purpose) -> Result<&Exchange, Stop> {
        let found = match purpose {
            Purpose::Action => match &self.control.acted {
                Some(acted) => acted.as_ref().map_err(Clone::clone)?.of(purpose).next(),
                None => {
                    let received = self.received()?;
                    if !received.is_taken() {
                        let why = "the app did not receive the first fax, so it was not notified of any";
                        return Err(Stop::not_judged(why));
                    }
                    received.of(purpose).next()
                }
            },
            Purpose::StatusCallback => self.sent()?.first_known(purpose),
            Purpose::FaxUrl | Purpose::FallbackUrl | Purpose::MediaUrl | Purpose::Debugger => {
                self.received()?.of(purpose).next()
            }
        };
        let none = match purpose {
            Purpose::Action => "the app's TwiML has no action; name the address with --action",
            Purpose::StatusCallback => {
                "the fax was sent without a StatusCallback; name the address with --status-callback"
            }
            Purpose::FaxUrl | Purpose::FallbackUrl | Purpose::MediaUrl | Purpose::Debugger => "the app was not asked",
        };
        found.ok_or_else(|| Stop::not_judged(none))
    }

    /// Returns the good request with this purpose if the app accepted it. A request for TwiML counts as accepted only
    /// if the TwiML in the response was executed.
    ///
    /// # Errors
    /// Fails if there was no such request, or if the app did not accept it.
    pub fn accepted(&self, purpose: Purpose) -> Result<&Exchange, Stop> {
        let good = self.good(purpose)?;
        let is_executed = || self.received().is_ok_and(|fax| fax.events_of("twiml.executed").next().is_some());
        if good.is_accepted() && (purpose != Purpose::FaxUrl || is_executed()) {
            return Ok(good);
        }
        let hint = self.signature_hint(good);
        let hint = if !hint.is_empty() {
            hint
        } else if purpose == Purpose::StatusCallback && good.is_refused() && self.options.send.is_none() {
            "; if it knows only faxes that it has sent itself, let it send one with --send".to_owned()
        } else {
            String::new()
        };
        Err(Stop::not_judged(format!("the app did not accept the good request ({purpose}: {}){hint}", good.outcome())))
    }

    /// Returns what may be wrong if the app refuses a good request as if its signature were wrong, as the end of a sentence.
    pub(super) fn signature_hint(&self, good: &Exchange) -> String {
        if matches!(good.status, Some(401 | 403)) {
            format!(
                "; is the app configured with the token of account {}, and with the URL {}?",
                self.place.sid, self.options.url
            )
        } else {
            String::new()
        }
    }

    /// Returns the purposes for which the app accepted the good request.
    ///
    /// # Errors
    /// If there are none, fails with the first reason.
    pub fn purposes(&self) -> Result<Vec<Purpose>, Stop> {
        let of_profile = |profile: &Profile| match profile {
            Profile::Inbound => [Purpose::FaxUrl, Purpose::Action].as_slice(),
            Profile::Outbound => &[Purpose::StatusCallback],
        };
        let all = self.options.profiles.iter().flat_map(of_profile).copied();
        let (accepted, reasons): (Vec<_>, Vec<_>) =
            all.map(|purpose| self.accepted(purpose).map(|_| purpose)).partition(Result::is_ok);
        let accepted: Vec<Purpose> = accepted.into_iter().flatten().collect();
        match reasons.into_iter().find_map(Result::err) {
            Some(reason) if accepted.is_empty() => Err(reason),
            _ => Ok(accepted),
        }
    }
}
