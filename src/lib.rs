//! A local emulator of **Twilio Programmable Fax**, as a library for Rust tests.
//!
//! Twilio closed Programmable Fax in December 2021. Apps written for its REST API and webhooks still have to be tested,
//! so fauxfax takes the service's place. It answers the REST calls, models the telephone line, and calls your app's
//! webhooks with the signatures that Twilio sent. Nothing leaves the machine, and no Twilio account is needed.
//!
//! The same emulator is also a program, `fauxfax`, for apps in other languages; its manual is the README. This page
//! describes the library.
//!
//! # Install
//!
//! ```toml
//! [dev-dependencies]
//! fauxfax = { version = "0.1", default-features = false, features = ["server"] }
//! tokio = { version = "1", features = ["macros", "rt"] }
//! ```
//!
//! The `server` feature is the emulator. Add `tls` if your app's webhooks are served over `https`, and `console` if you
//! want to watch a test in a browser. The default features add the command line, which a test doesn't need.
//!
//! # Start an emulator
//!
//! An emulator listens on a free port on 127.0.0.1 and stops when it is dropped. Give its URL to the app under test as
//! the base URL of the Fax API:
//!
//! ```
//! use fauxfax::Emulator;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = Emulator::builder().seed(7).start().await?;
//! assert!(emulator.url().starts_with("http://127.0.0.1:"));
//! # Ok(())
//! # }
//! ```
//!
//! With the same seed and the same requests, SIDs, call durations and random draws are the same in every run.
//!
//! # Isolate tests by account
//!
//! Each account is an isolated world: its numbers, faxes, clock, rules and journal are invisible to all other accounts.
//! Tests that run in parallel can therefore share one emulator, as long as each creates its own account:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let emulator = fauxfax::Emulator::builder().start().await?;
//! let ours = emulator.account()?;
//! let theirs = emulator.account()?;
//! ours.number("+15017122661")?;
//!
//! assert_ne!(ours.sid(), theirs.sid());
//! // The app under test signs in with these, and checks signatures with the password:
//! let (user, password) = (ours.sid().to_string(), ours.auth_token());
//! # assert!(user.starts_with("AC") && !password.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # Receive a fax
//!
//! [`Account::receive`] acts as a fax machine that calls one of the account's numbers. When awaited, it returns a
//! [`Conversation`] once the fax has ended and your app has been notified:
//!
//! ```
//! use fauxfax::{Document, Outcome};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let app = wiremock::MockServer::start().await;
//! # let twiml = "<Response><Receive action='/received'/></Response>";
//! # let twiml = wiremock::ResponseTemplate::new(200).set_body_raw(twiml, "text/xml");
//! # wiremock::Mock::given(wiremock::matchers::any()).respond_with(twiml).mount(&app).await;
//! # let app_url = app.uri();
//! # let emulator = fauxfax::Emulator::builder().start().await?;
//! let account = emulator.account()?;
//! account.number("+15017122661")?.fax_url(&format!("{app_url}/fax"))?;
//!
//! let conversation = account.receive(Document::pages(2)).from("+15552223333").await?;
//!
//! assert_eq!(conversation.outcome, Outcome::Received);
//! assert_eq!(conversation.webhooks().count(), 2); // one for TwiML, one with the result
//! # Ok(())
//! # }
//! ```
//!
//! # Send a fax, and wait for it
//!
//! Usually your app sends faxes itself, with `POST /v1/Faxes` at [`Emulator::url`]. If the test itself must send a fax,
//! use [`Account::send`]. [`Account::wait_for`] waits for a status, and fails as soon as the status can no longer be
//! reached:
//!
//! ```
//! use fauxfax::Status;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let emulator = fauxfax::Emulator::builder().start().await?;
//! # let account = emulator.account()?;
//! account.number("+15017122661")?;
//! // The emulator serves sample documents; any other URL that it can reach will do too.
//! let document = format!("{}/_fauxfax/v1/samples/two-pages.pdf", emulator.url());
//!
//! let fax = account.send("+15558675310", &document).queue()?;
//! account.wait_for(fax, Status::Delivered).await?;
//!
//! assert_eq!(account.fax(fax)?.pages(), Some(2));
//! # Ok(())
//! # }
//! ```
//!
//! # Verify what happened
//!
//! Everything that happens in an account is written to its journal. [`Account::verify`] checks the journal against an
//! expectation ([`Expect`]). If the journal doesn't meet the expectation, the error shows, field by field, how the
//! closest entries differ from it:
//!
//! ```
//! use fauxfax::{Expect, Status};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let emulator = fauxfax::Emulator::builder().start().await?;
//! # let account = emulator.account()?;
//! # account.number("+15017122661")?;
//! # let document = format!("{}/_fauxfax/v1/samples/two-pages.pdf", emulator.url());
//! # let fax = account.send("+15558675310", &document).queue()?;
//! # account.wait_for(fax, fauxfax::Status::Delivered).await?;
//! account.verify(Expect::entered(Status::Delivered).times(1))?;
//! account.verify(Expect::entered(Status::Failed).times(0))?;
//! # Ok(())
//! # }
//! ```
//!
//! # Move the clock
//!
//! Each account has its own clock. A frozen clock moves only when the test moves it. All work that falls due on the way
//! is then performed, so no test needs to sleep:
//!
//! ```
//! use std::time::Duration;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let emulator = fauxfax::Emulator::builder().start().await?;
//! # let account = emulator.account()?;
//! let clock = account.clock();
//! clock.freeze();
//! let before = clock.now();
//!
//! clock.advance(Duration::from_secs(2 * 3_600)).await?; // a MediaUrl expires after two hours
//!
//! assert_eq!(clock.now().since(before), Duration::from_secs(2 * 3_600));
//! # Ok(())
//! # }
//! ```
//!
//! # Make things go wrong
//!
//! [`Account::rules`] makes calls, lines, REST calls and webhooks misbehave, once, a number of times, or always:
//!
//! ```
//! use fauxfax::Status;
//! use fauxfax::rules::Outcome::Busy;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let emulator = fauxfax::Emulator::builder().start().await?;
//! # let account = emulator.account()?;
//! # account.number("+15017122661")?;
//! # let document = format!("{}/_fauxfax/v1/samples/one-page.pdf", emulator.url());
//! account.rules().to("+1555*").always(Busy)?;
//!
//! let fax = account.send("+15558675310", &document).queue()?;
//!
//! account.wait_for(fax, Status::Busy).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Check the app
//!
//! [`Account::check`] sends the app right and wrong requests, and judges how it behaves: whether it verifies signatures,
//! handles repeated and failed faxes, and escapes what it shows. These are the checks of `fauxfax check`:
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let emulator = fauxfax::Emulator::builder().start().await?;
//! # let (account, app_url) = (emulator.account()?, "http://localhost:3000");
//! let report = account.check(&format!("{app_url}/fax")).await?;
//!
//! assert_eq!(report.failures().count(), 0, "{report}");
//! # Ok(())
//! # }
//! ```
//!
//! # A whole test
//!
//! `examples/inbox.rs` in the repository is a small fax inbox with its tests.
//!
//! # Other modules
//!
//! The modules that are not listed here implement the emulator. They are public only for this project's tests and
//! benchmarks, and their API may change at any time.

#[cfg(feature = "render")]
#[doc(hidden)]
pub use fauxfax_core::document;
#[doc(hidden)]
pub use fauxfax_core::{dialect, engine, model, twiml};

#[cfg(feature = "server")]
#[doc(hidden)]
pub mod check;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod client;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod clock;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod config;
#[cfg(feature = "mcp")]
#[doc(hidden)]
pub mod docs;
#[cfg(feature = "server")]
mod driver;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod emulator;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod http;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod io;
#[cfg(feature = "server")]
mod junit;
#[cfg(feature = "mcp")]
#[doc(hidden)]
pub mod mcp;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod scenario;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod server;
#[cfg(feature = "server")]
mod testing;

#[cfg(feature = "server")]
#[doc(hidden)]
pub mod world;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;

#[cfg(feature = "server")]
pub use testing::{
    Account, AccountClock, AccountRules, CheckApp, Conversation, Document, Emulator, Error, Expect, Number, Outcome,
    Receive, SendFax, rules,
};
#[cfg(feature = "server")]
pub use {
    check::{Check, CheckResult, Profile, Report, Severity, Summary, Verdict},
    config::Config,
    dialect::explain::{Explanation, Mistake},
    emulator::CreateWorldError,
    engine::{Fax, Unreachable},
    io::client::ClientOptions,
    model::{
        fax::{Direction, Quality, Status},
        number::NumberChange,
        phone::{NotE164, PhoneNumber},
        refusal::Refusal,
        sid::{AccountSid, FaxSid},
        time::{Pace, Timestamp},
        webhook::{ExchangeRecord, Purpose},
    },
    server::StartError,
    testing::Builder,
    world::journal::JournalEvent,
};
