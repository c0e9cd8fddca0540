//! What Glue refuses for a while.

use super::{Caller, ClientId};
use crate::simulation::time::{Ms, clock};

/// The calls of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Of a run.
    Start,
    /// Of a run.
    Stop,
    /// A page of the runs of a job or workflow.
    List,
    /// One run.
    Get,
    /// The job or workflow.
    GetTarget,
}

impl Operation {
    pub fn is_start(self) -> bool {
        self == Self::Start
    }

    fn is_read(self) -> bool {
        matches!(self, Self::List | Self::Get | Self::GetTarget)
    }
}

/// What is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A role loses the right to make some calls.
    Denied(DeniedCalls),
    /// The quota of the account is exhausted by others: no start.
    Quota,
    /// The job or crawler is deleted, with its history.
    TargetGone,
    /// The start of this one object, such as one with a bad security configuration.
    Invalid,
    /// Reads answer 500.
    Unreadable,
}

/// Which calls are denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeniedCalls {
    Starts,
    Reads,
    Stops,
}

/// A refusal, its callers and its duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Episode {
    pub refusal: Refusal,
    pub account: usize,
    /// Only this client; all of the account where it is `None`.
    pub client: Option<ClientId>,
    /// Only this target; all where it is `None`.
    pub target: Option<String>,
    /// Only this object, by its plan; all where it is `None`.
    pub plan: Option<usize>,
    pub from: Ms,
    pub until: Ms,
}

impl Episode {
    pub fn is_on(&self, now: Ms) -> bool {
        (self.from..self.until).contains(&now)
    }

    pub fn refuses(&self, now: Ms, account: usize, who: &Caller, operation: Operation, target: &str) -> bool {
        let of_kind = match &self.refusal {
            Refusal::Denied(DeniedCalls::Starts) | Refusal::Quota | Refusal::Invalid => operation.is_start(),
            Refusal::Denied(DeniedCalls::Stops) => operation == Operation::Stop,
            Refusal::Denied(DeniedCalls::Reads) | Refusal::Unreadable => operation.is_read(),
            Refusal::TargetGone => true,
        };
        of_kind
            && self.is_on(now)
            && self.account == account
            && self.client.is_none_or(|client| client == who.client)
            && self.target.as_deref().is_none_or(|own| own == target)
            && self.plan.is_none_or(|plan| who.plan == Some(plan))
    }

    /// Whether it concerns an object of this plan, which uses this client and target.
    pub fn concerns(&self, account: usize, client: ClientId, target: &str, plan: usize) -> bool {
        self.account == account
            && self.client.is_none_or(|own| own == client)
            && self.target.as_deref().is_none_or(|own| own == target)
            && self.plan.is_none_or(|own| own == plan)
    }
}

impl std::fmt::Display for Episode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { refusal, account, client, target, plan, from, until } = self;
        write!(f, "{} to {}: {refusal:?} in account {account}", clock(*from), clock(*until))?;
        if let Some(client) = client {
            write!(f, ", client {client}")?;
        }
        if let Some(target) = target {
            write!(f, ", {target}")?;
        }
        plan.map_or(Ok(()), |plan| write!(f, ", object {plan}"))
    }
}
