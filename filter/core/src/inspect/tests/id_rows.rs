//! Samples of identifiers: computed, or published as examples. The near misses have a wrong check digit, or nothing that
//! names them.

use super::sample_rows::Row;

#[rustfmt::skip]
pub(super) const IDS: &[Row] = &[
    Row {
        kind: "ABA_ROUTING_NUMBER",
        found: &["routing number: «026146100»", "routing number «071663049»."],
        missed: &["routing number: 026146101"],
    },
    Row {
        kind: "UK_NHS",
        found: &["NHS number: «8991433014»", "NHS number «042 003 2304»."],
        missed: &["NHS number: 8991433010", "NHS number: 899 143 3010"],
    },
    Row {
        kind: "UK_UTR",
        found: &["UTR: «4710590344»", "UTR «18906 26727»."],
        missed: &["UTR: 4710590340", "UTR: 47105 90340"],
    },
    Row {
        kind: "DE_TAX_ID",
        found: &["Steuer-ID: «17786259304»", "Steuer-ID «41 324 796 583»."],
        missed: &["Steuer-ID: 17786259300", "Steuer-ID: 17 786 259 300"],
    },
    Row {
        kind: "DE_VAT_ID",
        found: &["«DE436230351»", "see «DE 913430312»."],
        missed: &["DE436230350", "DE 436230350"],
    },
    Row {
        kind: "FR_NIR",
        found: &["numéro de sécurité sociale: «188038823134897»", "numéro de sécurité sociale «1 81 02 25 131 083 55»."],
        missed: &["numéro de sécurité sociale: 188038823134890", "numéro de sécurité sociale: 1 88 03 88 231 348 90"],
    },
    Row {
        kind: "FR_NIF",
        found: &["numéro fiscal: «2147428570126»", "numéro fiscal «32 59 607 135 477»."],
        missed: &["numéro fiscal: 2147428570120", "numéro fiscal: 21 47 428 570 120"],
    },
    Row {
        kind: "FR_SIREN",
        found: &["SIREN: «653795484»", "SIREN «410 207 906»."],
        missed: &["SIREN: 653795480", "SIREN: 653 795 480"],
    },
    Row {
        kind: "FR_SIRET",
        found: &["SIRET: «03589904600870»", "SIRET «264 254 780 82323»."],
        missed: &["SIRET: 03589904600871", "SIRET: 035 899 046 00871"],
    },
    Row {
        kind: "IT_VAT_CODE",
        found: &["P.IVA: «92378840125»", "P.IVA «82497080778»."],
        missed: &["P.IVA: 92378840120"],
    },
    Row {
        kind: "PL_PESEL",
        found: &["PESEL: «83102837549»", "PESEL «68051054119»."],
        missed: &["PESEL: 83102837540"],
    },
    Row {
        kind: "PL_NIP",
        found: &["NIP: «4139428993»", "NIP «342-397-28-12»."],
        missed: &["NIP: 4139428990", "NIP: 413-942-89-90"],
    },
    Row {
        kind: "PL_REGON",
        found: &["REGON: «303973610»", "REGON «543371687»."],
        missed: &["REGON: 303973611"],
    },
    Row {
        kind: "NL_BSN",
        found: &["BSN: «185780544»", "BSN «662068063»."],
        missed: &["BSN: 185780540"],
    },
    Row {
        kind: "BE_NN",
        found: &["rijksregisternummer: «96092269644»", "rijksregisternummer «98.07.11-777.30»."],
        missed: &["rijksregisternummer: 96092269640", "rijksregisternummer: 96.09.22-696.40"],
    },
    Row {
        kind: "SE_PERSONNUMMER",
        found: &["personnummer: «690418-5169»", "personnummer «530328-8814»."],
        missed: &["personnummer: 690418-5160"],
    },
    Row {
        kind: "SE_ORGANISATIONSNUMMER",
        found: &["org.nr: «5560518069»", "org.nr «556028-9992»."],
        missed: &["org.nr: 5560518060", "org.nr: 556051-8060"],
    },
    Row {
        kind: "DK_CPR",
        found: &["CPR: «2309573337»", "CPR «041092-5912»."],
        missed: &["x2309573337", "23095733371"],
    },
    Row {
        kind: "NO_FNR",
        found: &["fødselsnummer: «22078235245»", "fødselsnummer «100574 00698»."],
        missed: &["fødselsnummer: 22078235240", "fødselsnummer: 220782 35240"],
    },
    Row {
        kind: "IS_KENNITALA",
        found: &["kennitala: «2309783449»", "kennitala «270652-3010»."],
        missed: &["kennitala: 2309783441", "kennitala: 230978-3441"],
    },
    Row {
        kind: "PT_NIF",
        found: &["contribuinte: «806507608»", "contribuinte «836 771 702»."],
        missed: &["contribuinte: 806507600", "contribuinte: 806 507 600"],
    },
    Row {
        kind: "AT_VNR",
        found: &["SVNR: «6021279554»", "SVNR «1546 024930»."],
        missed: &["SVNR: 6021279550", "SVNR: 6021 279550"],
    },
    Row {
        kind: "CH_AHV",
        found: &["«7568572290029»", "see «756.0067.4490.11»."],
        missed: &["7568572290020", "756.8572.2900.20"],
    },
    Row {
        kind: "CZ_SK_BIRTH_NUMBER",
        found: &["rodné číslo: «8902031666»", "rodné číslo «871007/9026»."],
        missed: &["rodné číslo: 8902031660", "rodné číslo: 890203/1660"],
    },
    Row {
        kind: "RO_CNP",
        found: &["CNP: «1960210120748»", "CNP «1601124124716»."],
        missed: &["CNP: 1960210120740"],
    },
    Row {
        kind: "BG_EGN",
        found: &["ЕГН: «9005215944»", "ЕГН «8307010367»."],
        missed: &["ЕГН: 9005215940"],
    },
    Row {
        kind: "HR_OIB",
        found: &["OIB: «51987681986»", "OIB «32279996265»."],
        missed: &["OIB: 51987681980"],
    },
    Row {
        kind: "GR_AMKA",
        found: &["ΑΜΚΑ: «17109291694»", "ΑΜΚΑ «28109125998»."],
        missed: &["ΑΜΚΑ: 17109291690"],
    },
    Row {
        kind: "GR_AFM",
        found: &["ΑΦΜ: «056100050»", "ΑΦΜ «074218974»."],
        missed: &["ΑΦΜ: 056100051"],
    },
    Row {
        kind: "EE_PERSONAL_CODE",
        found: &["isikukood: «36711042699»", "isikukood «39103111289»."],
        missed: &["isikukood: 36711042690"],
    },
    Row {
        kind: "LT_PERSONAL_CODE",
        found: &["asmens kodas: «39002262820»", "asmens kodas «39204044368»."],
        missed: &["asmens kodas: 39002262821"],
    },
    Row {
        kind: "SI_EMSO",
        found: &["EMŠO: «2701985544129»", "EMŠO «0407985104533»."],
        missed: &["EMŠO: 2701985544120"],
    },
    Row {
        kind: "IN_AADHAAR",
        found: &["Aadhaar: «406122426510»", "Aadhaar «3140 3102 6429»."],
        missed: &["Aadhaar: 406122426511", "Aadhaar: 4061 2242 6511"],
    },
    Row {
        kind: "AU_TFN",
        found: &["TFN: «065022322»", "TFN «453 176 002»."],
        missed: &["TFN: 065022320", "TFN: 065 022 320"],
    },
    Row {
        kind: "AU_ABN",
        found: &["ABN: «19195239411»", "ABN «72 113 009 992»."],
        missed: &["ABN: 19195239410", "ABN: 19 195 239 410"],
    },
    Row {
        kind: "AU_ACN",
        found: &["ACN: «807499672»", "ACN «514 385 356»."],
        missed: &["ACN: 807499670", "ACN: 807 499 670"],
    },
    Row {
        kind: "CA_SIN",
        found: &["SIN: «771972452»", "SIN «784-382-905»."],
        missed: &["SIN: 771972450", "SIN: 771-972-450"],
    },
    Row {
        kind: "BR_CPF",
        found: &["CPF: «88938963624»", "CPF «982.936.286-85»."],
        missed: &["CPF: 88938963620", "CPF: 889.389.636-20"],
    },
    Row {
        kind: "BR_CNPJ",
        found: &["CNPJ: «62213283928029»", "CNPJ «77.196.955/3937-37»."],
        missed: &["CNPJ: 62213283928020", "CNPJ: 62.213.283/9280-20"],
    },
    Row {
        kind: "JP_MY_NUMBER",
        found: &["マイナンバー: «288831116742»", "マイナンバー «4128 4056 4955»."],
        missed: &["マイナンバー: 288831116740", "マイナンバー: 2888 3111 6740"],
    },
    Row {
        kind: "TH_TNIN",
        found: &["เลขประจำตัวประชาชน: «4653171975146»", "เลขประจำตัวประชาชน «3-9258-64489-50-2»."],
        missed: &["เลขประจำตัวประชาชน: 4653171975140", "เลขประจำตัวประชาชน: 4-6531-71975-14-0"],
    },
    Row {
        kind: "TR_NATIONAL_ID",
        found: &["T.C. kimlik: «84335068164»", "T.C. kimlik «34133977298»."],
        missed: &["T.C. kimlik: 84335068160"],
    },
    Row {
        kind: "ZA_ID_NUMBER",
        found: &["South African ID: «5906190343080»", "South African ID «751013 8931 08 5»."],
        missed: &["South African ID: 5906190343081", "South African ID: 590619 0343 08 1"],
    },
    Row {
        kind: "IL_ID",
        found: &["תעודת זהות: «526820220»", "תעודת זהות «13533759-0»."],
        missed: &["תעודת זהות: 526820221", "תעודת זהות: 52682022-1"],
    },
    Row {
        kind: "AR_CUIT",
        found: &["CUIT: «20783148669»", "CUIT «20-43924957-9»."],
        missed: &["CUIT: 20783148660", "CUIT: 20-78314866-0"],
    },
    Row {
        kind: "CO_NIT",
        found: &["NIT: «9271886031»", "NIT «156.478.868-4»."],
        missed: &["NIT: 9271886030", "NIT: 927.188.603-0"],
    },
    Row {
        kind: "RU_INN",
        found: &["ИНН: «5318958531»", "ИНН «0164690650»."],
        missed: &["ИНН: 5318958530"],
    },
    Row {
        kind: "UA_RNTRC",
        found: &["РНОКПП: «3628566325»", "РНОКПП «5342982410»."],
        missed: &["РНОКПП: 3628566320"],
    },
    Row {
        kind: "IMEI",
        found: &["IMEI: «231244282166805»", "IMEI «53-241393-766988-7»."],
        missed: &["IMEI: 231244282166800", "IMEI: 23-124428-216680-0"],
    },
    Row {
        kind: "MY_NRIC",
        found: &["MyKad: «750514010686»", "MyKad «720917-01-6775»."],
        missed: &["x750514010686", "7505140106861"],
    },
    Row {
        kind: "ID_NIK",
        found: &["NIK: «3173011106906887»", "NIK «3173012012981955»."],
        missed: &["x3173011106906887", "31730111069068871"],
    },
    Row {
        kind: "CN_RIC",
        found: &["«110101197711137177»", "see «110101199612256006».", "身份证: «110101300012310017»", "CN RIC «110101300012310017»"],
        missed: &["110101197711137170", "110101300012310017", "身份证: 110101300012310010", "CN RIC 110101300013310019"],
    },
    Row {
        kind: "ES_NIF",
        found: &["«92091427W»", "see «33021425-A»."],
        missed: &["92091427A", "92091427-A"],
    },
    Row {
        kind: "ES_NIE",
        found: &["«X3820449B»", "see «X-6361854-P»."],
        missed: &["X3820449A", "X-3820449-A"],
    },
    Row {
        kind: "ES_CIF",
        found: &["CIF: «A69458206»", "CIF «A07888753»."],
        missed: &["CIF: A69458200"],
    },
    Row {
        kind: "IE_PPS",
        found: &["PPSN: «0141695E»", "PPSN «2386235D»."],
        missed: &["PPSN: 0141695A"],
    },
    Row {
        kind: "FI_PERSONAL_IDENTITY_CODE",
        found: &["«061190-632B»", "see «241059-0479»."],
        missed: &["061190-632A"],
    },
    Row {
        kind: "IT_FISCAL_CODE",
        found: &["«RSSMRA90B19H501R»", "see «RSSMRA50L20H501U»."],
        missed: &["RSSMRA90B19H501A"],
    },
    Row {
        kind: "IN_PAN",
        found: &["«SHTPS8752F»", "see «WYCPN6765W»."],
        missed: &["xSHTPS8752F", "SHTPS8752F1"],
    },
    Row {
        kind: "IN_GSTIN",
        found: &["«27AAPFU8706V1ZT»", "see «27AAPFU1341V1Z8»."],
        missed: &["27AAPFU8706V1ZA"],
    },
    Row {
        kind: "SG_UEN",
        found: &["UEN: «199943701K»", "UEN «199919999E»."],
        missed: &["UEN: 199943701A"],
    },
    Row {
        kind: "MX_CURP",
        found: &["«HEGG891007HMCLNS00»", "see «HEGG831020HMCLNS01»."],
        missed: &["HEGG891007HMCLNS01"],
    },
    Row {
        kind: "MX_RFC",
        found: &["RFC: «GXXE730606557»", "RFC «GXXE851028384»."],
        missed: &["RFC: GXXE730606550"],
    },
    Row {
        kind: "CL_RUT",
        found: &["RUT: «261684845»", "RUT «54.300.589-4»."],
        missed: &["RUT: 261684840", "RUT: 26.168.484-0"],
    },
    Row {
        kind: "ISIN",
        found: &["«US0378336913»", "see «US0378334520»."],
        missed: &["US0378336910"],
    },
    Row {
        kind: "CUSIP",
        found: &["CUSIP: «037833985»", "CUSIP «037833209»."],
        missed: &["CUSIP: 037833980"],
    },
    Row {
        kind: "LEI",
        found: &["«5493AB32006007111462»", "see «5493AB85179722110300»."],
        missed: &["5493AB32006007111460"],
    },
    Row {
        kind: "CH_UID",
        found: &["«CHE993227145»", "see «CHE-492.680.930»."],
        missed: &["CHE993227140", "CHE-993.227.140"],
    },
    Row {
        kind: "UK_VAT_NUMBER",
        found: &["«GB602412888»", "see «GB551516011»."],
        missed: &["GB602412880"],
    },
    Row {
        kind: "LV_PERSONAL_CODE",
        found: &["personas kods: «09065386428»", "personas kods «261055-87887»."],
        missed: &["personas kods: 09065386420", "personas kods: 090653-86420"],
    },
    Row {
        kind: "US_ITIN",
        found: &["«912-70-1234»", "ITIN: «912701234»"],
        missed: &["912-47-1234", "812-70-1234", "912701234"],
    },
    Row {
        kind: "US_EIN",
        found: &["EIN: «12-3456789»", "employer «123456789»"],
        missed: &["12-3456789", "EIN: 07-3456789"],
    },
    Row {
        kind: "US_ATIN",
        found: &["ATIN «912-93-1234»"],
        missed: &["912-93-1234"],
    },
    Row {
        kind: "US_PTIN",
        found: &["PTIN: «P01524479»"],
        missed: &["P01524479", "PTIN: Q01524479", "PTIN: P0152447"],
    },
    Row {
        kind: "US_NPI",
        found: &["NPI: «1234567893»", "npi «1003-000-126»"],
        missed: &["1234567893", "NPI: 1234567894", "NPI: 3234567893"],
    },
    Row {
        kind: "MEDICAL_LICENSE",
        found: &["DEA number «AB1234563»", "«GL0285191»", "prescriber: «K92993548»"],
        missed: &["AB1234564", "ABX1234563", "YB1234563"],
    },
    Row {
        kind: "US_MBI",
        found: &["«1EG4-TE5-MK73»", "MBI «1eg4te5mk73»"],
        missed: &["1EG4-TE5-MI73", "AEG4-TE5-MK73", "0EG4-TE5-MK73"],
    },
    Row {
        kind: "UK_NINO",
        found: &["«AB 12 34 56 C»", "nino «ab123456c»", "NI: «JG103759A»"],
        missed: &["BG123612A", "AB123456E", "AB 12 34 56", "XAB123456C", "DA123456A"],
    },
    Row {
        kind: "UK_DRIVING_LICENCE",
        found: &["«MORGA657054SM9IJ»", "licence «MORGA 657054 SM9IJ»"],
        missed: &["MORGA637054SM9IJ", "MORGA657324SM9IJ"],
    },
    Row {
        kind: "UK_BANK_ACCOUNT",
        found: &["sort code: «20-00-00»", "Sort Code «200000»", "«20-00-00 55779911»"],
        missed: &["20-00-00", "on 20-00-00", "200000"],
    },
    Row {
        kind: "DE_TAX_NUMBER",
        found: &["Steuernummer: «93/815/08152»", "St.-Nr. «181/815/08155»", "Steuernummer «5133081508159»"],
        missed: &["93/815/08152", "Steuernummer: 93/81/508152"],
    },
    Row {
        kind: "DE_SOCIAL_SECURITY",
        found: &["«20 151090 B 023»", "RV-Nummer «15070649C103»"],
        missed: &["65070803A012", "15070649C10", "15990649C103"],
    },
    Row {
        kind: "DE_HEALTH_INSURANCE",
        found: &["Krankenversichertennummer: «A123456780»", "KVNR «A000500015»", "eGK-Nr. «A123456780»"],
        missed: &["A123456787", "M123456789", "A1234567800"],
    },
    Row {
        kind: "DE_ID_CARD",
        found: &["«L01X00T471»", "Ausweisnummer: «L01X00T47»"],
        missed: &["L01X00T472", "L01X00T47", "Ausweis AUSWEISEN"],
    },
    Row {
        kind: "DE_PASSPORT",
        found: &["«C01X00T478»", "Reisepass «C01X00T47»"],
        missed: &["C01X00T479", "C01X00T47"],
    },
    Row {
        kind: "DE_LANR",
        found: &["LANR: «123456601»"],
        missed: &["123456601", "LANR 123456901"],
    },
    Row {
        kind: "DE_BSNR",
        found: &["BSNR «021234568»", "Betriebsstättennummer: «021234568»"],
        missed: &["021234568", "BSNR 0212345689"],
    },
    Row {
        kind: "EU_VAT_ID",
        found: &["«ATU13585627»", "«FR40303265045»", "«NL004495445B01»", "VAT «EL 094259216»", "«ESB58378431»", "«IE6433435F»", "«PL8567346215»", "«SE123456789701»", "«BE0428759497»", "«LU15027442»", "«DK13585628»", "«IT00743110157»"],
        missed: &["ATU13585626", "FR41303265045", "DK13585627", "SE123456789101", "XX13585628"],
    },
    Row {
        kind: "RU_SNILS",
        found: &["СНИЛС «112-233-445 95»", "«112-233-445 95»"],
        missed: &["СНИЛС 112-233-445 96", "11223344595"],
    },
    Row {
        kind: "NG_NIN",
        found: &["NIN: «12345678901»"],
        missed: &["12345678901", "NIN 1234567890"],
    },
    Row {
        kind: "IN_VOTER",
        found: &["EPIC «WKH1186253»", "voter id «MUP5632811»"],
        missed: &["WKH1186253", "zxdf8923q1"],
    },
    Row {
        kind: "SG_NRIC_FIN",
        found: &["«S1234567D»", "«T1234567J»", "FIN «F1234567N»"],
        missed: &["S1234567A", "X1234567D", "S12345678D"],
    },
    Row {
        kind: "KR_RRN",
        found: &["«960121-1234567»", "주민등록번호 «9601211234567»"],
        missed: &["001332-1234567", "9601211234567", "960121-5234567"],
    },
    Row {
        kind: "KR_FRN",
        found: &["«911124-5678901»", "외국인등록번호: «9111245678901»"],
        missed: &["911332-5678901", "911124-1678901"],
    },
    Row {
        kind: "KR_BRN",
        found: &["사업자등록번호 «104-86-56659»", "«104-86-56659»"],
        missed: &["104-86-56658", "1048656659"],
    },
    Row {
        kind: "TW_ID",
        found: &["身分證 «A123456789»", "Taiwan ID «A123456789»"],
        missed: &["A123456789", "身分證 A123456788"],
    },
    Row {
        kind: "HK_HKID",
        found: &["«A123456(3)»", "HKID «A1234563»"],
        missed: &["A123456(4)", "A1234563"],
    },
    Row {
        kind: "PH_TIN",
        found: &["TIN: «000-123-456»", "BIR TIN «000-123-456-000»", "Tax ID: «000-123-456-001»"],
        missed: &["000-123-456", "TIN 000-123-45", "000-123-456-001", "tax id 123-456-789-123", "part 000-123-456-001"],
    },
    Row {
        kind: "PK_CNIC",
        found: &["«35202-1234567-8»", "CNIC «3520212345678»"],
        missed: &["3520212345678", "CNIC 05202-1234567-8"],
    },
    Row {
        kind: "VN_CCCD",
        found: &["CCCD: «001099012345»"],
        missed: &["001099012345", "CCCD 999099012345"],
    },
    Row {
        kind: "AR_DNI",
        found: &["DNI: «26.108.907»", "documento «26108907»"],
        missed: &["26.108.907", "26108907"],
    },
    Row {
        kind: "IMSI",
        found: &["IMSI «202152128712324»"],
        missed: &["202152128712324", "IMSI 802152128712324"],
    },
    Row {
        kind: "MAC_ADDRESS",
        found: &["«00:1A:2B:3C:4D:5E»", "«fe-63-28-39-00-8a»", "at «001a.2b3c.4d5e».", "«AA:BB:CC:DD:EE:FF»"],
        missed: &["00:1A:2B:3C:4D", "FF:FF:FF:FF:FF:FF", "00:1A:2B:3C:4D:5E:6F", "00:1A-2B:3C:4D:5E", "16:27:ac:a5:76:28:2d:36", "x00:1A:2B:3C:4D:5E"],
    },
    Row {
        kind: "VIN",
        found: &["«1M8GDM9AXKP042788»", "VIN «WVWZZZ1JZXW000001»"],
        missed: &["1M8GDM9AYKP042788", "WVWZZZ1JZXW000001", "VIN WVWZZZ1JZXWO00001"],
    },
    Row {
        kind: "US_BANK_NUMBER",
        found: &["account number «945456787654»", "checking «12345678»"],
        missed: &["945456787654", "account 1234567"],
    },
    Row {
        kind: "CLABE",
        found: &["CLABE «032180000118359719»", "clabe: «032 180 00011835971 9»"],
        missed: &["032180000118359719", "CLABE 032180000118359718"],
    },
    Row {
        kind: "CRYPTO",
        found: &["«1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa»", "to «bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4».", "«0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed»", "eth wallet «0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed»", "«3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy»"],
        missed: &["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed00", "0x0000000000000000000000000000000000000000"],
    },
    Row {
        kind: "AU_MEDICARE",
        found: &["Medicare: «2123 45670 1»", "medicare «2123456701»"],
        missed: &["Medicare 2123 45680 1", "2123456701"],
    },
    Row {
        kind: "SWIFT_BIC",
        found: &["SWIFT: «DEUTDEFF»", "BIC «COBADEFFXXX»", "swift code is «NWBKGB2L»", "SWIFT/BIC: «BOFAUS3N»."],
        missed: &["DEUTDEFF", "SWIFT: DEUTZZFF", "BICYCLES are fine", "Swift is a language", "swiftly DEUTDEFF"],
    },
];
