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

/// The last of the types that are found at a digit, a `:` or an `@`; secrets follow.
pub(super) const LAST_STRUCTURED: Type = Type::AuMedicare;

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
        UsItin "US_ITIN" [NationalId NorthAmerica]
        UsEin "US_EIN" [NorthAmerica]
        UsAtin "US_ATIN" [NationalId NorthAmerica]
        UsPtin "US_PTIN" [NationalId NorthAmerica]
        CaSin "CA_SIN" [NationalId NorthAmerica]
        UkNino "UK_NINO" [NationalId Uk]
        UkUtr "UK_UTR" [NationalId Uk]
        UkDrivingLicence "UK_DRIVING_LICENCE" [Uk]
        UkVatNumber "UK_VAT_NUMBER" [Uk]
        IePps "IE_PPS" [NationalId Eu]
        SePersonnummer "SE_PERSONNUMMER" [NationalId Eu]
        SeOrganisationsnummer "SE_ORGANISATIONSNUMMER" [Eu]
        FiPersonalIdentityCode "FI_PERSONAL_IDENTITY_CODE" [NationalId Eu]
        DkCpr "DK_CPR" [NationalId Eu]
        NoFnr "NO_FNR" [NationalId Eu]
        IsKennitala "IS_KENNITALA" [NationalId Eu]
        LvPersonalCode "LV_PERSONAL_CODE" [NationalId Eu]
        EePersonalCode "EE_PERSONAL_CODE" [NationalId Eu]
        LtPersonalCode "LT_PERSONAL_CODE" [NationalId Eu]
        NlBsn "NL_BSN" [NationalId Eu]
        BeNn "BE_NN" [NationalId Eu]
        DeTaxId "DE_TAX_ID" [NationalId Eu]
        DeTaxNumber "DE_TAX_NUMBER" [Eu]
        DeSocialSecurity "DE_SOCIAL_SECURITY" [NationalId Eu]
        DeIdCard "DE_ID_CARD" [NationalId Eu]
        DePassport "DE_PASSPORT" [NationalId Eu]
        DeVatId "DE_VAT_ID" [Eu]
        EuVatId "EU_VAT_ID" [Eu]
        FrNir "FR_NIR" [NationalId Eu]
        FrNif "FR_NIF" [NationalId Eu]
        FrSiren "FR_SIREN" [Eu]
        FrSiret "FR_SIRET" [Eu]
        AtVnr "AT_VNR" [NationalId Eu]
        ChAhv "CH_AHV" [NationalId Eu]
        ChUid "CH_UID" [Eu]
        PlPesel "PL_PESEL" [NationalId Eu]
        PlNip "PL_NIP" [Eu]
        PlRegon "PL_REGON" [Eu]
        CzSkBirthNumber "CZ_SK_BIRTH_NUMBER" [NationalId Eu]
        ItFiscalCode "IT_FISCAL_CODE" [NationalId Eu]
        ItVatCode "IT_VAT_CODE" [Eu]
        EsNif "ES_NIF" [NationalId Eu]
        EsNie "ES_NIE" [NationalId Eu]
        EsCif "ES_CIF" [Eu]
        PtNif "PT_NIF" [NationalId Eu]
        GrAmka "GR_AMKA" [NationalId Eu]
        GrAfm "GR_AFM" [Eu]
        RoCnp "RO_CNP" [NationalId Eu]
        BgEgn "BG_EGN" [NationalId Eu]
        HrOib "HR_OIB" [NationalId Eu]
        SiEmso "SI_EMSO" [NationalId Eu]
        RuInn "RU_INN" [NationalId Eu]
        RuSnils "RU_SNILS" [NationalId Eu]
        UaRntrc "UA_RNTRC" [NationalId Eu]
        TrNationalId "TR_NATIONAL_ID" [NationalId Mea]
        ZaIdNumber "ZA_ID_NUMBER" [NationalId Mea]
        IlId "IL_ID" [NationalId Mea]
        NgNin "NG_NIN" [NationalId Mea]
        InAadhaar "IN_AADHAAR" [NationalId Apac]
        InPan "IN_PAN" [NationalId Apac]
        InGstin "IN_GSTIN" [Apac]
        InVoter "IN_VOTER" [NationalId Apac]
        AuTfn "AU_TFN" [NationalId Apac]
        AuAbn "AU_ABN" [Apac]
        AuAcn "AU_ACN" [Apac]
        SgNricFin "SG_NRIC_FIN" [NationalId Apac]
        SgUen "SG_UEN" [Apac]
        KrRrn "KR_RRN" [NationalId Apac]
        KrFrn "KR_FRN" [NationalId Apac]
        KrBrn "KR_BRN" [Apac]
        JpMyNumber "JP_MY_NUMBER" [NationalId Apac]
        CnRic "CN_RIC" [NationalId Apac]
        TwId "TW_ID" [NationalId Apac]
        HkHkid "HK_HKID" [NationalId Apac]
        ThTnin "TH_TNIN" [NationalId Apac]
        MyNric "MY_NRIC" [NationalId Apac]
        IdNik "ID_NIK" [NationalId Apac]
        PhTin "PH_TIN" [NationalId Apac]
        PkCnic "PK_CNIC" [NationalId Apac]
        VnCccd "VN_CCCD" [NationalId Apac]
        BrCpf "BR_CPF" [NationalId Latam]
        BrCnpj "BR_CNPJ" [Latam]
        MxCurp "MX_CURP" [NationalId Latam]
        MxRfc "MX_RFC" [NationalId Latam]
        ArDni "AR_DNI" [NationalId Latam]
        ArCuit "AR_CUIT" [NationalId Latam]
        ClRut "CL_RUT" [NationalId Latam]
        CoNit "CO_NIT" [NationalId Latam]
        Imei "IMEI"
        Imsi "IMSI"
        MacAddress "MAC_ADDRESS"
        Vin "VIN"
    }
    Financial {
        CreditCard "CREDIT_CARD"
        IbanCode "IBAN_CODE"
        AbaRoutingNumber "ABA_ROUTING_NUMBER" [NorthAmerica]
        SwiftBic "SWIFT_BIC"
        UsBankNumber "US_BANK_NUMBER" [NorthAmerica]
        UkBankAccount "UK_BANK_ACCOUNT" [Uk]
        Clabe "CLABE" [Latam]
        Crypto "CRYPTO"
        Isin "ISIN"
        Cusip "CUSIP" [NorthAmerica]
        Lei "LEI"
    }
    Health {
        UsNpi "US_NPI" [NorthAmerica]
        MedicalLicense "MEDICAL_LICENSE" [NorthAmerica]
        UsMbi "US_MBI" [NationalId NorthAmerica]
        UkNhs "UK_NHS" [NationalId Uk]
        DeHealthInsurance "DE_HEALTH_INSURANCE" [NationalId Eu]
        DeLanr "DE_LANR" [Eu]
        DeBsnr "DE_BSNR" [Eu]
        AuMedicare "AU_MEDICARE" [NationalId Apac]
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
        EmployeeId "EMPLOYEE_REFERENCE"
        CustomerId "CUSTOMER_REFERENCE"
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
