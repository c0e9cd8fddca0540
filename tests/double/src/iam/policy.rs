//! The permissions of a principal.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

/// Lists of actions such as `glue:StartJobRun`, `glue:Get*` or `*`. A denied action is denied even if it is allowed.
/// With a list of allowed actions, all others are denied.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// Denied actions.
    #[serde(default)]
    deny: Vec<String>,
    /// Allowed actions; none allows all.
    #[serde(default)]
    allow: Option<Vec<String>>,
}

impl Policy {
    /// Allows everything but these actions.
    #[must_use]
    pub fn deny(actions: &[&str]) -> Self {
        Self { deny: owned(actions), allow: None }
    }

    /// Allows only these actions.
    #[must_use]
    pub fn allow(actions: &[&str]) -> Self {
        Self { deny: Vec::new(), allow: Some(owned(actions)) }
    }

    /// The error is the reason in the text of an `AccessDeniedException`.
    pub(super) fn check(&self, action: &str) -> Result<(), String> {
        if self.deny.iter().any(|pattern| matches(pattern, action)) {
            return Err("of an explicit deny in an identity-based policy".to_owned());
        }
        match &self.allow {
            Some(allowed) if !allowed.iter().any(|pattern| matches(pattern, action)) => {
                Err(format!("no identity-based policy allows the {action} action"))
            }
            _ => Ok(()),
        }
    }
}

fn owned(actions: &[&str]) -> Vec<String> {
    actions.iter().map(|&action| action.to_owned()).collect()
}

fn matches(pattern: &str, action: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = action.strip_prefix(first) else {
        return false;
    };
    let mut ends_open = false;
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        ends_open = part.is_empty();
    }
    rest.is_empty() || ends_open
}
