//! `GlueConnection`: a connection of the Data Catalog, created, kept in line, tested and deleted.
//!
//! | room | what is in it |
//! |---|---|
//! | [`mod@self`] | the kind and its spec |
//! | [`properties`] | the properties of a connection, and what Glue knows of their names and values |
//! | [`authentication`] | how Glue authenticates itself to what it connects to |
//! | [`types`] | the types of connections, and what each needs |
//! | [`status`] | what became of it |
//!
//! Field meanings and bounds are those of `ConnectionInput` in the Glue API reference ("Connection API"), and
//! where that page says nothing, those of the API's model in the AWS SDKs.

pub mod authentication;
pub mod properties;
pub mod status;
pub mod types;

use std::collections::BTreeMap;

use kube::CustomResource;
use kube::core::Rule;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

pub use self::authentication::Authentication;
pub use self::properties::{PropertyFrom, SecretKey};
pub use self::status::GlueConnectionStatus;
use super::credentials::Aws;
use super::declared::DriftPolicy;
use super::rules;

/// A connection of the Data Catalog.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "kube-glue.dev",
    version = "v1alpha1",
    kind = "GlueConnection",
    plural = "glueconnections",
    shortname = "gconn",
    category = "glue",
    namespaced,
    status = "GlueConnectionStatus",
    derive = "PartialEq",
    doc = "A connection of the AWS Glue Data Catalog, created, kept in line with its spec, tested and deleted.",
    selectable = ".spec.connectionType",
    printcolumn(name = "Connection", type_ = "string", json_path = ".status.connectionName"),
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.connectionType"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.state"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(name = "Test", type_ = "string", json_path = ".status.lastTest.result"),
    printcolumn(name = "Updated", type_ = "date", json_path = ".status.lastUpdatedAt", priority = 1),
    printcolumn(name = "Updated By", type_ = "string", json_path = ".status.lastUpdatedBy", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1
    ),
    printcolumn(name = "Identity", type_ = "string", json_path = ".status.identity.principalArn", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = add_rules)]
pub struct GlueConnectionSpec {
    /// The name in Glue. Default: the name of the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\x00-\x08\x0A-\x1F]+$"))]
    pub connection_name: Option<String>,

    /// The Data Catalog that holds it. Default: that of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\x00-\x08\x0A-\x1F]+$"))]
    pub catalog_id: Option<String>,

    /// Words for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048), regex(pattern = r"^[^\x00-\x08\x0B\x0C\x0E-\x1F]*$"))]
    pub description: Option<String>,

    /// Glue's type of connection: JDBC, KAFKA, MONGODB, NETWORK, MARKETPLACE, CUSTOM, SALESFORCE,
    /// VIEW_VALIDATION_REDSHIFT, VIEW_VALIDATION_ATHENA, or a newer one such as POSTGRESQL, BIGQUERY or HUBSPOT.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Z][A-Z0-9_]*$"))]
    pub connection_type: String,

    /// Criteria by which connections can be selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "match_criteria_schema")]
    pub match_criteria: Option<Vec<String>>,

    /// ConnectionProperties, by Glue's own names (HOST, PORT, JDBC_CONNECTION_URL, ...). What is secret stands
    /// in propertiesFrom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "properties::literals_schema")]
    pub properties: Option<BTreeMap<String, String>>,

    /// ConnectionProperties whose values stand in Secrets of the object's namespace. A change of a Secret goes
    /// to Glue by itself; the values are shown nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub properties_from: Option<Vec<PropertyFrom>>,

    /// Properties for Spark alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "properties::environment_schema")]
    pub spark_properties: Option<BTreeMap<String, String>>,

    /// Properties for Athena alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "properties::environment_schema")]
    pub athena_properties: Option<BTreeMap<String, String>>,

    /// Properties for Python alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "properties::environment_schema")]
    pub python_properties: Option<BTreeMap<String, String>>,

    /// Where in a VPC the connection is made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_requirements: Option<PhysicalRequirements>,

    /// How Glue authenticates itself (AuthenticationConfiguration).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,

    /// Whether Glue validates the credentials when it creates the connection. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate_credentials: Option<bool>,

    /// The compute environments that Glue validates the properties against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 3), extend("x-kubernetes-list-type" = "set"))]
    pub validate_for_compute_environments: Option<Vec<ComputeEnvironment>>,

    /// Tags of the connection. Those that somebody else has put on it stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "tags_schema")]
    pub tags: Option<BTreeMap<String, String>>,

    /// What is done when somebody changes the connection in Glue. Default: Correct.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_policy: Option<DriftPolicy>,

    /// What is done with a connection of this name that was there before: Fail leaves it alone and says so,
    /// Adopt takes it over. Default: Fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adoption_policy: Option<AdoptionPolicy>,

    /// What becomes of the connection in Glue when the object is deleted. Default: Delete; one that was never
    /// this object's stays in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,

    /// Tests by Glue's TestConnection. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Test>,

    /// Where, and as whom.
    #[serde(flatten)]
    pub aws: Aws,
}

/// Where in a VPC a connection is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhysicalRequirements {
    /// The subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\x00-\x08\x0A-\x1F]+$"))]
    pub subnet_id: Option<String>,
    /// The security groups, 50 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "security_groups_schema")]
    pub security_group_ids: Option<Vec<String>>,
    /// The availability zone. Default: that of the subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\x00-\x08\x0A-\x1F]+$"))]
    pub availability_zone: Option<String>,
}

/// What Glue runs code in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are Glue's")]
pub enum ComputeEnvironment {
    Spark,
    Athena,
    Python,
}

impl ComputeEnvironment {
    /// Glue's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spark => "SPARK",
            Self::Athena => "ATHENA",
            Self::Python => "PYTHON",
        }
    }
}

/// What is done with a connection that was there before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AdoptionPolicy {
    /// It is taken over: made what the spec says, and deleted with the object like any other.
    Adopt,
    /// It is left alone.
    #[default]
    Fail,
}

/// What becomes of a connection whose object is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// It is deleted.
    #[default]
    Delete,
    /// It stays.
    Retain,
}

/// When Glue's TestConnection is asked whether the connection works. A test that fails is said, and undoes
/// nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Test {
    /// Whether it is tested once it is there, and after each change. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Minutes between two tests, give or take a tenth. Default: it is tested after changes only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i32>", range(min = 1, max = 10080))]
    pub every_minutes: Option<u32>,
    /// Whether each change is tested first, and comes to Glue only when that succeeds: a connection that works
    /// is never replaced by one that does not. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_create: Option<bool>,
}

impl GlueConnectionSpec {
    /// Whether the connection is tested once it stands.
    #[must_use]
    pub fn is_tested(&self) -> bool {
        self.test.as_ref().is_some_and(|test| test.enabled != Some(false))
    }

    /// Whether each change is tested before it is made.
    #[must_use]
    pub fn is_tested_before(&self) -> bool {
        self.test.as_ref().is_some_and(|test| test.before_create == Some(true))
    }

    /// All the Secret keys that values come from, each with the field that it goes to.
    #[must_use]
    pub fn secret_keys(&self) -> Vec<(String, &SecretKey)> {
        let properties = self.properties_from.iter().flatten();
        let properties = properties.map(|from| (format!("properties {}", from.name), &from.secret_key_ref));
        let authentication = self.authentication.iter().flat_map(Authentication::secret_keys);
        properties.chain(authentication).collect()
    }
}

fn match_criteria_schema(_: &mut SchemaGenerator) -> Schema {
    names_schema(10, "Criteria by which connections can be selected.")
}

fn security_groups_schema(_: &mut SchemaGenerator) -> Schema {
    names_schema(50, "The security groups, 50 at most.")
}

/// A list of Glue's single-line strings.
fn names_schema(most: u32, description: &str) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": most,
        "items": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[^\x00-\x08\x0A-\x1F]+$"},
        "description": description,
    })
}

fn tags_schema(_: &mut SchemaGenerator) -> Schema {
    let mut schema = json_schema!({
        "type": "object",
        "maxProperties": 50,
        "additionalProperties": {"type": "string", "maxLength": 256},
        "description": "Tags of the connection. Those that somebody else has put on it stay.",
    });
    let keys = Rule::new("self.all(key, size(key) >= 1 && size(key) <= 128 && !key.lowerAscii().startsWith('aws:'))");
    rules::add(&mut schema, [keys.message("keys of tags are 1 to 128 characters; those with aws: are AWS's")]);
    schema
}

fn add_rules(schema: &mut Schema) {
    let fixed = ["connectionName", "catalogId", "region"];
    let why = "Glue cannot move a connection, so a new place is a new object";
    rules::add(schema, fixed.into_iter().map(|field| rules::fixed(field, why)));
    rules::add(schema, properties::rules());
    rules::add(schema, types::rules());
}
