//! Brings everything up: the programs, the control plane, the double, the kubelet's part, the chart.

use std::time::{Duration, Instant};

use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, GroupVersionKind},
};
use kube_glue_double::{DEFAULT_ACCOUNT, Double};
use kube_glue_testbed::{Assets, ControlPlane, Kubelet, Options, RunningPod, controller, human};

use crate::{prepared::prepare, problem::Problem, show};

/// Where the controller is installed.
pub(crate) const NAMESPACE: &str = "kube-glue";
/// The region that the samples name.
pub(crate) const REGION: &str = "eu-west-1";
/// Where the samples are, from the workspace's root.
const SAMPLES: &str = "crds/samples";
/// How long anything may take that takes seconds.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// Everything the stories need.
pub(crate) struct Stage {
    // Dropped in this order: the controller goes before what it talks to.
    pub(crate) kubelet: Kubelet,
    pub(crate) double: Double,
    pub(crate) plane: ControlPlane,
}

impl Stage {
    /// Builds what is missing and starts it all.
    pub(crate) async fn set() -> Result<Self, Problem> {
        show::title();
        let begun = Instant::now();
        let program = controller::build().await?;
        show::step("controller", "built by cargo", begun);

        let begun = Instant::now();
        let assets = Assets::ensure().await?;
        let folder = assets.kube_apiserver.parent().map(|folder| folder.display().to_string());
        show::step("programs", &format!("in {}", folder.unwrap_or_default()), begun);

        let begun = Instant::now();
        let plane = ControlPlane::start(Options::default()).await?;
        show::step(
            "control plane",
            &format!("etcd, kube-apiserver and kube-controller-manager at {}", plane.server()),
            begun,
        );

        let begun = Instant::now();
        let double = Double::start().await?;
        let what = prepare(&double)?;
        show::step("AWS Glue", &format!("a double at {}, with {what} in {REGION}", double.url()), begun);

        let begun = Instant::now();
        let kubelet = Kubelet::builder(&plane)
            .image(IMAGE, program)
            // Nobody is to wait for the answer of a metadata service that is not there.
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .start()
            .await?;
        let stage = Self { kubelet, double, plane };
        stage.install().await?;
        show::step("helm", "installed charts/kube-glue; the controller is ready", begun);
        Ok(stage)
    }

    async fn install(&self) -> Result<(), Problem> {
        let args = ["install", "kube-glue", "charts/kube-glue", "--namespace", NAMESPACE];
        // The double's runs take seconds; and it is where AWS would be.
        let values = format!("controller.pollInterval=1s,log.format=text,aws.endpointUrl={}", self.double.url());
        let more = ["--create-namespace", "--wait", "--timeout", "2m", "--set", &values];
        show::command("helm", args.into_iter().chain(more));
        let helm = self.plane.helm(args).args(more);
        let installed = helm.current_dir(controller::workspace()).await;
        if installed.is_err() {
            self.explain();
        }
        installed?;
        Ok(())
    }

    /// The objects of a kind in the namespace that the samples are applied to.
    pub(crate) async fn objects(&self, kind: &str) -> Result<Api<DynamicObject>, Problem> {
        let client: Client = self.plane.client().await?;
        let kind = GroupVersionKind::gvk("kube-glue.dev", "v1alpha1", kind);
        Ok(Api::default_namespaced_with(client, &ApiResource::from_gvk(&kind)))
    }

    /// Applies samples, shown as a person would type it.
    pub(crate) async fn apply<const N: usize>(&self, files: [&str; N]) -> Result<(), Problem> {
        let mut args = vec!["apply".to_owned()];
        for file in files {
            args.extend(["-f".to_owned(), format!("{SAMPLES}/{file}")]);
        }
        self.kubectl(args).await
    }

    /// Runs kubectl, and shows the command line and what it printed.
    pub(crate) async fn kubectl<S: Into<String>>(&self, args: impl IntoIterator<Item = S>) -> Result<(), Problem> {
        let args: Vec<String> = args.into_iter().map(Into::into).collect();
        show::command("kubectl", args.iter().map(String::as_str));
        let output = self.plane.kubectl(args).current_dir(controller::workspace()).await?;
        show::printed(&output.stdout);
        Ok(())
    }

    /// The controller's Pod.
    pub(crate) fn controller(&self) -> Result<RunningPod, Problem> {
        let pods = self.kubelet.pods().into_iter();
        let mut running = pods.filter(|pod| pod.namespace == NAMESPACE && !pod.terminating && pod.ready);
        running.next().ok_or_else(|| Problem::Outcome("the controller's Pod is not there".to_owned()))
    }

    /// What Glue has of a job's runs.
    pub(crate) fn glue_runs(&self, job: &str) -> Vec<serde_json::Value> {
        self.double.runs(DEFAULT_ACCOUNT, REGION, job)
    }

    /// Shows the end of what the controller said, for whoever looks for the cause of a failure.
    pub(crate) fn explain(&self) {
        for pod in self.kubelet.pods() {
            show::log_end(&pod, &self.kubelet.logs(&pod.name).unwrap_or_default());
        }
    }
}

/// The chart's image; the kubelet's part runs the program that cargo built in its place.
const IMAGE: &str = "ghcr.io/kube-glue/kube-glue";

/// A duration since a moment, as a person reads it.
pub(crate) fn since(begun: Instant) -> String {
    human(begun.elapsed())
}
