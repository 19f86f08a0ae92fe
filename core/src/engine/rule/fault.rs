//! The error for a rule that is not valid or can never act.

/// The reason that a rule is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct RuleFault {
    /// The invalid field as testers write it, such as `match.pages`.
    pub field: String,
    /// The expected and the actual value, or the reason that the rule could never act.
    pub reason: String,
}

pub(super) fn fault(field: impl Into<String>, reason: impl Into<String>) -> Result<(), RuleFault> {
    Err(RuleFault { field: field.into(), reason: reason.into() })
}
