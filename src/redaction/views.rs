//! A text as each chain of decoders reads it: escapes as in JSON, percent-encoding, Base64 and hexadecimal digits.
//!
//! Each byte of a view remembers which part of the text it was decoded from. The decoders look for what they know
//! anywhere in a view, at every alignment, and need no marks around it: a value may be a part of something that was
//! encoded as a whole.

use super::MIN_LENGTH;

/// The most decoders that are applied after each other.
const MAX_CHAIN: usize = 3;
/// The most decoders of one kind in a chain: a value that was encoded twice is recognized.
const MAX_SAME: usize = 2;

/// A byte, and the part of the text that it was decoded from. `None` stands for a gap, which no value spans.
#[derive(Clone, Copy, Debug)]
struct Unit {
    byte: Option<u8>,
    start: usize,
    end: usize,
}

/// A decoded text.
#[derive(Debug)]
pub(super) struct View {
    units: Vec<Unit>,
}

/// A way to decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decoder {
    /// Backslash escapes, as JSON and most programming languages write them.
    Escapes,
    /// `%41`; where `plus_is_space`, as HTML forms encode.
    Percent { plus_is_space: bool },
    /// Base64 with either alphabet, after so many characters of a run of its characters. White space within is skipped.
    Base64 { skip: usize },
    /// Pairs of hexadecimal digits, after so many digits of a run of them.
    Hex { skip: usize },
}

const DECODERS: [Decoder; 9] = [
    Decoder::Escapes,
    Decoder::Percent { plus_is_space: false },
    Decoder::Percent { plus_is_space: true },
    Decoder::Base64 { skip: 0 },
    Decoder::Base64 { skip: 1 },
    Decoder::Base64 { skip: 2 },
    Decoder::Base64 { skip: 3 },
    Decoder::Hex { skip: 0 },
    Decoder::Hex { skip: 1 },
];

/// Shows every view of the text in which a value of `shortest` bytes can be.
pub(super) fn each(text: &str, shortest: usize, mut show: impl FnMut(&View)) {
    let units = text.bytes().enumerate().map(|(at, byte)| Unit { byte: Some(byte), start: at, end: at + 1 });
    let view = View { units: units.collect() };
    show(&view);
    decode_on(&view, shortest, &mut Vec::new(), &mut show);
}

fn decode_on(view: &View, shortest: usize, chain: &mut Vec<Decoder>, show: &mut impl FnMut(&View)) {
    if chain.len() == MAX_CHAIN {
        return;
    }
    for decoder in DECODERS {
        let same = chain.iter().filter(|earlier| std::mem::discriminant(*earlier) == std::mem::discriminant(&decoder));
        if same.count() == MAX_SAME {
            continue;
        }
        if let Some(decoded) = decoder.decode(view, shortest) {
            show(&decoded);
            chain.push(decoder);
            decode_on(&decoded, shortest, chain, show);
            chain.pop();
        }
    }
}

impl View {
    pub(super) fn len(&self) -> usize {
        self.units.len()
    }

    /// The bytes from `at` on, if there are as many without a gap.
    pub(super) fn window<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        for (byte, unit) in bytes.iter_mut().zip(self.units.get(at..at + N)?) {
            *byte = unit.byte?;
        }
        Some(bytes)
    }

    /// The part of the text that shows `value` from `at` on. At the end of the text its beginning is enough.
    pub(super) fn find(&self, at: usize, value: &[u8]) -> Option<(usize, usize)> {
        let units = self.units.get(at..)?;
        let units = &units[..units.len().min(value.len())];
        let is_same = units.iter().zip(value).all(|(unit, byte)| unit.byte == Some(*byte));
        let part = units.first().zip(units.last()).map(|(first, last)| (first.start, last.end));
        part.filter(|_| is_same)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.units.get(at)?.byte
    }

    /// The number that hexadecimal digits from `at` on write.
    fn hex(&self, at: usize, digits: usize) -> Option<u32> {
        (at..at + digits).try_fold(0, |number, at| Some(number * 16 + char::from(self.byte(at)?).to_digit(16)?))
    }
}

impl Decoder {
    /// The decoded view; `None` where it has nothing that `view` has not.
    fn decode(self, view: &View, shortest: usize) -> Option<View> {
        match self {
            Self::Escapes => replace_sequences(view, b'\\', escape),
            Self::Percent { plus_is_space } => percent(view, plus_is_space),
            Self::Base64 { skip } => digits(view, 6, skip, shortest, base64_digit),
            Self::Hex { skip } => digits(view, 4, skip, shortest, hex_digit),
        }
    }
}

/// What a sequence at a place decodes to, and how many units it has.
type Sequence = (Vec<u8>, usize);

/// The view with each sequence that begins with `mark`, and that `decode` knows, replaced.
fn replace_sequences(view: &View, mark: u8, decode: fn(&View, usize) -> Option<Sequence>) -> Option<View> {
    let (mut units, mut at, mut has_changed) = (Vec::with_capacity(view.len()), 0, false);
    while let Some(unit) = view.units.get(at) {
        if let Some((bytes, length)) = (unit.byte == Some(mark)).then(|| decode(view, at)).flatten() {
            let (start, end) = (unit.start, view.units[at + length - 1].end);
            units.extend(bytes.into_iter().map(|byte| Unit { byte: Some(byte), start, end }));
            (at, has_changed) = (at + length, true);
        } else {
            units.push(*unit);
            at += 1;
        }
    }
    has_changed.then_some(View { units })
}

fn escape(view: &View, at: usize) -> Option<Sequence> {
    let simple = |byte| Some((vec![byte], 2));
    match view.byte(at + 1)? {
        b'n' => simple(b'\n'),
        b'r' => simple(b'\r'),
        b't' => simple(b'\t'),
        b'b' => simple(8),
        b'f' => simple(12),
        byte @ (b'"' | b'\'' | b'\\' | b'/' | b'`' | b'$') => simple(byte),
        b'x' => Some((vec![u8::try_from(view.hex(at + 2, 2)?).ok()?], 4)),
        b'u' if view.byte(at + 2) == Some(b'{') => {
            let digits = (1..=6).find(|digits| view.byte(at + 3 + digits) == Some(b'}'))?;
            Some((utf8(view.hex(at + 3, digits)?)?, digits + 4))
        }
        b'u' => {
            let unit = view.hex(at + 2, 4)?;
            let is_pair =
                (0xd800..0xdc00).contains(&unit) && view.byte(at + 6) == Some(b'\\') && view.byte(at + 7) == Some(b'u');
            let low = if is_pair { view.hex(at + 8, 4).filter(|low| (0xdc00..0xe000).contains(low)) } else { None };
            match low {
                Some(low) => Some((utf8(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00))?, 12)),
                None => Some((utf8(unit)?, 6)),
            }
        }
        _ => None,
    }
}

fn utf8(code_point: u32) -> Option<Vec<u8>> {
    Some(char::from_u32(code_point)?.to_string().into_bytes())
}

fn percent(view: &View, plus_is_space: bool) -> Option<View> {
    let decode = |view: &View| {
        replace_sequences(view, b'%', |view, at| Some((vec![u8::try_from(view.hex(at + 1, 2)?).ok()?], 3)))
    };
    if !plus_is_space {
        return decode(view);
    }
    if !view.units.iter().any(|unit| unit.byte == Some(b'+')) {
        return None;
    }
    let space = |unit: &Unit| Unit { byte: unit.byte.map(|byte| if byte == b'+' { b' ' } else { byte }), ..*unit };
    let spaced = View { units: view.units.iter().map(space).collect() };
    Some(decode(&spaced).unwrap_or(spaced))
}

/// What a byte is among digits.
enum Digit {
    Value(u8),
    /// White space between digits.
    Skipped,
    /// The end of a run of digits.
    Other,
}

fn base64_digit(byte: u8) -> Digit {
    match byte {
        b'A'..=b'Z' => Digit::Value(byte - b'A'),
        b'a'..=b'z' => Digit::Value(byte - b'a' + 26),
        b'0'..=b'9' => Digit::Value(byte - b'0' + 52),
        b'+' | b'-' => Digit::Value(62),
        b'/' | b'_' => Digit::Value(63),
        b' ' | b'\t' | b'\r' | b'\n' => Digit::Skipped,
        _ => Digit::Other,
    }
}

fn hex_digit(byte: u8) -> Digit {
    match char::from(byte).to_digit(16).map(u8::try_from) {
        Some(Ok(digit)) => Digit::Value(digit),
        _ if matches!(byte, b' ' | b':' | b'\t' | b'\r' | b'\n') => Digit::Skipped,
        _ => Digit::Other,
    }
}

/// The bytes that the runs of digits of so many `bits` write, each run after `skip` digits. Runs of fewer than `shortest`
/// bytes are left out.
fn digits(view: &View, bits: u32, skip: usize, shortest: usize, digit: fn(u8) -> Digit) -> Option<View> {
    let gap = Unit { byte: None, start: 0, end: 0 };
    let mut units: Vec<Unit> = Vec::new();
    // Where the run's bytes begin, its digits so far, and the bits that no byte has yet, with the first part they are from.
    let (mut begin, mut seen, mut pending, mut count, mut from) = (0, 0, 0_u32, 0, 0);
    for unit in &view.units {
        match unit.byte.map_or(Digit::Other, digit) {
            Digit::Skipped => {}
            Digit::Value(value) => {
                seen += 1;
                if seen <= skip {
                    continue;
                }
                if count == 0 {
                    from = unit.start;
                }
                pending = pending << bits | u32::from(value);
                count += bits;
                if count >= 8 {
                    count -= 8;
                    let byte = u8::try_from(pending >> count & 0xff).ok();
                    units.push(Unit { byte, start: from, end: unit.end });
                    pending &= (1 << count) - 1;
                    from = unit.start;
                }
            }
            Digit::Other => {
                if units.len() - begin < shortest {
                    units.truncate(begin);
                } else {
                    units.push(gap);
                }
                (begin, seen, pending, count) = (units.len(), 0, 0, 0);
            }
        }
    }
    // The last run may be cut off by the end of the text.
    if units.len() - begin < MIN_LENGTH {
        units.truncate(begin);
    }
    (!units.is_empty()).then_some(View { units })
}
