//! Changes one field of the spec of many objects: `stop`, `suspend`, `resume`, `fire`.

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::for_each;
use crate::plugin::connect::Cluster;
use crate::plugin::error::PluginError;
use crate::plugin::exit::Exit;
use crate::plugin::output;
use crate::plugin::target::Target;

/// A change of a spec.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::plugin) enum Edit {
    Stop,
    Suspend,
    Resume,
    /// The new value of `fire`.
    Fire(String),
}

impl Edit {
    /// What is merged into the spec.
    fn spec(&self) -> Value {
        match self {
            Self::Stop => json!({ "stop": true }),
            Self::Suspend => json!({ "suspend": true }),
            Self::Resume => json!({ "suspend": false }),
            Self::Fire(value) => json!({ "fire": value }),
        }
    }

    /// What was done, once the API server has the change.
    fn done(&self) -> &'static str {
        match self {
            Self::Stop => "will be stopped",
            Self::Suspend => "suspended",
            Self::Resume => "resumed",
            Self::Fire(_) => "will be fired",
        }
    }

    /// Why it makes no sense for an object; none if it does.
    fn objection(&self, target: &Target) -> Option<String> {
        let name = target.full_name();
        match self {
            Self::Fire(_) => {
                (!target.kind.is_trigger()).then(|| format!("{name} is no trigger: only triggers are fired"))
            }
            Self::Stop | Self::Suspend | Self::Resume => (!target.kind.is_run)
                .then(|| format!("{name} is no run. To deactivate a trigger, set `spec.state: Deactivated`")),
        }
    }
}

/// Makes the change of each object. What fails does not keep the others from it.
pub(in crate::plugin) async fn execute(
    cluster: &Cluster,
    targets: &[Target],
    edit: &Edit,
) -> Result<Exit, PluginError> {
    if let Some(objection) = targets.iter().find_map(|target| edit.objection(target)) {
        return Err(PluginError::Usage(objection));
    }
    let patch = Patch::Merge(json!({ "spec": edit.spec() }));
    let params = PatchParams { field_manager: Some("kubectl-glue".to_owned()), ..PatchParams::default() };
    for_each(targets, async |target| {
        let patched = cluster.objects(&target.kind).patch(&target.name, &params, &patch).await;
        patched.map_err(PluginError::about("changing", target))?;
        output::line(format_args!("{} {}", target.full_name(), edit.done()))?;
        Ok(Exit::Succeeded)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::target;

    #[test]
    fn what_makes_no_sense_is_refused_before_anything_is_sent() {
        let target = |name: &str| target::parse(&[name.to_owned()]).unwrap().remove(0);
        let fire = Edit::Fire("1".to_owned());
        assert_eq!(fire.objection(&target("gtr/a")), None);
        assert!(fire.objection(&target("gjr/a")).unwrap().contains("no trigger"));
        assert_eq!(Edit::Stop.objection(&target("gcr/a")), None);
        assert!(Edit::Suspend.objection(&target("gtr/a")).unwrap().contains("spec.state"));
    }
}
