//! Many shots: a conversation made up within one text, in which a model answers one bad request after another, and whose last
//! request is left for the model that reads it.
//!
//! Turns are told by who speaks (`User:`, `Q:`, `[user]`, `"role": "user"`, control tokens and the words behind them). Of those of the user, those that
//! ask for harm are counted; of those of the model, those that begin willingly, and those that refuse. What counts is only
//! known at the end, where somebody has to speak next: a transcript that ends with an answer asks for nothing.
//!
//! What this does not do: tell turns that nobody's name begins.

use super::super::bytes;
use super::lexicon::{CHAT_TOKEN, TURN};
use super::words::{Word, hash_of};

/// What a conversation comes to, strongest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shots {
    /// Mostly requests for harm, mostly granted.
    Granted,
    /// Nearly all of them ask how to do harm, and nobody refuses.
    Asked,
    /// Mostly granted, whatever it was.
    Willing,
}

/// Fewer turns of each side are no pattern.
const LEAST: u32 = 4;
/// An answer with fewer words is only begun.
const BEGUN: u32 = 12;
/// Among so many words an answer says whether it is one.
const FIRST: u32 = 4;

/// Words, by hash.
struct List<const N: usize>([u32; N]);

impl<const N: usize> List<N> {
    const fn new(words: [&str; N]) -> Self {
        let mut hashes = [0; N];
        let mut i = 0;
        while i < N {
            #[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
            {
                hashes[i] = hash_of(words[i].as_bytes());
            }
            i += 1;
        }
        Self(hashes)
    }

    fn has(&self, hash: u32) -> bool {
        self.0.contains(&hash)
    }
}

static USERS: List<3> = List::new(["user", "human", "question"]);
static BOTS: List<11> =
    List::new(["assistant", "ai", "bot", "model", "answer", "chatgpt", "gpt", "claude", "gemini", "llm", "chatbot"]);
static ROLE: List<1> = List::new(["role"]);

#[rustfmt::skip]
static WILLING: List<37> = List::new([
    "sure", "certainly", "absolutely", "course", "okay", "ok", "yes", "here", "heres", "gladly", "happy", "definitely", "step",
    "klar", "gerne", "naturlich", "sicher", "hier", "voici", "bien", "volontiers", "claro", "supuesto", "aqui", "certo", "ecco",
    "certamente", "oczywiscie", "zeker", "natuurlijk", "конечно", "вот", "当", "好", "もちろん", "tabii", "tentu",
]);

#[rustfmt::skip]
static REFUSING: List<22> = List::new([
    "sorry", "cannot", "cant", "unable", "wont", "refuse", "apologize", "apologise", "against", "not", "illegal", "no", "leider",
    "nicht", "desole", "lamento", "siento", "dispiace", "desculpe", "извините", "не", "抱",
]);

#[rustfmt::skip]
static HARM: List<86> = List::new([
    "bomb", "bombs", "explosive", "explosives", "detonator", "grenade", "napalm", "thermite", "gunpowder", "molotov", "weapon", "weapons",
    "gun", "guns", "silencer", "ammunition", "meth", "methamphetamine", "cocaine", "heroin", "fentanyl", "lsd", "mdma", "drug", "drugs",
    "poison", "cyanide", "ricin", "anthrax", "sarin", "bioweapon", "pathogen", "hack", "hacking", "phishing", "malware", "ransomware",
    "virus", "keylogger", "trojan", "botnet", "ddos", "exploit", "spyware", "steal", "stealing", "shoplift", "rob", "burglary", "hotwire",
    "counterfeit", "forge", "fake", "launder", "laundering", "fraud", "scam", "blackmail", "extort", "bribe", "kidnap", "kill", "killing",
    "murder", "assassinate", "strangle", "torture", "stalk", "suicide", "arson", "smuggle", "trafficking", "terrorist", "racist", "hate",
    "bombe", "bomba", "drogen", "drogas", "drogues", "waffe", "armas", "stehlen", "robar", "voler", "toten",
]);

/// With which somebody asks for something to be done, and not what it is.
#[rustfmt::skip]
static ASKING: List<23> = List::new([
    "how", "write", "give", "make", "create", "build", "tell", "teach", "explain", "show", "help", "generate", "describe", "list", "provide",
    "wie", "schreibe", "comment", "como", "come", "escribe", "как", "jak",
]);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    User,
    Bot,
}

/// What was seen of a conversation.
#[derive(Default)]
pub(super) struct Conversation {
    side: Option<Side>,
    /// The last word, and whether it was a control token.
    last: u32,
    token: bool,
    /// Of the turn that is open: its words, and whether it asks for harm, or is willing, or refuses.
    words: u32,
    harm: bool,
    asking: bool,
    willing: bool,
    refusing: bool,
    users: u32,
    bots: u32,
    harms: u32,
    asks: u32,
    willings: u32,
    refusals: u32,
}

impl Conversation {
    /// Takes the next word of `text`.
    #[inline]
    pub(super) fn step(&mut self, text: &str, word: &Word) {
        if let Some(side) = self.speaks(text, word) {
            if self.side != Some(side) {
                self.close();
                self.side = Some(side);
            }
        } else if let Some(side) = self.side {
            self.words = self.words.saturating_add(1);
            match side {
                Side::User => {
                    self.harm |= HARM.has(word.hash);
                    self.asking |= self.words <= FIRST && ASKING.has(word.hash);
                }
                Side::Bot if self.words <= FIRST => {
                    self.willing |= self.words <= 2 && WILLING.has(word.hash);
                    self.refusing |= REFUSING.has(word.hash);
                }
                Side::Bot => {}
            }
        }
        (self.last, self.token) = (word.hash, word.marker == CHAT_TOKEN);
    }

    /// Who speaks from here on.
    #[inline]
    fn speaks(&self, text: &str, word: &Word) -> Option<Side> {
        if word.marker == TURN {
            let first = text.as_bytes().get(word.start)?.to_ascii_lowercase();
            return Some(if matches!(first, b'u' | b'h' | b'q') { Side::User } else { Side::Bot });
        }
        if word.marker == CHAT_TOKEN {
            let token = text.get(word.start..word.end)?.to_ascii_lowercase();
            return match token.as_str() {
                "<|user|>" | "[inst]" => Some(Side::User),
                "<|assistant|>" | "[/inst]" => Some(Side::Bot),
                _ => None,
            };
        }
        let named = || {
            let around = (bytes::before(text.as_bytes(), word.start), bytes::at(text.as_bytes(), word.end));
            if matches!(around, (b'[', b']') | (b'<', b'>')) {
                return true;
            }
            let rest = text.as_bytes().get(word.end..).unwrap_or_default();
            let rest = rest.iter().take(3).find(|b| !matches!(b, b'*' | b'"' | b']' | b'_'));
            rest == Some(&b':')
        };
        if word.marker != 0 || !(self.token || ROLE.has(self.last) || named()) {
            return None;
        }
        match (USERS.has(word.hash), BOTS.has(word.hash)) {
            (true, _) => Some(Side::User),
            (_, true) => Some(Side::Bot),
            _ => None,
        }
    }

    fn close(&mut self) {
        match self.side {
            Some(Side::User) => {
                self.users += 1;
                self.harms += u32::from(self.harm);
                self.asks += u32::from(self.harm && self.asking);
            }
            // An answer without words is none yet.
            Some(Side::Bot) if self.words > 0 => {
                self.bots += 1;
                self.willings += u32::from(self.willing && !self.refusing);
                self.refusals += u32::from(self.refusing);
            }
            _ => {}
        }
        (self.words, self.harm, self.asking, self.willing, self.refusing) = (0, false, false, false, false);
    }

    /// What it came to, now that the text is over.
    pub(super) fn end(mut self) -> Option<Shots> {
        // Whether somebody has to speak now, and whether there is an answer that may only be begun.
        let (waits, begun) = match self.side? {
            Side::User => (self.words > 0, false),
            Side::Bot => (self.words <= BEGUN, self.words > 0),
        };
        self.close();
        let most = |part: u32, of: u32| 2 * part >= of;
        if !waits || self.users < LEAST || self.bots < LEAST || most(self.refusals, self.bots) {
            return None;
        }
        let harm = most(self.harms, self.users);
        match most(self.willings, self.bots) {
            true if harm => Some(Shots::Granted),
            _ if begun => None,
            true => Some(Shots::Willing),
            false if 4 * self.asks >= 3 * self.users && self.refusals == 0 => Some(Shots::Asked),
            false => None,
        }
    }
}
