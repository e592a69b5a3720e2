//! What builds, sends, stores and watches: one vendor after the other.

use super::super::Part::{Digit, Lit, Run};
use super::super::{Left, OPEN, Part, Token};
use super::{
    ALNUM, BASE64, CAPITALS, DIGIT, DOTTED_EQUALS, EITHER64, EQUALS, HEX, HEX_LOWER, LOWER, PAD, PATH, PERCENT, TO_H,
    Type, URL64, WORD, tokens,
};

const DASH: Part = Lit("-");

const fn hex(length: usize) -> Part {
    Run(&HEX, length, length)
}

const fn alnum(length: usize) -> Part {
    Run(&ALNUM, length, length)
}

const fn dashed(length: usize) -> Part {
    Run(&URL64, length, length)
}

const fn capitals(length: usize) -> Part {
    Run(&CAPITALS, length, length)
}

#[rustfmt::skip]
tokens! {
    OnepasswordToken ["A3-"] 3, Word, 3.5, { capitals(6), DASH, capitals(11), DASH, capitals(5), DASH, capitals(5), DASH, capitals(5) }
    OnepasswordToken ["A3-"] 3, Word, 3.5, { capitals(6), DASH, capitals(6), DASH, capitals(5), DASH, capitals(5), DASH, capitals(5), DASH, capitals(5) }
    OnepasswordToken ["ops_eyJ"] 7, Any, 4.0, { Run(&PATH, 250, 2000), Run(&PAD, 0, 3) }
    AdobeClientSecret ["p8e-"] 4, Hyphen, 2.8, { alnum(32) }
    AirtableApiKey ["pat"] 3, Word, 3.0, { alnum(14), Lit("."), Run(&HEX_LOWER, 64, 64) }
    JfrogApiKey ["AKCp"] 4, Word, 4.3, { alnum(69) }
    JfrogApiKey ["cmVmd"] 5, Word, 4.3, { alnum(59) }
    AtlassianApiToken ["ATATT3" "ATCTT3"] 6, Word, 3.5, { Run(&EQUALS, 180, 200) }
    BitbucketClientSecret ["ATBB"] 4, Word, 3.5, { alnum(32) }
    AuthressAccessKey ["sc_"] 3, Word, 2.8, { Run(&ALNUM, 5, 30), Lit("."), Run(&ALNUM, 4, 6), Lit(".acc"), Run(&URL64, 11, 33), Lit("."), Run(&EITHER64, 30, 120) }
    AuthressAccessKey ["ext_"] 4, Word, 2.8, { Run(&ALNUM, 5, 30), Lit("."), Run(&ALNUM, 4, 6), Lit(".acc"), Run(&URL64, 11, 33), Lit("."), Run(&EITHER64, 30, 120) }
    AuthressAccessKey ["scauth_"] 7, Word, 2.8, { Run(&ALNUM, 5, 30), Lit("."), Run(&ALNUM, 4, 6), Lit(".acc"), Run(&URL64, 11, 33), Lit("."), Run(&EITHER64, 30, 120) }
    AuthressAccessKey ["authress_"] 9, Word, 2.8, { Run(&ALNUM, 5, 30), Lit("."), Run(&ALNUM, 4, 6), Lit(".acc"), Run(&URL64, 11, 33), Lit("."), Run(&EITHER64, 30, 120) }
    AwsBedrockApiKey ["ABSK"] 4, Word, 3.0, { Run(&PATH, 109, 269), Run(&PAD, 0, 2) }
    AwsBedrockApiKey ["bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t"] 44, Any, 3.0, { Run(&EITHER64, 0, 2000) }
    ClickhouseApiKey ["4b1d"] 4, Word, 3.0, { alnum(38) }
    ClojarsApiToken ["CLOJARS_" "clojars_"] 8, Any, 2.8, { alnum(60) }
    CloudflareApiKey ["v1.0-"] 5, Word, 2.8, { hex(24), DASH, hex(146) }
    DefinedNetworkingApiToken ["dnkey-"] 6, Word, 2.8, { Run(&EQUALS, 26, 26), DASH, Run(&EQUALS, 52, 52) }
    DuffelApiToken ["duffel_test_" "duffel_live_"] 12, Any, 2.8, { Run(&EQUALS, 43, 43) }
    DynatraceApiToken ["dt0c01." "dt0s01."] 7, Any, 3.5, { alnum(24), Lit("."), alnum(64) }
    EasypostApiKey ["EZAK" "EZTK"] 4, Word, 3.0, { alnum(54) }
    FacebookAccessToken ["EAAM" "EAAC"] 4, Word, 4.0, { Run(&ALNUM, 100, OPEN) }
    FlutterwaveKey ["FLWSECK_TEST-" "FLWPUBK_TEST-"] 13, Any, 2.5, { Run(&TO_H, 32, 32), Lit("-X") }
    FlutterwaveKey ["FLWSECK_TEST-" "FLWPUBK_TEST-"] 13, Any, 2.5, { Run(&TO_H, 12, 12) }
    FlutterwaveKey ["FLWSECK-"] 8, Any, 2.5, { alnum(32), Lit("-X") }
    FlyioToken ["fo1_"] 4, Word, 3.5, { dashed(43) }
    FlyioToken ["fm1a_" "fm1r_"] 5, Word, 3.5, { Run(&PATH, 100, 1000), Run(&PAD, 0, 3) }
    FlyioToken ["fm2_"] 4, Word, 3.5, { Run(&PATH, 100, 1000), Run(&PAD, 0, 3) }
    FrameioApiToken ["fio-u-"] 6, Any, 2.8, { Run(&EQUALS, 64, 64) }
    GitlabToken ["_gitlab_session="] 16, Any, 3.0, { alnum(32) }
    HarnessApiKey ["pat." "sat."] 4, Word, 3.0, { dashed(22), Lit("."), alnum(24), Lit("."), alnum(20) }
    HerokuApiKey ["HRKU-AA"] 7, Word, 4.0, { dashed(58) }
    InfracostApiToken ["ico-"] 4, File, 3.0, { alnum(32) }
    Intra42ClientSecret ["s-s4t2ud-" "s-s4t2af-"] 9, Word, 3.0, { hex(64) }
    JsonWebToken ["ZXlK"] 4, Word, 4.0, { Run(&EITHER64, 60, 4000) }
    MicrosoftTeamsWebhook ["webhook.office.com/webhookb2/"] 29, Url, 2.8, {
        alnum(8), DASH, alnum(4), DASH, alnum(4), DASH, alnum(4), DASH, alnum(12), Lit("@"), alnum(8), DASH, alnum(4), DASH, alnum(4), DASH, alnum(4), DASH, alnum(12),
        Lit("/IncomingWebhook/"), alnum(32), Lit("/"), alnum(8), DASH, alnum(4), DASH, alnum(4), DASH, alnum(4), DASH, alnum(12) }
    NewRelicKey ["NRJS-"] 5, Word, 2.8, { hex(19) }
    OctopusDeployApiKey ["API-"] 4, Hyphen, 3.0, { capitals(26), Digit }
    OpenshiftToken ["sha256~"] 7, Word, 3.5, { dashed(43) }
    PlaidApiToken ["access-sandbox-"] 15, Word, 2.5, { hex(8), DASH, hex(4), DASH, hex(4), DASH, hex(4), DASH, hex(12) }
    PlaidApiToken ["access-production-"] 18, Word, 2.5, { hex(8), DASH, hex(4), DASH, hex(4), DASH, hex(4), DASH, hex(12) }
    PlaidApiToken ["access-development-"] 19, Word, 2.5, { hex(8), DASH, hex(4), DASH, hex(4), DASH, hex(4), DASH, hex(12) }
    PlanetscaleToken ["pscale_tkn_"] 11, Word, 3.0, { Run(&DOTTED_EQUALS, 32, 64) }
    PlanetscaleToken ["pscale_oauth_"] 13, Word, 3.0, { Run(&DOTTED_EQUALS, 32, 64) }
    PlanetscaleToken ["pscale_pw_"] 10, Word, 3.0, { Run(&DOTTED_EQUALS, 32, 64) }
    PrefectApiToken ["pnu_" "pnb_"] 4, Word, 3.0, { alnum(36) }
    ReadmeApiToken ["rdme_"] 5, Word, 3.0, { alnum(70) }
    ScalingoApiToken ["tk-us-"] 6, Word, 3.0, { dashed(48) }
    SendinblueApiKey ["xkeysib-"] 8, Word, 3.0, { hex(64), DASH, alnum(16) }
    SendinblueApiKey ["xsmtpsib-"] 9, Word, 3.0, { hex(64), DASH, alnum(16) }
    SettlemintAccessToken ["sm_aat_" "sm_pat_" "sm_sat_"] 7, Word, 3.0, { alnum(16) }
    ShippoApiToken ["shippo_live_" "shippo_test_"] 12, Word, 2.8, { hex(40) }
    SonarApiToken ["squ_" "sqp_" "sqa_"] 4, Word, 2.8, { hex(40) }
    SourcegraphAccessToken ["sgp_"] 4, Word, 3.0, { hex(16), Lit("_"), hex(40) }
    SourcegraphAccessToken ["sgp_local_"] 10, Word, 3.0, { hex(40) }
    SourcegraphAccessToken ["sgp_"] 4, Word, 3.0, { hex(40) }
    TypeformApiToken ["tfp_"] 4, Word, 3.0, { Run(&DOTTED_EQUALS, 59, 59) }
    AzureStorageKey ["&sig=" "?sig="] 5, Any, 3.5, { Run(&PERCENT, 43, 90), Digit }
    GoogleOauthSecret ["GOCSPX-"] 7, Word, 3.5, { dashed(28) }
    GoogleOauthSecret ["ya29."] 5, Word, 3.5, { Run(&URL64, 40, 1000) }
    BuildkiteToken ["bkua_"] 5, Word, 3.0, { hex(40) }
    CerebrasApiKey ["csk-"] 4, Hyphen, 3.5, { alnum(48) }
    CircleciToken ["CCIPAT_"] 7, Word, 3.0, { alnum(22), Lit("_"), hex(40) }
    ClickupToken ["pk_"] 3, Word, 3.0, { Run(&DIGIT, 4, 10), Lit("_"), capitals(32) }
    ContentfulApiToken ["CFPAT-"] 6, Word, 3.5, { dashed(43) }
    CratesIoToken ["cio"] 3, Word, 3.8, { alnum(32), Digit }
    DockerToken ["dckr_pat_"] 9, Word, 3.0, { dashed(27) }
    DockerToken ["dckr_oat_"] 9, Word, 3.0, { dashed(32) }
    FigmaToken ["figd_" "figu_"] 5, Word, 3.0, { Run(&URL64, 38, 60) }
    FirecrawlApiKey ["fc-"] 3, Hyphen, 3.0, { Run(&HEX_LOWER, 32, 32) }
    FireworksApiKey ["fw_"] 3, Word, 3.3, { Run(&ALNUM, 22, 28), Digit }
    HubspotApiKey ["pat-na1-" "pat-eu1-"] 8, Word, 2.5, { hex(8), DASH, hex(4), DASH, hex(4), DASH, hex(4), DASH, hex(12) }
    JinaApiKey ["jina_"] 5, Word, 3.5, { Run(&URL64, 55, 70) }
    LangfuseSecretKey ["sk-lf-"] 6, Hyphen, 2.5, { hex(8), DASH, hex(4), DASH, hex(4), DASH, hex(4), DASH, hex(12) }
    LangsmithApiKey ["lsv2_pt_" "lsv2_sk_"] 8, Word, 3.0, { hex(32), Lit("_"), hex(10) }
    LaunchdarklyAccessToken ["sdk-" "mob-"] 4, Hyphen, 2.5, { hex(8), DASH, hex(4), DASH, hex(4), DASH, hex(4), DASH, hex(12) }
    NeonApiKey ["napi_"] 5, Word, 3.5, { alnum(64) }
    NetlifyAccessToken ["nfp_" "nfc_" "nfo_"] 4, Word, 3.5, { alnum(36) }
    NugetApiKey ["oy2"] 3, Word, 3.5, { Run(&LOWER, 43, 43) }
    NvidiaApiKey ["nvapi-"] 6, Word, 3.5, { Run(&URL64, 60, 70) }
    PineconeApiKey ["pcsk_"] 5, Word, 3.5, { Run(&WORD, 60, 80) }
    ReplicateApiToken ["r8_"] 3, Word, 3.5, { alnum(37) }
    ResendApiKey ["re_"] 3, Word, 3.3, { alnum(8), Lit("_"), alnum(24) }
    SupabaseToken ["sbp_"] 4, Word, 3.0, { hex(40) }
    SupabaseToken ["sb_secret_"] 10, Word, 3.0, { Run(&URL64, 30, 60) }
    TailscaleKey ["tskey-auth-"] 11, Word, 3.0, { Run(&ALNUM, 10, 30), DASH, Run(&ALNUM, 20, 60) }
    TailscaleKey ["tskey-client-"] 13, Word, 3.0, { Run(&ALNUM, 10, 30), DASH, Run(&ALNUM, 20, 60) }
    TailscaleKey ["tskey-api-"] 10, Word, 3.0, { Run(&ALNUM, 10, 30), DASH, Run(&ALNUM, 20, 60) }
    TavilyApiKey ["tvly-"] 5, Word, 3.0, { Run(&URL64, 28, 60), Digit }
    BraintreeAccessToken ["access_token$production$" ] 24, Word, 3.0, { alnum(16), Lit("$"), hex(32) }
    HoneycombApiKey ["hcaik_"] 6, Word, 3.5, { alnum(58) }
    SentryToken ["sntrya_" "sntryi_"] 7, Word, 3.0, { Run(&HEX_LOWER, 64, 64) }
    AwsSecretKey ["AQoDYXdz" "FwoGZXIvYXdz" "IQoJb3JpZ2lu"] 8, Word, 4.0, { Run(&BASE64, 100, 1000) }
}
