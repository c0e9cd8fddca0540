//! The links of all Markdown files: relative ones lead to a file, and anchors to a heading.

use std::collections::BTreeMap;

use super::{markdown_files, page, root};

#[test]
fn relative_links_and_anchors_exist() {
    for path in markdown_files() {
        let targets = links(&path, &page(&path));
        assert!(targets.len() > if path == "README.md" { 10 } else { 0 }, "{path} has {} links", targets.len());
        for target in targets.iter().filter(|target| !target.contains("://")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let folder = root().join(&path).parent().expect("a folder").to_path_buf();
            let file = if file.is_empty() { root().join(&path) } else { folder.join(file) };
            assert!(file.exists(), "{path}: {target} leads to no file");
            if !heading.is_empty() {
                let text = std::fs::read_to_string(file).expect(target);
                let known = anchors(&text);
                assert!(known.iter().any(|known| known == heading), "{path}: {target} is none of {known:?}");
            }
        }
    }
}

#[test]
fn links_and_anchors_are_found_as_github_shows_them() {
    let text = "# A `b`, c_d\n\n[x](y.md) `[no](z)` [`GlueJobRun`](docs/a.md#b-c)\n\n```yaml\n# No heading\n[no](z)\n```\n\n## A\n\n## A\n";
    assert_eq!(links("a", text), ["y.md", "docs/a.md#b-c"]);
    assert_eq!(anchors(text), ["a-b-c_d", "a", "a-1"]);
}

/// The lines outside fenced blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        !fenced && !is_fence
    })
}

/// The targets of the links of a page. Code spans have none.
fn links(path: &str, text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for paragraph in prose(text).collect::<Vec<_>>().join("\n").split("\n\n") {
        assert_eq!(paragraph.matches('`').count() % 2, 0, "{path}: a code span is not closed:\n{paragraph}");
        let outside_code: String = paragraph.split('`').step_by(2).collect();
        let found = outside_code.split("](").skip(1).filter_map(|rest| rest.split(')').next().map(str::to_owned));
        targets.extend(found);
    }
    targets
}

/// The anchors of a page's headings, as GitHub makes them: a repeated one is numbered.
fn anchors(text: &str) -> Vec<String> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let headings = prose(text).filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).collect::<String>();
        kept.replace(' ', "-")
    };
    let numbered = headings.map(anchor).map(|anchor| {
        let count = seen.entry(anchor.clone()).or_default();
        *count += 1;
        if *count == 1 { anchor } else { format!("{anchor}-{}", *count - 1) }
    });
    numbered.collect()
}
