//! A panic is a defect of this program. It fails the object that it is about, and nothing else.
//!
//! The panic hook of the process logs where it happened; see `operator::logs`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};
use tracing::{debug, error};

use super::context::Context;
use super::kind::Kind;
use super::lifecycle::Lifecycle;
use super::patch;
use super::problem::Problem;
use super::reason::Reason;
use super::reconciler::Action;
use super::start_once::Intent;
use crate::metrics::Metrics;

/// The pause after a pass that panicked.
pub const PAUSE: Duration = Duration::from_mins(1);

/// What the status says. It is always the same, so that a pass that panics again changes nothing.
const MESSAGE: &str = "a defect of kube-glue stopped the pass over this object, and the controller's log says where; \
                       it is tried again every minute";

/// Makes the pass. One that panics is reported in the log, the metrics and the object, and made again after a pause.
pub async fn contained<K: Kind, F: Future<Output = Action>>(
    object: Arc<K>,
    context: Arc<Context<K>>,
    pass: impl FnOnce(Arc<K>, Arc<Context<K>>) -> F,
) -> Action {
    // What the pass shares with others are locks, whose content is whole whenever one is free.
    let ended = AssertUnwindSafe(pass(Arc::clone(&object), Arc::clone(&context))).catch_unwind().await;
    match ended {
        Ok(action) => action,
        Err(_) => after_panic(&*object, &context).await,
    }
}

async fn after_panic<K: Kind>(object: &K, context: &Context<K>) -> Action {
    report::<K>(&context.shared.metrics, object, "a pass panicked: please report it");
    let reference = ObjectRef::from_obj(object);
    context.local_states.with(&object.uid().unwrap_or_default(), |local| local.start_place = None);
    context.leave_exclusive(&reference);
    // Others that share the key must not start its run while this object may have.
    let intent: Option<Intent> = object.status().and_then(K::Lifecycle::intent);
    if !intent.is_some_and(|intent| intent.open) {
        context.leave_key(&reference);
    }
    if let Some(status) = K::Lifecycle::report(object, &Problem::new(Reason::InternalError, MESSAGE))
        && object.status() != Some(&status)
    {
        let api = Api::namespaced(context.shared.client.clone(), &object.namespace().unwrap_or_default());
        if let Err(error) = patch::status(&api, object, &status).await {
            // The pass may have written the object; the watch delivers that, and the next pass comes here again.
            debug!(error = &error as &dyn std::error::Error, "the panic is not in the status yet");
        }
    }
    Action::RequeueAfter(PAUSE)
}

/// Does what an event about the object asks for. A panic leaves that undone for this object.
pub fn contained_event<K: Kind>(metrics: &Metrics, object: &K, work: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(work)).is_err() {
        report::<K>(metrics, object, "an event of the watch panicked: please report it");
    }
}

fn report<K: Kind>(metrics: &Metrics, object: &K, what: &str) {
    error!(kind = K::KIND, namespace = object.namespace(), name = object.name_any(), "{what}");
    metrics.reconcile_failed(K::KIND, "panic");
}
