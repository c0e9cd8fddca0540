//! The installation of `crds/`, as the README has it.

use std::time::{Duration, Instant};

use crate::{
    control_plane::ControlPlane,
    controller::workspace,
    error::{Error, Result},
};

/// How long the API server may take to serve them.
const LIMIT: Duration = Duration::from_mins(1);

/// Installs the custom resource definitions, and waits until kubectl knows the kinds.
pub async fn install(plane: &ControlPlane) -> Result<()> {
    let folder = workspace().join("crds");
    let apply = ["apply", "--server-side", "--output=name", "--filename"].map(str::to_owned);
    let applied = plane.kubectl(apply.into_iter().chain([folder.display().to_string()])).await?.stdout;
    let names: Vec<_> = applied.lines().filter_map(|line| line.split_once('/')).map(|(_, name)| name).collect();
    for name in &names {
        plane.kubectl(["wait", "--for=condition=Established", "--timeout=60s", "crd", name]).await?;
    }
    // Discovery is updated some time after a definition is Established, and there is no watch for that.
    let began = Instant::now();
    loop {
        // The command fails while discovery has only a part of the group.
        let list = plane.kubectl(["api-resources", "--api-group=kube-glue.dev", "--output=name"]);
        let known = list.output().await?.stdout;
        if names.iter().all(|name| known.lines().any(|line| line == *name)) {
            return Ok(());
        }
        if began.elapsed() > LIMIT {
            let what = "discovery of all kinds".to_owned();
            return Err(Error::Timeout { what, after: LIMIT, last: known });
        }
    }
}
