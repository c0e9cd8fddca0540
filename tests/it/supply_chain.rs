//! Where the crates of `Cargo.lock` come from, and their licences: what `cargo deny check licenses sources` checks by
//! `deny.toml`, without that program. Advisories are checked by a copy of `RustSec`'s database without its prose, which
//! `supply_chain/reduce_advisories.py` makes; what was yanked, as far as cargo's own copy of the index knows.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::process::Command;

use semver::{Version, VersionReq};
use serde_json::Value;

/// The registry that cargo writes into `Cargo.lock` for crates.io.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A package of `Cargo.lock`.
struct Package {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

fn packages() -> Vec<Package> {
    let lock = file("Cargo.lock");
    let packages = lock.split("[[package]]").skip(1).map(|package| {
        let field = |name: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(&format!("{name} = ")));
            line.map(|value| value.trim_matches('"').to_owned())
        };
        let (name, version) = (field("name").expect("a name"), field("version").expect("a version"));
        Package { name, version, source: field("source"), checksum: field("checksum") }
    });
    packages.collect()
}

#[test]
fn every_crate_comes_from_crates_io_with_its_checksum() {
    let packages = packages();
    assert!(packages.len() > 100);
    for Package { name, source, checksum, .. } in packages {
        match source.as_deref() {
            Some(source) => {
                assert_eq!(source, CRATES_IO, "{name}");
                assert_eq!(checksum.map(|sum| sum.len()), Some(64), "{name}");
            }
            None => assert!(name.starts_with("kube-glue"), "{name} is no crate of the workspace"),
        }
    }
}

/// Advisories about what is unmaintained or unsound count as well.
#[test]
fn no_crate_has_an_advisory() {
    let database: Value = serde_json::from_str(include_str!("supply_chain/advisories.json")).expect("the database");
    let advisories = database["advisories"].as_array().expect("advisories");
    assert!(advisories.len() > 1_000, "{}", database["database"]);
    let mut found = Vec::new();
    for Package { name, version, .. } in packages() {
        let version = Version::parse(&version).unwrap_or_else(|error| panic!("{name} {version}: {error}"));
        for advisory in advisories.iter().filter(|advisory| advisory["package"] == name) {
            let ranges = ["patched", "unaffected"].map(|part| advisory[part].as_array().expect("ranges"));
            let is_good = ranges.into_iter().flatten().any(|range| {
                let range = VersionReq::parse(range.as_str().expect("a range"));
                range.unwrap_or_else(|error| panic!("{advisory}: {error}")).matches(&version)
            });
            if !is_good {
                found.push(format!("{name} {version}: {} {}", advisory["id"], advisory["informational"]));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new(), "by {}", database["database"]);
}

/// What is built on does not change unnoticed.
#[test]
fn the_base_images_are_pinned_by_digest() {
    let dockerfile = file("Dockerfile");
    let images: Vec<_> =
        dockerfile.lines().filter_map(|line| line.strip_prefix("ARG ")?.split_once("_IMAGE=")).collect();
    assert_eq!(images.len(), 2, "{images:?}");
    for (name, image) in images {
        let digest = image.split_once("@sha256:").map(|(_, digest)| digest);
        let is_digest = |digest: &str| digest.len() == 64 && digest.chars().all(|c| c.is_ascii_hexdigit());
        assert!(digest.is_some_and(is_digest), "{name}: {image}");
    }
    let bases: Vec<_> = dockerfile.lines().filter_map(|line| line.strip_prefix("FROM ")).collect();
    assert_eq!(bases, ["${RUST_IMAGE} AS build", "${BASE_IMAGE}"]);
}

/// Cargo keeps what it has read of the index, and reads it again when it resolves: no network is needed, and the answer is as
/// old as that.
#[test]
fn no_crate_was_yanked_as_far_as_cargo_knows() {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo"))).expect("cargo's folder");
    let indexes = std::fs::read_dir(home.join("registry/index")).into_iter().flatten().flatten();
    let index = indexes
        .map(|entry| entry.path().join(".cache"))
        .find(|path| path.to_string_lossy().contains("index.crates.io") && path.is_dir());
    let Some(index) = index else { return eprintln!("not checked: cargo has no sparse index of crates.io") };
    let (mut yanked, mut unknown, mut known) = (Vec::new(), Vec::new(), 0);
    for Package { name, version, .. } in packages().into_iter().filter(|package| package.source.is_some()) {
        match is_yanked(&index, &name, &version) {
            None => unknown.push(name),
            Some(false) => known += 1,
            Some(true) => yanked.push(format!("{name} {version}")),
        }
    }
    eprintln!("{known} crates were not yanked; the index says nothing about {}: {unknown:?}", unknown.len());
    assert!(yanked.is_empty(), "yanked: {yanked:?}");
}

/// What cargo's copy of the index says of a version; `None` where it has none of it.
fn is_yanked(index: &Path, name: &str, version: &str) -> Option<bool> {
    let name = name.to_lowercase();
    let folder = match name.len() {
        1 | 2 => name.len().to_string(),
        3 => format!("3/{}", &name[..1]),
        _ => format!("{}/{}", &name[..2], &name[2..4]),
    };
    let entry = std::fs::read(index.join(folder).join(&name)).ok()?;
    // The parts are separated by zeros: a version, and then what the index has of it.
    let parts = entry.split(|byte| *byte == 0).filter_map(|part| serde_json::from_slice::<Value>(part).ok());
    parts.filter(|part| part["vers"] == version).find_map(|part| part["yanked"].as_bool())
}

#[test]
fn every_crate_has_a_licence_that_deny_toml_allows() {
    let deny = file("deny.toml");
    let (_, list) = deny.split_once("allow = [").expect("a list");
    let (list, _) = list.split_once(']').expect("its end");
    let allowed: BTreeSet<_> = list.split('"').skip(1).step_by(2).collect();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let version = Command::new(&cargo).args(["version", "--verbose"]).output().expect("cargo");
    let version = String::from_utf8(version.stdout).expect("text");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let metadata = Command::new(&cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", host])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo");
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    for package in packages.iter().filter(|package| !package["source"].is_null()) {
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(is_allowed(licence, &allowed), "{}: {licence:?} is not allowed by deny.toml", package["name"]);
    }
}

/// Whether one way to read an SPDX expression is allowed. A slash is the old form of OR.
fn is_allowed(licence: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced =
        licence.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ").replace(" WITH ", "\u{a0}WITH\u{a0}");
    let mut words = spaced.split_ascii_whitespace().map(|word| word.replace('\u{a0}', " ")).peekable();
    let is_read = any_of(&mut words, allowed);
    is_read && words.peek().is_none()
}

fn any_of(words: &mut Peekable<impl Iterator<Item = String>>, allowed: &BTreeSet<&str>) -> bool {
    let mut any = all_of(words, allowed);
    while words.next_if(|word| word == "OR").is_some() {
        any |= all_of(words, allowed);
    }
    any
}

fn all_of(words: &mut Peekable<impl Iterator<Item = String>>, allowed: &BTreeSet<&str>) -> bool {
    let mut all = one(words, allowed);
    while words.next_if(|word| word == "AND").is_some() {
        all &= one(words, allowed);
    }
    all
}

fn one(words: &mut Peekable<impl Iterator<Item = String>>, allowed: &BTreeSet<&str>) -> bool {
    match words.next() {
        Some(open) if open == "(" => any_of(words, allowed) & words.next_if(|word| word == ")").is_some(),
        Some(licence) => allowed.contains(licence.as_str()),
        None => false,
    }
}

#[test]
fn an_expression_is_allowed_if_one_way_to_read_it_is() {
    let allowed = BTreeSet::from(["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "ISC"]);
    for (licence, expected) in [
        ("MIT", true),
        ("MIT/GPL-3.0", true),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("(GPL-3.0 OR MIT) AND ISC", true),
        ("(GPL-3.0 OR MIT) AND GPL-2.0", false),
        ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true),
        ("Apache-2.0 WITH Other-exception", false),
        ("MIT AND", false),
        ("MIT MIT", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(licence, &allowed), expected, "{licence:?}");
    }
}
