//! Connection types and what each requires (Glue API reference, `ConnectionType`).

use kube::core::{Message, Rule};

use super::properties::{KNOWN, is_set, list};

/// The types whose requirements the Glue API reference lists.
const DOCUMENTED: [&str; 9] = [
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

/// The types that have no properties but those of Glue. Connectors and newer types define more.
const CLOSED: [&str; 6] = ["JDBC", "KAFKA", "MONGODB", "NETWORK", "VIEW_VALIDATION_REDSHIFT", "VIEW_VALIDATION_ATHENA"];

/// The rules for what each type requires.
pub(super) fn rules() -> Vec<Rule> {
    let for_type = |type_: &str, condition: &str, message: &str| {
        Rule::new(format!("self.connectionType != '{type_}' || {condition}"))
            .message(Message::Message(message.to_owned()))
            .field_path(".connectionType")
    };
    let all = |names: &[&str]| names.iter().map(|name| is_set(name)).collect::<Vec<_>>().join(" && ");
    let user = format!(
        "({} || ({} && ({} || {})) || has(self.authentication))",
        is_set("SECRET_ID"),
        is_set("USERNAME"),
        is_set("PASSWORD"),
        is_set("ENCRYPTED_PASSWORD")
    );
    let server = format!("(({}) || {})", all(&["HOST", "PORT", "JDBC_ENGINE"]), is_set("JDBC_CONNECTION_URL"));
    let connector = all(&["CONNECTOR_TYPE", "CONNECTOR_URL", "CONNECTOR_CLASS_NAME", "CONNECTION_URL"]);
    let jdbc_connector = "!(has(self.properties) && 'CONNECTOR_TYPE' in self.properties && self.properties['CONNECTOR_TYPE'].lowerAscii() == 'jdbc')";
    let untestable: Vec<_> = DOCUMENTED.into_iter().filter(|type_| !matches!(*type_, "JDBC" | "SALESFORCE")).collect();
    let (closed, untestable, known) = (list(&CLOSED), list(&untestable), list(&KNOWN));
    vec![
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
            "a MARKETPLACE connection needs CONNECTOR_TYPE, CONNECTOR_URL, CONNECTOR_CLASS_NAME and CONNECTION_URL in properties or propertiesFrom",
        ),
        for_type(
            "MARKETPLACE",
            &format!("{jdbc_connector} || {user}"),
            "a MARKETPLACE connection of CONNECTOR_TYPE JDBC needs USERNAME and PASSWORD (by propertiesFrom), or SECRET_ID, or authentication",
        ),
        for_type("SALESFORCE", "has(self.authentication)", "a SALESFORCE connection needs authentication"),
        Rule::new(format!(
            "!(self.connectionType in {closed}) || !has(self.properties) || self.properties.all(name, name in {known})"
        ))
        .message("Glue does not know one of these properties for this type: check its spelling")
        .field_path(".properties"),
        Rule::new(format!(
            "!(self.connectionType in {closed}) || !has(self.propertiesFrom) || self.propertiesFrom.all(from, from.name in {known})"
        ))
        .message("Glue does not know one of these properties for this type: check its spelling")
        .field_path(".propertiesFrom"),
        Rule::new(format!("!has(self.test) || !(self.connectionType in {untestable})"))
            .message("Glue tests connections of type JDBC, SALESFORCE and newer ones only: remove test")
            .field_path(".test"),
        Rule::new(
            "!has(self.test) || !has(self.test.beforeCreate) || !self.test.beforeCreate || !has(self.authentication) || !has(self.authentication.oauth2) || !has(self.authentication.oauth2.authorizationCode)",
        )
        .message("a test beforeCreate would use up the authorization code, which can be used once: remove one of them")
        .field_path(".test"),
    ]
}
