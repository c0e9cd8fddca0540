//! Objects on the command line: `KIND/NAME ...`, or `KIND NAME ...` as kubectl takes them, too.

use kube::core::DynamicObject;

use super::connect::Cluster;
use super::error::PluginError;
use super::kind::Kind;

/// An object that a command is about.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) kind: Kind,
    pub(super) name: String,
}

impl Target {
    /// As kubectl prints it.
    pub(super) fn full_name(&self) -> String {
        self.kind.full_name(&self.name)
    }
}

/// Reads the objects; at least one.
pub(super) fn parse(words: &[String]) -> Result<Vec<Target>, PluginError> {
    let kind = |word: &str| {
        let known = Kind::words();
        Kind::parse(word).ok_or_else(|| PluginError::Usage(format!("there is no kind `{word}`: use one of {known}")))
    };
    let name = |name: &str, word: &str| {
        let is_name = !name.is_empty() && !name.contains('/');
        is_name.then(|| name.to_owned()).ok_or_else(|| {
            PluginError::Usage(format!("`{word}` names no object: write KIND/NAME, for example gjr/nightly"))
        })
    };
    match words {
        [first, names @ ..] if !first.contains('/') => {
            let kind = kind(first)?;
            if names.is_empty() {
                return Err(PluginError::Usage(format!("which {first}? Write {first}/NAME")));
            }
            names.iter().map(|word| Ok(Target { kind: kind.clone(), name: name(word, word)? })).collect()
        }
        words if !words.is_empty() => {
            let target = |word: &String| {
                let (kind_word, rest) = word.split_once('/').unwrap_or(("", word));
                Ok(Target { name: name(rest, word)?, kind: kind(kind_word)? })
            };
            words.iter().map(target).collect()
        }
        _ => Err(PluginError::Usage("no object is named: write KIND/NAME, for example gjr/nightly".to_owned())),
    }
}

/// The most characters of a generated name before its random part. The API server cuts it there, too.
const LONGEST_NAME: usize = 57;

/// The name of something in Glue as the name of an object, or the beginning of one.
pub(super) fn object_name(name: &str) -> String {
    let lower = name.to_lowercase();
    let allowed = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    let words: Vec<_> = lower.split(|character| !allowed(character)).filter(|word| !word.is_empty()).collect();
    let joined = words.join("-");
    let cut: String = joined.chars().take(LONGEST_NAME).collect();
    if cut.is_empty() { "run".to_owned() } else { cut.trim_end_matches('-').to_owned() }
}

/// One object by its name on the command line.
pub(super) async fn read_one(cluster: &Cluster, name: &str) -> Result<(Target, DynamicObject), PluginError> {
    let mut targets = parse(&[name.to_owned()])?;
    let Some(target) = targets.pop() else { return Err(PluginError::NotFound(name.to_owned())) };
    let object = cluster.read(&target).await?;
    Ok((target, object))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Vec<String>, String> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        let targets = parse(&words).map_err(|error| error.to_string())?;
        Ok(targets.iter().map(Target::full_name).collect())
    }

    #[test]
    fn objects_are_named_in_both_ways_of_kubectl() {
        let expected = ["gluejobrun.kube-glue.dev/a", "gluetrigger.kube-glue.dev/b"];
        assert_eq!(read("gjr/a gluetriggers/b").unwrap(), expected);
        assert_eq!(read("gjr a b").unwrap(), ["gluejobrun.kube-glue.dev/a", "gluejobrun.kube-glue.dev/b"]);
    }

    #[test]
    fn a_wrong_name_is_refused_with_the_remedy() {
        for (line, part) in [
            ("", "no object is named"),
            ("pod/a", "no kind `pod`: use one of gjr"),
            ("gjr", "which gjr? Write gjr/NAME"),
            ("gjr/", "names no object"),
            ("gjr/a/b", "names no object"),
            ("gjr/a b", "no kind ``"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn any_name_of_glue_leads_to_a_name_of_kubernetes() {
        for (name, expected) in
            [("Nightly ETL", "nightly-etl"), ("a_b.c/d", "a-b-c-d"), ("--x--", "x"), ("日本", "run"), ("", "run")]
        {
            assert_eq!(object_name(name), expected, "{name}");
        }
        assert_eq!(object_name(&"a".repeat(255)).len(), LONGEST_NAME);
    }
}
