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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glue::aws::tests::fixture::{Answers, block_on, client, identity};
    use crate::glue::identity::Identity;

    fn of(client: &Glue, catalog: Option<&str>, account: Option<&str>) -> AwsLocation {
        let text = |text: &str| text.to_owned();
        AwsLocation { client: client.clone(), catalog: catalog.map(text), account: account.map(text) }
    }

    #[test]
    fn two_resources_are_the_same_by_their_region_and_account_or_by_one_client() {
        let client = |region: &str| {
            let identity = Identity { region: region.to_owned(), ..identity(false) };
            block_on(client(identity, Answers::new(500, "", "")))
        };
        let [one, other, elsewhere] = ["eu-west-1", "eu-west-1", "eu-west-2"].map(client);
        let same = |a: (&Glue, Option<&str>, Option<&str>), b: (&Glue, Option<&str>, Option<&str>)| {
            of(a.0, a.1, a.2).is_same(&of(b.0, b.1, b.2))
        };
        let (here, there) = (Some("111111111111"), Some("222222222222"));
        assert_eq!(same((&one, None, here), (&other, None, here)), Some(true));
        assert_eq!(same((&one, None, here), (&other, None, there)), Some(false));
        assert_eq!(same((&one, None, here), (&elsewhere, None, here)), Some(false), "another region");
        assert_eq!(same((&one, None, None), (&elsewhere, None, None)), Some(false), "another region");
        assert_eq!(same((&one, None, None), (&one, None, None)), Some(true), "whatever its account is");
        assert_eq!(same((&one, None, None), (&other, None, None)), None);
        assert_eq!(same((&one, None, None), (&one, here, here)), None, "its account may be another one");
        assert_eq!(same((&one, None, here), (&other, None, None)), None);
        assert!(of(&one, None, here).is_known() && !of(&one, None, None).is_known());
    }
}
