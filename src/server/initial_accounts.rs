//! Turns a configured account into one that the registry can create: gives its TwiML bins their ids, and sets their
//! URLs on numbers.

use crate::config::ConfiguredAccount;
use crate::dialect::twiml_bin::bin_url;
use crate::emulator::AccountSetup;
use crate::engine::random::WorldSeed;
use crate::model::sid::{AccountSid, Id};
use crate::model::twiml_bin::ConfiguredTwimlBin;

/// Converts the account at index `place` in the configuration. `origin` is the scheme and host of its bins' URLs.
///
/// The id of a bin depends only on the seed, the index and the name, so its URL is known before the account's SID is.
pub(super) fn setup(mut account: ConfiguredAccount, place: usize, origin: &str, seed: u64) -> AccountSetup {
    let place = (place as u128).to_be_bytes();
    let seed = WorldSeed::of(seed, AccountSid::minted(place, account.dialect.id_form()));
    let mut twiml_bins = Vec::new();
    for bin in account.twiml_bins {
        let sid = seed.mint("configured-twiml-bin", bin.name.as_bytes(), 0);
        for (number, change) in &mut account.numbers {
            if bin.numbers.contains(number) {
                change.voice_url = Some(bin_url(origin, sid).into());
            }
        }
        twiml_bins.push(ConfiguredTwimlBin { sid, name: bin.name, contents: bin.twiml });
    }
    AccountSetup {
        sid: account.sid,
        auth_token: account.auth_token,
        signing_key: account.signing_key,
        friendly_name: None,
        dialect: Some(account.dialect),
        callbacks: account.callbacks,
        service: account.service,
        pedantic: account.pedantic,
        owner: None,
        debugger_url: account.debugger_url,
        numbers: account.numbers,
        caller_ids: account.caller_ids,
        twiml_bins,
        rules: account.rules,
    }
}
