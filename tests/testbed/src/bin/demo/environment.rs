//! Starts the environment of the demo: programs, control plane, double of Glue, receiver of lineage, kubelet, and the
//! installed chart.

use std::time::{Duration, Instant};

use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, GroupVersionKind},
};
use kube_glue_double::{DEFAULT_ACCOUNT, Double};
use kube_glue_testbed::{
    Assets, ControlPlane, IMAGE, Kubelet, Options, RunningPod, SET_IMAGE, controller, format_duration,
    openlineage::Receiver,
};

use crate::{error::DemoError, glue_resources, show};

/// The namespace in which the controller is installed.
pub(crate) const NAMESPACE: &str = "kube-glue";
/// The region in the samples.
pub(crate) const REGION: &str = "eu-west-1";
/// The folder of the samples, from the workspace's root.
const SAMPLES: &str = "crds/samples";
/// The time limit of steps that normally take seconds.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// Everything that the scenarios need.
pub(crate) struct Environment {
    // In drop order: the controller ends before the services that it calls.
    pub(crate) kubelet: Kubelet,
    pub(crate) double: Double,
    pub(crate) receiver: Receiver,
    pub(crate) plane: ControlPlane,
}

impl Environment {
    /// Builds missing programs and starts everything.
    pub(crate) async fn start() -> Result<Self, DemoError> {
        show::title();
        let started = Instant::now();
        let program = controller::build(controller::Profile::Dev).await?;
        show::step("controller", "built by cargo", started);

        let started = Instant::now();
        let assets = Assets::ensure().await?;
        let folder = assets.kube_apiserver.parent().map(|folder| folder.display().to_string());
        show::step("programs", &format!("in {}", folder.unwrap_or_default()), started);

        let started = Instant::now();
        let plane = ControlPlane::start(Options::default()).await?;
        show::step(
            "control plane",
            &format!("etcd, kube-apiserver and kube-controller-manager at {}", plane.server()),
            started,
        );

        let started = Instant::now();
        let double = Double::start().await?;
        let resources = glue_resources::create(&double)?;
        show::step("AWS Glue", &format!("a test double at {}, with {resources} in {REGION}", double.url()), started);

        let started = Instant::now();
        let receiver = Receiver::start().await?;
        show::step("OpenLineage", &format!("a receiver of lineage at {}", receiver.url()), started);

        let started = Instant::now();
        let kubelet = Kubelet::builder(&plane)
            .image(IMAGE, program)
            // There is no instance metadata service; do not wait for one.
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .start()
            .await?;
        let environment = Self { kubelet, double, receiver, plane };
        environment.install().await?;
        show::step("helm", "installed charts/kube-glue; the controller is ready", started);
        Ok(environment)
    }

    async fn install(&self) -> Result<(), DemoError> {
        let args = ["install", "kube-glue", "charts/kube-glue", "--namespace", NAMESPACE];
        // The double's runs take only seconds, so the controller polls every second.
        let values = format!(
            "{SET_IMAGE},controller.pollInterval=1s,controller.pollCallsPerMinute=1000,log.format=text,\
             aws.endpointUrl={},openLineage.url={},openLineage.fromScripts=true",
            self.double.url(),
            self.receiver.url()
        );
        let more = ["--create-namespace", "--wait", "--timeout", "2m", "--set", &values];
        show::command("helm", args.into_iter().chain(more));
        let helm = self.plane.helm(args).args(more);
        let installed = helm.current_dir(controller::workspace()).await;
        if installed.is_err() {
            self.show_logs();
        }
        installed?;
        Ok(())
    }

    /// The objects of a kind in the namespace of the samples.
    pub(crate) async fn objects(&self, kind: &str) -> Result<Api<DynamicObject>, DemoError> {
        let client: Client = self.plane.client().await?;
        let kind = GroupVersionKind::gvk("kube-glue.dev", "v1alpha1", kind);
        Ok(Api::default_namespaced_with(client, &ApiResource::from_gvk(&kind)))
    }

    /// Applies samples with kubectl.
    pub(crate) async fn apply<const N: usize>(&self, files: [&str; N]) -> Result<(), DemoError> {
        let mut args = vec!["apply".to_owned()];
        for file in files {
            args.extend(["-f".to_owned(), format!("{SAMPLES}/{file}")]);
        }
        self.kubectl(args).await
    }

    /// Runs kubectl, and prints the command line and its output.
    pub(crate) async fn kubectl<S: Into<String>>(&self, args: impl IntoIterator<Item = S>) -> Result<(), DemoError> {
        let args: Vec<String> = args.into_iter().map(Into::into).collect();
        show::command("kubectl", args.iter().map(String::as_str));
        let output = self.plane.kubectl(args).current_dir(controller::workspace()).await?;
        show::printed(&output.stdout);
        Ok(())
    }

    /// The controller's Pod.
    pub(crate) fn controller(&self) -> Result<RunningPod, DemoError> {
        let pods = self.kubelet.pods().into_iter();
        let mut running = pods.filter(|pod| pod.namespace == NAMESPACE && !pod.terminating && pod.ready);
        running.next().ok_or_else(|| DemoError::Outcome("the controller has no ready Pod".to_owned()))
    }

    /// The runs of a job in Glue.
    pub(crate) fn glue_runs(&self, job: &str) -> Vec<serde_json::Value> {
        self.double.runs(DEFAULT_ACCOUNT, REGION, job)
    }

    /// Prints the end of the controller's log, to explain a failure.
    pub(crate) fn show_logs(&self) {
        for pod in self.kubelet.pods() {
            show::log_end(&pod, &self.kubelet.logs(&pod.name).unwrap_or_default());
        }
    }
}

/// The time since `started`, for people.
pub(crate) fn since(started: Instant) -> String {
    format_duration(started.elapsed())
}
