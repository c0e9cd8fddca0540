//! The values from Secrets that a run was given. Glue shows what a run was started with, whatever the Secrets have now, and
//! whichever process started it. Pure.

use std::collections::BTreeMap;

use crate::api::job_run::ArgumentFrom;
use crate::redaction::{MIN_LENGTH, Sensitive, Withheld};

/// What an object gives its runs.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The object's namespace.
    pub namespace: Option<&'a str>,
    /// The values that stand in the spec.
    pub literal: Option<&'a BTreeMap<String, String>>,
    /// Those from Secrets and ConfigMaps.
    pub from: &'a [ArgumentFrom],
    /// Whether another object may have started the run: it is followed, or shared by a key.
    pub may_be_of_another: bool,
}

impl Given<'_> {
    /// Refuses a run that was started for another namespace.
    pub fn check_namespace(&self, started_for: Option<&str>) -> Result<(), Withheld> {
        let is_foreign = started_for.is_some() && started_for != self.namespace;
        if is_foreign { Err(Withheld::OtherNamespace) } else { Ok(()) }
    }

    /// The values that Glue's words may quote about a run that was started for this namespace, `None` where its key does not
    /// say, and with the values `shown`, `None` where Glue shows none; why they are not known.
    pub fn values(
        &self,
        started_for: Option<&str>,
        shown: Option<&BTreeMap<String, Sensitive>>,
    ) -> Result<Vec<Sensitive>, Withheld> {
        self.check_namespace(started_for)?;
        let mut given = self.of_own_secrets(shown)?;
        if self.may_be_of_another && started_for.is_some() {
            given.extend(self.of_other_objects(shown)?);
        }
        Ok(given)
    }

    /// The values that the object takes from Secrets.
    fn of_own_secrets(&self, shown: Option<&BTreeMap<String, Sensitive>>) -> Result<Vec<Sensitive>, Withheld> {
        let secret = self.from.iter().filter_map(|from| Some((&from.name, from.secret_key_ref.as_ref()?)));
        let mut given = Vec::new();
        for (name, key) in secret {
            match shown.map(|shown| shown.get(name)) {
                Some(Some(value)) => given.push(value.clone()),
                Some(None) if key.optional == Some(true) => {}
                Some(None) | None => return Err(Withheld::UnknownVersion),
            }
        }
        Ok(given)
    }

    /// The values that the object does not have itself: another object of the namespace started the run, and may have them
    /// from Secrets. A value that is too short to be recognized is left out: most are no secrets.
    fn of_other_objects(&self, shown: Option<&BTreeMap<String, Sensitive>>) -> Result<Vec<Sensitive>, Withheld> {
        let Some(shown) = shown else { return Err(Withheld::UnknownVersion) };
        let is_own = |name: &str, value: &Sensitive| {
            let literal = self.literal.and_then(|literal| literal.get(name));
            literal.is_some_and(|literal| literal == value.expose())
                || self.from.iter().any(|from| from.name == name && from.config_map_key_ref.is_some())
        };
        let others = shown.iter().filter(|(name, value)| !is_own(name, value)).map(|(_, value)| value);
        Ok(others.filter(|value| value.expose().trim().len() >= MIN_LENGTH).cloned().collect())
    }
}
