//! Which names are of interest, by regular expressions that include and exclude.
//!
//! The meaning is that of OpenMetadata's filter patterns: an expression is matched at the beginning of a name, in any case;
//! a name that an exclude matches is out, whatever includes it; without includes, all others are in.

use regex::{Regex, RegexBuilder};

/// The most memory that one expression may take.
const SIZE_LIMIT: usize = 1 << 20;

/// A filter of names. The default one has all of them.
#[derive(Clone, Debug, Default)]
pub struct NameFilter {
    includes: Vec<Regex>,
    excludes: Vec<Regex>,
}

/// An expression that is none.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{expression}` is not a regular expression: {problem}")]
pub struct InvalidExpression {
    /// As it was given.
    pub expression: String,
    /// What is wrong with it, and where.
    pub problem: String,
}

impl NameFilter {
    /// The filter with these expressions.
    pub fn new(
        includes: impl IntoIterator<Item = impl AsRef<str>>,
        excludes: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, InvalidExpression> {
        let includes = includes.into_iter().map(|text| parse(text.as_ref())).collect::<Result<_, _>>()?;
        let excludes = excludes.into_iter().map(|text| parse(text.as_ref())).collect::<Result<_, _>>()?;
        Ok(Self { includes, excludes })
    }

    /// Whether the filter has this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let any = |expressions: &[Regex]| expressions.iter().any(|expression| expression.is_match(name));
        !any(&self.excludes) && (self.includes.is_empty() || any(&self.includes))
    }

    /// Whether the filter has every name.
    #[must_use]
    pub fn has_all(&self) -> bool {
        self.includes.is_empty() && self.excludes.is_empty()
    }
}

/// Reads an expression on its own, so that a problem has its place in it, and then at the beginning of a name.
fn parse(expression: &str) -> Result<Regex, InvalidExpression> {
    let invalid = |error: regex::Error| {
        let text = error.to_string();
        InvalidExpression { expression: expression.to_owned(), problem: text.trim().to_owned() }
    };
    let build =
        |text: &str| RegexBuilder::new(text).case_insensitive(true).size_limit(SIZE_LIMIT).build().map_err(invalid);
    build(expression)?;
    build(&format!(r"\A(?:{expression})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excludes_win_and_an_expression_matches_the_beginning_in_any_case() {
        for (includes, excludes, name, expected) in [
            (&[][..], &[][..], "orders", true),
            (&["orders"], &[], "orders", true),
            (&["orders"], &[], "Orders-etl", true),
            (&["orders$"], &[], "orders-etl", false),
            (&["orders"], &[], "daily-orders", false),
            (&[".*orders"], &[], "daily-orders", true),
            (&["a|b"], &[], "xb", false),
            (&["a", "b"], &[], "b1", true),
            (&[], &["tmp"], "tmp-1", false),
            (&[], &["tmp"], "orders", true),
            (&["tmp"], &["tmp-1"], "tmp-1", false),
            (&["tmp"], &["tmp-1"], "tmp-2", true),
        ] {
            let filter = NameFilter::new(includes, excludes).unwrap();
            assert_eq!(filter.has(name), expected, "{includes:?} {excludes:?} {name}");
        }
    }

    #[test]
    fn an_invalid_expression_is_shown_with_its_place() {
        let error = NameFilter::new(["ok", "a("], [""; 0]).unwrap_err().to_string();
        assert!(error.starts_with("`a(` is not a regular expression") && error.contains("unclosed group"), "{error}");
        assert!(error.contains("\n    a(\n     ^\n"), "{error}");
    }
}
