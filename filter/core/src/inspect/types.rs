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

/// The last of the types that are found by an anchor or a trigger; what is read for otherwise follows.
pub(super) const LAST: Type = Type::GenericSecret;

/// The first and the last of the types that the words around them give away.
pub(super) const LABELLED: (Type, Type) = (Type::DateOfBirth, Type::Ndc);

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
        OnepasswordToken "ONEPASSWORD_TOKEN"
        AdafruitApiKey "ADAFRUIT_API_KEY"
        AdobeClientSecret "ADOBE_CLIENT_SECRET"
        AirtableApiKey "AIRTABLE_API_KEY"
        AlgoliaApiKey "ALGOLIA_API_KEY"
        AssemblyaiApiKey "ASSEMBLYAI_API_KEY"
        AsanaClientSecret "ASANA_CLIENT_SECRET"
        AtlassianApiToken "ATLASSIAN_API_TOKEN"
        AuthressAccessKey "AUTHRESS_ACCESS_KEY"
        AwsBedrockApiKey "AWS_BEDROCK_API_KEY"
        AzureApiKey "AZURE_API_KEY"
        BeamerApiToken "BEAMER_API_TOKEN"
        BitbucketClientSecret "BITBUCKET_CLIENT_SECRET"
        BittrexApiKey "BITTREX_API_KEY"
        BraintreeAccessToken "BRAINTREE_ACCESS_TOKEN"
        BuildkiteToken "BUILDKITE_TOKEN"
        CerebrasApiKey "CEREBRAS_API_KEY"
        CircleciToken "CIRCLECI_TOKEN"
        CiscoMerakiApiKey "CISCO_MERAKI_API_KEY"
        ClickhouseApiKey "CLICKHOUSE_API_KEY"
        ClickupToken "CLICKUP_TOKEN"
        ClojarsApiToken "CLOJARS_API_TOKEN"
        CloudflareApiKey "CLOUDFLARE_API_KEY"
        CodecovAccessToken "CODECOV_ACCESS_TOKEN"
        CohereApiKey "COHERE_API_KEY"
        CoinbaseAccessToken "COINBASE_ACCESS_TOKEN"
        ConfluentApiKey "CONFLUENT_API_KEY"
        ContentfulApiToken "CONTENTFUL_API_TOKEN"
        CratesIoToken "CRATES_IO_TOKEN"
        DatadogApiKey "DATADOG_API_KEY"
        DeepgramApiKey "DEEPGRAM_API_KEY"
        DeepseekApiKey "DEEPSEEK_API_KEY"
        DefinedNetworkingApiToken "DEFINED_NETWORKING_API_TOKEN"
        DiscordToken "DISCORD_TOKEN"
        DockerToken "DOCKER_TOKEN"
        DroneciAccessToken "DRONECI_ACCESS_TOKEN"
        DropboxApiToken "DROPBOX_API_TOKEN"
        DuffelApiToken "DUFFEL_API_TOKEN"
        DynatraceApiToken "DYNATRACE_API_TOKEN"
        EasypostApiKey "EASYPOST_API_KEY"
        ElevenlabsApiKey "ELEVENLABS_API_KEY"
        EtsyAccessToken "ETSY_ACCESS_TOKEN"
        FacebookAccessToken "FACEBOOK_ACCESS_TOKEN"
        FastlyApiToken "FASTLY_API_TOKEN"
        FigmaToken "FIGMA_TOKEN"
        FinicityApiToken "FINICITY_API_TOKEN"
        FinnhubApiKey "FINNHUB_API_KEY"
        FirecrawlApiKey "FIRECRAWL_API_KEY"
        FireworksApiKey "FIREWORKS_API_KEY"
        FlickrAccessToken "FLICKR_ACCESS_TOKEN"
        FlutterwaveKey "FLUTTERWAVE_KEY"
        FlyioToken "FLYIO_TOKEN"
        FrameioApiToken "FRAMEIO_API_TOKEN"
        FreemiusSecretKey "FREEMIUS_SECRET_KEY"
        FreshbooksAccessToken "FRESHBOOKS_ACCESS_TOKEN"
        GitterAccessToken "GITTER_ACCESS_TOKEN"
        GocardlessApiToken "GOCARDLESS_API_TOKEN"
        GoogleOauthSecret "GOOGLE_OAUTH_SECRET"
        HarnessApiKey "HARNESS_API_KEY"
        HerokuApiKey "HEROKU_API_KEY"
        HoneycombApiKey "HONEYCOMB_API_KEY"
        HubspotApiKey "HUBSPOT_API_KEY"
        InfracostApiToken "INFRACOST_API_TOKEN"
        IntercomApiKey "INTERCOM_API_KEY"
        Intra42ClientSecret "INTRA42_CLIENT_SECRET"
        JfrogApiKey "JFROG_API_KEY"
        JinaApiKey "JINA_API_KEY"
        KaggleApiKey "KAGGLE_API_KEY"
        KrakenAccessToken "KRAKEN_ACCESS_TOKEN"
        KucoinApiKey "KUCOIN_API_KEY"
        LangfuseSecretKey "LANGFUSE_SECRET_KEY"
        LangsmithApiKey "LANGSMITH_API_KEY"
        LaunchdarklyAccessToken "LAUNCHDARKLY_ACCESS_TOKEN"
        LinkedinClientSecret "LINKEDIN_CLIENT_SECRET"
        LobApiKey "LOB_API_KEY"
        LookerClientSecret "LOOKER_CLIENT_SECRET"
        MailchimpApiKey "MAILCHIMP_API_KEY"
        MapboxApiToken "MAPBOX_API_TOKEN"
        MattermostAccessToken "MATTERMOST_ACCESS_TOKEN"
        MaxmindLicenseKey "MAXMIND_LICENSE_KEY"
        MessagebirdApiToken "MESSAGEBIRD_API_TOKEN"
        MicrosoftTeamsWebhook "MICROSOFT_TEAMS_WEBHOOK"
        MistralApiKey "MISTRAL_API_KEY"
        NeonApiKey "NEON_API_KEY"
        NetlifyAccessToken "NETLIFY_ACCESS_TOKEN"
        NugetApiKey "NUGET_API_KEY"
        NvidiaApiKey "NVIDIA_API_KEY"
        NytimesAccessToken "NYTIMES_ACCESS_TOKEN"
        OctopusDeployApiKey "OCTOPUS_DEPLOY_API_KEY"
        OktaAccessToken "OKTA_ACCESS_TOKEN"
        OpenshiftToken "OPENSHIFT_TOKEN"
        PineconeApiKey "PINECONE_API_KEY"
        PlaidApiToken "PLAID_API_TOKEN"
        PlanetscaleToken "PLANETSCALE_TOKEN"
        PrefectApiToken "PREFECT_API_TOKEN"
        PrivateaiApiKey "PRIVATEAI_API_KEY"
        RapidapiAccessToken "RAPIDAPI_ACCESS_TOKEN"
        ReadmeApiToken "README_API_TOKEN"
        ReplicateApiToken "REPLICATE_API_TOKEN"
        ResendApiKey "RESEND_API_KEY"
        ScalingoApiToken "SCALINGO_API_TOKEN"
        SendbirdApiToken "SENDBIRD_API_TOKEN"
        SendinblueApiKey "SENDINBLUE_API_KEY"
        SettlemintAccessToken "SETTLEMINT_ACCESS_TOKEN"
        ShippoApiToken "SHIPPO_API_TOKEN"
        SidekiqSecret "SIDEKIQ_SECRET"
        SnykApiToken "SNYK_API_TOKEN"
        SonarApiToken "SONAR_API_TOKEN"
        SourcegraphAccessToken "SOURCEGRAPH_ACCESS_TOKEN"
        SquarespaceAccessToken "SQUARESPACE_ACCESS_TOKEN"
        SumologicAccessKey "SUMOLOGIC_ACCESS_KEY"
        SupabaseToken "SUPABASE_TOKEN"
        TailscaleKey "TAILSCALE_KEY"
        TavilyApiKey "TAVILY_API_KEY"
        TravisciAccessToken "TRAVISCI_ACCESS_TOKEN"
        TwitchApiToken "TWITCH_API_TOKEN"
        TwitterAccessToken "TWITTER_ACCESS_TOKEN"
        TypeformApiToken "TYPEFORM_API_TOKEN"
        VercelToken "VERCEL_TOKEN"
        WandbApiKey "WANDB_API_KEY"
        YandexApiKey "YANDEX_API_KEY"
        ZendeskSecretKey "ZENDESK_SECRET_KEY"
        HttpAuthorization "HTTP_AUTHORIZATION"
        GenericSecret "GENERIC_SECRET"
    }
    Injection {
        HiddenText "HIDDEN_TEXT"
    }
    Pii {
        DateOfBirth "DATE_OF_BIRTH"
        Age "AGE"
        Person "PERSON"
        Address "ADDRESS"
        UkPostcode "UK_POSTCODE" [Uk]
        DePlz "DE_PLZ" [Eu]
        PostalCode "POSTAL_CODE"
        UsPassport "US_PASSPORT" [NationalId NorthAmerica]
        UkPassport "UK_PASSPORT" [NationalId Uk]
        EsPassport "ES_PASSPORT" [NationalId Eu]
        ItPassport "IT_PASSPORT" [NationalId Eu]
        InPassport "IN_PASSPORT" [NationalId Apac]
        KrPassport "KR_PASSPORT" [NationalId Apac]
        Passport "PASSPORT" [NationalId]
        UsDriverLicense "US_DRIVER_LICENSE" [NationalId NorthAmerica]
        DeFuehrerschein "DE_FUEHRERSCHEIN" [NationalId Eu]
        ItDriverLicense "IT_DRIVER_LICENSE" [NationalId Eu]
        KrDriverLicense "KR_DRIVER_LICENSE" [NationalId Apac]
        DriverLicense "DRIVER_LICENSE" [NationalId]
        ItIdentityCard "IT_IDENTITY_CARD" [NationalId Eu]
        IdCard "ID_CARD" [NationalId]
        UkVehicleRegistration "UK_VEHICLE_REGISTRATION" [Uk]
        DeKfz "DE_KFZ" [Eu]
        TrLicensePlate "TR_LICENSE_PLATE" [Mea]
        InVehicleRegistration "IN_VEHICLE_REGISTRATION" [Apac]
        NgVehicleRegistration "NG_VEHICLE_REGISTRATION" [Mea]
        LicensePlate "LICENSE_PLATE"
        DeHandelsregister "DE_HANDELSREGISTER" [Eu]
        GeoCoordinates "GEO_COORDINATES"
        Username "USERNAME" [Credential]
        Password "PASSWORD" [Credential]
        Pin "PIN" [Credential]
        EmployeeId "EMPLOYEE_ID"
        CustomerId "CUSTOMER_ID"
    }
    Financial {
        CardCvv "CARD_CVV"
        CardExpiry "CARD_EXPIRY"
        CardTrack "CARD_TRACK"
        AccountNumber "ACCOUNT_NUMBER"
    }
    Health {
        MedicalRecordNumber "MEDICAL_RECORD_NUMBER"
        HealthInsuranceId "HEALTH_INSURANCE_ID"
        Icd10Code "ICD10_CODE"
        Ndc "NDC"
    }
    Business {
        SourceCode "SOURCE_CODE"
        SqlSchema "SQL_SCHEMA"
        InternalHost "INTERNAL_HOST"
        ConfidentialityMarking "CONFIDENTIALITY_MARKING"
        FinancialStatement "FINANCIAL_STATEMENT"
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
