//! What OpenLineage's listener in Spark has to know to say which run started it, as the value of Glue's argument `--conf`.
//! Pure.
//!
//! The names are those of OpenLineage's documentation of Spark (`spark.openlineage.parentRunId` and so on), and the form of
//! the value that of Glue: `a=b --conf c=d`. The parent is the run of the orchestrator, which the object names: Glue's id of
//! its own run is not known before its start.

use std::fmt::Write;

use super::openlineage::facets::JobName;
use super::run::OuterRun;

/// The name of Glue's argument.
pub const CONF: &str = "--conf";
/// What the properties about the parent begin with.
const PARENT: &str = "spark.openlineage.parent";

/// The value with the parent, after `existing`, that of the object or the job. `None` where nothing is to be changed:
/// `existing` names a parent, or a name has characters that could begin another property.
#[must_use]
pub fn conf(parent: &OuterRun, existing: Option<&str>) -> Option<String> {
    let existing = existing.unwrap_or_default().trim();
    let root = parent.root.as_deref().unwrap_or(parent);
    if existing.contains(PARENT) || !is_plain(&parent.job) || !is_plain(&root.job) {
        return None;
    }
    let mut conf = existing.to_owned();
    for (prefix, run) in [(PARENT, parent), ("spark.openlineage.rootParent", root)] {
        let JobName { namespace, name } = &run.job;
        let separator = if conf.is_empty() { "" } else { " --conf " };
        let _ = write!(
            conf,
            "{separator}{prefix}JobNamespace={namespace} --conf {prefix}JobName={name} --conf {prefix}RunId={}",
            run.run_id
        );
    }
    Some(conf)
}

/// Whether a name has only characters that mean nothing in the value.
fn is_plain(job: &JobName) -> bool {
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:/@+~-".contains(&byte));
    is_plain(&job.namespace) && is_plain(&job.name) && !job.namespace.starts_with('-') && !job.name.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "5b3dd7d6-9b0f-4f2a-8b0a-111111111111";

    fn parent(job: &str) -> OuterRun {
        OuterRun::parse(&format!("airflow/{job}/{ID}")).expect("a run")
    }

    #[test]
    fn the_parent_follows_what_there_is() {
        let run = |prefix: &str| {
            format!("{prefix}JobNamespace=airflow --conf {prefix}JobName=daily.orders --conf {prefix}RunId={ID}")
        };
        let own = format!("{} --conf {}", run("spark.openlineage.parent"), run("spark.openlineage.rootParent"));
        assert_eq!(conf(&parent("daily.orders"), None).as_ref(), Some(&own));
        let existing = "spark.sql.extensions=a.B --conf spark.x=y";
        assert_eq!(conf(&parent("daily.orders"), Some(existing)), Some(format!("{existing} --conf {own}")));
    }

    #[test]
    fn a_parent_that_is_named_stays_and_a_name_begins_no_property() {
        let existing = "spark.openlineage.parentRunId=1";
        assert_eq!(conf(&parent("daily"), Some(existing)), None);
        for name in ["x --conf spark.jars=evil", "x\u{a0}y", "a=b", "$(x)", "-x", "a,b", "\"a\""] {
            assert_eq!(conf(&parent(name), None), None, "{name}");
        }
    }
}
