//! The facts and the plan of a connection.

use crate::api::GlueConnection;
use crate::controllers::declared::facts;
use crate::controllers::declared::kind::DeclaredPlan;

/// The facts about a connection.
pub type ConnectionFacts<'a> = facts::Facts<'a, GlueConnection>;
/// The plan of a connection.
pub type ConnectionPlan = DeclaredPlan<GlueConnection>;
