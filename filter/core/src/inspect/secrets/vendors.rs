//! Secrets that are known by the vendor's name they are given to: a name, an operator, a value of known alphabet and
//! length. [`assign`] finds where the value starts; a row says which names and which values.
//!
//! The formats are those that vendors document or that gitleaks (MIT) lists. Samples are made up by the tests from
//! the rows themselves.

use super::super::Candidate;
use super::super::bytes::{self, ALNUM, DIGIT, HEX, Set, URL64};
use super::super::checks::entropy;
use super::super::types::Type;
use super::Part::{Lit, Run};
use super::{Part, assign, generic, header, is_placeholder, words};

static EQUALS: Set = Set::new(b"aA0", b"_-=");
static KRAKEN: Set = Set::new(b"aA0", b"/=_+-");
static PERCENT: Set = Set::new(b"aA0", b"%");
static TYPEFORM: Set = Set::new(b"aA0", b"-_.=");

/// What is given to a name with one of the words in it.
pub(in super::super) struct Named {
    pub(in super::super) kind: Type,
    /// In lower case.
    pub(in super::super) words: &'static [&'static str],
    pub(in super::super) what: What,
}

pub(in super::super) enum What {
    /// A value of one of these shapes.
    Values(&'static [Value]),
    /// What a function finds, from where a word of the name starts and ends.
    Function(fn(&[u8], usize, usize) -> Option<Candidate>),
}

pub(in super::super) struct Value {
    pub(in super::super) parts: &'static [Part],
    /// The least entropy, in bits per byte.
    pub(in super::super) entropy: f32,
}

macro_rules! named {
    ($($kind:ident [$($word:literal)*] $({ $($part:expr),* } $entropy:literal)*;)*) => {
        pub(in super::super) const NAMED: &[Named] = &[
            $(Named {
                kind: Type::$kind,
                words: &[$($word),*],
                what: What::Values({
                    const VALUES: &[Value] =
                        &[$(Value { parts: { const PARTS: &[Part] = &[$($part),*]; PARTS }, entropy: $entropy }),*];
                    VALUES
                }),
            },)*
            Named { kind: Type::HttpAuthorization, words: header::NAMES, what: What::Function(header::authorization) },
            Named { kind: Type::HttpAuthorization, words: header::OPTIONS, what: What::Function(header::user) },
            Named { kind: Type::GenericSecret, words: generic::WORDS, what: What::Function(generic::find) },
        ];
    };
}

pub(in super::super) const COUNT: usize = NAMED.len();

/// So many letters and digits.
const fn alnum(length: usize) -> Part {
    Run(&ALNUM, length, length)
}

const fn hex(length: usize) -> Part {
    Run(&HEX, length, length)
}

const fn digits(length: usize) -> Part {
    Run(&DIGIT, length, length)
}

const fn dashed(length: usize) -> Part {
    Run(&URL64, length, length)
}

const fn padded(length: usize) -> Part {
    Run(&EQUALS, length, length)
}

const DASH: Part = Lit("-");

#[rustfmt::skip]
named! {
    AdafruitApiKey ["adafruit"] { dashed(32) } 2.8;
    AdobeClientSecret ["adobe"] { hex(32) } 2.8;
    AirtableApiKey ["airtable"] { alnum(17) } 2.8;
    AlgoliaApiKey ["algolia"] { alnum(32) } 2.8;
    AlibabaAccessKey ["alibaba" "aliyun"] { alnum(30) } 2.8;
    AssemblyaiApiKey ["assemblyai"] { hex(32) } 2.8;
    AzureApiKey ["azure"] { hex(32) } 2.8 { alnum(84) } 3.5 { alnum(52) } 3.5;
    AsanaClientSecret ["asana"] { alnum(32) } 2.8 { digits(16) } 2.0;
    AtlassianApiToken ["atlassian" "confluence" "jira"] { alnum(20), hex(4) } 3.5 { alnum(24) } 3.5;
    BeamerApiToken ["beamer"] { Lit("b_"), padded(44) } 2.8;
    BitbucketClientSecret ["bitbucket"] { alnum(32) } 2.8 { padded(64) } 2.8;
    BittrexApiKey ["bittrex"] { alnum(32) } 2.8;
    CiscoMerakiApiKey ["meraki"] { hex(40) } 3.0;
    CloudflareApiKey ["cloudflare"] { dashed(40) } 2.8 { hex(37) } 2.8;
    CodecovAccessToken ["codecov"] { alnum(32) } 2.8 { hex(8), DASH, hex(4), DASH, hex(4), DASH, hex(4), DASH, hex(12) } 2.0;
    CohereApiKey ["cohere" "co_api_key"] { alnum(40) } 4.0;
    CoinbaseAccessToken ["coinbase"] { dashed(64) } 2.8;
    ConfluentApiKey ["confluent"] { alnum(64) } 2.8 { alnum(16) } 2.8;
    ContentfulApiToken ["contentful"] { padded(43) } 2.8;
    DatadogApiKey ["datadog" "dd_api_key" "dd_app_key" "dd-api-key"] { alnum(40) } 2.8 { hex(32) } 2.8;
    DeepgramApiKey ["deepgram"] { hex(40) } 2.8;
    DeepseekApiKey ["deepseek"] { Lit("sk-"), hex(32) } 2.8;
    DiscordToken ["discord"] { hex(64) } 2.8 { padded(32) } 2.8 { Run(&DIGIT, 18, 19) } 2.0
        { Run(&URL64, 23, 28), Lit("."), dashed(6), Lit("."), Run(&URL64, 27, 40) } 3.5;
    DroneciAccessToken ["droneci" "drone_token"] { alnum(32) } 2.8;
    DropboxApiToken ["dropbox"] { alnum(15) } 2.5 { alnum(11), Lit("AAAAAAAAAA"), padded(43) } 2.8 { Lit("sl."), Run(&URL64, 130, 200) } 3.0;
    ElevenlabsApiKey ["elevenlabs" "xi-api-key"] { hex(32) } 2.8 { Lit("sk_"), hex(48) } 2.8;
    EtsyAccessToken ["etsy"] { alnum(24) } 3.0;
    FacebookAccessToken ["facebook"] { hex(32) } 3.0 { Run(&DIGIT, 15, 16), Lit("|"), Run(&URL64, 27, 40) } 3.0;
    FastlyApiToken ["fastly"] { padded(32) } 2.8;
    FinicityApiToken ["finicity"] { hex(32) } 2.8 { alnum(20) } 2.8;
    FinnhubApiKey ["finnhub"] { alnum(20) } 2.8;
    FlickrAccessToken ["flickr"] { alnum(32) } 2.8;
    FreemiusSecretKey ["secret_key"] { Lit("sk_"), Run(&assign::VALUE, 29, 29) } 3.0;
    FreshbooksAccessToken ["freshbooks"] { alnum(64) } 2.8;
    GitterAccessToken ["gitter"] { dashed(40) } 2.8;
    GocardlessApiToken ["gocardless"] { Lit("live_"), padded(40) } 2.8;
    HerokuApiKey ["heroku"] { hex(8), DASH, hex(4), DASH, hex(4), DASH, hex(4), DASH, hex(12) } 2.0;
    HubspotApiKey ["hubspot" "hapikey"] { hex(8), DASH, hex(4), DASH, hex(4), DASH, hex(4), DASH, hex(12) } 2.0;
    IntercomApiKey ["intercom"] { padded(60) } 2.8;
    JfrogApiKey ["jfrog" "artifactory" "bintray" "xray"] { alnum(73) } 2.8 { alnum(64) } 2.8;
    KaggleApiKey ["kaggle"] { hex(32) } 2.8;
    KrakenAccessToken ["kraken"] { Run(&KRAKEN, 80, 90) } 2.8;
    KucoinApiKey ["kucoin"] { hex(24) } 2.5 { hex(8), DASH, hex(4), DASH, hex(4), DASH, hex(4), DASH, hex(12) } 2.0;
    LaunchdarklyAccessToken ["launchdarkly"] { padded(40) } 2.8;
    LinearApiKey ["linear"] { hex(32) } 2.8;
    LinkedinClientSecret ["linkedin" "linked_in" "linked-in"] { alnum(16) } 2.5 { alnum(14) } 2.5;
    LobApiKey ["lob"] { Lit("live_"), hex(35) } 2.5 { Lit("test_"), hex(35) } 2.5 { Lit("live_pub_"), hex(31) } 2.5 { Lit("test_pub_"), hex(31) } 2.5;
    LookerClientSecret ["looker"] { alnum(24) } 2.8 { alnum(20) } 2.8;
    MailchimpApiKey ["mailchimp"] { hex(32), Lit("-us"), Run(&DIGIT, 1, 2) } 2.5;
    MailgunApiKey ["mailgun"] { Lit("key-"), hex(32) } 2.5 { Lit("pubkey-"), hex(32) } 2.5 { alnum(32), DASH, alnum(8), DASH, alnum(8) } 2.8;
    MapboxApiToken ["mapbox"] { Lit("pk."), alnum(60), Lit("."), alnum(22) } 2.8;
    MattermostAccessToken ["mattermost"] { alnum(26) } 2.8;
    MaxmindLicenseKey ["maxmind" "license_key"] { alnum(6), Lit("_"), alnum(29), Lit("_mmk") } 3.5;
    MessagebirdApiToken ["messagebird" "message-bird" "message_bird"] { alnum(25) } 2.8 { hex(8), DASH, hex(4), DASH, hex(4), DASH, hex(4), DASH, hex(12) } 2.0;
    MistralApiKey ["mistral"] { alnum(32) } 3.0;
    NetlifyAccessToken ["netlify"] { Run(&EQUALS, 40, 46) } 2.8;
    NewRelicKey ["newrelic" "new-relic" "new_relic"] { alnum(64) } 2.8 { Lit("NRAK-"), alnum(27) } 2.8 { Lit("NRJS-"), hex(19) } 2.5 { Lit("NRII-"), dashed(32) } 2.8;
    NytimesAccessToken ["nytimes" "new-york-times" "newyorktimes"] { padded(32) } 2.8;
    OktaAccessToken ["okta"] { Lit("00"), padded(40) } 4.0;
    PlaidApiToken ["plaid"] { alnum(24) } 3.0 { alnum(30) } 3.0;
    PrivateaiApiKey ["privateai" "private_ai" "private-ai"] { alnum(32) } 3.0;
    RapidapiAccessToken ["rapidapi"] { dashed(50) } 2.8;
    SendbirdApiToken ["sendbird"] { hex(40) } 2.8 { hex(8), DASH, hex(4), DASH, hex(4), DASH, hex(4), DASH, hex(12) } 2.0;
    SentryToken ["sentry"] { hex(64) } 3.0;
    SidekiqSecret ["bundle_enterprise__contribsys__com" "bundle_gems__contribsys__com"] { hex(8), Lit(":"), hex(8) } 2.0;
    SnykApiToken ["snyk"] { hex(8), DASH, hex(4), DASH, hex(4), DASH, hex(4), DASH, hex(12) } 2.0;
    SonarApiToken ["sonar"] { padded(40) } 2.8 { Lit("squ_"), padded(40) } 2.8 { Lit("sqp_"), padded(40) } 2.8 { Lit("sqa_"), padded(40) } 2.8;
    SourcegraphAccessToken ["sourcegraph"] { hex(40) } 3.0;
    SquarespaceAccessToken ["squarespace"] { hex(8), DASH, hex(4), DASH, hex(4), DASH, hex(4), DASH, hex(12) } 2.0;
    SumologicAccessKey ["sumo"] { alnum(64) } 3.0 { Lit("su"), alnum(12) } 3.0;
    TelegramBotToken ["telegr"] { Run(&DIGIT, 5, 16), Lit(":A"), dashed(34) } 3.0;
    TravisciAccessToken ["travis"] { alnum(22) } 2.8;
    TwitchApiToken ["twitch"] { alnum(30) } 2.8;
    TwitterAccessToken ["twitter"]
        { alnum(25) } 2.8 { alnum(45) } 2.8 { alnum(50) } 2.8 { Run(&DIGIT, 15, 25), DASH, Run(&ALNUM, 20, 40) } 3.0
        { Lit("AAAAAAAAAAAAAAAAAAAAAA"), Run(&PERCENT, 80, 100) } 2.8;
    TypeformApiToken ["typeform"] { Lit("tfp_"), Run(&TYPEFORM, 59, 59) } 2.8;
    VaultToken ["vault"] { Lit("s."), alnum(24) } 3.5;
    VercelToken ["vercel"] { alnum(24) } 3.0;
    WandbApiKey ["wandb"] { hex(40) } 2.8;
    YandexApiKey ["yandex"]
        { Lit("AQVN"), Run(&URL64, 35, 38) } 2.8 { Lit("YC"), dashed(38) } 2.8
        { Lit("t1."), Run(&EQUALS, 1, 40), Lit("."), Run(&EQUALS, 86, 88) } 2.8;
    ZendeskSecretKey ["zendesk"] { alnum(40) } 2.8;
}

/// Shorter values count only where the name says what they are.
const TELLING: usize = 32;

impl Named {
    /// What is given to the name with a word at `at`.
    pub(super) fn find(&self, bytes: &[u8], at: usize) -> Option<Candidate> {
        let word =
            self.words.iter().filter(|word| bytes::stands_folded(bytes, at, word)).map(|word| word.len()).max()?;
        let end = at + word;
        match self.what {
            What::Values(values) => self.value(values, bytes, at, end),
            What::Function(find) => find(bytes, at, end),
        }
    }

    fn value(&self, values: &[Value], bytes: &[u8], at: usize, end: usize) -> Option<Candidate> {
        if !assign::starts_word(bytes, at) || !is_written_evenly(bytes.get(at..end)?) {
            return None;
        }
        let assigned = assign::find(bytes, at, end)?;
        let start = assigned.start;
        let named = || names_credential(bytes, at, end, assigned.name_end);
        let (end, test_value) = values.iter().find_map(|value| {
            let end = value.read(bytes, start)?;
            let text = bytes.get(start..end)?;
            let plain = matches!(value.parts, [Run(..)]);
            let told = text.len() >= TELLING || !plain || named();
            (told && (!plain || looks_random(text))).then(|| (end, is_placeholder(text)))
        })?;
        Some(Candidate { kind: self.kind, start, end, score: 0.9, checked: true, test_value })
    }
}

impl Value {
    /// Where a value that starts at `start` ends.
    fn read(&self, bytes: &[u8], start: usize) -> Option<usize> {
        let (end, last) = super::read(self.parts, bytes, start)?;
        let goes_on = last.is_some_and(|(set, _)| set.contains(bytes::at(bytes, end)) && bytes::at(bytes, end) != b'.');
        let over = !goes_on && assign::ends(bytes, end);
        (over && entropy(bytes.get(start..end)?) >= self.entropy).then_some(end)
    }
}

/// Short words are found inside others: `Sumo` and `SUMO` count, `sumO` does not.
fn is_written_evenly(word: &[u8]) -> bool {
    let rest = word.get(1..).unwrap_or_default();
    word.len() > 6 || !rest.iter().any(u8::is_ascii_uppercase) || !word.iter().any(u8::is_ascii_lowercase)
}

/// Whether the name that has its word from `at` to `end` and goes on to `name_end` is one of a credential.
fn names_credential(bytes: &[u8], at: usize, end: usize, name_end: usize) -> bool {
    const WORDS: [&str; 12] =
        ["key", "token", "secret", "auth", "pass", "cred", "api", "login", "client", "id", "pwd", "access"];
    static NAME: Set = Set::new(b"aA0", b"_-.");
    let from = at - NAME.run_back(bytes, at, assign::BEFORE);
    [from..at, end..name_end]
        .into_iter()
        .filter_map(|part| bytes.get(part))
        .any(|part| WORDS.iter().any(|word| part.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word.as_bytes()))))
}

/// Whether it has digits, and letters that do not make words; or many letters in both cases that do not.
fn looks_random(value: &[u8]) -> bool {
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let humps = value.windows(2).filter(|w| matches!(w, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()));
    digits == value.len() || (digits > 0 || humps.count() > 3) && words::share(value) < 65
}
