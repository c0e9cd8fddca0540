//! Reports the runs that an inventory sees: those of each picture once.
//!
//! What the receiver has is in the status as a time ([`Reported::until`]), which is written only when everything that it
//! covers is delivered. So what waits when the process ends, or when the receiver or its key changes, is sent by what comes
//! after, as far as Glue's lists still have it.

use jiff::Timestamp;
use kube::ResourceExt;
use tokio_util::task::AbortOnDropHandle;

use super::items::Viewer;
use super::receiver::{InventoryInputs, Receiver};
use super::sights;
use crate::api::GlueInventory;
use crate::controllers::runtime::lineage::reporter::Reporter;
use crate::controllers::runtime::pass::Pass;
use crate::controllers::runtime::time;
use crate::glue::Glue;
use crate::glue::inventory::Picture;
use crate::glue::inventory::demand::Selected;
use crate::lineage::watermark::Reported;

/// What the plan knows of lineage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineageFacts {
    /// The receiver, as the status names it.
    pub receiver: String,
    /// The time until which the receiver has all ends, where that is to be written.
    pub delivered_until: Option<Timestamp>,
    /// Why the receiver takes no events.
    pub problem: Option<String>,
    /// Whether events wait that the receiver has not taken.
    pub is_pending: bool,
}

/// What the process keeps of the lineage of one inventory.
pub struct SentLineage {
    receiver: Receiver,
    reporter: Reporter,
    reported: Reported,
    /// When the read of the last picture began of which the runs were reported.
    read: Option<Timestamp>,
    /// Whether [`Reported::until`] is to be written.
    is_to_write: bool,
    /// Requeues the object when something comes of what was sent.
    waking: Option<AbortOnDropHandle<()>>,
}

impl SentLineage {
    /// Begins after `until`, where a process before this one has written that of the same receiver.
    fn new(receiver: &Receiver, pass: &Pass<'_, GlueInventory>) -> Result<Self, String> {
        let (namespace, name) = (pass.object.namespace().unwrap_or_default(), pass.object.name_any());
        let lineage = &pass.context.shared.lineage;
        let reporter = match receiver {
            Receiver::Controller { from_scripts } => {
                lineage.reporter(*from_scripts).ok_or("the controller has no receiver")?
            }
            Receiver::Own(own) => lineage.reporter_to(own, (&namespace, &name)).map_err(|error| error.to_string())?,
        };
        let written = pass.object.status.as_ref().and_then(|status| status.lineage.as_ref());
        let written = written.filter(|written| written.receiver == receiver.name());
        let until = written.and_then(|written| written.delivered_until.as_ref()).map(|until| until.0);
        Ok(Self {
            receiver: receiver.clone(),
            reporter,
            reported: Reported::new(until),
            read: None,
            is_to_write: false,
            waking: None,
        })
    }

    /// Reports the runs of a picture that is another one than before.
    fn report(&mut self, viewer: &Viewer<'_>, client: &Glue, picture: &Picture) {
        if self.read.replace(picture.began_at) == Some(picture.began_at) {
            return;
        }
        let advance = self.reported.advance(sights::of(viewer, picture), is_whole(picture).then_some(picture.began_at));
        self.is_to_write |= advance.is_to_write;
        self.reporter.report_seen(client, viewer.namespace.unwrap_or_default(), advance.events);
    }

    fn facts(&mut self, written: Option<Timestamp>) -> LineageFacts {
        // As the status has it.
        let until = self.reported.until().and_then(|until| Timestamp::from_second(until.as_second()).ok());
        self.is_to_write &= written < until;
        let is_delivered = self.reporter.is_delivered();
        LineageFacts {
            receiver: self.receiver.name().to_owned(),
            delivered_until: until.filter(|_| is_delivered && self.is_to_write),
            problem: self.reporter.trouble(),
            is_pending: !is_delivered,
        }
    }

    /// Has the object requeued when something comes of what was sent.
    fn wake(&mut self, pass: &Pass<'_, GlueInventory>, is_pending: bool) {
        self.waking = is_pending.then(|| self.reporter.on_progress(pass.context.requeue_later(&pass.reference)));
    }
}

/// Whether Glue showed all runs.
fn is_whole(picture: &Picture) -> bool {
    picture.refused.iter().all(|error| error.operation == "GetTags")
}

/// Reports the runs of the picture, and says what the plan has to know; `None` where no lineage is sent.
pub(super) fn report(
    pass: &Pass<'_, GlueInventory>,
    selected: &Selected,
    picture: Option<&Picture>,
) -> Option<LineageFacts> {
    if !pass.context.shared.leadership.holds() || pass.object.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let mut kept = pass.with_local(|local| local.kind_state.lineage.take());
    let receiver = pass.inputs().and_then(|InventoryInputs { receiver, .. }| receiver.as_ref());
    let (Some(receiver), Some(picture), Some(client)) = (receiver, picture, pass.client()) else {
        // The credentials or the Secret may come back.
        let kept = kept.filter(|_| receiver.is_some() || pass.inputs().is_none());
        pass.with_local(|local| local.kind_state.lineage = kept);
        return None;
    };
    if kept.as_ref().is_none_or(|kept| kept.receiver != *receiver) {
        // The one before it ends first.
        drop(kept.take());
        match SentLineage::new(receiver, pass) {
            Ok(new) => kept = Some(new),
            Err(problem) => {
                let receiver = receiver.name().to_owned();
                return Some(LineageFacts {
                    receiver,
                    delivered_until: None,
                    problem: Some(problem),
                    is_pending: true,
                });
            }
        }
    }
    let namespace = pass.object.metadata.namespace.as_deref();
    let viewer = Viewer { selected, namespace, now: time::now() };
    let written = pass.object.status.as_ref().and_then(|status| status.lineage.as_ref()?.delivered_until.clone());
    let facts = kept.as_mut().map(|kept| {
        kept.report(&viewer, client, picture);
        let facts = kept.facts(written.map(|written| written.0));
        kept.wake(pass, facts.is_pending);
        facts
    });
    pass.with_local(|local| local.kind_state.lineage = kept);
    facts
}
