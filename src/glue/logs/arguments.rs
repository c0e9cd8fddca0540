//! What the arguments of a run, and the default arguments of its job, say of its logs (Glue developer guide, "Logging for
//! AWS Glue jobs" and "Enabling continuous logging for AWS Glue 4.0 and earlier jobs").

/// What arguments say of the logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogArguments {
    /// Whether the continuous log is written; `None` when they do not say. Before Glue 5.0.
    pub continuous: Option<bool>,
    /// The CloudWatch log group of the continuous log, if they name one. Before Glue 5.0.
    pub continuous_group: Option<String>,
    /// What the names of the streams of the continuous log begin with, if that is not the run id. Before Glue 5.0.
    pub continuous_stream_prefix: Option<String>,
    /// What the names of the groups of the output and error logs begin with, if they name it. From Glue 5.0 on.
    pub group_prefix: Option<String>,
    /// What the names of the streams of the output and error logs begin with, if that is not the run id. From Glue 5.0 on.
    pub stream_prefix: Option<String>,
}

impl LogArguments {
    /// What these arguments say.
    #[must_use]
    pub fn of<'a>(argument: impl Fn(&str) -> Option<&'a String>) -> Self {
        let given = |name| argument(name).filter(|value| !value.is_empty()).cloned();
        Self {
            continuous: argument("--enable-continuous-cloudwatch-log").map(|on| on.eq_ignore_ascii_case("true")),
            continuous_group: given("--continuous-log-logGroup"),
            continuous_stream_prefix: given("--continuous-log-logStreamPrefix"),
            group_prefix: given("--custom-logGroup-prefix"),
            stream_prefix: given("--custom-logStream-prefix"),
        }
    }

    /// The same, with what `defaults` say of the rest.
    #[must_use]
    pub fn or(self, defaults: &Self) -> Self {
        let or = |own: Option<String>, default: &Option<String>| own.or_else(|| default.clone());
        Self {
            continuous: self.continuous.or(defaults.continuous),
            continuous_group: or(self.continuous_group, &defaults.continuous_group),
            continuous_stream_prefix: or(self.continuous_stream_prefix, &defaults.continuous_stream_prefix),
            group_prefix: or(self.group_prefix, &defaults.group_prefix),
            stream_prefix: or(self.stream_prefix, &defaults.stream_prefix),
        }
    }

    /// The names that they give.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let Self { continuous_group, continuous_stream_prefix, group_prefix, stream_prefix, .. } = self;
        let names = [continuous_group, continuous_stream_prefix, group_prefix, stream_prefix];
        names.into_iter().flatten().map(String::as_str)
    }
}
