//! What the account has by now: the jobs, crawlers, triggers and workflows of the scenarios before, whoever started them.

use crate::{
    environment::Environment,
    error::{DemoError, expect},
    show,
};

/// The items, one in a line.
const ITEMS: &str =
    r#"jsonpath={range .status.items[*]}{.state}{"\t"}{.type}{"\t"}{.name}{"\t"}{.lastRun.error}{"\n"}{end}"#;

pub(crate) async fn run(environment: &Environment) -> Result<(), DemoError> {
    environment.apply(["inventory.yaml"]).await?;
    environment.kubectl(["wait", "glueinventory/account", "--for=condition=Ready", "--timeout=5m"]).await?;
    environment.kubectl(["get", "glueinventory/account"]).await?;
    environment.kubectl(["get", "glueinventory/account", "-o", ITEMS]).await?;
    let reads = environment.double.requests().count("GetJobs");
    expect(reads == 1, || format!("the jobs were listed {reads} times"))?;
    show::good("One read showed the whole account; what fails stands first, and nothing was changed.");
    Ok(())
}
