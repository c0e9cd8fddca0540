//! The controller updates a connection when its Secret changes, without an edit of the object.

use kube_glue_double::{DEFAULT_ACCOUNT, Request};
use serde_json::json;

use crate::{
    environment::{Environment, LIMIT, REGION},
    error::{DemoError, expect},
    follow::Follow,
    show, within,
};

const NAME: &str = "orders-db";
const NEW_PASSWORD: &str = "a new password";

pub(crate) async fn run(environment: &Environment) -> Result<(), DemoError> {
    let mut follow = Follow::new(environment, "GlueConnection", NAME);
    environment.apply(["connection-jdbc.yaml"]).await?;
    follow.until(&["InSync"]).await?;
    environment.kubectl(["get", "glueconnection", NAME]).await?;

    let patch = json!({"stringData": {"password": NEW_PASSWORD}}).to_string();
    environment.kubectl(["patch", "secret", NAME, "--patch", &patch]).await?;
    let is_update = |request: &Request| &*request.call.operation == "UpdateConnection";
    within(LIMIT, "UpdateConnection", environment.double.requests().wait_for(is_update)).await?;
    follow.until(&["InSync"]).await?;
    let seen = environment.double.call(DEFAULT_ACCOUNT, REGION, "GetConnection", &json!({"Name": NAME}))?;
    let password = &seen["Connection"]["ConnectionProperties"]["PASSWORD"];
    expect(password == NEW_PASSWORD, || "Glue does not have the new password".to_owned())?;
    for shown in ["glueconnections", "events"] {
        let shown = environment.plane.kubectl(["get", shown, "--output", "json"]).await?;
        expect(!shown.stdout.contains(NEW_PASSWORD), || "an object or an event contains the password".to_owned())?;
    }
    let log = environment.kubelet.logs(&environment.controller()?.name).unwrap_or_default();
    expect(!log.contains(NEW_PASSWORD), || "the log contains the password".to_owned())?;
    show::record(environment, NAME);
    show::good("Glue has the new password. No status, event or log contains it.");
    Ok(())
}
