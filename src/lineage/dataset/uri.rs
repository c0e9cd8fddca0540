//! Files, by their URIs.

use super::DatasetId;

/// The characters with which a component of a path stands for several (Hadoop's `FileSystem.globStatus`).
const GLOB: [char; 5] = ['*', '?', '[', '{', '}'];

/// The dataset of a file or folder. A pattern is the folder that contains all that it matches. `None` for a URI that is
/// none of a file, and for one that names no certain place.
#[must_use]
pub fn dataset(uri: &str) -> Option<DatasetId> {
    let uri = uri.trim();
    let (scheme, rest) = uri.split_once("://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    // Credentials in a URI name nothing.
    let scheme = scheme.to_ascii_lowercase();
    let is_container = matches!(scheme.as_str(), "abfs" | "abfss" | "wasb" | "wasbs");
    let host = if is_container { authority } else { authority.rsplit_once('@').map_or(authority, |(_, host)| host) };
    let host = if is_container { without_password(host) } else { host };
    if host.is_empty() || host.contains(GLOB) || host.contains(char::is_whitespace) {
        return None;
    }
    let namespace = match scheme.as_str() {
        "s3" | "s3a" | "s3n" => format!("s3://{host}"),
        "gs" => format!("gs://{host}"),
        "hdfs" => format!("hdfs://{host}"),
        "abfs" | "abfss" => format!("abfss://{host}"),
        "wasb" | "wasbs" => format!("wasbs://{host}"),
        _ => return None,
    };
    DatasetId::new(namespace, folder(path))
}

/// `container@account` without what stands for a password.
fn without_password(authority: &str) -> &str {
    match authority.split_once('@') {
        Some((container, _)) if container.contains(':') => "",
        _ => authority,
    }
}

/// The path up to its first pattern, without slashes at its ends; `/` for the root.
fn folder(path: &str) -> String {
    let path = path.split(['?', '#']).next().filter(|_| !path.contains(GLOB)).unwrap_or(path);
    let components = path.split('/').filter(|component| !component.is_empty());
    let fixed: Vec<&str> = components.take_while(|component| !component.contains(GLOB)).collect();
    if fixed.is_empty() { "/".to_owned() } else { fixed.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_as_the_naming_page_says() {
        for (uri, expected) in [
            ("s3://lake/raw/orders/", Some(("s3://lake", "raw/orders"))),
            ("s3a://lake/raw//orders.csv", Some(("s3://lake", "raw/orders.csv"))),
            ("S3N://lake", Some(("s3://lake", "/"))),
            ("s3://lake/raw/year=*/month=??/", Some(("s3://lake", "raw"))),
            ("s3://lake/raw/{a,b}/x", Some(("s3://lake", "raw"))),
            ("s3://key:secret@lake/raw", Some(("s3://lake", "raw"))),
            ("gs://bucket/a", Some(("gs://bucket", "a"))),
            ("hdfs://namenode:8020/user/x", Some(("hdfs://namenode:8020", "user/x"))),
            (
                "abfss://data@account.dfs.core.windows.net/x/y",
                Some(("abfss://data@account.dfs.core.windows.net", "x/y")),
            ),
            ("s3:///raw", None),
            ("s3://*/raw", None),
            ("raw/orders", None),
            ("file:///tmp/x", None),
            ("https://example.com/x", None),
            ("", None),
        ] {
            let named = dataset(uri).map(|id| (id.namespace, id.name));
            let expected = expected.map(|(namespace, name)| (namespace.to_owned(), name.to_owned()));
            assert_eq!(named, expected, "{uri}");
        }
    }
}
