//! Whatever stands in place of SQL: nothing panics, no statement takes long, and what is found is a part of it.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{MAX_SQL, tables};
use crate::lineage::scripts::STACK_BYTES;

/// How long a statement of the greatest length may take without optimization, on a busy machine.
const LONGEST: Duration = Duration::from_secs(20);

/// What statements are made of.
const PARTS: [&str; 52] = [
    "select",
    "insert into",
    "insert overwrite table",
    "create table",
    "create or replace temp view",
    "merge into",
    "update",
    "delete",
    "from",
    "join",
    "left join",
    "lateral view explode(x) t as",
    "on",
    "using",
    "where",
    "with",
    "recursive",
    "as",
    "union all",
    "values",
    "when matched then",
    "not",
    "and",
    "in",
    "between",
    "case",
    "else",
    "end",
    "cast",
    "over",
    "partition by",
    "order by",
    "a",
    "sales.orders",
    "`s3://lake/raw/`",
    "\"b\".\"c\"",
    "'text'",
    "1",
    "(",
    ")",
    "[",
    "]",
    ",",
    ";",
    "*",
    "=",
    "-",
    "::",
    ".",
    "--",
    "/*",
    "use",
];

/// What is repeated up to the greatest length, between a beginning and an end.
const REPEATED: [(&str, &str, &str); 34] = [
    ("", "(", ""),
    ("select ", "(", ""),
    ("select * from ", "(", ""),
    ("select * from ", "(select * from ", "a"),
    ("select * from a where ", "x in (select * from b where ", "1"),
    ("select 1", "+1", ""),
    ("select a", " and b", ""),
    ("select a", ".b", ""),
    ("select a", "::int", ""),
    ("select a", "[0]", ""),
    ("select a", ":b", ""),
    ("select a", " -> b", ""),
    ("select a", " is null", ""),
    ("select a", " in (b)", ""),
    ("select a", " between b and c", ""),
    ("select a", " at time zone b", ""),
    ("select a", " rlike b", ""),
    ("select a", " div b", ""),
    ("select ", "- ", "1"),
    ("select ", "not ", "a"),
    ("select ", "f(", ""),
    ("select ", "case when ", ""),
    ("select ", "cast(", ""),
    ("select ", "interval ", ""),
    ("select * from a ", "join b ", "on true"),
    ("select * from a ", "lateral view explode(x) t as y ", ""),
    ("select 1 ", "union all select 1 ", ""),
    ("select * from a ", "pivot (sum(a) for b in (1)) ", ""),
    ("select * from a ", "cross join b ", ""),
    ("with ", "a as (with ", ""),
    ("create table a using b as ", "select * from (", ""),
    ("create table a (b ", "array<", ""),
    ("", "select 1;", ""),
    ("select '", "''", ""),
];

fn sql() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::collection::vec(prop::sample::select(&PARTS[..]), 0..60).prop_map(|parts| parts.join(" ")),
        1 => prop::collection::vec(prop::sample::select(&PARTS[..]), 0..60).prop_map(|parts| parts.concat()),
        1 => any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_is_read_or_not(sql in sql()) {
        let begun = Instant::now();
        let found = stacker::grow(STACK_BYTES, || tables(&sql)).unwrap_or_default();
        prop_assert!(begun.elapsed() < LONGEST, "it took {:?}", begun.elapsed());
        let names = found.inputs.iter().chain(&found.outputs).chain(&found.database).flatten();
        for name in names.filter(|name| !name.contains(['\'', '"', '`', '\\'])) {
            prop_assert!(sql.contains(name.as_str()), "{name:?}");
        }
    }
}

#[test]
fn statements_of_the_greatest_length_end_soon() {
    for (begin, repeated, end) in REPEATED {
        for length in [1000, MAX_SQL] {
            let sql = format!("{begin}{}{end}", repeated.repeat((length - begin.len() - end.len()) / repeated.len()));
            let begun = Instant::now();
            let found = stacker::grow(STACK_BYTES, || tables(&sql));
            let took = begun.elapsed();
            assert!(took < LONGEST, "{length} bytes of {repeated:?} after {begin:?} took {took:?}");
            let names = found.map_or(0, |found| found.inputs.len() + found.outputs.len());
            assert!(names <= 3, "{names} tables in {repeated:?} after {begin:?}");
        }
    }
}
