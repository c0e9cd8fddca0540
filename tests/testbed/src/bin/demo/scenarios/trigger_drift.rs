//! The controller keeps a trigger in its desired state. It corrects a manual change and reports it in an event.

use kube_glue_double::DEFAULT_ACCOUNT;
use serde_json::json;

use crate::{
    environment::{Environment, REGION},
    error::{DemoError, expect},
    follow::Follow,
    show,
};

const NAME: &str = "orders-nightly";

pub(crate) async fn run(environment: &Environment) -> Result<(), DemoError> {
    let mut follow = Follow::new(environment, "GlueTrigger", NAME);
    environment.apply(["trigger.yaml"]).await?;
    follow.until(&["Activated"]).await?;
    environment.kubectl(["get", "gluetrigger", NAME]).await?;

    environment.double.call(DEFAULT_ACCOUNT, REGION, "StopTrigger", &json!({"Name": NAME}))?;
    follow.say("a user deactivates the trigger in the AWS console");
    follow.until(&["Drifted"]).await?;
    follow.until(&["Activated"]).await?;
    let trigger = environment.double.call(DEFAULT_ACCOUNT, REGION, "GetTrigger", &json!({"Name": NAME}))?;
    expect(trigger["Trigger"]["State"] == "ACTIVATED", || format!("the trigger in Glue is not ACTIVATED: {trigger}"))?;
    environment.kubectl(["events", "--for", &format!("gluetrigger/{NAME}")]).await?;
    show::good("The trigger is activated again, and events report the change.");
    Ok(())
}
