//! A connection is kept as its spec and its Secret say: a new password reaches Glue without an edit of the object.

use kube_glue_double::{DEFAULT_ACCOUNT, Request};
use serde_json::json;

use crate::{
    follow::Follow,
    problem::{Problem, expect},
    show,
    stage::{LIMIT, REGION, Stage},
    within,
};

const NAME: &str = "orders-db";
const NEW: &str = "a password of today";

pub(crate) async fn tell(stage: &Stage) -> Result<(), Problem> {
    let mut follow = Follow::new(stage, "GlueConnection", NAME);
    stage.apply(["connection-jdbc.yaml"]).await?;
    follow.until(&["InSync"]).await?;
    stage.kubectl(["get", "glueconnection", NAME]).await?;

    let patch = json!({"stringData": {"password": NEW}}).to_string();
    stage.kubectl(["patch", "secret", NAME, "--patch", &patch]).await?;
    let is_update = |request: &Request| &*request.call.operation == "UpdateConnection";
    within(LIMIT, "UpdateConnection", stage.double.requests().wait_for(is_update)).await?;
    follow.until(&["InSync"]).await?;
    let seen = stage.double.call(DEFAULT_ACCOUNT, REGION, "GetConnection", &json!({"Name": NAME}))?;
    let password = &seen["Connection"]["ConnectionProperties"]["PASSWORD"];
    expect(password == NEW, || "Glue does not have the new password".to_owned())?;
    for shown in ["glueconnections", "events"] {
        let shown = stage.plane.kubectl(["get", shown, "--output", "json"]).await?;
        expect(!shown.stdout.contains(NEW), || "the password is shown in an object or an event".to_owned())?;
    }
    let log = stage.kubelet.logs(&stage.controller()?.name).unwrap_or_default();
    expect(!log.contains(NEW), || "the password is shown in the log".to_owned())?;
    show::record(stage, NAME);
    show::good("Glue has the new password, and no status, event or log shows it.");
    Ok(())
}
