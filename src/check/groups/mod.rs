//! The checks, one file per group, and what they have in common. A new group is a variant of `Group`, a file with
//! `CHECKS`, and a line in [`ALL`]; the tests of docs/check.md and of the matrix fail if something is missing.

mod caller;
mod content;
mod edge;
mod failures;
mod judging;
mod leaks;
mod our_side;
mod proxies;
mod reach;
mod repeated;

use super::Check;

/// All checks, in the order in which they are listed.
pub(super) const ALL: &[&[Check]] = &[
    reach::CHECKS,
    caller::CHECKS,
    proxies::CHECKS,
    repeated::CHECKS,
    failures::CHECKS,
    content::CHECKS,
    our_side::CHECKS,
    edge::CHECKS,
];
