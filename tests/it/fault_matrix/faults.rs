//! The faults of the matrix, and to which operations each applies.

use std::time::Duration;

use kube_glue_double::{Request, Rewrite, Then};

/// The number of entries of a very long answer.
const MANY: usize = 10_000;
/// How late a late read is.
const LATE: Duration = Duration::from_secs(3);

/// `--aws-timeout` of the controller.
pub const AWS_TIMEOUT: Duration = Duration::from_secs(3);

/// A fault of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    Throttled,
    Http500,
    Http503,
    /// Slower than the client's timeout.
    Slow,
    DroppedBeforeWork,
    DroppedAfterWork,
    AccessDenied,
    ExpiredToken,
    /// The answer is a proxy's page.
    NotJson,
    /// No connection to AWS can be made, whatever the operation is.
    ConnectionRefused,
    /// Enumerations have values of another version.
    UnknownValues,
    /// Entries have no members but what they are.
    OnlyIdentities,
    /// The answer has no members at all.
    EmptyAnswer,
    LongLists,
    /// Lists are not in the documented order.
    ReversedLists,
    /// What is new is not shown for some time.
    LateReads,
    /// The answer says that something was done, and nothing was.
    Lie,
}

impl Fault {
    pub const ALL: [Self; 17] = [
        Self::Throttled,
        Self::Http500,
        Self::Http503,
        Self::Slow,
        Self::DroppedBeforeWork,
        Self::DroppedAfterWork,
        Self::AccessDenied,
        Self::ExpiredToken,
        Self::NotJson,
        Self::ConnectionRefused,
        Self::UnknownValues,
        Self::OnlyIdentities,
        Self::EmptyAnswer,
        Self::LongLists,
        Self::ReversedLists,
        Self::LateReads,
        Self::Lie,
    ];

    /// Whether the fault can change what the controller gets from an operation. A cell whose fault is never hit
    /// fails, so this cannot claim too much.
    pub fn applies_to(self, operation: &str) -> bool {
        let is_list = matches!(
            operation,
            "GetJobRuns"
                | "ListCrawls"
                | "GetWorkflowRuns"
                | "BatchGetCrawlers"
                | "GetCrawlerMetrics"
                | "BatchGetTriggers"
                | "GetConnections"
        );
        let is_read = is_list || matches!(operation, "GetJobRun" | "GetJob" | "GetWorkflowRun");
        match self {
            Self::UnknownValues => {
                is_read && !matches!(operation, "GetJob" | "GetCrawlerMetrics") || operation == "CreateConnection"
            }
            Self::OnlyIdentities => is_read,
            Self::EmptyAnswer => !matches!(
                operation,
                "StartCrawler"
                    | "StopCrawler"
                    | "StopWorkflowRun"
                    | "UpdateConnection"
                    | "TestConnection"
                    | "TagResource"
                    | "UntagResource"
            ),
            Self::LongLists => is_list,
            // The others list what the controller asks for by name, in any order.
            Self::ReversedLists => matches!(operation, "GetJobRuns" | "ListCrawls" | "GetWorkflowRuns"),
            Self::LateReads => {
                matches!(operation, "GetJobRun" | "GetJobRuns" | "ListCrawls" | "BatchGetCrawlers" | "GetConnections")
            }
            // A start that lies gives the id of nothing, or promises a crawl that never comes. The controller has no
            // way to read tags, and none to read a connection whose object is gone.
            Self::Lie => matches!(
                operation,
                "BatchStopJobRun"
                    | "StopCrawler"
                    | "StopWorkflowRun"
                    | "StartTrigger"
                    | "StopTrigger"
                    | "CreateConnection"
                    | "UpdateConnection"
                    | "TestConnection"
            ),
            _ => true,
        }
    }

    /// The rule for the double; none for [`Fault::ConnectionRefused`], which is not about single calls.
    pub fn effect(self, operation: &str) -> Option<Then> {
        let is_sts = matches!(operation, "AssumeRole" | "GetCallerIdentity");
        let rewrite = |rewrite| Then::RewriteAnswer { rewrite };
        Some(match self {
            Self::Throttled => Then::Throttle,
            Self::Http500 => Then::Http500,
            Self::Http503 => Then::Http503,
            Self::Slow => Then::HoldAnswer,
            Self::DroppedBeforeWork => Then::DropConnectionBefore,
            Self::DroppedAfterWork => Then::DropAnswerAfterWork,
            Self::AccessDenied => Then::AccessDenied,
            Self::ExpiredToken => Then::ExpiredToken,
            Self::NotJson => Then::proxy_page(),
            Self::ConnectionRefused => return None,
            Self::UnknownValues => rewrite(Rewrite::UnknownValues),
            Self::OnlyIdentities => rewrite(Rewrite::OnlyIdentities),
            Self::EmptyAnswer if is_sts => rewrite(Rewrite::OnlyIdentities),
            Self::EmptyAnswer => Then::AnswerText { text: "{}".to_owned() },
            Self::LongLists => rewrite(Rewrite::LongLists { entries: MANY }),
            Self::ReversedLists => rewrite(Rewrite::ReverseLists),
            Self::LateReads => Then::StaleRead { age: LATE },
            Self::Lie => Then::Lie,
        })
    }

    /// Whether the client of this request met the fault, by the double's record.
    pub fn was_met_by(self, request: &Request) -> bool {
        let Some(answer) = request.answer() else {
            let waited = jiff::Timestamp::now().duration_since(request.received);
            return self == Self::Slow && waited.unsigned_abs() > AWS_TIMEOUT;
        };
        let refused = |codes: &[&str]| answer.code.as_deref().is_some_and(|code| codes.contains(&code));
        match self {
            Self::Throttled => refused(&["ThrottlingException", "Throttling"]),
            Self::Http500 => answer.status == 500,
            Self::Http503 => answer.status == 503,
            Self::DroppedBeforeWork => answer.dropped && !answer.executed,
            Self::DroppedAfterWork => answer.dropped && answer.executed,
            Self::AccessDenied => refused(&["AccessDeniedException", "AccessDenied"]),
            Self::ExpiredToken => refused(&["ExpiredTokenException", "ExpiredToken"]),
            // The double has no record of it; and an answer that came at last.
            Self::ConnectionRefused | Self::Slow => false,
            Self::LateReads => answer.executed,
            Self::NotJson
            | Self::UnknownValues
            | Self::OnlyIdentities
            | Self::EmptyAnswer
            | Self::LongLists
            | Self::ReversedLists
            | Self::Lie => answer.rewritten,
        }
    }

    /// Whether AWS fails to do or to say what it was asked, so that the object cannot be well while the fault lasts.
    /// The message of a condition then names the operation, unless all of them fail.
    pub fn names_operation(self) -> bool {
        matches!(
            self,
            Self::Throttled
                | Self::Http500
                | Self::Http503
                | Self::Slow
                | Self::DroppedBeforeWork
                | Self::DroppedAfterWork
                | Self::AccessDenied
                | Self::ExpiredToken
                | Self::NotJson
        )
    }
}
