//! Several releases in one cluster, each for namespaces of its own: the way beyond what one controller can do.

use kube::Api;
use kube::api::ListParams;
use kube_glue::api::GlueJobRun;
use kube_glue::api::run::Phase;
use kube_glue_double::JobDefinition;

use super::{Installed, job_run};
use crate::harness::{phase_of, quick};

#[tokio::test]
async fn releases_that_share_a_cluster_each_act_in_their_own_namespaces() {
    let installed = Installed::nothing().await;
    installed.job(JobDefinition::new("good").max_concurrent_runs(10).script(quick()));
    let teams = ["team-a", "team-b"];
    for team in teams {
        installed.plane.kubectl(["create", "namespace", team]).await.expect("a namespace");
        installed.credentials(team).await;
    }
    // One release owns the custom resource definitions.
    installed.install("glue", "glue-a", "watchNamespaces={team-a}").await;
    installed.install("glue", "glue-b", "watchNamespaces={team-b},crds.install=false").await;
    for team in teams {
        let apply = installed.plane.kubectl(["apply", "--namespace", team, "-f", "-"]);
        apply.input(job_run("one", "good")).await.expect("an object");
    }
    for team in teams {
        let wait = ["wait", "--namespace", team, "--for=condition=Complete", "--timeout=60s", "gluejobrun/one"];
        installed.plane.kubectl(wait).await.unwrap_or_else(|error| panic!("{error}\n{}", installed.logs()));
    }
    assert_eq!(installed.starts(), 2);

    // The release with the definitions goes: they stay, and the other release goes on.
    installed.plane.helm(["uninstall", "glue", "--namespace", "glue-a", "--wait"]).await.expect("an uninstallation");
    let apply = installed.plane.kubectl(["apply", "--namespace", "team-b", "-f", "-"]);
    apply.input(job_run("two", "good")).await.expect("an object");
    let wait = ["wait", "--namespace", "team-b", "--for=condition=Complete", "--timeout=60s", "gluejobrun/two"];
    installed.plane.kubectl(wait).await.unwrap_or_else(|error| panic!("{error}\n{}", installed.logs()));
    let runs: Api<GlueJobRun> = Api::all(installed.plane.client().await.expect("a client"));
    let runs = runs.list(&ListParams::default()).await.expect("the runs").items;
    assert!(runs.len() == 3 && runs.iter().all(|run| phase_of(run) == Some(Phase::Succeeded)));
}
