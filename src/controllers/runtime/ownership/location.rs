//! Where in AWS a resource is.

use crate::glue::Glue;
use crate::glue::identity::Acceptance;

/// Where a resource is, as far as it is known.
pub trait Location: Clone + PartialEq {
    /// Whether both are the same account and region; `None` while that is not known. Among locations that are known it
    /// is an equivalence.
    fn is_same(&self, other: &Self) -> Option<bool>;
    /// Whether the account is known.
    fn is_known(&self) -> bool;
}

/// A region of an account.
#[derive(Clone, Debug, PartialEq)]
pub struct AwsLocation {
    /// The client, which has the region.
    pub client: Glue,
    /// The account that the spec names for the resource.
    pub catalog: Option<String>,
    /// The account of the resource, once it is known.
    pub account: Option<String>,
}

impl AwsLocation {
    /// The location of a resource that `client` manages, in the account `catalog` or else in that of its credentials.
    #[must_use]
    pub fn new(client: Glue, catalog: Option<String>) -> Self {
        let account = catalog.clone().or_else(|| client.account());
        Self { client, catalog, account }
    }

    /// The location as it is known by now, and what AWS has said of the credentials by now.
    #[must_use]
    pub fn refreshed(&self) -> (Self, Acceptance) {
        (Self::new(self.client.clone(), self.catalog.clone()), self.client.acceptance())
    }
}

impl Location for AwsLocation {
    fn is_same(&self, other: &Self) -> Option<bool> {
        if self.client.identity().region != other.client.identity().region {
            return Some(false);
        }
        match (&self.account, &other.account) {
            (Some(account), Some(other)) => Some(account == other),
            _ if self.client == other.client && self.catalog == other.catalog => Some(true),
            _ => None,
        }
    }

    fn is_known(&self) -> bool {
        self.account.is_some()
    }
}
