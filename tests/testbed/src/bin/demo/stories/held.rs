//! A trigger is held in its state: what somebody does to it by hand is put right, and told.

use kube_glue_double::DEFAULT_ACCOUNT;
use serde_json::json;

use crate::{
    follow::Follow,
    problem::{Problem, expect},
    show,
    stage::{REGION, Stage},
};

const NAME: &str = "orders-nightly";

pub(crate) async fn tell(stage: &Stage) -> Result<(), Problem> {
    let mut follow = Follow::new(stage, "GlueTrigger", NAME);
    stage.apply(["trigger.yaml"]).await?;
    follow.until(&["Activated"]).await?;
    stage.kubectl(["get", "gluetrigger", NAME]).await?;

    stage.double.call(DEFAULT_ACCOUNT, REGION, "StopTrigger", &json!({"Name": NAME}))?;
    follow.say("somebody deactivates the trigger in the AWS console");
    follow.until(&["Drifted"]).await?;
    follow.until(&["Activated"]).await?;
    let trigger = stage.double.call(DEFAULT_ACCOUNT, REGION, "GetTrigger", &json!({"Name": NAME}))?;
    expect(trigger["Trigger"]["State"] == "ACTIVATED", || format!("Glue has it otherwise: {trigger}"))?;
    stage.kubectl(["events", "--for", &format!("gluetrigger/{NAME}")]).await?;
    show::good("Glue has it activated again, and an event tells what happened.");
    Ok(())
}
