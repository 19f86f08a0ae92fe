//! The list of all checks: how some of them are selected by name, and the texts that are made from the list.

use std::fmt::Write;

use super::{Check, Group, Profile, Severity, groups};

/// How similar a word must be to the name of a check for the check to be suggested, from 0 to 1.
const LIKENESS_MIN: f64 = 0.7;

/// A name that no check has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no check {name:?}{}; fauxfax check --list lists them", .nearest.map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
pub struct UnknownCheck {
    /// The name as given.
    pub name: String,
    /// The check that was probably meant.
    pub nearest: Option<&'static str>,
}

/// Returns all checks, group by group.
pub fn all() -> impl Iterator<Item = &'static Check> {
    groups::ALL.iter().copied().flatten()
}

/// Finds a check by its id or its short code.
///
/// # Errors
/// Fails if there is no such check.
pub fn find(name: &str) -> Result<&'static Check, UnknownCheck> {
    let wanted = name.trim().to_ascii_lowercase();
    let found = all().find(|check| check.id == wanted || check.code.eq_ignore_ascii_case(&wanted));
    found.ok_or_else(|| {
        let likeness = |check: &Check| strsim::jaro_winkler(&wanted, check.id);
        let best = all().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
        let nearest = best.filter(|check| likeness(check) >= LIKENESS_MIN).map(|check| check.id);
        UnknownCheck { name: name.to_owned(), nearest }
    })
}

/// Which checks to run.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only checks about faxes in one of these directions; empty for all.
    pub profiles: Vec<Profile>,
    /// Only checks that an app must pass.
    pub quick: bool,
    /// Only these checks, by id or short code; empty for all.
    pub only: Vec<String>,
    /// Checks to leave out, by id or short code.
    pub skip: Vec<String>,
}

impl Selection {
    /// Returns the selected checks, in the order of the list.
    ///
    /// # Errors
    /// Fails if a name is unknown.
    pub fn checks(&self) -> Result<Vec<&'static Check>, UnknownCheck> {
        let named = |names: &[String]| names.iter().map(|name| find(name)).collect::<Result<Vec<_>, _>>();
        let (only, skip) = (named(&self.only)?, named(&self.skip)?);
        let is_in = |checks: &[&Check], check: &Check| checks.iter().any(|other| other.id == check.id);
        let of_profile =
            |check: &Check| self.profiles.is_empty() || check.profiles.iter().any(|own| self.profiles.contains(own));
        Ok(all()
            .filter(|check| of_profile(check))
            .filter(|check| !self.quick || check.severity == Severity::Must)
            .filter(|check| only.is_empty() || is_in(&only, check))
            .filter(|check| !is_in(&skip, check))
            .collect())
    }
}

/// Returns the groups that have checks, each with its checks.
pub fn grouped(checks: &[&'static Check]) -> Vec<(Group, Vec<&'static Check>)> {
    let of = |group: &Group| checks.iter().copied().filter(|check| check.group == *group).collect::<Vec<_>>();
    Group::ALL.iter().map(|group| (*group, of(group))).filter(|(_, checks)| !checks.is_empty()).collect()
}

/// Explains a check: what it is about, why it matters and what to do.
#[must_use]
pub fn explanation(check: &Check) -> String {
    let Check { id, code, group, severity, title, why, fix, source, profiles, .. } = check;
    let profiles: Vec<&str> = profiles.iter().map(|profile| profile.as_str()).collect();
    format!(
        "{id} ({code}, {severity}): {title}.\n\nWhy:     {why}\nFix:     {fix}\nSource:  {source}\nGroup:   {group}\nProfile: {}\n",
        profiles.join(", ")
    )
}

/// Returns docs/check.md.
#[must_use]
pub fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    let checks: Vec<&'static Check> = all().collect();
    for (group, checks) in grouped(&checks) {
        // Writing to a string never fails.
        let _ = write!(page, "\n## {group}\n\n| check | code | severity | what a good app does |\n|---|---|---|---|\n");
        for check in &checks {
            let Check { id, code, severity, title, .. } = check;
            let _ = writeln!(page, "| [`{id}`](#{id}) | {code} | {severity} | {title} |");
        }
        for Check { id, why, fix, source, .. } in checks {
            // Markdown would take the TwiML in a text for HTML.
            let fix = fix.replace('<', "\\<");
            let _ = write!(page, "\n### {id}\n\n{why}\n\n*What to change:* {fix}\n\n*Source:* {source}\n");
        }
    }
    page
}

const INTRODUCTION: &str = "\
# Checking an app

`fauxfax check URL` judges an app that receives fax webhooks. It sends the app faxes and requests, right and wrong ones, and looks
from outside at what the app does: at its responses, its calls to the emulator, its downloads, and, with `--probe`, one of its pages.

These commands are not tested as they are printed here, because they need an app; the
[agent skill](../skills/fauxfax/SKILL.md) runs one of them with a complete app:

```sh read
fauxfax check http://localhost:3000/fax
fauxfax check http://localhost:3000/fax --status-callback http://localhost:3000/fax/status --quick
fauxfax check http://localhost:3000/fax --only signature-missing --json
```

Without an app, the command lists its checks and explains each:

```sh run
fauxfax check --list            # prints signature-missing
fauxfax check --explain S2      # prints signature-wrong
```

`fauxfax check FILE` judges a document instead: [check-document.md](check-document.md).

**What the app needs.** It must be configured with the account and token of the emulator (`--account`, `--auth-token`; those of
the default account if left out), and must verify signatures for exactly this URL. The checks use a running emulator if `--url`
or `FAUXFAX_URL` names one; otherwise they start one at `--listen`, which is the address that the app calls back.

**Verdicts.** A check that the app `must` or `should` pass ends with *pass*, *fail* or *warn*; a check of severity `warn` or
`info` fails only if the app goes down. The run begins with a correct request. If the app doesn't accept it, or if a check lacks
something else that it needs, the check is *not judged*, and the report says why. A response 429 isn't judged either: raise the
app's limit on requests for the run. A fail shows the request as a curl command, the response, why it matters and what to change.

**Exit status.** 0 if no check failed; 1 if a check failed, if nothing could be judged, or if the run could not begin or was
interrupted; 2 for incorrect usage; 3 if the emulator did not respond. `--json` prints the results as JSON, `--junit FILE`
writes them for CI.

**A running emulator** is put back as it was, even after Ctrl-C: numbers, faxes, rules and snapshots. The account's clock is
frozen during the run and can't be turned back, and the journal keeps what happened. Meanwhile the tester's rules are set aside.
Accounts with faxes in progress are refused.

**The console's page** *Check* shows the runs that were begun there or with `POST /check`, because the emulator carries those out
and keeps their reports. `fauxfax check` and the library carry out their runs themselves and only use the emulator's APIs, so
their reports don't show there; the requests that they caused are in the traffic.

**Effects that can't be seen** from outside, such as a second record of one fax, show on a page of the app: `--probe URL` names
one, which is compared before and after, as JSON or else as text, but without times. A page that changes by itself, because it
shows a form's token or counts the seconds, proves nothing, so it isn't compared.

**Faxes that the app sends.** `--status-callback URL` is enough to send the app notifications of faxes that it doesn't know.
Whether it keeps the final status, asks about a lost callback or copes with errors of the API shows only in faxes of its own:
`--send COMMAND` names a shell command that makes it send one, such as `curl -fsS -X POST localhost:3000/send`. The command
should fail if the app can't send. An app that does such things in the background gets 5 s for each, or as long as `--patience`
says.

**Safety.** Only apps on this machine or in a private network are checked; `--i-own-this-host` allows others. An emulator that
the command starts itself refuses public addresses on each connection, even if a host name resolves to one or a redirect leads
to one. A running emulator makes its own connections. So the run first asks the app for TwiML itself, and then notifies each
address that the TwiML or an option names, with a SID that no fax has. If one of them is public or redirects to a public one, the
run stops before the emulator has called anything. If the app names a public address only for some faxes, the emulator calls it
once before the run stops.

**Limits.** A run makes at most 500 requests, at most a hundred faxes or direct requests per second, and takes at most ten
minutes.

One check of the usual lists is left out on purpose: whether signatures are compared in constant time. Over a network that takes
thousands of requests and proves little; read the code instead.
";
