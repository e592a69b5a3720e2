//! Where a secret may be open, or a match of a pattern that starts with literal text: a part of an anchor at the end
//! of the text, an anchor whose value goes on, and what stands before the anchor in the few formats that have
//! something there.

use super::super::bytes::{self, ALNUM, DIGIT};
use super::super::pattern::Patterns;
use super::super::secrets::assign;
use super::super::secrets::reach::{Row, SCHEME, rows};
use super::super::types::Type;
use super::super::{Selection, secrets};
use super::shape::Shape;
use super::step::{NONE, Over, Step, shift};
use super::trie::{Literal, Trie};

/// The id of `https://`, before which a webhook's URL does not start; those of patterns follow.
const URL: u16 = secrets::COUNT as u16;
/// The bit of all patterns with a literal start; built-in kinds share the others.
const PATTERNS: u64 = 1 << 63;

/// So many searches behind names are told apart.
const SEARCHES: usize = 8;
/// The most that a value has before its anchor.
const BEFORE: usize = SCHEME;

/// What is watched for, compiled.
#[derive(Default)]
pub(in super::super) struct Watch {
    rows: Vec<Row>,
    exact: Trie,
    folded: Trie,
}

impl Watch {
    pub(in super::super) fn new(patterns: &Patterns) -> Self {
        let rows = rows();
        let literals = |exact: bool| {
            let secrets = rows.iter().zip(0u16..).filter(move |(row, _)| row.exact == exact).flat_map(|(row, id)| {
                row.anchors.iter().map(move |text| Literal {
                    text,
                    id,
                    // A word of a name is none of the value: it need not wait.
                    bit: if row.named { 0 } else { bit(row.kind) },
                    starts_word: row.starts_word(),
                })
            });
            let urls = ["https://", "http://"].into_iter().filter(move |_| exact).map(|text| Literal {
                text,
                id: URL,
                bit: WEBHOOKS,
                starts_word: false,
            });
            let own =
                patterns.literals().filter(move |(literal, _)| literal.folded != exact).map(|(literal, index)| {
                    Literal { text: &literal.text, id: URL + 1 + index, bit: PATTERNS, starts_word: literal.bounded }
                });
            secrets.chain(urls).chain(own)
        };
        let (exact, folded) = (Trie::new(literals(true), false), Trie::new(literals(false), true));
        Self { rows, exact, folded }
    }
}

/// The bit under which literals of a kind are watched for. Kinds that share one hold text a moment longer for each other.
const fn bit(kind: Type) -> u64 {
    1 << (kind as u16 % 63)
}

const WEBHOOKS: u64 = bit(Type::SlackWebhook) | bit(Type::DiscordWebhook) | bit(Type::MicrosoftTeamsWebhook);

/// The bits of the kinds of a selection that are watched for here.
pub(super) fn kinds(selection: &Selection, patterns: &Patterns) -> u64 {
    let built_in = (Type::PrivateKey.id().index()..=super::super::types::LAST.id().index())
        .filter(|index| selection.contains(super::super::KindId(*index as u16)))
        .fold(0, |bits, index| bits | 1 << (index % 63));
    let codes = if selection.contains(Type::SwiftBic.id()) { bit(Type::SwiftBic) } else { 0 };
    let built_in = built_in | codes;
    let own = patterns.literals().any(|(_, index)| patterns.is_selected(usize::from(index), selection));
    if own { built_in | PATTERNS } else { built_in }
}

/// An anchor whose value may go on.
struct Open {
    id: u16,
    start: usize,
    /// Where the anchor ends.
    end: usize,
    /// Where the last anchor of the same row starts: a value may start there too.
    last: usize,
    /// Where a search behind a name starts.
    from: Option<usize>,
}

#[derive(Default)]
pub(super) struct Tokens {
    exact: u32,
    folded: u32,
    pending: usize,
    open: Vec<Open>,
    /// Where `https://` stands, while its host goes on, and where that starts.
    url: Option<(usize, usize)>,
    short: Short,
    bot: Bot,
    given: Given,
}

impl Tokens {
    pub(super) fn step(
        &mut self,
        step: &Step<'_>,
        watch: &Watch,
        (kinds, selection, patterns): (u64, &Selection, &Patterns),
        over: &mut Over,
    ) {
        self.open.retain_mut(|open| {
            let goes_on = open.goes_on(step, watch, patterns);
            if !goes_on && open.is_long_enough(step, watch, patterns) {
                over.mark(step.at);
            }
            goes_on
        });
        self.given.step(step, over);
        if selection.contains(Type::AzureClientSecret.id()) {
            self.short.step(step);
        }
        let bot = if selection.contains(Type::TelegramBotToken.id()) { self.bot.step(step) } else { None };
        for byte in step.bytes.get(step.at..step.end).unwrap_or_default() {
            self.exact = watch.exact.next(self.exact, *byte);
            self.folded = watch.folded.next(self.folded, *byte);
        }
        for (trie, state) in [(&watch.exact, self.exact), (&watch.folded, self.folded)] {
            for id in trie.ended(state) {
                self.start(*id, step, watch, (kinds, selection, patterns), bot);
            }
        }
        let word = |length: usize| step.word_at(step.end.saturating_sub(length));
        let pending = |kinds: u64| {
            let exact = watch.exact.pending(self.exact, kinds, word);
            exact.max(watch.folded.pending(self.folded, kinds, word))
        };
        self.pending = pending(kinds);
        if let Some((start, from)) = self.url {
            let host = step.end == from || ALNUM.contains(step.byte) || matches!(step.byte, b'.' | b'-');
            if !(host && step.end - start <= SCHEME) && pending(kinds & WEBHOOKS) == 0 {
                self.url = None;
            }
        }
    }

    fn start(
        &mut self,
        id: u16,
        step: &Step<'_>,
        watch: &Watch,
        (kinds, selection, patterns): (u64, &Selection, &Patterns),
        bot: Option<usize>,
    ) {
        let length = |anchors: &[&str]| {
            anchors.iter().map(|a| a.len()).find(|length| {
                let tail = step.end.checked_sub(*length).and_then(|at| step.bytes.get(at..)).unwrap_or_default();
                anchors.iter().any(|a| a.as_bytes().eq_ignore_ascii_case(tail))
            })
        };
        let (start, row_start) = match watch.rows.get(usize::from(id)) {
            Some(row) => {
                let Some(at) = length(row.anchors).map(|l| step.end - l) else { return };
                if !selection.contains(row.kind.id()) || row.most == 0 || !row.opens(step.bytes, at) {
                    return;
                }
                if row.named {
                    self.given.armed = Some(step.end);
                    return;
                }
                match row.kind {
                    Type::AzureClientSecret => (at.saturating_sub(3), at),
                    Type::TelegramBotToken => match bot {
                        Some(start) => (start, at),
                        None => return,
                    },
                    _ if row.is_url() => (self.url.map_or(at, |(start, _)| start), at),
                    _ => (at, at),
                }
            }
            None if id == URL => {
                let length = length(&["https://", "http://"]).unwrap_or(0);
                if kinds & WEBHOOKS != 0 {
                    self.url = Some((step.end - length, step.end));
                }
                return;
            }
            None => {
                let index = usize::from(id - URL - 1);
                let Some(literal) = patterns.literal(index).filter(|_| patterns.is_selected(index, selection)) else {
                    return;
                };
                let at = step.end - literal.text.len();
                if literal.bounded && bytes::WORD.contains(bytes::before(step.bytes, at)) {
                    return;
                }
                (at, at)
            }
        };
        // One per row: within a value its own anchors only tell how far it may go. A search behind a name is not
        // ended by the next one's.
        let search = watch.rows.get(usize::from(id)).is_some_and(|row| row.is_search());
        let most = if search { SEARCHES } else { 1 };
        let mut same = self.open.iter_mut().filter(|open| open.id == id);
        if let Some(open) = same.nth(most - 1) {
            (open.last, open.end, open.from) = (row_start, step.end, None);
        } else {
            self.open.push(Open { id, start, end: step.end, last: row_start, from: None });
        }
    }

    pub(super) fn open(&self, end: usize) -> usize {
        let open = self.open.iter().map(|open| open.start).min().unwrap_or(NONE);
        self.others(end).min(open).min(self.given.open.map_or(NONE, |(start, _)| start))
    }

    /// The same, but where a value that is open may start at the earliest.
    pub(super) fn recent(&self, end: usize, watch: &Watch, patterns: &Patterns) -> usize {
        let recent = |open: &Open| {
            let most = match watch.rows.get(usize::from(open.id)) {
                Some(row) => row.most + BEFORE,
                None => patterns.shape(usize::from(open.id - URL - 1)).map_or(0, |shape| shape.most) + 1,
            };
            open.start.max(end.saturating_sub(most))
        };
        self.others(end).min(self.open.iter().map(recent).min().unwrap_or(NONE)).min(self.given.recent(end))
    }

    fn others(&self, end: usize) -> usize {
        let pending = if self.pending > 0 { end - self.pending } else { NONE };
        [self.url.map(|(start, _)| start), self.short.start, self.bot.start]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(NONE)
            .min(pending)
    }

    pub(super) fn shift(&mut self, by: usize) {
        for open in &mut self.open {
            for place in [&mut open.start, &mut open.end, &mut open.last] {
                *place = place.saturating_sub(by);
            }
            shift(&mut open.from, by);
        }
        self.given.shift(by);
        shift(&mut self.short.start, by);
        shift(&mut self.bot.start, by);
        if let Some((start, from)) = &mut self.url {
            (*start, *from) = (start.saturating_sub(by), from.saturating_sub(by));
        }
    }
}

impl Open {
    fn goes_on(&mut self, step: &Step<'_>, watch: &Watch, patterns: &Patterns) -> bool {
        match watch.rows.get(usize::from(self.id)) {
            Some(row) => {
                // It reaches from its last anchor on, however far the first is.
                row.goes_on(step.bytes, self.last, self.end, step.at, &mut self.from)
            }
            None => {
                let shape = patterns.shape(usize::from(self.id - URL - 1));
                shape.is_some_and(|shape| shape.all.contains(step.byte) && step.at - self.last < shape.most)
            }
        }
    }

    fn is_long_enough(&self, step: &Step<'_>, watch: &Watch, patterns: &Patterns) -> bool {
        let least = match watch.rows.get(usize::from(self.id)) {
            Some(row) => row.least,
            None => patterns.shape(usize::from(self.id - URL - 1)).map_or(0, |shape: &Shape| shape.least),
        };
        step.at - self.start >= least
    }
}

/// The value that a name is given: it is held from where it starts, not from the name on.
#[derive(Default)]
struct Given {
    /// Where the last word of a name ends.
    armed: Option<usize>,
    /// Where a value starts that goes on, and where another one may start within it.
    open: Option<(usize, usize)>,
}

impl Given {
    fn step(&mut self, step: &Step<'_>, over: &mut Over) {
        let of_value = assign::VALUE.contains(step.byte);
        if let Some((start, last)) = self.open
            && !(of_value && step.at - last < assign::MAX)
        {
            if step.at - start >= assign::MIN.min(assign::MIN_OPTION) {
                over.mark(step.at);
            }
            self.open = None;
        }
        let Some(armed) = self.armed else { return };
        if step.at.saturating_sub(armed) > assign::ARMED {
            self.armed = None;
        } else if of_value && assign::may_start(step.bytes, step.at) {
            self.open = Some((self.open.map_or(step.at, |(start, _)| start), step.at));
        }
    }

    fn recent(&self, end: usize) -> usize {
        self.open.map_or(NONE, |(start, _)| start.max(end.saturating_sub(assign::MAX)))
    }

    fn shift(&mut self, by: usize) {
        shift(&mut self.armed, by);
        if let Some((start, last)) = &mut self.open {
            (*start, *last) = (start.saturating_sub(by), last.saturating_sub(by));
        }
    }
}

/// Three characters before an Azure client secret's digit: the first of what no other character of its kind precedes.
#[derive(Default)]
struct Short {
    start: Option<usize>,
    length: usize,
}

impl Short {
    fn step(&mut self, step: &Step<'_>) {
        let of_head = ALNUM.contains(step.byte) || matches!(step.byte, b'_' | b'~' | b'.');
        if !of_head {
            // A multi-byte character or `-` before is no edge; that costs a moment's wait.
            (self.start, self.length) = (None, 0);
            return;
        }
        if self.length == 0 {
            self.start = Some(step.at);
        }
        self.length += 1;
        let fits = match self.length {
            1..=3 => true,
            4 => step.byte.is_ascii_digit(),
            5 => step.byte == b'Q',
            _ => false,
        };
        if !fits {
            self.start = None;
        }
    }
}

/// The digits before a Telegram token's `:AA`.
#[derive(Default)]
struct Bot {
    start: Option<usize>,
    digits: usize,
    /// How much of `:AA` there is.
    sign: usize,
}

impl Bot {
    /// Where the digits start, when the sign is complete.
    fn step(&mut self, step: &Step<'_>) -> Option<usize> {
        let sign = self.sign;
        self.sign = 0;
        if DIGIT.contains(step.byte) {
            if sign > 0 {
                (self.start, self.digits) = (None, 0);
            }
            if self.digits == 0 {
                let named = step.bytes.get(..step.at).unwrap_or_default().ends_with(b"bot");
                self.start = Some(step.at).filter(|at| named || step.word_at(*at));
            }
            self.digits += 1;
            if self.digits > 12 {
                self.start = None;
            }
            return None;
        }
        let goes_on = match (sign, step.byte) {
            (0, b':') => (8..=12).contains(&self.digits),
            (1 | 2, b'A') => true,
            _ => false,
        };
        if !goes_on {
            (self.start, self.digits) = (None, 0);
            return None;
        }
        self.sign = sign + 1;
        if self.sign < 3 {
            return None;
        }
        (self.sign, self.digits) = (0, 0);
        self.start.take()
    }
}
