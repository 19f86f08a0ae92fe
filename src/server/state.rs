//! Loads all worlds from the `--state` file at startup, and saves them on a clean stop.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dialect::json;
use crate::emulator::{Registry, World};
use crate::engine::export::{self, MediaForm, STATE_VERSION, State, StateError};
use crate::io::file::{self, Contents};
use crate::model::sid::AccountSid;

/// The reason the `--state` file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StateFileError {
    /// The file can't be read or written.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The path as configured.
        path: PathBuf,
        /// The system error.
        error: io::Error,
    },
    /// The file can't be written. This is checked at startup, because the file is written only on a clean stop.
    #[error(
        "{}: the worlds can't be saved here on shutdown: {error}; choose another file with --state",
        .path.display()
    )]
    NotWritable {
        /// The path as configured.
        path: PathBuf,
        /// The system error.
        error: io::Error,
    },
    /// The worlds of some accounts could not be saved.
    #[error(
        "{}: the worlds of {} could not be saved, but the others were; see the log for the reason",
        .path.display(),
        .accounts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    Lost {
        /// The path as configured.
        path: PathBuf,
        /// The accounts whose worlds were not saved.
        accounts: Vec<AccountSid>,
    },
    /// The content is not what fauxfax writes, or is from a newer version.
    #[error("{}: {reason}; move it away to start afresh", .path.display())]
    NotUnderstood {
        /// The path as configured.
        path: PathBuf,
        /// The error's position in the file, with a description.
        reason: String,
    },
}

/// The contents of the file: all worlds, and the version of the format.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Worlds {
    fauxfax_state: u64,
    worlds: Vec<Saved>,
}

/// A world, with the parts of its account that a state doesn't include.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_token: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<AccountSid>,
    state: Value,
}

/// Checks at startup that the file can be written, before there is anything to lose.
pub(super) fn check(path: &Path) -> Result<(), StateFileError> {
    file::check_writable(path, Contents::Secret)
        .map_err(|error| StateFileError::NotWritable { path: path.into(), error })
}

/// Loads the worlds from the file and returns true, or returns false if the file doesn't exist or is empty. Accounts
/// that are not configured are created; configured ones keep their configured tokens.
pub(super) fn load(registry: &Registry, path: &Path) -> Result<bool, StateFileError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(StateFileError::Io { path: path.into(), error }),
    };
    // Users create an empty file with `touch`, in order to mount it in a container.
    if bytes.trim_ascii().is_empty() {
        return Ok(false);
    }
    restore(registry, &bytes)
        .map(|()| true)
        .map_err(|reason| StateFileError::NotUnderstood { path: path.into(), reason })
}

fn restore(registry: &Registry, bytes: &[u8]) -> Result<(), String> {
    let file = json::parse(bytes).map_err(|error| error.to_string())?;
    // Checked before the rest, which may have fields that only a newer version knows.
    export::check_version(&file).map_err(|error| error.to_string())?;
    let file: Worlds = serde_path_to_error::deserialize(file).map_err(|error| StateError::from(error).to_string())?;
    // All states are parsed before the first is loaded, so that a file that can't be parsed changes nothing.
    let read = |(at, saved): (usize, Saved)| {
        let state = State::of_json(&saved.state, &[]).map_err(|error| format!("worlds[{at}].state: {error}"))?;
        Ok((at, saved.auth_token, saved.owner, state))
    };
    let worlds: Vec<_> = file.worlds.into_iter().enumerate().map(read).collect::<Result<_, String>>()?;
    for (at, auth_token, owner, state) in worlds {
        let sid = state.account_sid;
        let world = match registry.world(sid) {
            Some(world) => world,
            None => registry.create_again(sid, auth_token, owner).map_err(|error| error.to_string())?,
        };
        registry.load_state(&world, state).map_err(|error| format!("worlds[{at}].state: {error}"))?;
    }
    Ok(())
}

/// Replaces the file with all worlds. A world that can't be saved, for example because it has broken, keeps its entry
/// from the old file, if there is one: everything written must be loadable at the next start.
pub(super) fn save(registry: &Registry, path: &Path) -> Result<(), StateFileError> {
    let mut worlds = registry.worlds();
    // In order of creation, so that the next start creates them in the same order.
    worlds.sort_by_key(|world| world.read(|engine| engine.account().ordinal));
    let (mut kept, mut lost) = (Vec::new(), Vec::new());
    for world in &worlds {
        match saved(world) {
            Ok(saved) => kept.push(saved),
            Err(why) => {
                tracing::error!(account = %world.sid(), %why, "this account's world can't be saved; the others are saved");
                kept.extend(earlier(path, world.sid()));
                lost.push(world.sid());
            }
        }
    }
    let worlds = Worlds { fauxfax_state: STATE_VERSION, worlds: kept };
    let written = serde_json::to_vec_pretty(&worlds)
        .map_err(io::Error::from)
        .and_then(|text| file::write(path, &text, Contents::Secret));
    written.map_err(|error| StateFileError::Io { path: path.into(), error })?;
    if lost.is_empty() { Ok(()) } else { Err(StateFileError::Lost { path: path.into(), accounts: lost }) }
}

/// Returns a world in the form that is written, or the reason it can't be saved.
fn saved(world: &World) -> Result<Saved, String> {
    if let Some(why) = world.broken() {
        return Err(format!("it has broken: {why}"));
    }
    let (auth_token, owner) = world.read(|engine| (engine.account().auth_token.clone(), engine.account().owner));
    let state = world.state();
    // Never write a state that would be refused at the next start.
    state.check().map_err(|error| error.to_string())?;
    let state = state.to_json(MediaForm::Inline).map_err(|error| error.to_string())?;
    Ok(Saved { auth_token, owner, state })
}

/// Returns an account's entry in the existing file, if it can be read.
fn earlier(path: &Path, account: AccountSid) -> Option<Saved> {
    let file: Worlds = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let is_its_own = |saved: &Saved| saved.state["account_sid"].as_str() == Some(account.to_string().as_str());
    file.worlds.into_iter().find(is_its_own)
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::*;
    use crate::clock::ClockMode;
    use crate::config::{Config, DefaultAccount};
    use crate::emulator::AccountSetup;
    use crate::model::account::Dialect;
    use crate::server::Server;

    fn config(path: &Path) -> Config {
        Config { listen: ([127, 0, 0, 1], 0).into(), state: Some(path.into()), ..Config::default() }
    }

    fn account(sid: AccountSid) -> DefaultAccount {
        DefaultAccount { sid, ..Config::default().default_account }
    }

    #[tokio::test]
    async fn worlds_are_saved_on_a_clean_stop_and_loaded_at_the_next_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state.json");
        let server = Server::bind(&config(&path)).await.expect("it starts without a file");
        let setup = AccountSetup { auth_token: Some("theirs".into()), ..AccountSetup::default() };
        let owner = server.registry().create(setup).expect("there is room");
        let subaccount = server.registry().create_subaccount(&owner, "branch").expect("there is room");
        let key = server.registry().create_key(&owner, "CI".into()).expect("there is room");
        let secret = owner.read(|engine| engine.key(key).map(|key| key.secret.clone())).expect("it has a secret");
        owner.set_clock_mode(ClockMode::Frozen);
        let before = owner.now();
        server.serve(ready(())).await.expect("it is written");
        let again = Server::bind(&config(&path)).await.expect("it starts with the file");
        let world = again.registry().sign_in(owner.sid(), "theirs").expect("its token is the same");
        assert_eq!((world.clock_mode(), world.now() >= before), (ClockMode::Frozen, true));
        assert!(again.registry().sign_in_with_key(key, &secret).is_ok());
        let theirs: Vec<_> = again.registry().subaccounts(owner.sid()).iter().map(World::sid).collect();
        assert_eq!(theirs, [subaccount.sid()]);
        let token = |world: &World| world.read(|engine| engine.account().auth_token.clone());
        assert_eq!(token(&again.registry().subaccounts(owner.sid())[0]), token(&subaccount));
    }

    #[tokio::test]
    async fn one_file_keeps_worlds_of_both_dialects() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state.json");
        let server = Server::bind(&config(&path)).await.expect("it starts without a file");
        let setup = AccountSetup {
            dialect: Some(Dialect::SignalWire),
            auth_token: Some("PT1".into()),
            signing_key: Some("PSK_1".into()),
            ..AccountSetup::default()
        };
        let project = server.registry().create(setup).expect("there is room").sid();
        server.serve(ready(())).await.expect("it is written");
        let again = Server::bind(&config(&path)).await.expect("it starts with the file");
        let world = again.registry().sign_in(project, "PT1").expect("its token is the same");
        assert_eq!(world.read(|engine| engine.account().dialect), Dialect::SignalWire);
        assert_eq!(world.read(|engine| engine.account().signing_key.clone()).as_deref(), Some("PSK_1"));
        assert!(again.registry().world(Config::default().default_account.sid).is_some());
        let text = fs::read_to_string(&path).expect("readable");
        fs::write(&path, text.replace("\"dialect\": \"signalwire\"", "\"dialect\": \"twilio\"")).expect("written");
        let error = Server::bind(&config(&path)).await.err().expect("it does not start").to_string();
        assert!(
            error.contains(".state: account.dialect: is twilio, but account_sid is the id of a signalwire account"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_file_that_is_not_understood_is_an_error_and_left_unchanged() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state.json");
        for (text, told) in [
            ("{", "EOF"),
            ("{}", "no field fauxfax_state"),
            ("{\"fauxfax_state\": 1.5, \"worlds\": []}", "whole number from 1 to 2, not 1.5"),
            ("{\"fauxfax_state\": 1, \"worlds\": 5}", "worlds: must be a list, not 5;"),
            ("{\"fauxfax_state\": 1, \"worlds\": [], \"worlds\": []}", "worlds: is given twice"),
            ("{\"fauxfax_state\": 99, \"worlds\": []}", "newer fauxfax"),
            ("{\"fauxfax_state\": 1}", "worlds: is missing;"),
            ("{\"fauxfax_state\": 1, \"worlds\": [], \"moons\": []}", "moons"),
            ("{\"fauxfax_state\": 1, \"worlds\": [{\"state\": {\"fauxfax_state\": 1}}]}", "worlds[0].state"),
        ] {
            fs::write(&path, text).expect("written");
            let error = Server::bind(&config(&path)).await.err().expect("it does not start").to_string();
            assert!(error.contains("state.json: ") && error.contains("start afresh"), "{error}");
            assert!(error.contains(told), "{told}: {error}");
            assert_eq!(fs::read_to_string(&path).expect("readable"), text);
        }
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_written_is_an_error_at_startup() {
        let folder = tempfile::tempdir().expect("a folder");
        for path in ["gone/state.json", ""] {
            let path = folder.path().join(path);
            let error = Server::bind(&config(&path)).await.err().expect("it does not start").to_string();
            assert!(error.contains("can't be saved here") && error.contains("--state"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_file_that_can_no_longer_be_written_is_an_error_on_stopping() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("later gone");
        fs::create_dir(&folder).expect("a folder");
        let server = Server::bind(&config(&folder.join("state.json"))).await.expect("it starts without a file");
        fs::remove_dir(&folder).expect("the check has left nothing there");
        let error = server.serve(ready(())).await.expect_err("there is no such folder").to_string();
        assert!(error.contains("state.json"), "{error}");
    }

    #[tokio::test]
    async fn an_empty_file_holds_no_worlds_yet() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state.json");
        for text in ["", "\n"] {
            fs::write(&path, text).expect("written");
            let server = Server::bind(&config(&path)).await.expect("it starts");
            server.serve(ready(())).await.expect("it is written");
            assert!(fs::read_to_string(&path).expect("readable").contains("fauxfax_state"));
        }
    }

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "servers that run at once")]
    async fn files_that_differ_only_in_extension_hold_separate_worlds() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths: Vec<PathBuf> = (0..4).map(|n| folder.path().join(format!("w.{n}"))).collect();
        for _ in 0..5 {
            let mut stops = tokio::task::JoinSet::new();
            for (n, path) in paths.iter().enumerate() {
                let sid = AccountSid::from_bytes([u8::try_from(n).expect("few"); 16]);
                let config = Config { default_account: account(sid), ..config(path) };
                stops.spawn(async move { Server::bind(&config).await.expect("it starts").serve(ready(())).await });
            }
            for stopped in stops.join_all().await {
                stopped.expect("it is written");
            }
            for (n, path) in paths.iter().enumerate() {
                let saved: Value = serde_json::from_slice(&fs::read(path).expect("readable")).expect("JSON");
                let sid = saved["worlds"][0]["state"]["account_sid"].as_str().expect("a SID").to_owned();
                assert_eq!(sid, AccountSid::from_bytes([u8::try_from(n).expect("few"); 16]).to_string());
            }
        }
    }

    #[tokio::test]
    async fn a_broken_world_keeps_its_entry_in_the_file_and_the_others_are_saved() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state.json");
        let setup = || AccountSetup { auth_token: Some("theirs".into()), ..AccountSetup::default() };
        let server = Server::bind(&config(&path)).await.expect("it starts without a file");
        let broken = server.registry().create(setup()).expect("there is room").sid();
        server.serve(ready(())).await.expect("it is written");
        let server = Server::bind(&config(&path)).await.expect("it starts with the file");
        let other = server.registry().create(setup()).expect("there is room").sid();
        server.registry().world(broken).expect("it was loaded").break_down("planted fault");
        let error = server.serve(ready(())).await.expect_err("one world is not saved").to_string();
        assert!(error.contains(&broken.to_string()) && !error.contains(&other.to_string()), "{error}");
        let again = Server::bind(&config(&path)).await.expect("it starts with what was saved");
        assert!(again.registry().world(other).is_some());
        assert!(again.registry().sign_in(broken, "theirs").is_ok(), "its entry is as it was before");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn other_users_cannot_read_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state.json");
        let server = Server::bind(&config(&path)).await.expect("it starts");
        server.serve(ready(())).await.expect("it is written");
        assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o077, 0);
    }
}
