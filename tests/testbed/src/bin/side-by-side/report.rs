//! The table.

use std::collections::BTreeMap;

use comfy_table::{
    ContentArrangement, Table,
    presets::{ASCII_MARKDOWN, UTF8_BORDERS_ONLY},
};

use crate::{glue::Account, view::View};

/// The states of job runs, as Glue spells them.
const STATES: [&str; 10] =
    ["SUCCEEDED", "FAILED", "ERROR", "TIMEOUT", "STOPPED", "EXPIRED", "STARTING", "RUNNING", "WAITING", "STOPPING"];

/// A row: what is counted, what there is, what they see, and what we see.
pub(crate) type Row = [String; 4];

/// All rows.
pub(crate) fn rows(account: &Account, theirs: &View, ours: &View) -> Vec<Row> {
    let there = &account.view;
    let views = [there, theirs, ours];
    let row = |what: &str, count: &dyn Fn(&View) -> String| {
        let [there, theirs, ours] = views.map(count);
        [what.to_owned(), there, theirs, ours]
    };
    let number = |what: &str, count: &dyn Fn(&View) -> usize| row(what, &|view: &View| count(view).to_string());
    let mut rows = vec![
        number("workflows", &|view| view.workflows.len()),
        number("workflows with the state of their newest run", &|view| view.workflow_runs),
        number("jobs", &|view| view.jobs.len()),
        number("of these, jobs that no workflow has", &|view| view.jobs.intersection(&account.jobs_outside).count()),
        number("crawlers", &|view| view.crawlers.len()),
        number("crawlers with the state of their newest crawl", &|view| view.crawls),
        number("triggers", &|view| view.triggers.len()),
        number("tags", &|view| view.tags),
    ];
    rows.extend(
        STATES.map(|state| row(&format!("jobs whose newest run is {state}"), &|view| shown_as(there, view, state))),
    );
    rows.extend([
        number("job runs shown one by one", &|view| view.runs_shown),
        number("job runs in a success rate", &|view| view.runs_rated),
        number("edges of lineage", &|view| view.edges.intersection(&there.edges).count()),
        number("edges that are not there", &|view| view.edges.difference(&there.edges).count()),
    ]);
    let requests = |view: &View| view.requests.to_string();
    rows.push([
        "requests to AWS, without those for lineage".to_owned(),
        String::new(),
        requests(theirs),
        requests(ours),
    ]);
    rows
}

/// How a view shows the jobs whose newest run is in this state: how many of them, and in which words.
fn shown_as(there: &View, view: &View, state: &str) -> String {
    let jobs = there.newest.iter().filter(|(_, newest)| *newest == state).map(|(job, _)| job);
    let mut words: BTreeMap<&str, usize> = BTreeMap::new();
    for word in jobs.filter_map(|job| view.newest.get(job)) {
        *words.entry(word).or_default() += 1;
    }
    let shown =
        |(word, count): (&str, usize)| if word == state { count.to_string() } else { format!("{count} as {word}") };
    let shown: Vec<_> = words.into_iter().map(shown).collect();
    if shown.is_empty() { "0".to_owned() } else { shown.join(", ") }
}

/// Prints the table on standard output, under the date.
pub(crate) fn print(rows: &[Row], version: &str, markdown: bool) {
    use std::io::Write as _;
    let mut table = Table::new();
    let style = if markdown { ASCII_MARKDOWN } else { UTF8_BORDERS_ONLY };
    table.load_style(style).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["what is seen", "in Glue", &format!("OpenMetadata's connector {version}"), "kube-glue"]);
    for row in rows {
        table.add_row(row);
    }
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d");
    // A closed standard output is ignored.
    let _ = writeln!(std::io::stdout(), "{today}\n\n{table}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page about lineage, with the table as it was printed.
    const PAGE: &str = include_str!("../../../../../docs/lineage.md");

    #[test]
    fn the_page_has_the_rows_of_the_command_and_the_version_of_the_packages() {
        let account =
            Account { view: View::default(), jobs_outside: [].into(), newest_starts: [].into(), ended: [].into() };
        let ours: Vec<_> =
            rows(&account, &View::default(), &View::default()).into_iter().map(|[what, ..]| what).collect();
        let (_, rest) = PAGE.split_once("| what is seen ").expect("the table");
        let shown = rest.lines().skip(2).take_while(|line| line.starts_with('|'));
        let shown: Vec<_> = shown.map(|line| line.split('|').nth(1).expect("a cell").trim()).collect();
        assert_eq!(shown, ours, "run cargo side-by-side --markdown, and put its table into the page");
        let packages = include_str!("openmetadata.txt");
        let version =
            packages.lines().find_map(|line| line.strip_prefix("openmetadata-ingestion==")).expect("a version");
        assert!(PAGE.contains(&format!("| OpenMetadata's connector {version} ")), "the page has another version");
    }

    #[test]
    fn a_state_is_shown_in_the_words_of_the_reader() {
        let there = |pairs: &[(&str, &str)]| View {
            newest: pairs.iter().map(|(job, state)| ((*job).to_owned(), (*state).to_owned())).collect(),
            ..View::default()
        };
        let glue = there(&[("a", "TIMEOUT"), ("b", "TIMEOUT"), ("c", "SUCCEEDED")]);
        assert_eq!(shown_as(&glue, &glue, "TIMEOUT"), "2");
        assert_eq!(shown_as(&glue, &there(&[("a", "Pending"), ("c", "Successful")]), "TIMEOUT"), "1 as Pending");
        assert_eq!(shown_as(&glue, &View::default(), "TIMEOUT"), "0");
    }
}
