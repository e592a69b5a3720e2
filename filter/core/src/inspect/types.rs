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
    }
    Exfiltration {
        ExternalImage "EXTERNAL_IMAGE"
        ExternalLink "EXTERNAL_LINK"
        Canary "CANARY"
        SystemPromptLeak "SYSTEM_PROMPT_LEAK"
    }
}
