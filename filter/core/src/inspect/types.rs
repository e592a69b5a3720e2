//! The types of finding that are built in.

use super::{Group, KindId};

/// What beside its group a type is selected by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// A number that a state gives its people, or those who do business in it.
    NationalId,
    /// Of the European Union and its neighbours.
    Eu,
    /// Of the United Kingdom.
    Uk,
    /// Of the United States and Canada.
    NorthAmerica,
    /// Of Central and South America.
    Latam,
    /// Of Asia and Oceania.
    Apac,
    /// Of Africa and the Middle East.
    Mea,
    /// What lets somebody in.
    Credential,
}

impl Tag {
    pub(super) const ALL: [Tag; 8] =
        [Tag::NationalId, Tag::Eu, Tag::Uk, Tag::NorthAmerica, Tag::Latam, Tag::Apac, Tag::Mea, Tag::Credential];

    /// Its name in a policy.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Tag::NationalId => "national_id",
            Tag::Eu => "pii.eu",
            Tag::Uk => "pii.uk",
            Tag::NorthAmerica => "pii.north_america",
            Tag::Latam => "pii.latam",
            Tag::Apac => "pii.apac",
            Tag::Mea => "pii.mea",
            Tag::Credential => "credentials",
        }
    }
}

macro_rules! types {
    ($($group:ident { $($variant:ident $name:literal $([$($tag:ident)+])?)* })*) => {
        /// A built-in type. Its number is its [`KindId`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
        pub(super) enum Type { $($($variant,)*)* }

        /// Every built-in type, by number.
        const ALL: &[Type] = &[$($(Type::$variant,)*)*];

        /// The name and group of every built-in type, by number.
        pub(super) const TYPES: &[(&str, Group)] = &[$($(($name, Group::$group),)*)*];

        /// The tags of every built-in type, by number.
        const TAGS: &[&[Tag]] = &[$($(&[$($(Tag::$tag),+)?],)*)*];
    };
}

/// The last of the types that are found by an anchor or a trigger; what an answer must not carry out follows.
pub(super) const LAST: Type = Type::NewRelicKey;

impl Type {
    pub(super) const fn id(self) -> KindId {
        KindId(self as u16)
    }

    /// Whether `tag` selects the kind: every built-in secret is a credential.
    pub(super) fn is_tagged(id: KindId, tag: Tag) -> bool {
        let secret = || TYPES.get(id.index()).is_some_and(|(_, group)| *group == Group::Secrets);
        TAGS.get(id.index()).is_some_and(|tags| tags.contains(&tag)) || tag == Tag::Credential && secret()
    }

    /// The built-in type behind `id`.
    pub(super) fn of(id: KindId) -> Option<Self> {
        ALL.get(id.index()).copied()
    }
}

types! {
    Pii {
        EmailAddress "EMAIL_ADDRESS"
        PhoneNumber "PHONE_NUMBER"
        UsSsn "US_SSN" [NationalId NorthAmerica]
        IpAddress "IP_ADDRESS"
    }
    Financial {
        CreditCard "CREDIT_CARD"
        IbanCode "IBAN_CODE"
    }
    Secrets {
        PrivateKey "PRIVATE_KEY"
        JsonWebToken "JSON_WEB_TOKEN"
        UrlCredentials "URL_CREDENTIALS"
        ConnectionString "CONNECTION_STRING"
        AwsAccessKey "AWS_ACCESS_KEY"
        AwsSecretKey "AWS_SECRET_KEY"
        AzureClientSecret "AZURE_CLIENT_SECRET"
        AzureStorageKey "AZURE_STORAGE_KEY"
        GoogleApiKey "GOOGLE_API_KEY"
        GithubToken "GITHUB_TOKEN"
        GitlabToken "GITLAB_TOKEN"
        OpenaiApiKey "OPENAI_API_KEY"
        AnthropicApiKey "ANTHROPIC_API_KEY"
        HuggingFaceToken "HUGGINGFACE_TOKEN"
        PerplexityApiKey "PERPLEXITY_API_KEY"
        GroqApiKey "GROQ_API_KEY"
        XaiApiKey "XAI_API_KEY"
        OpenrouterApiKey "OPENROUTER_API_KEY"
        SlackToken "SLACK_TOKEN"
        SlackWebhook "SLACK_WEBHOOK"
        DiscordWebhook "DISCORD_WEBHOOK"
        TelegramBotToken "TELEGRAM_BOT_TOKEN"
        StripeKey "STRIPE_KEY"
        ShopifyToken "SHOPIFY_TOKEN"
        SquareToken "SQUARE_TOKEN"
        TwilioApiKey "TWILIO_API_KEY"
        SendgridApiKey "SENDGRID_API_KEY"
        MailgunApiKey "MAILGUN_API_KEY"
        NpmToken "NPM_TOKEN"
        PypiToken "PYPI_TOKEN"
        RubygemsToken "RUBYGEMS_TOKEN"
        DatabricksToken "DATABRICKS_TOKEN"
        DigitaloceanToken "DIGITALOCEAN_TOKEN"
        VaultToken "VAULT_TOKEN"
        TerraformToken "TERRAFORM_TOKEN"
        GrafanaToken "GRAFANA_TOKEN"
        SentryToken "SENTRY_TOKEN"
        LinearApiKey "LINEAR_API_KEY"
        NotionToken "NOTION_TOKEN"
        PostmanApiKey "POSTMAN_API_KEY"
        DopplerToken "DOPPLER_TOKEN"
        PulumiToken "PULUMI_TOKEN"
        AlibabaAccessKey "ALIBABA_ACCESS_KEY"
        NewRelicKey "NEW_RELIC_KEY"
    }
    Exfiltration {
        ExternalImage "EXTERNAL_IMAGE"
        ExternalLink "EXTERNAL_LINK"
        Canary "CANARY"
        SystemPromptLeak "SYSTEM_PROMPT_LEAK"
    }
    Injection {
        PromptInjection "PROMPT_INJECTION"
    }
}
