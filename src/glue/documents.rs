//! What is listed of an account: jobs, crawlers, triggers, workflows and connections, as Glue's own JSON.

/// How many definitions are asked for in one call. The lowest bound of Glue's `BatchGet` operations is that of
/// `BatchGetWorkflows`.
pub const BATCH_SIZE: usize = 25;

/// A type of resource that Glue lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collection {
    /// Jobs.
    Jobs,
    /// Crawlers.
    Crawlers,
    /// Triggers.
    Triggers,
    /// Workflows.
    Workflows,
    /// Connections of the account's Data Catalog.
    Connections,
}

impl Collection {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Jobs, Self::Crawlers, Self::Triggers, Self::Workflows, Self::Connections];

    /// The most names that Glue lists in one call, as far as it matters: pages here have at most 50. Source: the API's model
    /// in the AWS SDKs.
    #[must_use]
    pub fn most_per_call(self) -> i32 {
        match self {
            Self::Workflows => 25,
            Self::Jobs | Self::Crawlers | Self::Triggers | Self::Connections => 100,
        }
    }

    /// What they are called.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Crawlers => "crawlers",
            Self::Triggers => "triggers",
            Self::Workflows => "workflows",
            Self::Connections => "connections",
        }
    }

    /// The member of Glue's answers with their definitions.
    #[must_use]
    pub fn member(self) -> &'static str {
        match self {
            Self::Jobs => "Jobs",
            Self::Crawlers => "Crawlers",
            Self::Triggers => "Triggers",
            Self::Workflows => "Workflows",
            Self::Connections => "ConnectionList",
        }
    }
}
