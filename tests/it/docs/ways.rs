//! The pages in docs/credentials, one for each way to connect: AWS allows no more than their policies, the chart is
//! rendered with their values, their commands are run, and their object runs under the identity that they show.

use futures::future::join_all;
use k8s_openapi::api::core::v1::Secret;
use kube::api::Api;
use kube_glue::api::run::Phase;
use kube_glue_double::{AccessKey, DEFAULT_ACCOUNT, JobDefinition, Policy, Requests, Role};
use kube_glue_testbed::SET_IMAGE;
use serde_json::Value;

use super::blocks::{self, Block};
use super::{CREDENTIALS, WAYS, markdown_files, page, policies, root, walk};
use crate::credentials::assume_role;
use crate::harness::{REGION, TestEnv, quick};
use crate::tenancy::write_file;

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const USER: &str = "arn:aws:iam::123456789012:user/kube-glue";
/// The token that EKS mounts into the pod.
const TOKEN: &str = "a-token-of-the-service-account";

/// A page, and the environment in which it is followed.
struct Way {
    env: TestEnv,
    path: String,
    text: String,
    blocks: Vec<Block>,
}

impl Way {
    async fn new(path: String, text: &str) -> Self {
        // Stands for the namespace of the pages.
        let env = TestEnv::without_controller("team-a").await;
        env.double.clock().hold();
        let text = text.replace("team-a", &env.namespace);
        let text = text.replace("--namespace kube-glue ", &format!("--namespace {} ", env.namespace));
        let blocks = blocks::of(&path, &text);
        Self { env, path, text, blocks }
    }

    fn blocks<'a>(&'a self, language: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |block| block.language == language)
    }

    /// AWS with the policies and the trust policy of the page, and no other permissions.
    fn aws(&self) {
        let (double, iam) = (&self.env.double, self.env.double.iam());
        for account in [DEFAULT_ACCOUNT, "222222222222"] {
            double.define_job(account, REGION, JobDefinition::new("orders-etl").script(quick()));
        }
        let [id, secret] = [KEY, SECRET].map(str::to_owned);
        double.define_access_key(&AccessKey {
            id,
            secret,
            account: DEFAULT_ACCOUNT.to_owned(),
            user: "kube-glue".to_owned(),
        });
        let of_kind: Vec<_> = policies::by_kind()["GlueJobRun"].iter().map(String::as_str).collect();
        let (trust, may): (Vec<_>, Vec<_>) = policies::json(&self.blocks).into_iter().partition(policies::is_trust);
        // Without a policy on the page the user itself calls Glue.
        let of_user = may.first().map_or(of_kind.clone(), |may| policies::actions(may).collect());
        iam.set_policy(USER, Policy::allow(&of_user));
        let [trust] = &trust[..] else { return };
        let arn = self.text.split(['"', ' ', '=', '\n']).find(|word| word.contains(":role/") && !word.contains('*'));
        let arn = arn.unwrap_or("arn:aws:iam::123456789012:role/kube-glue");
        iam.set_policy(arn, Policy::allow(&of_kind));
        double.define_role(self.role(arn, trust));
    }

    /// A role with the trust policy of the page.
    fn role(&self, arn: &str, trust: &Value) -> Role {
        let iam = self.env.double.iam();
        let actions: Vec<_> = policies::actions(trust).collect();
        let mut role = Role::new(arn)
            .allows_tag_session(actions.contains(&"sts:TagSession"))
            .allows_source_identity(actions.contains(&"sts:SetSourceIdentity"));
        let statement = &trust["Statement"][0];
        for (kind, name) in statement["Principal"].as_object().expect("a principal") {
            match (kind.as_str(), name.as_str().expect("a name")) {
                ("AWS", user) => role = role.trusts(user),
                ("Service", "pods.eks.amazonaws.com") => iam.define_pod_identity(TOKEN, arn),
                ("Service", "ec2.amazonaws.com") => iam.define_instance_role(arn),
                ("Federated", _) => assert_eq!(actions, ["sts:AssumeRoleWithWebIdentity"]),
                other => panic!("{}: {other:?}", self.path),
            }
        }
        for (condition, value) in statement["Condition"]["StringEquals"].as_object().into_iter().flatten() {
            let value = value.as_str().expect("a value");
            match condition.as_str() {
                "sts:ExternalId" => role = role.external_id(value),
                tag if tag.starts_with("aws:RequestTag/") => {
                    role = role.requires_tag(&tag["aws:RequestTag/".len()..], value);
                }
                subject if subject.ends_with(":sub") => {
                    iam.define_web_identity(TOKEN, value);
                    role = role.trusts(value);
                }
                audience => assert!(audience.ends_with(":aud"), "{}: {audience}", self.path),
            }
        }
        role
    }

    /// A template of the chart, rendered with the page's values.
    async fn rendered(&self, part: &str) -> Value {
        let chart = root().join("charts/kube-glue");
        let chart = chart.to_str().expect("a path");
        let mut args = ["template", "kube-glue", chart, "--namespace", "kube-glue", "--set", SET_IMAGE, "-s", part]
            .map(str::to_owned)
            .to_vec();
        let values = self.blocks("yaml").filter(|block| !block.text.starts_with("spec:"));
        for (n, block) in values.enumerate() {
            args.extend(["--values".to_owned(), write_file(&self.env, &format!("values-{n}.yaml"), &block.text)]);
        }
        let manifest = self.env.plane.helm(args).await.unwrap_or_else(|error| panic!("{}: {error}", self.path));
        let read = ["create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-"];
        let json = self.env.plane.kubectl(read).input(manifest.stdout).await.expect("JSON").stdout;
        serde_json::from_str(&json).expect("JSON")
    }

    /// The controller as the chart would run it.
    async fn controller(&mut self) {
        let deployment = self.rendered("templates/deployment.yaml").await;
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        let args = container["args"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let flags = ["--allowed-", "--refused-arguments", "--controller-identity-namespaces", "--session-tags"];
        for arg in args.filter(|arg| flags.iter().any(|flag| arg.starts_with(flag))) {
            let (flag, value) = arg.split_once('=').expect("a value");
            self.env.set_flags(&[(flag, value)]);
        }
        for variable in container["env"].as_array().into_iter().flatten() {
            let (name, value) = (variable["name"].as_str().expect("a name"), variable["value"].as_str());
            if let Some(value) = value.filter(|_| name.starts_with("AWS_")) {
                self.env.aws.insert(name.to_owned().leak(), value.to_owned());
            }
        }
        for source in container["envFrom"].as_array().into_iter().flatten() {
            let name = source["secretRef"]["name"].as_str().expect("a Secret");
            let secrets: Api<Secret> = Api::namespaced(self.env.client.clone(), &self.env.namespace);
            for (name, value) in secrets.get(name).await.expect(name).data.unwrap_or_default() {
                let value = String::from_utf8(value.0).expect("text");
                self.env.aws.insert(name.leak(), value);
            }
        }
        self.machine().await;
        self.env.start_controller();
    }

    /// The environment that EKS, EC2 or a volume gives the controller.
    async fn machine(&mut self) {
        let url = self.env.double.url();
        let token = write_file(&self.env, "token", TOKEN);
        let account = self.rendered("templates/serviceaccount.yaml").await;
        if let Some(role) = account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"].as_str() {
            self.env.aws.extend([("AWS_ROLE_ARN", role.to_owned()), ("AWS_WEB_IDENTITY_TOKEN_FILE", token)]);
        } else if self.text.contains("pods.eks.amazonaws.com") {
            let url = format!("{url}/_double/container-credentials");
            self.env.aws.extend([
                ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url),
                ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token),
            ]);
        } else if self.text.contains("ec2.amazonaws.com") {
            self.env.aws.insert("AWS_EC2_METADATA_DISABLED", "false".to_owned());
            self.env.aws.insert("AWS_EC2_METADATA_SERVICE_ENDPOINT", url);
        }
        let profiles = self.blocks("ini").next().map(|block| write_file(&self.env, "config", &block.text));
        if let Some(profiles) = profiles {
            self.env.aws.insert("AWS_CONFIG_FILE", profiles);
        }
        if self.path.ends_with("role-of-the-controller.md") {
            // The controller's own identity, by one of the other pages.
            let key = [("AWS_ACCESS_KEY_ID", KEY.to_owned()), ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned())];
            self.env.aws.extend(key);
        }
    }

    async fn commands(&self, verb: &str) -> String {
        let mut printed = String::new();
        let beginning = format!("kubectl {verb} ");
        for block in self.blocks("sh").filter(|block| block.text.starts_with(&beginning)) {
            printed += &walk::run(self.env.plane, &self.env.double, block).await;
        }
        printed
    }
}

async fn follow(path: String, text: String) {
    let mut way = Way::new(path, &text).await;
    if way.path.ends_with("temporary-keys.md") {
        // The keys that the page shows do not exist.
        let role = "arn:aws:iam::123456789012:role/etl";
        way.env.double.define_role(Role::new(role));
        let may: Vec<_> = policies::by_kind()["GlueJobRun"].iter().map(String::as_str).collect();
        way.env.double.iam().set_policy(role, Policy::allow(&may));
        let [id, secret, token] = assume_role(&way.env, role).await;
        let shown = [("ASIAIOSFODNN7EXAMPLE", id), (SECRET, secret), ("IQoJb3JpZ2luX2VjEXAMPLETOKEN", token)];
        way.text = shown.iter().fold(way.text, |text, (shown, real)| text.replace(shown, real));
        way.blocks = blocks::of(&way.path, &way.text);
    }
    let config = way.blocks("ini").next().map(|config| write_file(&way.env, "config", &config.text));
    if let Some(config) = config {
        let from = format!("--from-file=config={config}");
        way.text = way.text.replace("--from-file=config", &from);
        way.blocks = blocks::of(&way.path, &way.text);
    }
    way.aws();
    way.commands("create").await;
    way.controller().await;
    let spec = way.blocks("yaml").find(|block| block.text.starts_with("spec:")).expect("an object");
    let head = "apiVersion: kube-glue.dev/v1alpha1\nkind: GlueJobRun\nmetadata:\n  name: orders\n";
    let apply = ["apply", "--namespace", &way.env.namespace, "-f", "-"];
    let applied = way.env.plane.kubectl(apply).input(format!("{head}{}", spec.text)).await;
    applied.unwrap_or_else(|error| panic!("{}: {error}", way.path));
    way.env.wait_for_run_id("orders").await;
    if !way.path.contains("/role-") {
        // The controller asks for the caller identity in the background, and writes it with the next state of the run.
        let answered = |requests: &Requests| requests.of("GetCallerIdentity").succeeded().count() > 0;
        way.env.wait_for_requests("GetCallerIdentity was answered", answered).await;
    }
    way.env.double.clock().resume();
    way.env.wait_finished("orders", Phase::Succeeded).await;

    let shown = way.blocks("text").next().expect("an ARN").text.trim().to_owned();
    let printed = way.commands("get").await;
    assert!(printed.starts_with(shown.trim_end_matches("...")), "{}: {printed} is not {shown}", way.path);
    let starts = way.env.double.requests().of("StartJobRun");
    assert!(starts.count() == 1 && starts[0].succeeded(), "{}: {starts:?}", way.path);
    let refused = way.env.double.requests().all().matching(|request| !request.succeeded());
    assert_eq!(refused.count(), 0, "{}: {refused:?}", way.path);
}

#[tokio::test]
async fn each_way_to_connect_works_as_its_page_says_with_the_permissions_of_its_policies() {
    let ways: Vec<_> = markdown_files().into_iter().filter(|path| path.starts_with(&format!("{WAYS}/"))).collect();
    assert_eq!(ways.len(), 9);
    let index = page(CREDENTIALS);
    for path in &ways {
        let link = format!("({})", path.strip_prefix("docs/").expect("a page of docs"));
        assert!(index.contains(&link), "{CREDENTIALS} has no link to {path}");
    }
    join_all(ways.into_iter().map(|path| (page(&path), path)).map(|(text, path)| follow(path, text))).await;
}
