//! Names of people, where a title or a label announces one.
//!
//! What is read is one to four capitalised words, with initials and particles (`van`, `de`, `al`) between. A title or a label
//! that stands before people only (`patient:`, `Mrs.`) needs no more; one that may stand before anything (`name:`) needs a
//! given name that is known.

use super::super::Candidate;
use super::super::context::{Words, words};
use super::super::types::Type;
use super::Label;
use super::reader::{Reader, list};
use super::separator::Strength;

list!(
    PARTICLES,
    "de da do dos das del della di la le van von der den ten ter zu zum bin ibn al el y e bint abu st af av"
);

list!(ENGLISH, "mr mrs ms miss mx dr prof professor rev reverend");
list!(SHOUTED, "mr mrs herr frau");

// Capitalised words that are no names.
list!(
    STOP,
    "the this that these those there then when where what who why how if in on at by to from for with and or but not no \
     yes is are was were be been i you he she it we they my your his her its our their a an as of all any some none null \
     true false undefined string text name names value type user test example sample unknown anonymous n na tbd todo \
     please dear hello hi thanks thank speaker president minister chairman chair secretary governor mayor judge justice \
     house senate class method function object list array table model data file files server client service project \
     product products company organization department team group inc llc ltd gmbh corp co university school college \
     hospital bank street road avenue city country state new set get create install run build check update use add remove start stop \
     first last full middle john_doe date time number id address email phone page title subject description status \
     right wrong left end begin note notes here now today monday tuesday wednesday thursday friday saturday sunday \
     january february march april june july august september october november december mr mrs ms miss dr prof \
     engineer manager software developer director analyst consultant vice product designer scientist architect executive \
     representative officer administrator goes platform network system"
);

// What stands before a title where somebody is spoken to or of as a customer is, and not as in the news.
static CUES: Words = words!(
    "dear hello hi hey contact attn attention patient client customer employee candidate applicant tenant to from call \
     ask tell email see regarding re cc geehrter geehrte cher chere estimado estimada"
);

list!(
    GIVEN,
    "james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony mark donald steven \
     paul andrew joshua kenneth kevin brian george timothy ronald edward jason jeffrey ryan jacob gary nicholas eric jonathan \
     stephen larry justin scott brandon benjamin samuel gregory alexander frank patrick raymond jack dennis jerry tyler aaron \
     jose adam nathan henry douglas zachary peter kyle noah ethan jeremy walter christian keith roger terry austin sean gerald \
     carl harold dylan arthur lawrence jordan jesse bryan billy bruce gabriel joe logan alan juan albert willie elijah wayne randy \
     vincent mason roy ralph bobby russell bradley philip eugene mary patricia jennifer linda elizabeth barbara susan jessica \
     sarah karen lisa nancy betty margaret sandra ashley kimberly emily donna michelle carol amanda melissa deborah stephanie \
     rebecca sharon laura cynthia dorothy amy kathleen angela shirley emma brenda pamela nicole anna samantha katherine christine \
     debra rachel carolyn janet maria olivia heather helen catherine diane julie victoria joyce lauren kelly christina ruth joan \
     virginia judith evelyn hannah andrea megan cheryl jacqueline madison teresa abigail sophia martha sara gloria janice kathryn \
     ann isabella judy charlotte julia grace amber alice jean denise frances danielle marilyn natalie beverly diana brittany \
     theresa kayla alexis doris lori tiffany jane jill kate lucy chloe ella mia ava amelia lily hans peter klaus juergen jurgen wolfgang \
     andreas stefan thorsten markus matthias uwe bernd juliane sabine petra monika ursula renate heike birgit katrin anja \
     julian lukas leon finn felix maximilian jonas moritz franz fritz greta lena lea johanna jean pierre jacques michel \
     philippe nicolas francois laurent antoine julien camille chloe manon marie sophie isabelle nathalie sylvie celine \
     claire elise luc henri louis hugo mateo carlos luis jorge miguel pedro antonio manuel francisco javier alejandro diego \
     pablo sergio fernando rafael carmen ana lucia elena isabel rosa pilar marta cristina beatriz giovanni giuseppe marco \
     luca matteo andrea alessandro francesco paolo giulia chiara francesca valentina sofia joao paulo pedro tiago rui ines \
     mariana jan piotr krzysztof tomasz pawel marcin agnieszka katarzyna ewa magdalena joanna barbora jana petr pavel lars \
     erik anders sven nils bjorn karin ingrid astrid kari ole mikko juha matti ivan dmitri sergei vladimir olga natalia \
     tatiana svetlana irina ekaterina mohammed muhammad mohamed ahmed ali hassan hussein omar fatima aisha khadija yusuf \
     ibrahim mustafa mehmet ayse fatma emre rahul priya amit anita sanjay rajesh sunita deepak neha vijay ravi arjun ananya \
     suresh lakshmi wei li ming hiroshi kenji yuki takashi haruka sakura minjun jiwoo nguyen thi chidi ngozi kwame amina \
     liam oliver aiden ebony jamal keisha tyrone deshawn maya naomi leah esther miriam rachel isaac abraham"
);

/// What announces a name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// `Mr`, `Frau`
    Title,
    /// A label that stands before people only: `patient`.
    Person,
    /// `first name`
    Part,
    /// One that may stand before anything: `name`.
    Anything,
    /// `my name is`
    Own,
}

pub(super) fn title(r: &Reader<'_>, label: &Label<'_>) -> Option<Candidate> {
    read(r, label, By::Title)
}

pub(super) fn person(r: &Reader<'_>, label: &Label<'_>) -> Option<Candidate> {
    read(r, label, By::Person)
}

pub(super) fn part(r: &Reader<'_>, label: &Label<'_>) -> Option<Candidate> {
    read(r, label, By::Part)
}

pub(super) fn anything(r: &Reader<'_>, label: &Label<'_>) -> Option<Candidate> {
    read(r, label, By::Anything)
}

pub(super) fn own(r: &Reader<'_>, label: &Label<'_>) -> Option<Candidate> {
    read(r, label, By::Own)
}

fn read(r: &Reader<'_>, label: &Label<'_>, by: By) -> Option<Candidate> {
    let start = label.at();
    if by == By::Title {
        // `Mr Smith`, `Mr. Smith`: nothing else stands between.
        let between = r.slice(label.last.end, start);
        let shouted = label.first.capitals && !SHOUTED.has(label.first.hash);
        if !label.first.capital || shouted || !matches!(between, b" " | b". " | b".") {
            return None;
        }
    }
    let name = name(r, start, by == By::Title)?;
    if label.separator.quote != 0 && r.at(name.end) != label.separator.quote && r.at(name.end) != b'\\' {
        // The quoted text is more than a name.
        return None;
    }
    let score = match by {
        By::Title if name.initial => return None,
        By::Title if !ENGLISH.has(label.first.hash) && !explained(r, name.end) => 0.6,
        By::Title if CUES.before(r.bytes(), label.first.start, 12).is_some_and(|d| d <= 2) => 0.6,
        // What the news and stories are full of: the family name alone, and somebody who is then explained.
        By::Title if name.words < 2 || explained(r, name.end) => 0.45,
        By::Title => 0.55,
        By::Own if !name.initial => 0.75,
        By::Person if name.words >= 2 => 0.75,
        By::Part if !name.initial && label.separator.strength == Strength::Sign => 0.6,
        By::Anything if name.words >= 2 && GIVEN.has(name.first) => 0.7,
        _ => return None,
    };
    Some(Candidate { kind: Type::Person, start, end: name.end, score, checked: false, test_value: false })
}

/// `, a writer`, ` (born`
fn explained(r: &Reader<'_>, at: usize) -> bool {
    match r.at(at) {
        b',' => r.at(at + 1) == b' ' && r.at(at + 2).is_ascii_lowercase(),
        b' ' => r.at(at + 1) == b'(',
        _ => false,
    }
}

struct Name {
    end: usize,
    /// Words of two letters or more.
    words: usize,
    /// Of the first word.
    first: u32,
    /// It is only initials.
    initial: bool,
}

/// The name at `at`.
fn name(r: &Reader<'_>, at: usize, particles: bool) -> Option<Name> {
    let (mut name, mut next) = (Name { end: at, words: 0, first: 0, initial: true }, at);
    for _ in 0..6 {
        let Some(part) = part_of_name(r, next) else { break };
        if STOP.has(part.hash) || part.letters > 20 {
            break;
        }
        if part.capital {
            if name.end == at {
                name.first = part.hash;
            }
            name.words += usize::from(part.letters > 1 && !(PARTICLES.has(part.hash) && r.at(part.end) == b' '));
            name.initial &= part.letters == 1;
            name.end = part.end;
            if part.letters == 1 && r.at(part.end) == b'.' {
                name.end += 1;
            }
        } else if name.end == at && !particles || !PARTICLES.has(part.hash) {
            break;
        }
        let after = if part.capital { name.end } else { part.end };
        // `Smith, John` is read to the comma.
        if name.words == 4 || r.at(after) != b' ' {
            break;
        }
        next = after + 1;
    }
    let after = r.at(name.end);
    let code = matches!(after, b'(' | b'[' | b'=' | b'/' | b'_' | b'@' | b'{' | b'<') && after != b'<'
        || after == b':' && r.at(name.end + 1) != b' '
        || after == b'.' && (r.alnum(name.end + 1))
        || after.is_ascii_digit()
        || after == b'-' && r.alnum(name.end + 1);
    (name.words > 0 && !code).then_some(name)
}

struct Part {
    end: usize,
    hash: u32,
    capital: bool,
    letters: usize,
}

/// A word with what names have inside: `O'Brien`, `Jean-Luc`, `McDonald`. The hash is that of its first piece.
fn part_of_name(r: &Reader<'_>, at: usize) -> Option<Part> {
    let first = r.word(at)?;
    let mut part = Part { end: first.end, hash: first.hash, capital: first.capital, letters: first.letters };
    for _ in 0..3 {
        let join = match r.at(part.end) {
            b'-' | b'\'' => 1,
            0xE2 if r.at(part.end + 1) == 0x80 && r.at(part.end + 2) == 0x99 => 3,
            _ => 0,
        };
        let Some(next) = r.word(part.end + join).filter(|w| w.capital) else { break };
        // `McDonald`; `getName` and `WebServer` are none.
        if join == 0 && !(part.letters <= 3 && part.capital) {
            part.capital = false;
            break;
        }
        (part.end, part.letters) = (next.end, part.letters + next.letters);
    }
    Some(part)
}
