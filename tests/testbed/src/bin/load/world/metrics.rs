//! Sums over Prometheus' text format, as the API server and the controller serve it.

/// The sum of the samples with this name whose labels match.
pub(crate) fn sum(text: &str, name: &str, matches: impl Fn(&Labels<'_>) -> bool) -> f64 {
    let sample = |line: &str| {
        let rest = line.strip_prefix(name)?;
        let (labels, value) = match rest.strip_prefix('{') {
            Some(labelled) => labelled.rsplit_once("} ")?,
            None => ("", rest.strip_prefix(' ')?),
        };
        matches(&Labels(labels)).then(|| value.split(' ').next()?.parse::<f64>().ok())?
    };
    // The sum of no floating point numbers is -0.
    text.lines().filter_map(sample).fold(0.0, |total, value| total + value)
}

/// The labels of one sample. Values with escaped quotes are not supported; none of those that are asked for has any.
pub(crate) struct Labels<'a>(&'a str);

impl Labels<'_> {
    /// The value of a label; empty without one.
    pub(crate) fn get(&self, name: &str) -> &str {
        let mut labels = self.0.split("\",");
        let value = labels.find_map(|label| label.strip_prefix(name)?.strip_prefix("=\""));
        value.unwrap_or_default().trim_end_matches('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",resource="gluejobruns",verb="PATCH"} 12
apiserver_request_total{code="429",resource="gluejobruns",verb="PATCH"} 3
apiserver_request_total{code="200",resource="leases",verb="GET"} 1e+02
apiserver_request_total_other{code="200"} 7
up 1
"#;

    #[test]
    fn the_samples_with_matching_labels_are_added_up() {
        let total = |matches: fn(&Labels<'_>) -> bool| sum(TEXT, "apiserver_request_total", matches);
        assert_eq!(total(|_| true).to_string(), "115");
        assert_eq!(total(|labels| labels.get("code") == "429").to_string(), "3");
        assert_eq!(total(|labels| labels.get("resource") == "gluejobruns").to_string(), "15");
        assert_eq!(total(|labels| labels.get("verb") == "GET").to_string(), "100");
        assert_eq!(sum(TEXT, "up", |_| true).to_string(), "1");
        assert_eq!(sum(TEXT, "down", |_| true).to_string(), "0");
    }
}
