//! The reasons of conditions and Events.
//!
//! A reason is a machine-readable word in `status.conditions[].reason` and in Events; the message beside it names the
//! object, the field and the remedy. This table is the only place that lists them: `docs/troubleshooting.md` is checked
//! against it.

mod of_errors;

use kube::runtime::events::EventType;

macro_rules! reasons {
    ($($name:ident $severity:ident $meaning:literal $remedy:literal)*) => {
        /// Why a condition has its status, or why an Event was filed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $(#[doc = $meaning] $name,)*
        }

        impl Reason {
            /// Every reason, in the order of the troubleshooting page.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word as conditions and Events have it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// What it says about the object.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }

            /// What a person can do; empty when there is nothing to do.
            #[must_use]
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)* }
            }

            /// Whether an Event with this reason is a Warning.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }
        }
    };
}

/// The type of the Event that a reason leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Expected progress.
    Normal,
    /// Something a person may have to act on.
    Warning,
}

impl From<Severity> for EventType {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Normal => Self::Normal,
            Severity::Warning => Self::Warning,
        }
    }
}

reasons! {
    CredentialsMissing Warning
        "The namespace has no Secret `kube-glue-credentials`, the object names none, and the controller's own identity may not be used in this namespace."
        "Create the Secret, or name one in `spec.credentials.secretName`."
    SecretNotFound Warning
        "The Secret that the object names does not exist."
        "Create it in the object's namespace."
    SecretInvalid Warning
        "A key of the Secret is missing, empty, too long, not text, not what Glue takes, or has blanks around its value."
        "Correct the key that the message names. Use `printf`, not `echo`, when you encode by hand."
    SecretNotReadable Warning
        "The controller may not read the Secret, or the API server did not answer."
        "Check the controller's RBAC rights: `rbac.create` and `watchNamespaces` of the chart."
    RegionMissing Warning
        "No region is configured."
        "Set `spec.region`, `AWS_REGION` in the Secret, or `aws.region` of the chart."
    RoleMissing Warning
        "`spec.credentials.assumeRole` is set, but no role is named."
        "Set `roleArn` there, or `AWS_ROLE_ARN` in the Secret."
    RoleNotAllowed Warning
        "The operator's list of roles does not have this role for the namespace."
        "Ask the operator to add it to `credentials.allowedRoles` of the chart."
    ProfileNotAllowed Warning
        "The operator's list of profiles does not have this profile for the namespace."
        "Ask the operator to add it to `credentials.allowedProfiles` of the chart."
    EndpointNotAllowed Warning
        "The operator's list of endpoints does not have this endpoint for the namespace, or the Secret that names it has no keys."
        "Ask the operator to add it to `credentials.allowedEndpoints` of the chart, or add keys to the Secret."
    ArgumentNotAllowed Warning
        "The operator does not let this namespace, or objects without keys of their own, set an argument by which Glue runs other code."
        "Set it in the job itself, name a Secret with keys, or ask the operator to change `credentials.refusedArguments` of the chart."
    TooManyIdentities Warning
        "The objects of the namespace use as many different regions and credentials as the operator allows; all of them are needed, such as by live runs."
        "Give several objects the same `spec.region` and `spec.credentials`, wait, or ask the operator to raise `credentials.maxIdentitiesPerNamespace` of the chart."
    CredentialsNotAccepted Warning
        "AWS does not know the access key, or the credentials have expired."
        "Put valid keys into the Secret that the message names."
    AccessDenied Warning
        "AWS accepts the credentials, but they may not make this call or assume this role."
        "Allow the operation that the message names. For a role, check its trust policy and the external id."
    ArgumentNotFound Warning
        "A key that `argumentsFrom` or `runPropertiesFrom` names does not exist."
        "Add the key, or mark it `optional`."
    ArgumentNotReadable Warning
        "The controller cannot read a Secret or ConfigMap of `argumentsFrom` or `runPropertiesFrom`."
        "Check the controller's RBAC rights."
    NotFound Warning
        "The job, crawler, workflow or trigger does not exist in this account and region."
        "Create it, or check the name, `spec.region` and `spec.credentials`."
    InvalidSpec Warning
        "Glue, or kube-glue, refuses what the spec asks for."
        "Create a new object with a spec that is accepted, or correct the Glue job."
    CrawlerRunning Normal
        "The crawler runs a crawl that began before this object, or older objects wait for the crawler. With `onAlreadyRunning: Fail` the object has failed for this reason."
        "Wait, or set `onAlreadyRunning: Attach` on a new object."
    ConcurrentRunsExceeded Warning
        "The job or workflow has its maximum of concurrent runs, or older objects wait for a free run."
        "Wait, or raise its `MaxConcurrentRuns`."
    KeyInUse Normal
        "Another object with the same `idempotencyKey` is starting its run, or does not know yet whether it has one."
        "Wait: this object follows that run."
    LimitExceeded Warning
        "A quota of the AWS account is used up."
        "Wait, or have the quota raised."
    Throttled Warning
        "AWS throttles the calls of this account."
        "Wait. If it stays, lower `controller.pollCallsPerMinute` of the chart."
    AwsUnreachable Warning
        "The controller could not reach AWS."
        "Check the network, the region's name and `aws.endpointUrl`. A custom endpoint cannot be combined with `aws.useFipsEndpoint` or `aws.useDualstackEndpoint`."
    Conflict Normal
        "Somebody else changes the same Glue resource at this moment."
        "Wait."
    AnswerUnclear Warning
        "Glue's answer to the start was lost, or the status that had it. The controller looks for what it started."
        "Wait. It is settled within `--start-settle`."
    RunNotFound Warning
        "Glue does not know the run."
        "Check `runId`, the job's name, the region and the credentials."
    RetryScheduled Warning
        "The run failed, and kube-glue will start it again after a pause."
        ""
    GlueRetries Normal
        "The run failed, and Glue retries it by itself."
        ""
    Activated Normal
        "The trigger is activated, as the spec asks for."
        ""
    Deactivated Normal
        "The trigger is deactivated, as the spec asks for."
        ""
    OnDemand Normal
        "The trigger is of type ON_DEMAND and waits for a new value of `spec.fire`."
        ""
    OnEvent Normal
        "The trigger is of type EVENT: Glue fires it on its events, and neither activates nor deactivates it."
        ""
    Activating Normal
        "The trigger is being activated."
        "Wait."
    Deactivating Normal
        "The trigger is being deactivated."
        "Wait."
    Creating Normal
        "The trigger or the connection is being created."
        "Wait."
    Updating Normal
        "The trigger or the connection is being updated."
        "Wait."
    Deleting Normal
        "The trigger or the connection is being deleted."
        "Wait."
    Drifted Warning
        "Somebody changed the trigger or the connection in Glue. The controller corrects it, or with `driftPolicy: Report` only reports it."
        "The message names what changed, who changed it and when. Ask them, or change the spec."
    OwnedByAnother Warning
        "Another object manages the same Glue resource: an older one, or one that took it over while AWS refused this object's credentials."
        "Delete one of the two objects."
    OwnershipUnknown Warning
        "It is not known whether another object manages the same Glue resource. The message names the object and what is not known of it."
        "Correct the credentials of the object that the message names, let STS be reached, or delete one of the two objects."
    Observing Normal
        "The controller is asking Glue for the trigger's state."
        "Wait."
    Firing Normal
        "The trigger is being fired."
        ""
    Fired Normal
        "The trigger was fired."
        ""
    Completed Normal
        "Every run of the last firing has ended, all of them well."
        "`status.lastFiring` lists them."
    CompletedWithFailures Warning
        "Every run of the last firing has ended, at least one of them badly."
        "The message and `status.lastFiring` name them."
    NotFired Warning
        "`fireOnCreation` is true, but the object may have existed before and its trigger has started runs already, so the value was not fired."
        "Set another value of `spec.fire` to fire the trigger."
    NotOnDemand Warning
        "`spec.fire` is set, but the trigger is not of type ON_DEMAND."
        "Remove `spec.fire`, or make the trigger one of type ON_DEMAND."
    StateNotApplicable Warning
        "`spec.state: Deactivated` is set, but the trigger is of type ON_DEMAND or EVENT and has no such state."
        "Remove `spec.state`. To silence an EVENT trigger, disable the EventBridge rule that sends its events."
    StateUnknown Warning
        "Glue reports a state that this version does not know. The controller waits for a state that it knows."
        "Upgrade kube-glue."
    TypeUnknown Warning
        "Glue reports a trigger type that this version does not know."
        "Upgrade kube-glue."
    Pending Normal
        "Nothing has been sent to Glue yet."
        ""
    Suspended Normal
        "`spec.suspend` holds the run back, or stops it."
        "Set `spec.suspend` to false to start it."
    Following Normal
        "The object follows a run that was started elsewhere."
        ""
    Adopted Normal
        "The object adopted a run that carries its key, or a crawl that covers it."
        ""
    Starting Normal
        "The run is being started, or Glue has accepted it."
        ""
    Running Normal
        "The run is running in Glue."
        ""
    Waiting Normal
        "Glue has queued the run."
        ""
    Stopping Normal
        "The run is being stopped."
        ""
    Succeeded Normal
        "The run succeeded."
        ""
    Unknown Normal
        "Glue reports a run state that this version does not know. The controller goes on watching the run."
        "Upgrade kube-glue."
    Failed Warning
        "The run failed in Glue."
        "The message is Glue's; `status.links` leads to the logs."
    ActionsFailed Warning
        "Glue has completed the workflow run, but some of its jobs or crawlers failed, timed out or were stopped."
        "The message and `status.nodes` name them. Set another value of `spec.resume` to run them again, or `succeedWhen: Completed` on a new object to take Glue's word."
    NotResumed Warning
        "`spec.resume` has a new value, but nothing can be resumed. The message says why; the run stays as it ended."
        "Create a new object to run the workflow again."
    FailureLog Warning
        "Events only: the end of the log of the failed run."
        "`status.failure.log` has more of it; `status.links` leads to all of it."
    FailureLogDenied Warning
        "Events only: AWS does not let the controller read the log of the failed run, so `status.failure.log` stays empty. Nothing else changes."
        "Allow `logs:GetLogEvents` on the log groups of the runs, or set `controller.failureLogs` of the chart to false."
    TimedOut Warning
        "The run exceeded its timeout."
        "The message is Glue's; `status.links` leads to the logs."
    GlueError Warning
        "Glue ended the run with an error of its own."
        "The message is Glue's; `status.links` leads to the logs."
    Expired Warning
        "The queued run did not get its resources in time."
        "The message is Glue's."
    Stopped Warning
        "Somebody stopped the run in Glue."
        ""
    StopRequested Normal
        "`spec.stop` is true: the run is being stopped, or was stopped."
        ""
    DeadlineExceeded Warning
        "`activeDeadlineSeconds` passed: the run is being stopped, or was stopped."
        ""
    StartDeadlineExceeded Warning
        "The run did not start within `startDeadlineSeconds`."
        ""
    Deleted Normal
        "The object is being deleted, and its run is being stopped."
        ""
    Resumed Normal
        "The condition `Suspended` only: `spec.suspend` is false again."
        ""
    Started Normal
        "Events only: the run was started."
        ""
    ReservedArgument Warning
        "Events only: Glue says that it uses arguments of this name internally."
        "If the job works, nothing has to be done. Else rename the argument."
    InternalError Warning
        "A defect of kube-glue stopped the pass over this object. Other objects go on, and the controller tries this one again every minute."
        "Report it with the line `a pass panicked` of the controller's log and the line before it."
    LeftBehind Warning
        "Events only: the object was deleted, but something of it goes on in Glue."
        "Stop or delete by hand what the message names."
    InSync Normal
        "Glue has the connection as the spec describes it."
        ""
    InProgress Normal
        "Glue is still working on the connection."
        "Wait."
    Testing Normal
        "Glue is asked to test the connection."
        "Wait."
    ConnectionFailed Warning
        "Glue could not make the connection work. The message is Glue's."
        "Correct the spec or its Secrets."
    TestSucceeded Normal
        "The condition `Tested` only: Glue could connect."
        ""
    TestFailed Warning
        "Glue could not connect. The message is Glue's."
        "Check the address, the credentials, the subnet and the security groups."
    UnknownProperty Warning
        "The condition `UnknownProperties` only: Glue documents no such property for connections of this type, and may ignore it."
        "Check its spelling. If the connection works, nothing has to be done."
    RequirementUnmet Warning
        "The condition `UnmetRequirements` only: Glue's description of the connection type asks for what the spec lacks."
        "Set what the message names. If the connection works, nothing has to be done."
    Reading Normal
        "The account is being read for the first time, or by another spec."
        "Wait. A read takes one call for each job: see [the inventory's page](glueinventory.md#how-long-a-read-takes)."
    Observed Normal
        "The inventory shows what Glue has."
        ""
    ReadRefused Warning
        "Glue refuses to show a part of what the spec selects. The rest is shown. The message is Glue's."
        "See the message, or set `enabled: false` for that part."
    BeganToFail Warning
        "Events only: the newest ended run of an item failed, and the one that the inventory had seen before had not."
        "The message is Glue's; `status.items` shows the run."
    Healed Normal
        "Events only: the newest ended run of an item succeeded, and the one that the inventory had seen before had failed."
        ""
    NoReceiver Warning
        "`spec.lineage` of an inventory names no transport, and the controller has no receiver of lineage. The inventory itself is shown."
        "Set `spec.lineage.transport`, or ask the operator to set `openLineage.url` of the chart."
    ReceiverNotAllowed Warning
        "The operator's list of receivers of lineage does not have this one for the namespace. The inventory itself is shown."
        "Ask the operator to add it to `openLineage.allowedReceivers` of the chart."
    ReceiverFailed Warning
        "Events only: the receiver of an inventory's lineage does not answer, or refuses the API key. Events wait, within a bound, and are sent again."
        "Check `spec.lineage.transport` and its Secret. `status.lineage.problem` is empty once it takes events."
    AlreadyExists Warning
        "A connection of this name exists that this object did not create."
        "Delete it, choose another name, or set `adoptionPolicy: Adopt`."
}

impl Reason {
    /// The reason of this word; `None` for a word of another version.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == word)
    }

    /// Whether AWS refused a call for this reason, so that only a call that succeeds clears it.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::ConcurrentRunsExceeded
                | Self::Throttled
                | Self::AccessDenied
                | Self::CredentialsNotAccepted
                | Self::InvalidSpec
                | Self::LimitExceeded
                | Self::AnswerUnclear
                | Self::AwsUnreachable
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_parsed_from_its_own_word() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(*reason));
            assert!(reason.meaning().ends_with('.'), "{reason:?}");
        }
        assert_eq!(Reason::parse("OfAnotherVersion"), None);
    }
}
