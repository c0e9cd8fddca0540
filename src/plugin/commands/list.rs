//! Lists what is in Glue, page by page: `list`.

use futures::future::join_all;
use indicatif::ProgressBar;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::glue::documents::{BATCH_SIZE, Collection};
use crate::glue::name_filter::NameFilter;
use crate::plugin::aws::Caller;
use crate::plugin::cli::ListArgs;
use crate::plugin::columns;
use crate::plugin::connect::Connection;
use crate::plugin::error::PluginError;
use crate::plugin::exit::Exit;
use crate::plugin::kind::Kind;
use crate::plugin::output::{self, TableFormat};
use crate::plugin::table::table;

/// Lists a page, or all pages.
pub(in crate::plugin) async fn execute(connection: &Connection, args: &ListArgs) -> Result<Exit, PluginError> {
    let filter = NameFilter::new(&args.include, &args.exclude)
        .map_err(|error| PluginError::Usage(format!("`{}`: {}", error.pattern, error.refusal())))?;
    let collection = Collection::from(args.what);
    let kind = match collection {
        Collection::Jobs => Kind::job_run(),
        Collection::Crawlers => Kind::crawler_run(),
        Collection::Triggers => Kind::trigger(),
        Collection::Workflows => Kind::workflow_run(),
        Collection::Connections => Kind::connection(),
    };
    let caller = args.aws.connect(connection, &kind).await?;
    let reader = Reader {
        caller: &caller,
        collection,
        filter: &filter,
        size: i32::from(args.max_items),
        names_only: args.output == Some(TableFormat::Name),
    };
    let list = reader.read(args.marker.clone(), args.all).await?;
    list.report(&caller, collection);
    print(collection, list, args.output.unwrap_or_default())?;
    Ok(Exit::Succeeded)
}

/// Reads pages of one collection.
struct Reader<'a> {
    caller: &'a Caller,
    collection: Collection,
    filter: &'a NameFilter,
    /// The items of a page.
    size: i32,
    /// Whether definitions are of no interest.
    names_only: bool,
}

/// What was read.
#[derive(Default)]
struct List {
    items: Vec<Value>,
    /// How many there were before the filter.
    read: usize,
    /// The marker of the next page.
    next: Option<String>,
    /// Why there are names only.
    only_names: Option<PluginError>,
}

impl Reader<'_> {
    async fn read(&self, mut marker: Option<String>, all: bool) -> Result<List, PluginError> {
        let progress = if all { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        let mut list = List::default();
        loop {
            self.read_page(&mut list, marker).await?;
            progress.set_message(format!("{} {} read", list.read, self.collection.noun()));
            progress.tick();
            marker = list.next.take();
            if !all || marker.is_none() {
                list.next = marker;
                progress.finish_and_clear();
                return Ok(list);
            }
        }
    }

    async fn read_page(&self, list: &mut List, marker: Option<String>) -> Result<(), PluginError> {
        let Self { caller, collection, filter, size, .. } = *self;
        if collection == Collection::Connections {
            let page = caller.read(async |glue| glue.connection_documents(size, marker.clone()).await).await?;
            list.read += page.items.len();
            list.next = page.next;
            list.items.extend(
                page.items.into_iter().filter(|item| item["Name"].as_str().is_some_and(|name| filter.selects(name))),
            );
            return Ok(());
        }
        let mut read = Vec::new();
        list.next = marker;
        // Where Glue lists fewer in a call, several calls are a page.
        loop {
            let left = size - i32::try_from(read.len()).unwrap_or(size);
            let (size, marker) = (left.min(collection.most_per_call()), &list.next);
            let page = caller.read(async |glue| glue.list_names(collection, size, marker.clone()).await).await?;
            read.extend(page.items);
            list.next = page.next;
            if size == left || list.next.is_none() {
                break;
            }
        }
        list.read += read.len();
        let names: Vec<_> = read.into_iter().filter(|name| filter.selects(name)).collect();
        let mut definitions = Vec::new();
        if !self.names_only && list.only_names.is_none() {
            match self.definitions(&names).await {
                Ok(read) => definitions = read,
                Err(error) if error.is_denied_by_aws() => list.only_names = Some(error),
                Err(error) => return Err(error),
            }
        }
        // In the order of the names, also those that were deleted meanwhile or may not be read.
        list.items.extend(names.into_iter().map(|name| {
            let found = definitions.iter_mut().find(|definition| definition["Name"] == *name);
            found.map_or_else(|| json!({ "Name": name }), Value::take)
        }));
        Ok(())
    }

    /// The definitions of these names. Where only they are denied, the error is not the command's.
    async fn definitions(&self, names: &[String]) -> Result<Vec<Value>, PluginError> {
        let batches = names.chunks(BATCH_SIZE);
        let reads = batches.map(|names| self.caller.read(async |glue| glue.definitions(self.collection, names).await));
        let mut all = Vec::new();
        for batch in join_all(reads).await {
            all.extend(batch?);
        }
        Ok(all)
    }
}

impl List {
    /// Says on standard error what the data does not: the next page, and what is missing.
    fn report(&self, caller: &Caller, collection: Collection) {
        let noun = collection.noun();
        if let Some(error) = &self.only_names {
            output::say(format_args!("only names are shown: {error}"));
        }
        if self.items.is_empty() {
            let region = &caller.client.identity().region;
            let among = if self.read == 0 { String::new() } else { format!(" among {} that were read", self.read) };
            let of_filter = if self.read == 0 { "" } else { " with such a name" };
            output::say(format_args!("there are no {noun}{of_filter} in {region}{among}"));
        }
        if let Some(marker) = &self.next {
            output::say(format_args!("there are more: kubectl glue list {noun} --marker {}", quoted(marker)));
        }
    }
}

fn print(collection: Collection, list: List, format: TableFormat) -> Result<(), PluginError> {
    let is_wide = format == TableFormat::Wide;
    match format {
        TableFormat::Table | TableFormat::Wide if list.items.is_empty() => Ok(()),
        TableFormat::Table | TableFormat::Wide => {
            let now = Timestamp::now();
            let rows = list.items.iter().map(|item| columns::row(collection, item, is_wide, now));
            output::line(table(columns::head(collection, is_wide), rows))
        }
        TableFormat::Name => list.items.iter().try_for_each(|item| output::line(columns::text(&item["Name"]))),
        TableFormat::Json | TableFormat::Yaml => {
            let mut document = json!({ collection.member(): list.items });
            if let Some(marker) = list.next {
                document["NextToken"] = marker.into();
            }
            output::document(&columns::with_readable_times(document), collection.noun(), format == TableFormat::Json)
        }
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_=+/.:,@%".contains(character);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_can_be_pasted_into_a_shell() {
        for (word, expected) in [("eyJ0b2t=", "eyJ0b2t="), ("a b", "'a b'"), ("a'b$(c)", r"'a'\''b$(c)'")] {
            assert_eq!(quoted(word), expected);
        }
    }
}
