//! The live runs, and each change of one.

use std::collections::HashMap;
use std::pin::pin;

use futures::TryStreamExt;
use jiff::Timestamp;
use kube::core::DynamicObject;
use kube::runtime::watcher::Event;

use super::{HEAD, fitted, objects, row};
use crate::plugin::changes;
use crate::plugin::connect::Cluster;
use crate::plugin::error::PluginError;
use crate::plugin::exit::Exit;
use crate::plugin::kind::Kind;
use crate::plugin::outcome::Outcome;
use crate::plugin::output;
use crate::plugin::table::{GrowingTable, terminal_width};

/// The columns that change with time alone: age and cost.
const OF_TIME: [usize; 2] = [3, 4];
/// The column of the state.
const STATE: usize = 1;

type Row = [String; 6];

/// Prints the live runs, and then a line for each change of one, and for each that comes or ends. Goes on until it is
/// interrupted.
pub(super) async fn execute(
    cluster: &Cluster,
    all_namespaces: bool,
    live: &[(Kind, DynamicObject)],
) -> Result<Exit, PluginError> {
    let mut screen = Screen { all_namespaces, table: GrowingTable::default(), live: HashMap::new() };
    let rows: Vec<_> = live.iter().map(|(kind, object)| screen.row(kind, object)).collect();
    let head = HEAD.map(str::to_owned);
    // The columns are as wide as those of all of them from the first line on.
    for row in fitted([vec![head.clone()], rows.clone()].concat(), terminal_width()) {
        screen.table.line(&row);
    }
    output::line(screen.table.line(&head))?;
    for row in rows {
        screen.show(row)?;
    }
    let kinds = Kind::runs().map(|kind| (kind.clone(), objects(cluster, &kind, all_namespaces)));
    let mut changes = pin!(changes::of_all(kinds));
    while let Some((kind, change)) = changes.try_next().await? {
        screen.change(&kind, change)?;
    }
    Ok(Exit::Succeeded)
}

/// What was printed.
struct Screen {
    all_namespaces: bool,
    table: GrowingTable,
    /// The last row of each live run, by its first column.
    live: HashMap<String, Row>,
}

impl Screen {
    fn row(&self, kind: &Kind, object: &DynamicObject) -> Row {
        row(kind, object, self.all_namespaces, Timestamp::now())
    }

    fn change(&mut self, kind: &Kind, change: Event<DynamicObject>) -> Result<(), PluginError> {
        let (object, is_deleted) = match change {
            Event::Apply(object) | Event::InitApply(object) => (object, false),
            Event::Delete(object) => (object, true),
            Event::Init | Event::InitDone => return Ok(()),
        };
        let mut row = self.row(kind, &object);
        let is_known = self.live.contains_key(&row[0]);
        if !is_deleted && Outcome::of(kind, &object).end.is_none() {
            return self.show(row);
        }
        if is_deleted {
            "Deleted".clone_into(&mut row[STATE]);
        }
        // What had ended before is none of the live ones.
        if is_known {
            self.show(row.clone())?;
            self.live.remove(&row[0]);
        }
        Ok(())
    }

    /// Prints a row, unless it differs from the last one in what changes with time alone.
    fn show(&mut self, row: Row) -> Result<(), PluginError> {
        let lasting = |row: &Row| {
            let cells = row.iter().enumerate().filter(|(column, _)| !OF_TIME.contains(column));
            cells.map(|(_, cell)| cell.clone()).collect::<Vec<_>>()
        };
        if self.live.get(&row[0]).is_some_and(|last| lasting(last) == lasting(&row)) {
            return Ok(());
        }
        for row in fitted(vec![row.clone()], terminal_width()) {
            output::line(self.table.line(&row))?;
        }
        self.live.insert(row[0].clone(), row);
        Ok(())
    }
}
