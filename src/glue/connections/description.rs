//! How Glue describes a connection type (`DescribeConnectionType`), reduced to what a connection is compared with.

/// A connection type as Glue describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeDescription {
    /// The `ConnectionProperties` that the type reads, by name.
    pub properties: Vec<DescribedProperty>,
    /// The types of authentication that it supports, as Glue spells them.
    pub authentication_types: Vec<String>,
    /// The compute environments that can use it, as Glue spells them.
    pub compute_environments: Vec<String>,
}

/// A property of a connection type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribedProperty {
    /// Its name.
    pub name: String,
    /// Whether a connection needs it among its properties: it has no default, and its value is not in a secret.
    pub required: bool,
    /// The values that it may have; empty for any.
    pub allowed_values: Vec<String>,
}
