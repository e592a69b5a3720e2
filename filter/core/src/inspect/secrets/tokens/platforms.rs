//! Clouds, code hosts, language models, chats and payments.

use super::super::Part::{Digit, Lit, Run};
use super::super::{Left, OPEN, Part, Token};
#[cfg(test)]
use super::Samples;
use super::{
    ALNUM, BASE32, BASE64, BECH32, CAPITALS, DASHED, DIGIT, DOTTED, HEX, HEX_LOWER, PATH, SENDGRID, Type, URL64, WORD,
    tokens,
};

#[rustfmt::skip]
tokens! {
    AwsAccessKey ["AKIA" "ASIA" "ABIA" "ACCA"] 4, Word, 3.0, { Run(&BASE32, 16, 16) }
        found ["AK¦IAJQGUKB22EGIU642N"
            "AS¦IAMUVV3F7ZFNPCMGFM"]
        missed ["AK¦IAXXXXXXXXXXXXXXXX" "TODAYINAS¦IAASACKOFRICEFELLOVER" "AK¦IAQSTQKHBROOPDATR"]
    AwsAccessKey ["A3T"] 3, Word, 3.0, { Run(&CAPITALS, 1, 1), Run(&BASE32, 16, 16) }
        found ["A3¦TXBEKVRPUFJQQGITE7"]
        missed ["A3¦TXCC66ZGIT2K546JL"]
    GithubToken ["ghp_" "gho_" "ghu_" "ghs_" "ghr_"] 4, Any, 3.0, { Run(&ALNUM, 36, OPEN) }
        found ["gh¦p_iSPvMUC6j7OrJ1Bkkz7T3hSiXLBwoh6MdHmB"
            "gh¦s_ll1fhY4saZPZuRUz8DHWWUd1Qkh8DJvaeKVg"]
        missed ["gh¦p_fvqPf9QXtQcYbmoGGSakb7QVH5i5t3iArgy" "gh¦p_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]
    GithubToken ["github_pat_"] 11, Any, 3.0, { Run(&WORD, 82, OPEN) }
        found ["github¦_pat_gnpm2ogtiJy4iPfCFalm0O_tz82g61snxNtjRUgard4yxVsz15DZgeKEn96aSUHe7WJN9vTalrsM29gacn"]
        missed ["github¦_pat_VnN8zSMfL2xYsCdZPi4Ny52JzzqaZX7DfL3FuoXmsC4vynNdwifV0xbWhEpI"]
    GitlabToken ["glpat-"] 6, Any, 3.0, { Run(&DOTTED, 20, 300) }
        found ["gl¦pat-jsXUaiRxwHjboBHCp7zy"
            "gl¦pat-SI1S6sGMPTsNWXfPFrwViDQV2pF.01.e107e7dib"]
        missed ["gl¦pat-HmxznIGTt0EOl85iir4" "gl¦pat-xxxxxxxxxxxxxxxxxxxx"]
    GitlabToken ["gldt-" "glrt-" "glft-"] 5, Any, 3.0, { Run(&DOTTED, 20, 300) }
        found ["gl¦dt-mmshmCzDe2X2XtOIhZnU"
            "gl¦rt-t1_503nUt3nGsB2EgxHpVZlJKx0sja.01.02ej6e6cf"]
        missed ["gl¦ft-M0GHch3r4AK6"]
    GitlabToken ["glptt-" "glimt-" "gloas-"] 6, Any, 3.0, { Run(&URL64, 25, OPEN) }
        found ["gl¦ptt-26eed1553f9578733eda751e20908b89c2b01557"
            "gl¦imt-OeUCA1caMWnyI78JZDfsW22D5"
            "gl¦oas-S2QX0HsvgCmjNOhVc2wlQmlosahdo6BGOMyQrNvPXMI8iu472da2fGGHEl0jnJ0w"]
        missed ["gl¦imt-ij4WsYgkJ96t0Dn3fhjb8NjG"]
    GitlabToken ["glagent-"] 8, Any, 3.0, { Run(&URL64, 50, OPEN) }
        found ["gl¦agent-W8wtx9V1bqTbCauYsSE0DYtdbcfbG2tArDN6rf00P4B3Teb4zW"]
        missed ["gl¦agent-bqVaX7RHL0eR9a0uUgFBgvHbUaRh6K"]
    GitlabToken ["glsoat-"] 7, Any, 3.0, { Run(&URL64, 20, OPEN) }
        found ["gl¦soat-1QOc4NoCpwxJeTH0hTep"]
        missed ["gl¦soat-10qLC1DFc5cZ3Z6ZWPD"]
    GitlabToken ["glffct-"] 7, Any, 3.0, { Run(&URL64, 20, OPEN) }
        found ["gl¦ffct-fl5kLHNnJNYM8Kpmpsci"]
        missed ["gl¦ffct-7w9L1VU5MD6UuCFa6tM"]
    GitlabToken ["glcbt-"] 6, Any, 3.0, { Run(&ALNUM, 1, 5), Lit("_"), Run(&URL64, 20, OPEN) }
        found ["gl¦cbt-6a_hxVm2sX3jMLT02KUHld3"]
        missed ["gl¦cbt-6a_Y3oqlHcXGaOW"]
    GitlabToken ["GR1348941"] 9, Any, 3.0, { Run(&URL64, 20, OPEN) }
        found ["GR13¦48941gmgED8Hro5dB9psZXvtp"]
        missed ["GR13¦48941wFBQe65nn4"]
    AnthropicApiKey ["sk-ant-api03-" "sk-ant-oat01-"] 13, Any, 3.0, { Run(&URL64, 93, 93), Lit("AA") }
        found ["sk-a¦nt-api03-B-7Pt6Zids8Bg9Gan7fCpcrjCXdRAGJOBD1gGbE4R1PVklY8wIqjtfrDpdBlQEf_DrYn6GAgOYj2421pCFOmcyafRv1RgAA"]
        missed ["sk-a¦nt-api03-DtHM8KnPjD6CKbBWpAl4Z91ArlrY9h6FlXPikVqBffFqdnqH83Gv7xrfyoT78PgOQXnc4xi4qzO3yuSfsMSHiEX-gbc9UBB" "sk-a¦nt-api03-DYk8OA4mZlnx2YsMrKLUw3VRJBEQoaK_rR8BVMCQL4ktHmKA_kJ9rWkfeMJtAA"]
    AnthropicApiKey ["sk-ant-admin01-"] 15, Any, 3.0, { Run(&URL64, 93, 93), Lit("AA") }
        found ["sk-a¦nt-admin01-evQeGdG2-fhrervcXJoDhvhmJKspN0pCniue0XdgYTZwqdGPaN_5GNFpouIlDJ6MNFkIeKkMu7J2ikV8Djq9KTiHZB52OAA"]
        missed ["sk-a¦nt-admin01-MWbT8uUd64944-OTNhnQbl9Sq4wsqoc_GLGLtrB-Ouk-20E2bfIWTgk5wm4GNPzfaBRlf_QtdF681dkM6YkNBRD6mNSKAA"]
    GoogleApiKey ["AIza"] 4, Word, 4.0, { Run(&URL64, 35, 35) }
        found ["AI¦zaXH16UhQil-YOwV2MI37Yzhe0hJhvoDsc4ok"
            "AI¦zaSy0Ziw1HkKnd1Hq7CqQ5azgDGiB3xG3lgXx"]
        missed ["AI¦zaxHStWxDKs73ZF1T1YoBFYA9sffb8kIfw2B" "AI¦za0PP5NOxdhn7OYzkBOhqWjqwhRpQtQN2Z8nJO" "AI¦zaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]
    HuggingFaceToken ["hf_"] 3, Word, 3.0, { Run(&ALNUM, 34, 34) }
        found ["hf¦_TnG54zOFSNGE1A9BdlDhd2mpnSLzPOpSkL"]
        missed ["hf¦_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" "hf¦_requiredCharacteristicTypesForDisplayMetadata"]
    HuggingFaceToken ["api_org_"] 8, Word, 3.0, { Run(&ALNUM, 34, 34) }
        found ["api¦_org_98RUPGkpz2ZfKOXnsaR5ohtPFjvVl0BicL"]
        missed ["api¦_org_VbvZTYVVMOFx4lFQeBTQ"]
    PerplexityApiKey ["pplx-"] 5, Word, 4.0, { Run(&ALNUM, 48, 48) }
        found ["pp¦lx-xaZhX0QULeqGNJgs6mnsdbok7oUJsV2A0pGBvA85ilthRZf0"]
        missed ["pp¦lx-XJMXUwc7f3ShyytebHIE9NqyHjkPkjZS7Vo07DDRPsVSy3V" "pp¦lx-7b-online"]
    GroqApiKey ["gsk_"] 4, Word, 4.0, { Run(&ALNUM, 52, 52) }
        found ["gs¦k_ycEgPS6TzfhJHTTcTo0p6oyudzaoMEvn442tTawplsoQcCwTF1BH"]
        missed ["gs¦k_3wm5KzrOMyxgYs70VGkSrlBje47IKN5MRL6pS6Xi"]
    XaiApiKey ["xai-"] 4, Word, 4.0, { Run(&ALNUM, 80, 80) }
        found ["xa¦i-Jrw9O2OxxbMKSkSzCVifK2jP9YsBWUJzuKHuRgN8dkw6xN6SWuon2O7AOWmNJmtbGp0ygfcz8y8QqJit"]
        missed ["xa¦i-grok-beta"]
    OpenrouterApiKey ["sk-or-v1-"] 9, Any, 3.0, { Run(&HEX, 64, 64) }
        found ["sk-o¦r-v1-d3e5cfe783858e06943140b90f685fe5b070081708193424f7df3f2176661c3f"]
        missed ["sk-o¦r-v1-86cfd3bc50dab87cad71b51a30a3e0af8ebad98e69335fee840a0329bda963f"]
    SlackToken ["xoxb-" "xoxp-" "xoxe-"] 5, Word, 2.0, { Run(&DIGIT, 8, 14), Lit("-"), Run(&DASHED, 18, 300) }
        found ["xo¦xb-781236542736-2364535789652-KjpPlYVTA6DA9se9tPmS0Kbo"
            "xo¦xp-41684372915-1320496754-45609968301-55f29f22a02446ecf7ffe530ed7eff35"]
        missed ["xo¦xb-xxxxxxxxx-xxxxxxxxxx-xxxxxxxxxxxx" "xo¦xb-xxx" "xo¦xp-1234567890"]
    SlackToken ["xoxe-"] 5, Word, 2.0, { Run(&DIGIT, 1, 1), Lit("-"), Run(&ALNUM, 140, 300) }
        found ["xo¦xe-1-QW7B3PDKHX4PY8GPAN0RLYKEI2IIAANNKKSUM8NLMYTBX0KJQEVTAVETWT4UL44LDQBWZB90XYA2CLMHP3W6W7Q3GXSC1FNV6XJVR8FTUTLFJT4KDF8ZCPWQ30JDC5VNII0GK1XJD0SJ3K735U"]
        missed ["xo¦xe-1-4RS4ZJHY8L5VLF5R696XEWCTX9R5QSVLA49QUR3S"]
    SlackToken ["xoxo-" "xoxs-"] 5, Word, 2.0, { Run(&DIGIT, 1, 20), Lit("-"), Run(&DIGIT, 1, 20), Lit("-"), Run(&DASHED, 8, 300) }
        found ["xo¦xs-416843729158-132049654-5609968301-bb8bdb5eba456bf92d5d9806"]
        missed ["xo¦xo-small-dialogue"]
    SlackToken ["xoxa-" "xoxr-"] 5, Word, 2.0, { Run(&DASHED, 10, 64), Digit }
        found ["xo¦xa-2-K2LOLC4OKDIHUL4M9C03WYENPXAWZR0H9XC9TGS8"]
        missed ["xo¦xr-placeholder"]
    SlackToken ["xoxe.xoxb-" "xoxe.xoxp-"] 10, Word, 2.0, { Run(&DASHED, 100, 300), Digit }
        found ["xo¦xe.xoxb-1-3WJJFNTMCVDRFOOQGWRH1KLFUG8BPK1IWABS8J0JJLTBBMLE4TJRBGQRKER4X9PKXBTB2QYCOJEAIL8V63JB7INWIRWTNHHDTFX2GIWLTSKQPONTJO1NF91J8BSSHUC4TEIMZ52WYRO3YVZP3KMIGDIR9S74XPLEULSSA"]
        missed ["xo¦xe.xoxb-1-7O5MFW7ZASDIJS0YLPLG"]
    SlackToken ["xapp-"] 5, Word, 2.0, { Run(&DIGIT, 1, 1), Lit("-"), Run(&CAPITALS, 6, 20), Lit("-"), Run(&DIGIT, 6, 20), Lit("-"), Run(&ALNUM, 20, OPEN) }
        found ["xa¦pp-1-A052FGTS2DL-5171572773297-e6a33d3cee2d6ea3d16d4c8c1982bf83d95df15cf0200d2a47c0b3eedf879d78"]
        missed ["xa¦pp-1-development"]
    SlackWebhook ["hooks.slack.com/services/" "hooks.slack.com/triggers/"] 25, Url, 2.0, { Run(&PATH, 40, 60) }
        found ["https://hooks.slack¦.com/services/T024AHXWU/BBOSMLT9N/1D9eU2YFa8phvaK5tNIaSfNG"]
        missed ["https://hooks.slack¦.com/services/..."]
    SlackWebhook ["hooks.slack.com/workflows/"] 26, Url, 2.0, { Run(&PATH, 40, 80) }
        found ["https://hooks.slack¦.com/workflows/T016M3G1GHZ/A04J3BAF7AA/442660231806210747/ku3kZyJbmlgSHl4laCUUSZjB"]
        missed ["https://hooks.slack¦.com/workflows/help"]
    DiscordWebhook ["discord.com/api/webhooks/"] 25, Url, 3.0, { Run(&DIGIT, 17, 20), Lit("/"), Run(&URL64, 60, 80) }
        found ["https://disc¦ord.com/api/webhooks/123489267012345678/sPeZb0ESGrwR7jfnarP1-Qn78JO-jCJdNu7aJlRGLa-yuNoOhSukLCyfPf6hgHG4sddO"]
        missed ["https://disc¦ord.com/api/webhooks/123489267012345678"]
    DiscordWebhook ["discordapp.com/api/webhooks/"] 28, Url, 3.0, { Run(&DIGIT, 17, 20), Lit("/"), Run(&URL64, 60, 80) }
        found ["https://disc¦ordapp.com/api/webhooks/12348926701234567/p3C3IBsy5hSKfOtSrnBdTgpo0M87-CgDMhcIwUgIyyHj9wDISPCG4JMameNNDxzyo2EB"]
        missed ["https://disc¦ordapp.com/api/webhooks/1/x"]
    StripeKey ["sk_live_" "sk_test_" "sk_prod_" "rk_live_" "rk_test_" "rk_prod_"] 8, Word, 3.0, { Run(&ALNUM, 16, OPEN), Digit }
        found ["sk¦_live_Ry1R1hkXi82ykey5symsx11S"
            "rk¦_test_51kEDqrFiynyjpPkd5YhogAaMRPr3nhsaXogSgFYP1wlg5bOCINxn7gTmIuBMnNJALzj0spETJzxvDsEEv2V2KjZGQbQUZqjrRa"]
        missed ["task¦_test_eQcLJdyWM9DuMqVkv24MAZ9J" "sk¦_test_xxxxxxxxxxxxxxxxxxxxxxxx" "sk¦_live_mode"]
    StripeKey ["whsec_"] 6, Word, 3.5, { Run(&BASE64, 32, 64), Digit }
        found ["wh¦sec_U0AuG5qAOI4DtjjCaiqhyjd3N1Yq4LMh"]
        missed ["wh¦sec_test"]
    ShopifyToken ["shpat_" "shpca_" "shppa_" "shpss_"] 6, Any, 3.0, { Run(&HEX, 32, 32) }
        found ["sh¦pat_b1000a55ffaa538afe905482e064108f"]
        missed ["sh¦pat_42f3b11b82f627ee125c6500bac1630" "sh¦pss_00000000000000000000000000000000"]
    SquareToken ["sq0atp-"] 7, Word, 3.0, { Run(&URL64, 22, 60) }
        found ["sq¦0atp-SMuNBJlZTWPE40Bj7QeAs3"]
        missed ["sq¦0atp-qqerwvbkaRja"]
    SquareToken ["sq0csp-"] 7, Word, 3.0, { Run(&URL64, 43, 60) }
        found ["sq¦0csp-Bi5VPqCva8E1p2JLbJeEchZY5ua0onEry7iz3S7CaQu"]
        missed ["sq¦0csp-CxfdkCHRLDDKeY7kPKmWWL"]
    SquareToken ["EAAA"] 4, Hyphen, 4.0, { Run(&URL64, 60, 60) }
        found ["EA¦AAzg7DIapcVJN51QLvBcwX8dsq3BakUvSqGhmObo7DqtaWg_6OD4InIPsmHjeq"]
        missed ["EA¦AAETOjudrcdbQQ2PP78CyOSMt7edvmHsFjEvUP3BVd3H6tHzqhi57XFzBMA6s"]
    TwilioApiKey ["SK0" "SK1" "SK2" "SK3" "SK4" "SK5" "SK6" "SK7" "SK8" "SK9" "SKa" "SKb" "SKc" "SKd" "SKe" "SKf"] 2, Word, 3.0, { Run(&HEX, 32, 32) }
        found ["S¦Kf29ffc79b930cd79d7949b5a381a32f1"]
        missed ["S¦Kde36c17c0a1857474a1c0f107a4ce7c" "MAS¦K3d3a9e2446a7c9a70eeda77a1baa771e"]
    SendgridApiKey ["SG."] 3, Word, 3.0, { Run(&SENDGRID, 66, 66) }
        found ["S¦G.ZSTuBW6PVgmMSXZOTgnewd.vjjzWaYZz3FNd56cCyDrdJorqzvbbfcsBfzUKzSEYzy"]
        missed ["S¦G.Zs92rDOVO2DPWifceNLWJy.pksm8Hz1kGxmge2GzO4x"]
    MailgunApiKey ["key-"] 4, Hyphen, 3.0, { Run(&HEX_LOWER, 32, 32) }
        found ["ke¦y-a3236dd304ed0601e597c51f7ae5edc0"]
        missed ["my-ke¦y-7ff6d510110c328d2e66786361020b42" "ke¦y-value-store"]
    NpmToken ["npm_"] 4, Word, 3.0, { Run(&ALNUM, 36, 36) }
        found ["np¦m_1jEamXs9Kbq4NGlJ6a5UeuWh55P3qsInuSIl"]
        missed ["np¦m_eNhoXqqpayeFHyyp7D3Tsoh3yAlBACiMgDH" "np¦m_config_registry"]
    PypiToken ["pypi-AgEIcHlwaS5vcmc"] 20, Any, 3.0, { Run(&URL64, 50, 1000) }
        found ["pyp¦i-AgEIcHlwaS5vcmcUHp5iZNrswzGPIyVAsyd0KIcOE-ZFefefRk7P7pP8WnTt9nhZW4e5-jvq6K6yT0-0EtaK-3z3HqPm9YVSJV9gJHPyw8lhiadO8CFw9WzSVPZ33F0-WrqV8gK"]
        missed ["pyp¦i-AgEIcHlwaS5vcmcCztftF9CwsIXQadQbqPE"]
    PypiToken ["pypi-AgENdGVzdC5weXBpLm9yZw"] 27, Any, 3.0, { Run(&URL64, 50, 1000) }
        found ["pyp¦i-AgENdGVzdC5weXBpLm9yZw1VVFJqSkY-wwGvqIojiIjYI_y0VhSQZP6R2yDkt3W7nlqW_a2JSjy4MRAlYB6crROgBpj20gTAn63iO6kVh6pjFDJlfCdWNciHWU3nxbeSm40TmpBTb5BXnL"]
        missed ["pyp¦i-AgENdGVzdC5weXBpLm9yZw"]
    RubygemsToken ["rubygems_"] 9, Word, 3.0, { Run(&HEX, 48, 48) }
        found ["ruby¦gems_bf12963c9cc7554382132db63d6a2ac6fec7267b790bc29e"]
        missed ["ruby¦gems_c65f067ef61a3c03e902167eba3e878f00ce9f5a"]
    DatabricksToken ["dapi"] 4, Word, 3.0, { Run(&HEX_LOWER, 32, 32) }
        found ["da¦piee61ed0560be5fa2c003f88cb28364c2"]
        missed ["da¦pif22c128f88010700595efd7cc3a2a84" "da¦pi00000000000000000000000000000000"]
    DatabricksToken ["dapi"] 4, Word, 3.0, { Run(&HEX_LOWER, 32, 32), Lit("-"), Run(&DIGIT, 1, 1) }
        found ["da¦pi74eaee0f8c0faa85fc856e85503915f2-2"]
        missed ["da¦pi74eaee0f8c0faa85fc856e85503915-2"]
    DigitaloceanToken ["dop_v1_" "doo_v1_" "dor_v1_"] 7, Word, 3.0, { Run(&HEX, 64, 64) }
        found ["do¦p_v1_f97e0782233a53d1ec67b11d027319a7f5fc8df628256952b312145c32dbab4a"]
        missed ["do¦p_v1_620079a3390052ff634a5ffebd0d5699dcf5bcce3ae073f5b6b24e738b29a62"]
    VaultToken ["hvs." "hvb." "hvr."] 4, Word, 3.5, { Run(&URL64, 24, 300), Digit }
        found ["hv¦s.CAESILVg2SASyjCGsyYMrTZd_70Xf0uwVMZJ4qHyB2Xc3SzXHkZPNGg1HzpD6R4HzNEbJ-BjrQTvD9AxxS6FQAaxu182_"
            "hv¦s.nFzvaYWebKYbAb2sG187uEDh"]
        missed ["hv¦s.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" "hv¦s.someMethodNameWithoutNumber"]
    GrafanaToken ["glsa_"] 5, Word, 3.0, { Run(&ALNUM, 32, 32), Lit("_"), Run(&HEX, 8, 8) }
        found ["gl¦sa_wqLhFEM77NpDu66XW1AqsSKvk8IhA1Me_29e4c5a6"]
        missed ["gl¦sa_pKLwMearVNKk2uPfpOVcpOwXmJKamiwo"]
    GrafanaToken ["glc_"] 4, Word, 3.5, { Run(&BASE64, 32, 400), Digit }
        found ["gl¦c_eyJvIjoirw2DRS1HSH2bKgoaJUEuhOdL8R7O7QIAHY8o9vfCgrkOZWQ54ur4vMoQjmuoP26gq8b3Cs5r65MbpGKb=="]
        missed ["gl¦c_vertex_buffer_object"]
    GrafanaToken ["eyJrIjoi"] 8, Hyphen, 3.0, { Run(&BASE64, 70, 400) }
        found ["ey¦JrIjoi7NfkR9p7K3Jgbu4CSYm5abOmxubYyvsL3Krkp3fKefhZwNJMZK4yC2AWiES8aSh9y5zCgJav2hU7tKd9SOdyvv155X=="]
        missed ["ey¦JrIjoiMlY737FIsM1rDHZRIxzl"]
    SentryToken ["sntryu_"] 7, Word, 3.0, { Run(&HEX_LOWER, 64, 64) }
        found ["sn¦tryu_92fd694029416667ad3ea54157c321cafa354d86d16c9949af89a7b5de734f2e"]
        missed ["sn¦tryu_df738a53cd5f00ee3d2b475a2915402f30ca38bd982a1097238b05189e7e6199a" "sn¦tryu_4afd7fe50a2780b5ce70103da0233e68b59e2c57b2f96a579983801db2c30"]
    SentryToken ["sntrys_eyJpYXQiO"] 16, Word, 4.5, { Run(&BASE64, 60, 400), Lit("_"), Run(&PATH, 43, 43) }
        found ["sn¦trys_eyJpYXQiOGv8Ls9w0iAA0KPIxDjkMyKE9m9iMfw05QayguK6NIjuO45KyBBoFsETyy926kMMqVtFqAbu8tF7sjEbhQN9CpscYi0zaEIJrp7EYLCJyZWdpb25fdXJscpFr2jUssFMEHP3M4V5hbWitsITvNsUHbDwxRV0LicaqJDR6g4RImaBXZBMK=_ST9OPE261yEzR2Um5sD1Wet1aSXBLsPXE6tjkESJ4Fv"]
        missed ["sn¦trys_eyJpYXQiOIjBLIZdeUor0fYeQ8bvUBezSFdh1hoNP08hT5isT6CjlNlAZkeNncJgQyVerdKKhVz4NiaBfuRMFFw8Px6diSsjKORGs68JJNoqe" "sn¦trys_eyJpYXQiOJpq1WsHiZp3xDVyliTbPvfKQcf3hGMDpy4DE9ugYHbIUyd2j88BRYoVhf6QF0niSNyw1psv7NTwYyyiU1wPsZOB92xHcLKnVlzeg_cclmmcF47EQWwaBEt47N6BuDDgmjPkex3y34EjJqhr0k"]
    LinearApiKey ["lin_api_"] 8, Word, 3.0, { Run(&ALNUM, 40, 40) }
        found ["lin¦_api_baRRJG4os5zqxGPb7vKC2yUmnvwo0l6B82VgGQMD"]
        missed ["lin¦_api_iDOAok64ceH0q7JcIvi1QpdvQnC8GsVoJMvIv08"]
    NotionToken ["ntn_"] 4, Word, 4.0, { Run(&DIGIT, 11, 11), Run(&ALNUM, 35, 35) }
        found ["nt¦n_32058471793QMxPUqnEBIMiYLWhVAArsWCvJXAvtNJLdce"]
        missed ["nt¦n_70259495550BNA7BXL1TotOqkZyBA15"]
    PostmanApiKey ["PMAK-"] 5, Word, 3.0, { Run(&HEX, 24, 24), Lit("-"), Run(&HEX, 34, 34) }
        found ["PM¦AK-01dab5821faa9304c4cb219b-e6d99c9d57dc2d5b225373966ce9c1593c"]
        missed ["PM¦AK-cf48386b3071234ed454204f-27dce13175d1e95a71e0"]
    DopplerToken ["dp.pt." "dp.ct." "dp.sa."] 6, Word, 3.0, { Run(&ALNUM, 40, 44) }
        found ["dp¦.pt.zZRY8M0bJRxvCvKogDSqJw6NDSuDbtuEriUcgYrGd9Z"]
        missed ["dp¦.pt.awmGabXNmPttUMAfaXjY"]
    PulumiToken ["pul-"] 4, Word, 3.0, { Run(&HEX_LOWER, 40, 40) }
        found ["pu¦l-77da34926827fbe7b6a49015e8aa2f871353b641"]
        missed ["pu¦l-c264ccd9d475969dd12dd9f5032d8cd1b722146"]
    AlibabaAccessKey ["LTAI"] 4, Word, 3.0, { Run(&ALNUM, 20, 20) }
        found ["LT¦AI4phGCOLjuVhJULLp5UfQ"]
        missed ["LT¦AI5HmzRNnr6r6F0oksITT" "VOLT¦AIjBntNOBf2t7CVUfTMLU1"]
    NewRelicKey ["NRAK-" "NRII-"] 5, Word, 3.0, { Run(&URL64, 27, 32) }
        found ["NR¦AK-AQH2CGZSCYD5EYNFLVQLGIBKFXR"]
        missed ["NR¦AK-M88SGEpMK4kz"]
    PrivateKey ["AGE-SECRET-KEY-1"] 16, Any, 0.0, { Run(&BECH32, 58, 58) }
        found ["AGE-SEC¦RET-KEY-18PJJCRTQG9FSM3YRU40535WRZ7VSGCECU0WA2NDH9032YKE58SF6E0PARP"]
        missed ["AGE-SEC¦RET-KEY-14HEDTUWPJJ24EEKRET63GDYGKFW432"]
    AzureStorageKey ["AccountKey="] 11, Word, 3.0, { Run(&PATH, 86, 86), Lit("==") }
        found ["Account¦Key=GPzEyoL8EsaJd/wyXxQPplH8ACyjkz4jmBQlm7knI4pShZFC8ZrXbeg/fT3pG+h8msMlc+T1ah9sdbEl7oX8nr=="]
        missed ["Account¦Key=your-key;" "Account¦Key=EHAluvtdgDW1+In81LJK6yc+jecsblnAk2vnXK6+Zy2GKlPOyJV9YZGWNkJn=="]
    AzureStorageKey ["SharedAccessKey="] 16, Word, 3.0, { Run(&PATH, 43, 43), Lit("=") }
        found ["SharedAccess¦Key=srUgBhcpqIuRhWlMkU6ag5t/Zj3aoeWqeHGwlifXjw9="]
        missed ["SharedAccess¦Key=<key>"]
}
