//! Where the continuous log of a run is, by the arguments of the run and the default arguments of its job (Glue developer
//! guide, "Logging for AWS Glue jobs").

/// What arguments say of the continuous log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContinuousLog {
    /// Whether it is written; `None` when they do not say.
    pub enabled: Option<bool>,
    /// The CloudWatch log group, if they name one.
    pub group: Option<String>,
    /// What the names of the log streams begin with, if that is not the run id.
    pub stream_prefix: Option<String>,
}

impl ContinuousLog {
    /// What these arguments say.
    #[must_use]
    pub fn of<'a>(argument: impl Fn(&str) -> Option<&'a String>) -> Self {
        let given = |name| argument(name).filter(|value| !value.is_empty()).cloned();
        Self {
            enabled: argument("--enable-continuous-cloudwatch-log").map(|on| on.eq_ignore_ascii_case("true")),
            group: given("--continuous-log-logGroup"),
            stream_prefix: given("--continuous-log-logStreamPrefix"),
        }
    }

    /// The same, with what `defaults` say of the rest.
    #[must_use]
    pub fn or(self, defaults: &Self) -> Self {
        Self {
            enabled: self.enabled.or(defaults.enabled),
            group: self.group.or_else(|| defaults.group.clone()),
            stream_prefix: self.stream_prefix.or_else(|| defaults.stream_prefix.clone()),
        }
    }

    /// The log group, of a run of this Glue version; `None` when the log is not written. Glue 5.0 and later write the
    /// output log as they go, and have no continuous log.
    #[must_use]
    pub fn group(&self, glue_version: Option<&str>) -> Option<&str> {
        let major: Option<u32> = glue_version.and_then(|version| version.split('.').next()?.parse().ok());
        let is_written = self.enabled == Some(true) && major.is_none_or(|major| major < 5);
        is_written.then(|| self.group.as_deref().unwrap_or("/aws-glue/jobs/logs-v2"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn log(arguments: &[(&str, &str)]) -> ContinuousLog {
        let arguments: HashMap<_, _> =
            arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        ContinuousLog::of(|name| arguments.get(name))
    }

    #[test]
    fn a_run_before_glue_5_has_a_continuous_log_where_it_is_enabled() {
        let on = ("--enable-continuous-cloudwatch-log", "true");
        for (arguments, version, group) in [
            (vec![], Some("4.0"), None),
            (vec![("--enable-continuous-cloudwatch-log", "false")], Some("4.0"), None),
            (vec![on], Some("5.0"), None),
            (vec![on], Some("10.0"), None),
            (vec![on], Some("4.0"), Some("/aws-glue/jobs/logs-v2")),
            (vec![on], None, Some("/aws-glue/jobs/logs-v2")),
            (vec![on, ("--continuous-log-logGroup", "/etl")], Some("3.0"), Some("/etl")),
        ] {
            assert_eq!(log(&arguments).group(version), group, "{arguments:?} {version:?}");
        }
    }

    #[test]
    fn the_arguments_of_a_run_come_before_those_of_its_job() {
        let job = log(&[("--enable-continuous-cloudwatch-log", "true"), ("--continuous-log-logGroup", "/etl")]);
        assert_eq!(log(&[]).or(&job).group(None), Some("/etl"));
        assert_eq!(log(&[("--continuous-log-logGroup", "/own")]).or(&job).group(None), Some("/own"));
        assert_eq!(log(&[("--enable-continuous-cloudwatch-log", "false")]).or(&job).group(None), None);
    }
}
