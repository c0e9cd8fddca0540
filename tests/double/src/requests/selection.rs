//! Some of the recorded requests.

use std::sync::Arc;

use super::Request;

/// Some of the kept requests, oldest first. The methods narrow it further.
#[derive(Clone, Debug)]
pub struct Selection(pub(super) Vec<Arc<Request>>);

impl Selection {
    /// The requests that name this resource or role ARN.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        self.matching(|request| request.call.name.as_deref() == Some(name))
    }

    /// The requests from this account.
    #[must_use]
    pub fn account(self, account: &str) -> Self {
        self.matching(|request| &*request.call.account == account)
    }

    /// The requests to this region.
    #[must_use]
    pub fn region(self, region: &str) -> Self {
        self.matching(|request| &*request.call.region == region)
    }

    /// The requests with a higher sequence number.
    #[must_use]
    pub fn after(self, sequence: u64) -> Self {
        self.matching(|request| request.sequence > sequence)
    }

    /// The requests whose answer has HTTP status 200, sent or dropped.
    #[must_use]
    pub fn succeeded(self) -> Self {
        self.matching(Request::succeeded)
    }

    /// The requests for which `matches` is true.
    #[must_use]
    pub fn matching(mut self, mut matches: impl FnMut(&Request) -> bool) -> Self {
        self.0.retain(|request| matches(request));
        self
    }

    /// The number of requests.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl std::ops::Deref for Selection {
    type Target = [Arc<Request>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl IntoIterator for Selection {
    type Item = Arc<Request>;
    type IntoIter = std::vec::IntoIter<Arc<Request>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
