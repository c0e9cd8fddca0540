//! No encoding of a value passes. The encoders here are written apart from the decoders that they test.

use std::fmt::Write;

use proptest::prelude::*;

use super::*;

/// How many inputs each property is tried with.
const CASES: u32 = 1_000;

/// A way in which a value is written on its way into a message.
#[derive(Clone, Debug)]
pub(crate) enum Encoding {
    /// A JSON string, without its quotes.
    Json { ascii: bool, slashes: bool, upper: bool },
    /// For a URL; `all` encodes letters and digits, too.
    Percent { all: bool, upper: bool },
    /// As an HTML form.
    Form,
    /// Within something larger, which is encoded as a whole.
    Base64 { before: String, after: String, url_safe: bool, padded: bool, wrapped: bool },
    /// The same, as hexadecimal digits.
    Hex { before: String, upper: bool },
}

impl Encoding {
    pub(crate) fn encode(&self, text: &str) -> String {
        match self {
            Self::Json { ascii, slashes, upper } => json(text, *ascii, *slashes, *upper),
            Self::Percent { all, upper } => percent(text, *all, *upper),
            Self::Form => percent(text, false, true).replace("%20", "+"),
            Self::Base64 { before, after, url_safe, padded, wrapped } => {
                base64(format!("{before}{text}{after}").as_bytes(), *url_safe, *padded, *wrapped)
            }
            Self::Hex { before, upper } => hex(&format!("{before}{text}"), *upper),
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Json { .. } => 0,
            Self::Percent { .. } | Self::Form => 1,
            Self::Base64 { .. } => 2,
            Self::Hex { .. } => 3,
        }
    }
}

fn json(text: &str, ascii: bool, slashes: bool, upper: bool) -> String {
    let mut encoded = String::new();
    let unit = |encoded: &mut String, unit: u16| {
        let written = if upper { write!(encoded, "\\u{unit:04X}") } else { write!(encoded, "\\u{unit:04x}") };
        written.unwrap();
    };
    for character in text.chars() {
        match character {
            '\n' => encoded.push_str("\\n"),
            '\r' => encoded.push_str("\\r"),
            '\t' => encoded.push_str("\\t"),
            '"' | '\\' => encoded.extend(['\\', character]),
            '/' if slashes => encoded.push_str("\\/"),
            _ if (character as u32) < 32 || ascii && !character.is_ascii() => {
                character.encode_utf16(&mut [0; 2]).iter().for_each(|value| unit(&mut encoded, *value));
            }
            _ => encoded.push(character),
        }
    }
    encoded
}

fn percent(text: &str, all: bool, upper: bool) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if !all && (byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)) {
            encoded.push(char::from(byte));
        } else if upper {
            write!(encoded, "%{byte:02X}").unwrap();
        } else {
            write!(encoded, "%{byte:02x}").unwrap();
        }
    }
    encoded
}

pub(crate) fn base64(bytes: &[u8], url_safe: bool, padded: bool, wrapped: bool) -> String {
    let last = if url_safe { "-_" } else { "+/" };
    let alphabet: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(last.chars()).collect();
    let mut encoded: Vec<char> = Vec::new();
    for group in bytes.chunks(3) {
        let number = (0..3).fold(0_usize, |number, at| number << 8 | usize::from(group.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            if at <= group.len() {
                encoded.push(alphabet[number >> (18 - 6 * at) & 63]);
            } else if padded {
                encoded.push('=');
            }
        }
    }
    let lines: Vec<String> =
        encoded.chunks(if wrapped { 16 } else { usize::MAX }).map(|line| line.iter().collect()).collect();
    lines.join("\n")
}

fn hex(text: &str, upper: bool) -> String {
    text.bytes().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
}

/// A chain of encodings that may follow each other.
pub(crate) fn encodings() -> impl Strategy<Value = Vec<Encoding>> {
    // Half an escape before a value would take the beginning of the value for its other half.
    let filler = "[ -$&-\\[\\]-~]{0,7}";
    let one = prop_oneof![
        any::<(bool, bool, bool)>().prop_map(|(ascii, slashes, upper)| Encoding::Json { ascii, slashes, upper }),
        any::<(bool, bool)>().prop_map(|(all, upper)| Encoding::Percent { all, upper }),
        Just(Encoding::Form),
        (filler, filler, any::<(bool, bool, bool)>()).prop_map(|(before, after, (url_safe, padded, wrapped))| {
            Encoding::Base64 { before, after, url_safe, padded, wrapped }
        }),
        (filler, any::<bool>()).prop_map(|(before, upper)| Encoding::Hex { before, upper }),
    ];
    prop::collection::vec(one, 0..=3).prop_filter("no more than two of a kind", |chain| {
        (0..4).all(|kind| chain.iter().filter(|encoding| encoding.kind() == kind).count() <= 2)
    })
}

/// A secret value: a password, any text, or several lines as a key file has them.
pub(crate) fn values() -> impl Strategy<Value = String> {
    let line = || prop_oneof!["[!-~]{4,40}", "[a-zA-Z0-9+/=]{16,64}", "\\PC{4,24}"];
    let lines = prop::collection::vec(line(), 1..4).prop_map(|lines| lines.join("\n"));
    (prop_oneof![line(), lines], "[ \\t]{0,2}", "[ \\r\\n]{0,2}")
        .prop_map(|(value, before, after)| before + &value + &after)
}

/// The part of the value that a program took: all of it, without white space around it, or one line.
pub(crate) fn part_of(value: &str, which: usize) -> String {
    let lines: Vec<_> = value.lines().map(str::trim).filter(|line| line.len() >= MIN_LENGTH).collect();
    match which {
        0 => value.to_owned(),
        1 => value.trim().to_owned(),
        _ => lines.get(which % lines.len().max(1)).copied().unwrap_or(value).to_owned(),
    }
}

/// The value as it arrives in a message.
pub(crate) fn encoded(part: &str, chain: &[Encoding]) -> String {
    chain.iter().fold(part.to_owned(), |text, encoding| encoding.encode(&text))
}

fn redactor(values: &[&str]) -> Redactor {
    let values: Vec<_> = values.iter().map(|value| Sensitive::new((*value).to_owned())).collect();
    Redactor::new(&values)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn no_encoding_of_a_value_passes(
        value in values(),
        which in 0..5_usize,
        chain in encodings(),
        before in "[a-zA-Z0-9 .:,='{]{0,20}",
        after in "[a-zA-Z0-9 .:,='}]{0,20}",
    ) {
        let part = part_of(&value, which);
        prop_assume!(part.trim().len() >= MIN_LENGTH && !HIDDEN.contains(part.trim()));
        let redactor = redactor(&[&value]);
        let hidden = encoded(&part, &chain);
        let text = format!("{before}{hidden}{after}");
        let shown = redactor.hide(&text);
        prop_assert!(shown.contains(HIDDEN), "{:?} shows {:?}", text, shown);
        let core = encoded(part.trim(), &chain);
        prop_assert!(!shown.contains(&core), "{:?} shows {:?}", text, shown);
        prop_assert_eq!(redactor.hide(&shown), shown.clone(), "nothing is left to hide");
        // Without something larger around it, only its white space and padding are left of the value.
        let is_alone = !chain.iter().any(|encoding| match encoding {
            Encoding::Base64 { before, after, .. } => !before.is_empty() || !after.is_empty(),
            Encoding::Hex { before, .. } => !before.is_empty(),
            _ => false,
        });
        let white = part.len() - part.trim().len();
        let most = before.len() + after.len() + HIDDEN.len() + (2 + white) * 12 * (chain.len() + 1);
        prop_assert!(!is_alone || part.contains('\n') || shown.len() <= most, "{:?} shows {:?}", text, shown);
    }

    #[test]
    fn text_without_a_value_is_shown_as_it_is(value in "[!-~]{8,40}", text in "\\PC{0,300}") {
        prop_assume!(!text.contains(&value));
        prop_assert_eq!(redactor(&[&value]).hide(&text), text);
    }

    #[test]
    fn any_text_and_any_values_are_taken(values in prop::collection::vec(any::<String>(), 0..6), text in any::<String>()) {
        let values: Vec<_> = values.into_iter().map(Sensitive::new).collect();
        let redactor = Redactor::new(&values);
        let _ = (redactor.redact(&text), redactor.hide(&text), format!("{redactor:?}"));
    }

    #[test]
    fn a_value_that_the_text_cuts_off_is_hidden(value in "[a-z0-9]{12,30}", length in 4..12_usize, before in "[A-Z ]{0,9}") {
        let shown = redactor(&[&value]).hide(&format!("{before}{}", &value[..length]));
        prop_assert_eq!(shown, format!("{}{}", before, HIDDEN));
    }
}

#[test]
fn values_are_hidden_in_the_forms_that_were_seen_to_leak() {
    let redactor = redactor(&["hunter2-secret\n", "p&ss w/rd"]);
    for (text, shown) in [
        ("login with hunter2-secret failed", "login with [hidden] failed"),
        ("jdbc:mysql://db?password=p%26ss%20w%2Frd&x=1", "jdbc:mysql://db?password=[hidden]&x=1"),
        ("password=p%26ss+w%2frd", "password=[hidden]"),
        (r#"{"password": "p&ss w\/rd"}"#, r#"{"password": "[hidden]"}"#),
        (r"b'hunter2-secret\n'", "b'[hidden]'"),
        ("Authorization: Basic dXNlcjpodW50ZXIyLXNlY3JldA==", "Authorization: Basic dXNlcj[hidden]=="),
        (r"login with \x68unter2-secret", "login with [hidden]"),
        (r"login with \u{68}unter2\u{2d}secret", "login with [hidden]"),
        ("68:75:6e:74:65:72:32:2d:73:65:63:72:65:74 as bytes", "[hidden] as bytes"),
        ("hunter2-secrethunter2-secret", "[hidden]"),
        ("nothing of it", "nothing of it"),
    ] {
        assert_eq!(redactor.hide(text), shown, "{text}");
        assert_eq!(redactor.redact(text), shown, "{text}");
    }
}

#[test]
fn a_value_that_contains_another_is_hidden_as_a_whole() {
    assert_eq!(redactor(&["tr0ub", "tr0ub4dor"]).hide("tr0ub4dor, tr0ub, 4dor"), "[hidden], [hidden], 4dor");
}

#[test]
fn a_value_of_short_lines_is_hidden_as_a_whole() {
    assert_eq!(redactor(&[" ab\ncd\nef\n"]).hide("keys ab\ncd\nef, and ab"), "keys [hidden], and ab");
}

/// Digits on both sides of another character write no value together.
#[test]
fn no_value_spans_two_runs_of_digits() {
    let redactor = redactor(&["hunter2-secret", "abcd"]);
    let (first, second) = ("68756e746572", "322d736563726574");
    assert_eq!(redactor.hide(&format!("{first}{second}")), HIDDEN);
    let apart = format!("{first}!{second}");
    assert_eq!(redactor.hide(&apart), apart);
}

#[test]
fn a_long_text_is_cut_off() {
    assert_eq!(redactor(&["hunter2"]).hide(&"-".repeat(2 * MAX_TEXT)).len(), MAX_TEXT);
}

#[test]
fn a_text_is_withheld_where_a_value_is_too_short() {
    for (value, is_withheld) in [("abc", true), (" 7 \n", true), ("abcd", false), ("", false), (" \n", false)] {
        let shown = redactor(&[value]).redact("cannot read 7 of abc");
        assert_eq!(shown.contains("withheld"), is_withheld, "{value:?}: {shown}");
        assert!(!is_withheld || shown.contains("fewer than 4 bytes"), "{shown}");
    }
    assert_eq!(redactor(&["abc"]).redact(""), "");
    assert_eq!(redactor(&["abc"]).hide("no part of the request was secret"), "no part of the request was secret");
    let withheld = Redactor::default().withholding(Some(Withheld::OtherNamespace));
    assert!(withheld.redact("words").contains("another namespace"));
}

#[test]
fn debug_output_hides_the_values() {
    assert!(!format!("{:?}", redactor(&["hunter2"])).contains("hunter2"));
    assert_eq!(format!("{:?}", Sensitive::new("hunter2".to_owned())), "[hidden]");
}
