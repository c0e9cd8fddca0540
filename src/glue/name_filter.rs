//! Which names are selected, with the meaning of OpenMetadata's filter patterns (`metadata/utils/filters.py` of
//! openmetadata-ingestion 1.13): a pattern matches at the beginning of a name, in any case (`re.match` with
//! `re.IGNORECASE`); excludes win; without includes all names are included.
//!
//! The patterns are those of the crate `regex`, which are nearly those of RE2. Of Python's syntax it refuses look-around,
//! back-references, conditionals, possessive quantifiers and `\Z` (it is `\z` here), all with their position.

use regex::{Regex, RegexBuilder};

/// The most bytes that a compiled pattern takes.
const MAX_COMPILED: usize = 256 * 1024;

/// A pattern that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}[{index}]: {}", self.refusal())]
pub struct PatternError {
    /// `includes` or `excludes`.
    pub field: &'static str,
    /// The index of the pattern in the list.
    pub index: usize,
    /// The pattern.
    pub pattern: String,
    /// The character of the pattern where the error is, from 1, where there is one place.
    pub character: Option<usize>,
    /// What is wrong.
    pub why: String,
}

impl PatternError {
    /// What is wrong with the pattern, and where.
    #[must_use]
    pub fn refusal(&self) -> String {
        let place = self.character.map(|character| format!(" at character {character}")).unwrap_or_default();
        format!("invalid regular expression{place}: {}", self.why)
    }
}

/// Selects names. The default one selects all of them.
#[derive(Clone, Debug, Default)]
pub struct NameFilter {
    includes: Vec<Regex>,
    excludes: Vec<Regex>,
}

impl NameFilter {
    /// Compiles the patterns.
    pub fn new(includes: &[String], excludes: &[String]) -> Result<Self, PatternError> {
        Ok(Self { includes: compiled("includes", includes)?, excludes: compiled("excludes", excludes)? })
    }

    /// Whether a name is selected.
    #[must_use]
    pub fn selects(&self, name: &str) -> bool {
        // The leftmost match is at the beginning, if there is one there.
        let matches = |pattern: &Regex| pattern.find(name).is_some_and(|found| found.start() == 0);
        (self.includes.is_empty() || self.includes.iter().any(matches)) && !self.excludes.iter().any(matches)
    }
}

fn compiled(field: &'static str, patterns: &[String]) -> Result<Vec<Regex>, PatternError> {
    let compile = |(index, pattern): (usize, &String)| {
        let error = |(character, why)| PatternError { field, index, pattern: pattern.clone(), character, why };
        if let Err(syntax) = regex_syntax::parse(pattern) {
            return Err(error(place_of(pattern, &syntax)));
        }
        let regex = RegexBuilder::new(pattern).case_insensitive(true).size_limit(MAX_COMPILED).build();
        regex.map_err(|_| error((None, format!("it takes more than {} KiB when it is compiled", MAX_COMPILED / 1024))))
    };
    patterns.iter().enumerate().map(compile).collect()
}

/// The character of the error, and what is wrong.
fn place_of(pattern: &str, error: &regex_syntax::Error) -> (Option<usize>, String) {
    let character = |offset: usize| Some(pattern.get(..offset)?.chars().count() + 1);
    match error {
        regex_syntax::Error::Parse(error) => (character(error.span().start.offset), error.kind().to_string()),
        regex_syntax::Error::Translate(error) => (character(error.span().start.offset), error.kind().to_string()),
        other => (None, other.to_string()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn filter(includes: &[&str], excludes: &[&str]) -> Result<NameFilter, PatternError> {
        let owned = |patterns: &[&str]| patterns.iter().map(|pattern| (*pattern).to_owned()).collect::<Vec<_>>();
        NameFilter::new(&owned(includes), &owned(excludes))
    }

    /// Twenty filters, and what `metadata.utils.filters._filter` of openmetadata-ingestion 1.13.4.1 selects by them of
    /// `NAMES`, as it was run in Python.
    #[test]
    fn twenty_filters_select_what_openmetadata_selects() {
        const NAMES: [&str; 8] =
            ["etl", "ETL-daily", "etlx", "my-etl", "orders_2026", "orders.eu", "tmp_orders", "übertrag"];
        for (includes, excludes, selected) in FILTERS {
            let filter = filter(includes, excludes).unwrap();
            let found: Vec<_> = NAMES.into_iter().filter(|name| filter.selects(name)).collect();
            assert_eq!(found, selected.split_terminator(' ').collect::<Vec<_>>(), "{includes:?} {excludes:?}");
        }
        assert!(!filter(&["a|b"], &[]).unwrap().selects("xb"));
    }

    const ALL: &str = "etl ETL-daily etlx my-etl orders_2026 orders.eu tmp_orders übertrag";
    const FILTERS: [(&[&str], &[&str], &str); 20] = [
        (&[], &[], ALL),
        (&["etl"], &[], "etl ETL-daily etlx"),
        (&["etl$"], &[], "etl"),
        (&["^etl"], &[], "etl ETL-daily etlx"),
        (&[".*etl"], &[], "etl ETL-daily etlx my-etl"),
        (&["ETL"], &[], "etl ETL-daily etlx"),
        (&["orders"], &[], "orders_2026 orders.eu"),
        (&["orders."], &[], "orders_2026 orders.eu"),
        (&["orders\\."], &[], "orders.eu"),
        (&["etl", "orders"], &[], "etl ETL-daily etlx orders_2026 orders.eu"),
        (&[], &["tmp_"], "etl ETL-daily etlx my-etl orders_2026 orders.eu übertrag"),
        (&[], &["orders"], "etl ETL-daily etlx my-etl tmp_orders übertrag"),
        (&[], &[".*"], ""),
        (&["etl"], &["etlx"], "etl ETL-daily"),
        (&[".*orders"], &["tmp"], "orders_2026 orders.eu"),
        (&["etl"], &["etl"], ""),
        (&["\\w+$"], &[], "etl etlx orders_2026 tmp_orders übertrag"),
        (&["Ü"], &[], "übertrag"),
        (&["(?:my-)?etl$"], &[], "etl my-etl"),
        (&[".*\\d{4}$", "x?tmp"], &["none"], "orders_2026 tmp_orders"),
    ];

    #[test]
    fn an_invalid_pattern_is_refused_with_its_position() {
        for (pattern, character, why) in [
            ("orders[", Some(7), "unclosed character class"),
            ("a(b", Some(2), "unclosed group"),
            ("ü+)", Some(3), "unopened group"),
            ("*a", Some(1), "repetition operator missing expression"),
            ("a{5,2}", Some(2), "invalid repetition count range"),
            ("etl(?!x)", Some(4), "look-around, including look-ahead and look-behind, is not supported"),
            ("(a)\\1", Some(4), "backreferences are not supported"),
            ("etl\\Z", Some(4), "unrecognized escape sequence"),
            ("\\p{Klingon}", Some(1), "Unicode property not found"),
            ("(?:.{200}){200}", None, "when it is compiled"),
        ] {
            let error = filter(&["etl"], &["ok", pattern]).unwrap_err();
            assert_eq!((error.field, error.index, error.character), ("excludes", 1, character), "{pattern}: {error}");
            assert!(error.why.contains(why), "{pattern}: {error}");
        }
        let error = filter(&["orders["], &[]).unwrap_err().to_string();
        assert_eq!(error, "includes[0]: invalid regular expression at character 7: unclosed character class");
    }
}
