//! A corpus of scripts in the ways people write them, with what each reads and writes; and hostile ones.

use std::collections::BTreeMap;
use std::time::Instant;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::lineage::dataset::DatasetId;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Expected {
    #[serde(default)]
    arguments: BTreeMap<String, String>,
    inputs: Vec<String>,
    outputs: Vec<String>,
    edges: Vec<(String, String)>,
    unknown: Vec<String>,
}

fn place() -> Place {
    Place { region: "eu-central-1".to_owned(), account: "111122223333".to_owned() }
}

fn connections() -> BTreeMap<String, Connection> {
    let connection = |name: &str, type_: &str, property: (&str, &str)| {
        (name.to_owned(), Connection::new(type_, [(property.0.to_owned(), property.1.to_owned())]))
    };
    [
        connection("shop-pg", "JDBC", ("JDBC_CONNECTION_URL", "jdbc:postgresql://pg.example.com:5432/shop")),
        connection(
            "warehouse",
            "JDBC",
            ("JDBC_CONNECTION_URL", "jdbc:redshift://dwh.abc123.eu-central-1.redshift.amazonaws.com:5439/dwh"),
        ),
        connection("msk", "KAFKA", ("KAFKA_BOOTSTRAP_SERVERS", "b-1.msk.example.com:9098,b-2.msk.example.com:9098")),
    ]
    .into()
}

/// What was found, in the form of the corpus.
fn found(language: Language, script: &str, arguments: &BTreeMap<String, String>) -> Expected {
    let report = read(language, script, arguments);
    assert_eq!(report.incomplete, None);
    let findings = report.findings(&place(), &connections());
    assert_eq!(findings.seen, report.accesses.len());
    let name = |id: DatasetId| format!("{} {}", id.namespace, id.name);
    let mut edges: Vec<_> = findings.edges.iter().map(|(from, to)| (from.name.clone(), to.name.clone())).collect();
    edges.sort();
    Expected {
        arguments: arguments.clone(),
        inputs: findings.inputs.into_keys().map(name).collect(),
        outputs: findings.outputs.into_keys().map(name).collect(),
        edges,
        unknown: findings.unknown.into_iter().map(|unknown| unknown.at).collect(),
    }
}

macro_rules! corpus {
    ($($name:ident: $language:ident, $script:literal, $expected:literal;)*) => {
        $(#[test]
        fn $name() {
            let mut expected: Expected = serde_json::from_str(include_str!(concat!("tests/corpus/", $expected))).expect("JSON");
            expected.edges.sort();
            let script = include_str!(concat!("tests/corpus/", $script));
            assert_eq!(found(Language::$language, script, &expected.arguments), expected);
        })*

        const SCRIPTS: &[(Language, &str)] =
            &[$((Language::$language, include_str!(concat!("tests/corpus/", $script))),)*];
    };
}

corpus! {
    a_script_that_glue_studio_generated: Python, "studio.py", "studio.json";
    chains_of_spark: Python, "chains.py", "chains.json";
    names_from_arguments_of_the_run: Python, "arguments.py", "arguments.json";
    tables_and_views_of_sql: Python, "sql.py", "sql.json";
    databases_by_url_and_by_connection: Python, "databases.py", "databases.json";
    functions_loops_and_a_class: Python, "functions.py", "functions.json";
    streams: Python, "streaming.py", "streaming.json";
    a_python_shell_job: Python, "shell.py", "shell.json";
    delta_hudi_iceberg_and_rdds: Python, "delta.py", "delta.json";
    dynamic_frames_in_scala: Scala, "glue.scala", "glue_scala.json";
    data_frames_in_scala: Scala, "spark.scala", "spark_scala.json";
}

#[test]
fn the_language_is_that_of_the_job_or_of_the_file() {
    for (argument, file, language) in [
        (None, "s3://b/x.py", Language::Python),
        (None, "s3://b/x.scala", Language::Scala),
        (Some("scala"), "s3://b/x", Language::Scala),
        (Some("python"), "s3://b/x.scala", Language::Python),
        (None, "s3://b/x", Language::Python),
    ] {
        assert_eq!(Language::of(argument, file), language);
    }
}

/// What an earlier or later value would be a guess for.
#[test]
fn a_variable_with_two_values_has_none() {
    let unknown = |script: &str| {
        let report = read(Language::Python, script, &BTreeMap::new());
        report.accesses.iter().filter(|access| access.locator.is_err()).count()
    };
    for script in [
        "p = 's3://a' if x else 's3://b'\nspark.read.parquet(p)",
        "p = 's3://a'\nif x:\n    p = 's3://b'\nspark.read.parquet(p)",
        "p = 's3://a'\ntry:\n    p = f()\nexcept E:\n    p = 's3://b'\nspark.read.parquet(p)",
        "p = 's3://a'\nfor i in many():\n    spark.read.parquet(p)\n    p = p + i",
        "p = 's3://a'\nwhile x:\n    p = next(p)\nspark.read.parquet(p)",
        "p = 's3://a'\ndef f():\n    global p\n    p = 's3://b'\nf()\nspark.read.parquet(p)",
        "def f(p):\n    if x:\n        return 's3://a'\n    return 's3://b'\nspark.read.parquet(f(1))",
        "d = {}\nd[key()] = 's3://a'\nspark.read.parquet(d['x'])",
        "spark.read.parquet('s3://a/' + str(today()))",
        "spark.read.parquet(f's3://a/{x:>3}')",
        "spark.read.parquet(b's3://a')",
        "spark.read.options(**given).load()",
        "spark.sql('select * from {}'.format(name))",
        "df.createOrReplaceTempView(name)\nspark.table('maybe_a_view')",
        "spark.sql('select * from catalog.db.t')",
        "f = g\nspark.read.format(f).load('x')",
    ] {
        assert_eq!(unknown(script), 1, "{script}");
    }
}

#[test]
fn what_reads_no_data_is_not_counted() {
    for script in [
        "f.read()\nx.write('text')\nopen('x').read()",
        "json.load(f)\npickle.load(f)\nd.update({})\nx.execute('select 1')",
        "import sys\nprint('s3://a')\nlogging.info('spark.read.parquet')",
        "pd.read_csv('/tmp/x')\ndf.to_csv('x.csv')\ndf.to_json()",
        "job.init('x', args)\njob.commit()",
        "spark.conf.set('a', 'b')\nspark.catalog.listTables()",
        "df.select('a').table\nos.path.join('a', 'b')\n','.join(['a'])",
    ] {
        let report = read(Language::Python, script, &BTreeMap::new());
        assert_eq!(report.accesses, [], "{script}");
    }
}

/// A script that a person is still writing.
#[test]
fn a_script_with_errors_is_read_as_far_as_it_goes() {
    let script = "a = spark.read.parquet('s3://a/b')\nif x\n  y = (1,\n";
    let report = read(Language::Python, script, &BTreeMap::new());
    assert_eq!(report.accesses.len(), 1);
}

#[test]
fn hostile_scripts_are_bounded() {
    let deep = |open: &str, close: &str, n: usize| format!("x = {}1{}", open.repeat(n), close.repeat(n));
    let long_text = || "x = 'a'\n".to_owned() + &"x = x + x\n".repeat(16);
    let scripts = [
        deep("(", ")", 50_000),
        deep("[", "]", 50_000),
        deep("f(", ")", 20_000),
        format!("x = {}", "a.b".repeat(30_000)),
        format!("x = {}1", "1 + ".repeat(50_000)),
        format!("x = {}1", "not ".repeat(50_000)),
        format!("x = {}1", "lambda: ".repeat(20_000)),
        (0..2_000).fold(String::new(), |all, depth| format!("{all}{}if x:\n", " ".repeat(depth)))
            + &" ".repeat(2_000)
            + "pass",
        "x = 'a'\n".to_owned() + &"x = x + x\n".repeat(5_000),
        "l = ['a'] * 9\nm = [l, l, l]\n".to_owned() + &"m = [m, m, m, m]\n".repeat(2_000),
        "l = ['a', spark.table('t')]\n".to_owned() + &"l = l + l\n".repeat(60),
        "a, b = ['a'], ['a']\n".to_owned() + &"a, b = [a, a], [b, b]\n".repeat(60) + "if x: a = b\n",
        "d = {'k': 'v'}\n".to_owned() + &"d['a'] = d\nd['b'] = d\n".repeat(2_000),
        "l = ['a']\n".to_owned() + &"l = [l]\n".repeat(100_000),
        long_text() + "l = [x]\n" + &"l = l + l\n".repeat(16) + "y = x.join(l)\n",
        long_text() + &format!("y = '{}'.format(x)\n", "{0}".repeat(100_000)),
        long_text() + &format!("y = '{}' % [{}]\n", "%s".repeat(20_000), "x, ".repeat(20_000)),
        long_text() + &(0..20_000).fold(String::new(), |all, n| format!("{all}x{n} = x + '{n}'\n")),
        "def f(x):\n    return f(f(x))\nf(1)\n".to_owned(),
        "xs = ['0','1','2','3','4','5','6','7','8','9']\n".to_owned()
            + &(0..30).fold(String::new(), |all, depth| format!("{all}{}for a{depth} in xs:\n", " ".repeat(depth)))
            + &" ".repeat(30)
            + "spark.read.parquet('s3://a')",
        format!("spark.sql('{}')", "select * from (".repeat(5_000)),
        "spark.read.parquet('s3://a/x')\n".repeat(20_000),
        (0..3_000).fold(String::new(), |all, n| format!("{all}x{n} = 1\nif x: x{n} = 2\n")),
        "\u{0}\u{feff}'''".to_owned(),
        "x".repeat(MAX_SCRIPT_BYTES + 1),
    ];
    for (number, script) in scripts.iter().enumerate() {
        for language in [Language::Python, Language::Scala] {
            let begun = Instant::now();
            drop(read(language, script, &BTreeMap::new()).findings(&place(), &connections()));
            assert!(begun.elapsed().as_secs() < 30, "script {number} in {language:?} took {:?}", begun.elapsed());
        }
    }
    let report = read(Language::Python, &scripts[0], &BTreeMap::new());
    assert!(report.incomplete.is_some());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}", is_scala in any::<bool>()) {
        let language = if is_scala { Language::Scala } else { Language::Python };
        drop(read(language, &text, &BTreeMap::new()));
    }

    /// Scripts of the corpus with parts cut out, doubled or swapped.
    #[test]
    fn no_change_of_a_script_makes_it_panic(which in 0..SCRIPTS.len(), cuts in prop::collection::vec((any::<usize>(), 0..80_usize, 0..3_u8), 1..6)) {
        let (language, script) = SCRIPTS[which];
        let mut characters: Vec<char> = script.chars().collect();
        for (at, length, what) in cuts {
            let at = at % characters.len().max(1);
            let end = (at + length).min(characters.len());
            let part: Vec<char> = characters[at..end].to_vec();
            match what {
                0 => drop(characters.drain(at..end)),
                1 => drop(characters.splice(at..at, part)),
                _ => characters[at..end].reverse(),
            }
        }
        let changed: String = characters.into_iter().collect();
        drop(read(language, &changed, &BTreeMap::new()).findings(&place(), &connections()));
    }
}
