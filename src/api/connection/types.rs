//! Connection types and what each requires (Glue API reference, `ConnectionType`).

use kube::core::{Message, Rule};

use super::properties::{is_set, list};
use super::values;

/// The types whose requirements the Glue API reference lists.
pub(crate) const DOCUMENTED: [&str; 9] = [
    "JDBC",
    "KAFKA",
    "MONGODB",
    "NETWORK",
    "MARKETPLACE",
    "CUSTOM",
    "SALESFORCE",
    "VIEW_VALIDATION_REDSHIFT",
    "VIEW_VALIDATION_ATHENA",
];

/// The types that read no properties but those of the Glue API reference. Connectors and newer types define more.
pub(crate) const CLOSED: [&str; 6] =
    ["JDBC", "KAFKA", "MONGODB", "NETWORK", "VIEW_VALIDATION_REDSHIFT", "VIEW_VALIDATION_ATHENA"];

/// The types whose properties a connector defines, beside those of the Glue API reference.
pub(crate) const CONNECTORS: [&str; 2] = ["CUSTOM", "MARKETPLACE"];

/// The rules for what each type requires.
pub(super) fn rules() -> Vec<Rule> {
    let for_type = |type_: &str, condition: &str, message: &str| {
        Rule::new(format!("self.connectionType != '{type_}' || {condition}"))
            .message(Message::Message(message.to_owned()))
            .field_path(".connectionType")
    };
    let all = |names: &[&str]| names.iter().map(|name| is_set(name)).collect::<Vec<_>>().join(" && ");
    let user = format!(
        "({} || ({} && {}) || has(self.authentication))",
        is_set("SECRET_ID"),
        is_set("USERNAME"),
        is_set("PASSWORD")
    );
    let server = format!("(({}) || {})", all(&["HOST", "PORT", "JDBC_ENGINE"]), is_set("JDBC_CONNECTION_URL"));
    let connector = all(&["CONNECTOR_TYPE", "CONNECTOR_URL", "CONNECTOR_CLASS_NAME"]);
    let untestable: Vec<_> = DOCUMENTED.into_iter().filter(|type_| !matches!(*type_, "JDBC" | "SALESFORCE")).collect();
    let untestable = list(&untestable);
    let mut rules = vec![
        Rule::new("self.connectionType != 'SFTP'")
            .message("Glue does not support connections of type SFTP")
            .field_path(".connectionType"),
        for_type(
            "JDBC",
            &server,
            "a JDBC connection needs HOST, PORT and JDBC_ENGINE, or JDBC_CONNECTION_URL, in properties or propertiesFrom",
        ),
        for_type(
            "JDBC",
            &user,
            "a JDBC connection needs USERNAME and PASSWORD (by propertiesFrom), or SECRET_ID, or authentication",
        ),
        // With authentication it is a connection of version 2, which takes any port.
        for_type(
            "JDBC",
            "has(self.authentication) || !has(self.properties) || !('PORT' in self.properties) || (self.properties['PORT'].matches('^[0-9]{1,5}$') && int(self.properties['PORT']) >= 1024)",
            values::JDBC_PORT,
        ),
        for_type(
            "KAFKA",
            &is_set("KAFKA_BOOTSTRAP_SERVERS"),
            "a KAFKA connection needs KAFKA_BOOTSTRAP_SERVERS in properties or propertiesFrom",
        ),
        for_type(
            "MONGODB",
            &is_set("CONNECTION_URL"),
            "a MONGODB connection needs CONNECTION_URL in properties or propertiesFrom",
        ),
        for_type(
            "MONGODB",
            &user,
            "a MONGODB connection needs USERNAME and PASSWORD (by propertiesFrom), or SECRET_ID, or authentication",
        ),
        for_type(
            "NETWORK",
            "(has(self.physicalRequirements) && (has(self.physicalRequirements.subnetId) || has(self.physicalRequirements.availabilityZone) || has(self.physicalRequirements.securityGroupIds)))",
            "a NETWORK connection needs physicalRequirements: the subnet and the security groups",
        ),
        for_type(
            "MARKETPLACE",
            &format!("({connector})"),
            "a MARKETPLACE connection needs CONNECTOR_TYPE, CONNECTOR_URL and CONNECTOR_CLASS_NAME in properties or propertiesFrom",
        ),
        // Published examples have CONNECTION_TYPE instead, and what Glue makes of that is not measured.
        for_type(
            "CUSTOM",
            &format!("({connector}) || {}", is_set("CONNECTION_TYPE")),
            "a CUSTOM connection needs CONNECTOR_TYPE, CONNECTOR_URL and CONNECTOR_CLASS_NAME in properties or propertiesFrom",
        ),
        for_type("SALESFORCE", "has(self.authentication)", "a SALESFORCE connection needs authentication"),
        Rule::new(format!("!has(self.test) || !(self.connectionType in {untestable})"))
            .message("Glue tests connections of type JDBC, SALESFORCE and newer ones only: remove test")
            .field_path(".test"),
        Rule::new(
            "!has(self.test) || !has(self.test.beforeCreate) || !self.test.beforeCreate || !has(self.authentication) || !has(self.authentication.oauth2) || !has(self.authentication.oauth2.authorizationCode)",
        )
        .message("a test beforeCreate would use up the authorization code, which can be used once: remove one of them")
        .field_path(".test"),
    ];
    rules.extend(snowflake());
    rules
}

/// What CreateConnection was seen to check of a SNOWFLAKE connection. Without authentication, it is one of version 1,
/// whose settings are JSON in the properties of an environment.
fn snowflake() -> [Rule; 4] {
    let url = "!has(self.properties) || !('SparkProperties' in self.properties) || !self.properties['SparkProperties'].contains('\"sfUrl\"') || self.properties['SparkProperties'].matches('\"sfUrl\"[[:space:]]*:[[:space:]]*\"[^\"]+[.]snowflakecomputing[.](com|cn)')";
    let rule = |condition: String, field: &str, message: &str| {
        Rule::new(format!("self.connectionType != 'SNOWFLAKE' || {condition}"))
            .message(Message::Message(message.to_owned()))
            .field_path(field)
    };
    [
        rule(
            format!("has(self.authentication) || {} || {}", is_set("SparkProperties"), is_set("PythonProperties")),
            ".connectionType",
            "a SNOWFLAKE connection needs authentication, or SparkProperties or PythonProperties in properties as a JSON object: sparkProperties and pythonProperties do not count",
        ),
        rule(
            format!("has(self.authentication) || !{}", is_set("HOST")),
            ".connectionType",
            "a SNOWFLAKE connection without authentication has no HOST: name the account by sfUrl in SparkProperties",
        ),
        rule(
            format!("!{}", is_set("AthenaProperties")),
            ".connectionType",
            "a SNOWFLAKE connection has no AthenaProperties in properties: use athenaProperties",
        ),
        rule(url.to_owned(), ".properties", values::SF_URL),
    ]
}
