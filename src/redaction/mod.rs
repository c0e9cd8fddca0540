//! Removes secret values from text before anybody can read it: statuses, conditions, Events and logs.
//!
//! What AWS says may quote what it was given: a script prints its arguments, a driver its connection URL, and AWS the
//! request whose signature it refuses. On the way a value may be trimmed, split into its lines, or encoded for a URL, in
//! JSON or in Base64, also as a part of something larger. A [`Redactor`] knows the values; it decodes the text in every
//! one of these ways, and in several of them after each other, and hides the part of the text that a value was found in.
//!
//! | module | what it does |
//! |---|---|
//! | `sensitive` | a value that is never shown, and is overwritten in memory when it is dropped |
//! | `views` | the text as each chain of decoders reads it |
//!
//! Where it cannot be assured that a value is recognized, the text is withheld, and what is shown instead says why
//! ([`Withheld`]). A script that hides a value on purpose, such as letter by letter, is not recognized.

mod sensitive;
#[cfg(test)]
pub(crate) mod tests;
mod views;

use std::collections::HashMap;
use std::fmt;

pub use self::sensitive::Sensitive;
use self::views::View;

/// What stands in place of a value.
pub const HIDDEN: &str = "[hidden]";
/// The fewest bytes by which a value is recognized. A shorter one occurs in many ordinary words.
pub const MIN_LENGTH: usize = 4;
/// The most bytes of a text that are read; the rest is cut off. A status shows 1,024 characters.
const MAX_TEXT: usize = 8 * 1024;

/// Why a text is withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// A value is too short to be recognized.
    TooShort,
    /// The Secrets that the object names cannot be read.
    Unreadable,
    /// The values that the text may be about are not known: the Secrets have changed, or Glue does not show them.
    UnknownVersion,
    /// The run was started for another namespace, and the text may contain values of that namespace.
    OtherNamespace,
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Glue's message is withheld: ")?;
        match self {
            Self::TooShort => {
                write!(f, "a secret value of this object has fewer than {MIN_LENGTH} bytes, and cannot be recognized in it; what is no secret can stand in the spec itself")
            }
            Self::Unreadable => {
                f.write_str("it may contain values of the Secrets that this object names, and these cannot be read")
            }
            Self::UnknownVersion => f.write_str(
                "it may contain values of the Secrets that this object names, and the version that was used is not known any more",
            ),
            Self::OtherNamespace => f.write_str("the run was started for another namespace, and it may contain secret values of that namespace"),
        }
    }
}

/// Removes the values that it knows from texts.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Every form of every value that [`Self::search`] compares with the text, by its first bytes.
    forms: HashMap<[u8; MIN_LENGTH], Vec<Sensitive>>,
    /// The length of the shortest form.
    shortest: usize,
    withheld: Option<Withheld>,
}

impl Redactor {
    /// A redactor of these values. An empty value is none.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a Sensitive>) -> Self {
        let mut redactor = Self { shortest: usize::MAX, ..Self::default() };
        for value in values {
            redactor.add(value.expose());
        }
        redactor
    }

    /// The same, which withholds every text for this reason.
    #[must_use]
    pub fn withholding(self, withheld: Option<Withheld>) -> Self {
        Self { withheld: withheld.or(self.withheld), ..self }
    }

    /// Looks for a value as it is, without the white space around it, and for each of its lines.
    fn add(&mut self, value: &str) {
        let trimmed = value.trim();
        if (1..MIN_LENGTH).contains(&trimmed.len()) {
            self.withheld = self.withheld.or(Some(Withheld::TooShort));
        }
        let lines = trimmed.split(['\n', '\r']).map(str::trim);
        for form in lines.chain([trimmed, value]) {
            let Some(first) = form.as_bytes().first_chunk::<MIN_LENGTH>() else { continue };
            let forms = self.forms.entry(*first).or_default();
            if !forms.iter().any(|known| known.expose() == form) {
                self.shortest = self.shortest.min(form.len());
                forms.push(Sensitive::new(form.to_owned()));
            }
        }
    }

    /// Whether every text is withheld.
    #[must_use]
    pub fn withholds(&self) -> bool {
        self.withheld.is_some()
    }

    /// What may be shown of a text that may quote the values: the text without them, or why it is withheld.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        match self.withheld {
            Some(withheld) if !text.is_empty() => withheld.to_string(),
            _ => self.hide(text),
        }
    }

    /// The text without the values that can be recognized: for a text that was made without the values, such as the
    /// answer to a request that did not contain them.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        if self.forms.is_empty() {
            return text.to_owned();
        }
        let text = &text[..text.floor_char_boundary(MAX_TEXT)];
        let mut found = Vec::new();
        views::each(text, self.shortest, |view| self.search(view, &mut found));
        replace(text, found)
    }

    /// Adds the parts of the text in which `view` shows a value. A value whose end the text cuts off counts as well.
    fn search(&self, view: &View, found: &mut Vec<(usize, usize)>) {
        for at in 0..view.len() {
            let Some(first) = view.window::<MIN_LENGTH>(at) else { continue };
            for form in self.forms.get(&first).into_iter().flatten() {
                if let Some(part) = view.find(at, form.expose().as_bytes()) {
                    found.push(part);
                }
            }
        }
    }
}

/// The values are no part of it.
impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("withheld", &self.withheld).finish_non_exhaustive()
    }
}

/// The text with [`HIDDEN`] in place of each part. Parts that overlap or touch are one.
fn replace(text: &str, mut parts: Vec<(usize, usize)>) -> String {
    parts.sort_unstable();
    let (mut shown, mut end_of_last) = (String::with_capacity(text.len()), None);
    for (start, end) in parts {
        let (start, end) = (text.floor_char_boundary(start), text.ceil_char_boundary(end));
        match end_of_last {
            Some(last) if start <= last => {}
            last => {
                shown.push_str(&text[last.unwrap_or(0)..start]);
                shown.push_str(HIDDEN);
            }
        }
        end_of_last = end_of_last.max(Some(end));
    }
    shown.push_str(&text[end_of_last.unwrap_or(0)..]);
    shown
}
