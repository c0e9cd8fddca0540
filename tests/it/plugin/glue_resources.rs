//! What is in Glue, by the credentials of the namespace or the user's own.

use kube_glue_double::{DEFAULT_ACCOUNT, JobDefinition, Policy};
use serde_json::{Value, json};

use crate::harness::{DEFAULT_SECRET, REGION, TestEnv, access_key_data};

/// Defines so many jobs `job-00`, `job-01`, ... beside the job `etl`.
fn define_jobs(env: &TestEnv, count: usize) {
    (0..count).for_each(|n| env.define_job(JobDefinition::new(&format!("job-{n:02}"))));
}

#[tokio::test]
async fn jobs_are_listed_page_by_page_with_marker_and_filter() {
    let env = TestEnv::with_credentials("plugin-list").await;
    define_jobs(&env, 60);
    let first = env.glue("list jobs --max-items 2 -o name").await.succeeded();
    assert_eq!(first.lines(), ["etl", "job-00"]);
    let marker = first.messages.trim().strip_prefix("there are more: kubectl glue list jobs --marker ");
    let marker = marker.unwrap_or_else(|| panic!("{first:?}"));
    let second = env.glue(&format!("list jobs --max-items 2 --marker {marker} -o json")).await.succeeded();
    let page: Value = serde_json::from_str(&second.data).expect("JSON");
    let names: Vec<_> = page["Jobs"].as_array().expect("jobs").iter().map(|job| job["Name"].clone()).collect();
    assert_eq!(names, ["job-01", "job-02"]);
    assert!(page["NextToken"].is_string() && page["Jobs"][0]["Command"]["Name"] == "glueetl", "{page}");
    let created = page["Jobs"][0]["CreatedOn"].as_str().expect("a time as text");
    assert!(created.ends_with('Z'), "{created}");
    // The bound of a page is Glue's caller's own: 61 jobs are two pages of 50.
    env.double.requests().clear();
    let all = env.glue("list jobs --all -o name").await.succeeded();
    assert_eq!((all.lines().len(), all.messages.as_str()), (61, ""));
    assert_eq!(env.double.requests().count("ListJobs"), 2);
    assert_eq!(env.double.requests().count("BatchGetJobs"), 0);
    let some = env.glue("list jobs --all --include job-0 --include ETL --exclude .*[2-9]$").await.succeeded();
    let names: Vec<_> = some.lines().iter().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["NAME", "etl", "job-00", "job-01"], "{some:?}");
    for (line, part) in [
        ("list jobs --max-items 51", "1..=50"),
        ("list jobs --max-items 0", "1..=50"),
        ("list jobs --include a(", "`a(`: invalid regular expression at character 2: unclosed group"),
    ] {
        let wrong = env.glue(line).await;
        assert!(wrong.code == Some(2) && wrong.messages.contains(part), "{line}: {wrong:?}");
    }
    let wrong = env.glue("list jobs --marker nonsense").await;
    assert!(wrong.code == Some(6) && wrong.messages.contains("NextToken is invalid"), "{wrong:?}");
}

#[tokio::test]
async fn every_collection_is_listed_with_its_own_columns() {
    let env = TestEnv::with_credentials("plugin-collections").await;
    env.call_glue("CreateCrawler", &json!({ "Name": "orders", "Role": "r", "DatabaseName": "raw", "Targets": { "S3Targets": [{ "Path": "s3://raw/orders" }] } }));
    env.call_glue("CreateWorkflow", &json!({ "Name": "nightly" }));
    let actions = json!([{ "JobName": "etl" }]);
    env.call_glue(
        "CreateTrigger",
        &json!({ "Name": "start", "Type": "ON_DEMAND", "WorkflowName": "nightly", "Actions": actions }),
    );
    let properties =
        json!({ "JDBC_CONNECTION_URL": "jdbc:postgresql://db:5432/a", "USERNAME": "u", "PASSWORD": "hush-hush" });
    env.call_glue(
        "CreateConnection",
        &json!({ "ConnectionInput": { "Name": "warehouse", "ConnectionType": "JDBC", "ConnectionProperties": properties } }),
    );
    for (collection, parts) in [
        ("crawlers", ["orders", "READY", "raw"]),
        ("triggers", ["start", "ON_DEMAND", "job etl"]),
        ("workflows", ["nightly", "NAME", "LAST RUN"]),
        ("connections", ["warehouse", "JDBC", "STATUS"]),
    ] {
        let listed = env.glue(&format!("list {collection} -o wide")).await.succeeded();
        assert!(parts.iter().all(|part| listed.data.contains(part)), "{listed:?}");
        let json = env.glue(&format!("list {collection} -o json")).await.succeeded();
        assert!(!json.data.contains("hush-hush"), "{json:?}");
    }
    // Glue lists 25 workflows in a call, and a page has more.
    (0..59).for_each(|n| drop(env.call_glue("CreateWorkflow", &json!({ "Name": format!("w-{n:02}") }))));
    let page = env.glue("list workflows --max-items 40 -o name").await.succeeded();
    assert!(page.lines().len() == 40 && page.messages.contains("--marker"), "{page:?}");
    assert_eq!(env.glue("list workflows --all -o name").await.succeeded().lines().len(), 60);
    let none = env.glue("list crawlers --exclude .*").await.succeeded();
    assert_eq!(none.data, "");
    assert!(none.messages.contains("no crawlers with such a name in eu-west-1 among 1"), "{none:?}");
}

#[tokio::test]
async fn a_run_is_shown_as_glue_has_it() {
    let env = TestEnv::with_credentials("plugin-get").await;
    let id = env.call_glue("StartJobRun", &json!({ "JobName": "etl" }))["JobRunId"].as_str().expect("an id").to_owned();
    let run = env.glue(&format!("get job-run --job etl --run-id {id}")).await.succeeded();
    assert!(run.data.contains(&id) && run.data.contains("State"), "{run:?}");
    let run = env.glue(&format!("get job-run --job etl --run-id {id} -o json")).await.succeeded();
    let run: Value = serde_json::from_str(&run.data).expect("JSON");
    assert_eq!((&run["Id"], &run["JobName"]), (&json!(id), &json!("etl")));
    env.call_glue("CreateCrawler", &json!({ "Name": "orders", "Role": "r", "DatabaseName": "raw", "Targets": { "S3Targets": [{ "Path": "s3://raw/orders" }] } }));
    let none = env.glue("get crawl --crawler orders").await;
    assert!(none.code == Some(5) && none.messages.contains("a crawl of crawler orders does not exist"), "{none:?}");
    env.call_glue("StartCrawler", &json!({ "Name": "orders" }));
    let newest = env.glue("get crawl --crawler orders -o name").await.succeeded();
    let crawl = newest.data.trim();
    let shown = env.glue(&format!("get crawl --crawler orders --crawl-id {crawl}")).await.succeeded();
    assert!(shown.data.contains(crawl), "{shown:?}");
    for line in ["get job-run --job etl --run-id jr_0", "get workflow-run --workflow none --run-id wr_0"] {
        let none = env.glue(line).await;
        assert!(none.code == Some(5) && none.messages.contains("check the name and --region"), "{line}: {none:?}");
    }
}

#[tokio::test]
async fn the_credentials_are_those_of_the_namespace_or_the_users_own() {
    let mut env = TestEnv::without_controller("plugin-credentials").await;
    let none = env.glue("list jobs").await;
    assert_eq!(none.code, Some(6), "{none:?}");
    assert!(none.messages.contains("kubectl create secret generic kube-glue-credentials"), "{none:?}");
    let own = env.glue("list jobs --own").await;
    assert!(own.code == Some(6) && own.messages.contains("log in again"), "{own:?}");
    let (id, secret) = (env.key.id.clone(), env.key.secret.clone());
    // With the user's own credentials no cluster is needed.
    let (administrator, nowhere) = (env.kubeconfig.clone(), std::path::PathBuf::from("/nonexistent/config"));
    env.kubeconfig = nowhere;
    env.aws.extend([("AWS_ACCESS_KEY_ID", id.clone()), ("AWS_SECRET_ACCESS_KEY", secret.clone())]);
    assert_eq!(env.glue("list jobs --own -o name").await.succeeded().data, "etl\n");
    env.kubeconfig = administrator;
    env.aws.retain(|name, _| !name.starts_with("AWS_ACCESS") && !name.starts_with("AWS_SECRET"));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("credentials");
    std::fs::write(&file, format!("[etl]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"))
        .expect("a file");
    env.aws.insert("AWS_SHARED_CREDENTIALS_FILE", file.display().to_string());
    assert_eq!(env.glue("list jobs --profile etl -o name").await.succeeded().data, "etl\n");
    // The Secret decides the region, and may name the endpoint that the user names, and no other.
    let url = env.double.url();
    let mut data = access_key_data(&id, &secret);
    data.extend([("AWS_REGION", REGION), ("AWS_ENDPOINT_URL", url.as_str())]);
    env.put_secret("other", &data).await;
    env.aws.clear();
    let refused = env.glue("list jobs --secret other").await;
    assert!(refused.code == Some(6) && refused.messages.contains("--endpoint-url"), "{refused:?}");
    let named = env.glue(&format!("list jobs --secret other --endpoint-url {url} -o name")).await.succeeded();
    assert_eq!(named.data, "etl\n");
    env.put_credentials(DEFAULT_SECRET).await;
    let region = env.glue("list jobs").await;
    assert!(region.code == Some(2) && region.messages.contains("pass --region"), "{region:?}");
}

#[tokio::test]
async fn without_the_secret_or_the_rights_in_aws_the_message_names_the_right() {
    let mut env = TestEnv::with_credentials("plugin-rights").await;
    let reader = env.double.iam().new_access_key(DEFAULT_ACCOUNT, "reader");
    let arn = format!("arn:aws:iam::{DEFAULT_ACCOUNT}:user/reader");
    env.double.iam().set_policy(&arn, Policy::allow(&["glue:ListJobs"]));
    env.put_secret("reader", &access_key_data(&reader.id, &reader.secret)).await;
    let names = env.glue("list jobs --secret reader").await.succeeded();
    assert!(names.data.contains("etl") && names.messages.contains("allow glue:BatchGetJobs"), "{names:?}");
    let denied = env.glue("list crawlers --secret reader").await;
    assert_eq!(denied.code, Some(6), "{denied:?}");
    assert!(denied.messages.contains("allow glue:ListCrawlers to the identity whose keys are in Secret"), "{denied:?}");
    env.plane.kubectl(["create", "serviceaccount", "nobody", "-n", &env.namespace]).await.expect("an account");
    env.kubeconfig = env.plane.kubeconfig_as(&env.namespace, "nobody").await.expect("a kubeconfig");
    let secret = env.glue("list jobs").await;
    assert_eq!(secret.code, Some(6), "{secret:?}");
    assert!(secret.messages.contains("--verb get --resource secrets --resource-name"), "{secret:?}");
}
