//! What `CreateConnection`, `UpdateConnection` and `TestConnection` require of each connection type.
//!
//! | fact | source |
//! |---|---|
//! | required properties of JDBC, KAFKA, MONGODB, CUSTOM and MARKETPLACE; credentials of JDBC; no `ENCRYPTED_PASSWORD` where the catalog does not encrypt passwords; the generic message | measured: badmintoncryer/cdk-preflight, `pf-glue-connection-required-properties`, `pf-glue-connection-jdbc-credentials` |
//! | SNOWFLAKE of version 1 | measured: the same, `pf-glue-connection-snowflake-compute-properties`, `pf-glue-connection-snowflake-spark-url` |
//! | NETWORK | measured: the same, `pf-glue-connection-network-physical-requirements` |
//! | no credentials and any port with authentication; no credentials of MARKETPLACE | seen: awslabs/aws-athena-query-federation, integration tests |
//! | a subnet without its zone is created, and then every test fails | reported: hashicorp/terraform-provider-aws#4762, aws/aws-cdk#32959 |
//! | HOST, PORT and `JDBC_ENGINE` in place of the URL; the bounds of PORT; credentials of MONGODB; SALESFORCE; SFTP | documentation alone: Glue API reference, Connection |
//! | `CONNECTION_TYPE` of CUSTOM in place of `CONNECTOR_TYPE` | documentation alone: the Terraform provider's page on `aws_glue_connection` |

use serde_json::{Map, Value};

use crate::error::AwsError;

/// Glue's message for whatever is missing.
const INVALID_PROPERTIES: &str = "Validation for connection properties failed";

/// Checks the input of `CreateConnection`, `UpdateConnection` or `TestConnection`.
pub(super) fn check(input: &Map<String, Value>) -> Result<(), AwsError> {
    let properties = Properties(input);
    match input.get("ConnectionType").and_then(Value::as_str).unwrap_or_default() {
        "SFTP" => Err(AwsError::invalid("Connection type SFTP is not supported.")),
        // Connections of schema version 2 have their credentials there.
        _ if input.contains_key("AuthenticationConfiguration") => Ok(()),
        "JDBC" => {
            let server = ["HOST", "PORT", "JDBC_ENGINE"];
            require(properties.has("JDBC_CONNECTION_URL") || properties.has_all(&server))?;
            let port = properties.property("PORT").map(str::parse::<u32>);
            require(port.is_none_or(|port| port.is_ok_and(|port| (1024..=65_535).contains(&port))))?;
            require(properties.has_credentials())
        }
        "KAFKA" => require(properties.has("KAFKA_BOOTSTRAP_SERVERS")),
        "MONGODB" => require(properties.has("CONNECTION_URL") && properties.has_credentials()),
        "NETWORK" if !input.contains_key("PhysicalConnectionRequirements") => {
            Err(AwsError::invalid("PhysicalConnectionRequirements cannot be null"))
        }
        "MARKETPLACE" => require(properties.has_connector()),
        "CUSTOM" => require(properties.has_connector() || properties.has("CONNECTION_TYPE")),
        "SNOWFLAKE" => properties.snowflake(),
        "SALESFORCE" => Err(AwsError::invalid("A SALESFORCE connection needs an AuthenticationConfiguration.")),
        _ => Ok(()),
    }
}

/// Whether Glue can place the connection into its subnet.
pub(super) fn check_placement(input: &Map<String, Value>) -> Result<(), AwsError> {
    let physical = input.get("PhysicalConnectionRequirements");
    let has = |member: &str| physical.and_then(|physical| physical.get(member)).is_some_and(Value::is_string);
    if has("SubnetId") && !has("AvailabilityZone") {
        return Err(AwsError::invalid("Unable to resolve any valid connection"));
    }
    Ok(())
}

struct Properties<'a>(&'a Map<String, Value>);

impl<'a> Properties<'a> {
    fn property(&self, name: &str) -> Option<&'a str> {
        self.0.get("ConnectionProperties")?.get(name)?.as_str()
    }

    fn has(&self, name: &str) -> bool {
        self.property(name).is_some()
    }

    fn has_all(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.has(name))
    }

    fn has_credentials(&self) -> bool {
        self.has("SECRET_ID") || self.has_all(&["USERNAME", "PASSWORD"])
    }

    fn has_connector(&self) -> bool {
        self.has_all(&["CONNECTOR_TYPE", "CONNECTOR_URL", "CONNECTOR_CLASS_NAME"])
    }

    fn snowflake(&self) -> Result<(), AwsError> {
        for name in ["AthenaProperties", "HOST"] {
            if self.has(name) {
                return Err(AwsError::invalid(format!("Invalid properties found: [{name}]")));
            }
        }
        if !self.has("SparkProperties") && !self.has("PythonProperties") {
            return Err(AwsError::invalid(
                "PythonProperties: is missing but it is required, SparkProperties: is missing but it is required",
            ));
        }
        let spark = self.property("SparkProperties").map(serde_json::from_str::<Value>);
        let Some(Ok(spark)) = spark else { return require(spark.is_none()) };
        let url = spark["sfUrl"].as_str();
        let hosts = [".snowflakecomputing.com", ".snowflakecomputing.cn"];
        if url.is_some_and(|url| !hosts.iter().any(|host| url.find(host).is_some_and(|at| at > 0))) {
            return Err(AwsError::invalid(
                "SparkProperties.sfUrl: does not match the regex pattern .+[.]snowflakecomputing[.](com|cn)",
            ));
        }
        Ok(())
    }
}

fn require(holds: bool) -> Result<(), AwsError> {
    if holds { Ok(()) } else { Err(AwsError::invalid(INVALID_PROPERTIES)) }
}
