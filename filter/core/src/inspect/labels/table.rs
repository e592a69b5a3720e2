//! The labels, and what they announce.
//!
//! Words are in lower case without accents, `_` between those of one label. A label also stands at the end of longer ones:
//! `password` for `db_password`, `user password` and `userPassword`.

use super::super::Candidate;
use super::super::types::Type;
use super::reader::{self, Reader};
use super::separator::Strength::{self, Is, Sign, Space};
use super::shape::Form::{self, Like, Run};
use super::{Label, address, date, number, person, secret, shape};

pub(super) type Read = fn(&Reader<'_>, &Label<'_>, &Row) -> Option<Candidate>;

pub(super) struct Row {
    pub(super) kinds: &'static [Type],
    pub(super) labels: &'static str,
    /// How clearly the value must be announced.
    pub(super) least: Strength,
    /// Whether words such as `number` and `of` may stand before it.
    pub(super) fillers: bool,
    /// Whether one label may announce several values: `plates AB12 CDE and CD34 EFG`.
    pub(super) several: bool,
    pub(super) read: Read,
}

/// A label in a script that writes no spaces, and the one that it stands for.
pub(super) struct Wide {
    pub(super) label: &'static str,
    pub(super) same: &'static str,
}

macro_rules! forms {
    ($labels:literal, $least:expr, $kinds:expr, $forms:expr) => {
        Row {
            kinds: $kinds,
            labels: $labels,
            least: $least,
            fillers: true,
            several: true,
            read: |r, label, _| {
                static FORMS: &[Form] = $forms;
                shape::read(r, label, FORMS, 0.7)
            },
        }
    };
}

macro_rules! read {
    ($labels:literal, $least:expr, $fillers:literal, $kind:expr, $read:path) => {
        Row {
            kinds: &[$kind],
            labels: $labels,
            least: $least,
            fillers: $fillers,
            several: false,
            read: |r, label, _| $read(r, label),
        }
    };
}

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    // Dates and ages.
    read!("dob d_o_b date_of_birth date_birth birth_date birthdate birthday birth_day born geboren geb geburtsdatum geburtstag date_de_naissance \
        datenaissance naissance ne_le nee_le fecha_de_nacimiento fecha_nacimiento fechanacimiento nacimiento nacido nacida nacido_el nacida_el data_di_nascita data_nascita nato_il nata_il \
        data_de_nascimento data_nascimento nascimento nascido_em nascida_em geboortedatum geboren_op fodselsdato fodelsedatum fodt fodd syntymaaika data_urodzenia \
        urodzony urodzona datum_narozeni dogum_tarihi tanggal_lahir narozen narozena szuletesi_datum data_nasterii datum_rodenja \
        \u{434}\u{430}\u{442}\u{430}_\u{440}\u{43e}\u{436}\u{434}\u{435}\u{43d}\u{438}\u{44f} \u{440}\u{43e}\u{434}\u{438}\u{43b}\u{441}\u{44f} \u{440}\u{43e}\u{434}\u{438}\u{43b}\u{430}\u{441}\u{44c}",
        Space, true, Type::DateOfBirth, date::of_birth),
    read!("born_on born_in_on geboren_am geb_am", Space, false, Type::DateOfBirth, date::of_birth),
    read!("aged", Space, false, Type::Age, date::age),
    read!("age patient_age alter edad eta idade leeftijd wiek alder ikaraja", Is, false, Type::Age, date::age),
    // Passports.
    forms!("passport passports passport_no travel_document", Space,
        &[Type::KrPassport, Type::UkPassport, Type::UsPassport, Type::InPassport, Type::EsPassport, Type::Passport],
        &[Like(Type::KrPassport, "<MSRODG>999A9999"), Like(Type::UkPassport, "AA9999999"), Like(Type::UsPassport, "A99999999"),
          Like(Type::UsPassport, "999999999"), Like(Type::InPassport, "A9999999"), Like(Type::EsPassport, "AAA999999"),
          Run(Type::Passport, 6, 12, 5)]),
    forms!("pasaporte", Space, &[Type::EsPassport, Type::Passport], &[Like(Type::EsPassport, "AAA999999"), Run(Type::Passport, 6, 12, 5)]),
    forms!("passaporto", Space, &[Type::ItPassport, Type::Passport], &[Like(Type::ItPassport, "AA9999999"), Run(Type::Passport, 6, 12, 5)]),
    forms!("yeogwon", Space, &[Type::KrPassport, Type::Passport], &[Like(Type::KrPassport, "<MSRODG>999A9999"), Like(Type::KrPassport, "A99999999"), Run(Type::Passport, 6, 12, 5)]),
    forms!("passeport passaporte paspoort paszport paszportu pasaport pas_nummer passnummer passnr reisepassnummer pasport cestovni_pas passi \
        \u{43f}\u{430}\u{441}\u{43f}\u{43e}\u{440}\u{442} \u{43f}\u{430}\u{441}\u{43f}\u{43e}\u{440}\u{442}\u{430}", Space, &[Type::Passport],
        &[Like(Type::Passport, "AANNNNNN9"), Run(Type::Passport, 6, 12, 5)]),
    // Driving licences.
    forms!("driver_license drivers_license driver_s_license driver_licence drivers_licence driver_s_licence driving_license driving_licence \
        driver_license_number dl dln dl_no driver_lic driverlicense driverslicense license_number_dmv my_license_is my_license_number_is my_license_number", Space,
        &[Type::KrDriverLicense, Type::DriverLicense, Type::UsDriverLicense],
        &[Like(Type::KrDriverLicense, "99-99-999999-99"), Like(Type::UsDriverLicense, "A99-999-99-999-9"), Like(Type::UsDriverLicense, "A999-999-99-999-9"),
          Like(Type::UsDriverLicense, "A999-9999-9999"), Like(Type::UsDriverLicense, "A999-9999-9999-99"), Like(Type::UsDriverLicense, "A9999-99999-99999"),
          Like(Type::UsDriverLicense, "999 999 999"), Like(Type::UsDriverLicense, "99-999-9999"), Like(Type::UsDriverLicense, "99-99-9999"),
          Like(Type::UsDriverLicense, "A9999999888888"), Like(Type::UsDriverLicense, "AA999999a"), Like(Type::UsDriverLicense, "99AAA99999"),
          Like(Type::UsDriverLicense, "999999988888888"), Run(Type::DriverLicense, 6, 20, 5)]),
    forms!("fuhrerschein fuehrerschein fuhrerscheinnummer fuehrerscheinnummer fuhrerscheinnr fuehrerscheinnr", Space, &[Type::DeFuehrerschein],
        &[Like(Type::DeFuehrerschein, "NNN99999NNN"), Run(Type::DeFuehrerschein, 9, 11, 5)]),
    forms!("patente patente_di_guida numero_patente", Space, &[Type::ItDriverLicense],
        &[Like(Type::ItDriverLicense, "AA9999999A"), Like(Type::ItDriverLicense, "<U>1NNNNNNNA")]),
    forms!("unjeonmyeonheo", Space, &[Type::KrDriverLicense], &[Like(Type::KrDriverLicense, "99-99-999999-99")]),
    forms!("permis_de_conduire permiso_de_conducir licencia_de_conducir carta_de_conducao carteira_de_motorista cnh rijbewijs rijbewijsnummer prawo_jazdy korkort surucu_belgesi \
        korekort forerkort ajokortti", Space, &[Type::DriverLicense], &[Run(Type::DriverLicense, 6, 16, 5)]),
    // Identity cards.
    forms!("carta_d_identita carta_identita carta_di_identita cie", Space, &[Type::ItIdentityCard],
        &[Like(Type::ItIdentityCard, "AA~99999AA"), Like(Type::ItIdentityCard, "AA~9999999"), Like(Type::ItIdentityCard, "9999999AA")]),
    forms!("identity_card id_card identity_card_number identity_document national_id_card carte_d_identite carte_identite cni cedula dowod_osobisty dowodu_osobistego \
        ausweisnummer bilhete_de_identidade cartao_de_cidadao identiteitskaart kimlik_no",
        Space, &[Type::IdCard], &[Run(Type::IdCard, 6, 16, 5)]),
    // Plates.
    forms!("license_plate licence_plate number_plate plate vehicle_plate plates license_plates tag_number car_reg vehicle_reg vehicle_registration car_registration \
        reg_plate vrm vrn registration_mark vehicle_number car_number registration_number rego", Space,
        &[Type::UkVehicleRegistration, Type::TrLicensePlate, Type::InVehicleRegistration, Type::NgVehicleRegistration, Type::DeKfz, Type::LicensePlate],
        &[Like(Type::UkVehicleRegistration, "AA99~AAA"), Like(Type::NgVehicleRegistration, "AAA~999AA"), Like(Type::InVehicleRegistration, "AA~98~Aaa~9999"),
          Like(Type::TrLicensePlate, "99~Aaa~9988"), Like(Type::UkVehicleRegistration, "A988~AAA"), Like(Type::UkVehicleRegistration, "AAA~988A"),
          Like(Type::DeKfz, "Aaa-Aa_9888n"), Like(Type::LicensePlate, "AA~999~AA"), Like(Type::LicensePlate, "9999~AAA"), Like(Type::LicensePlate, "9AAA~999"),
          Like(Type::LicensePlate, "AAa~998888"), Like(Type::LicensePlate, "998~AAa~988"), Run(Type::LicensePlate, 5, 9, 2)]),
    forms!("kennzeichen kfz_kennzeichen autokennzeichen nummernschild kfz", Space, &[Type::DeKfz, Type::LicensePlate],
        &[Like(Type::DeKfz, "Aaa_Aa_9888n"), Like(Type::DeKfz, "Aaa_Aa9888n"), Like(Type::DeKfz, "Aaa-Aa9888n")]),
    forms!("plaka plakasi plakali arac_plakasi", Space, &[Type::TrLicensePlate], &[Like(Type::TrLicensePlate, "99~Aaa~9988")]),
    forms!("plaque_d_immatriculation immatriculation immatricule targa matricula kenteken rejestracyjny rendszam registreringsnummer placa", Space, &[Type::LicensePlate],
        &[Like(Type::LicensePlate, "AA~999~AA"), Like(Type::LicensePlate, "9999~AAA"), Like(Type::LicensePlate, "AA~99~AA"),
          Like(Type::LicensePlate, "99~AA~AA"), Like(Type::LicensePlate, "99~AAA~9"), Like(Type::LicensePlate, "9~AAA~99"), Like(Type::LicensePlate, "A~999~AA"),
          Like(Type::LicensePlate, "AA~999~A"), Like(Type::LicensePlate, "AAA~9N99"), Like(Type::LicensePlate, "AAa~99999"), Like(Type::LicensePlate, "AAA~999")]),
    // The German register of companies: the letters are the label.
    forms!("hra hrb", Space, &[Type::DeHandelsregister], &[Like(Type::DeHandelsregister, "9888888~A"), Like(Type::DeHandelsregister, "9888888")]),
    // Payment.
    forms!("cvv cvc csc cvn cav cid card_security_code card_verification card_verification_value security_code_card security_code codigo_de_seguridad kartenprufnummer prufnummer \
        cryptogramme codice_di_sicurezza codigo_de_seguranca", Space, &[Type::CardCvv], &[Like(Type::CardCvv, "9998")]),
    read!("card_expiry card_expiration card_exp card_expires expiry_date expiration_date expiry expiration exp exp_date expires expires_on valid_thru valid_through good_thru \
        gultig_bis ablaufdatum date_d_expiration valable_jusqu_au caducidad vencimiento valido_hasta scadenza validade vervaldatum cc_exp expdate",
        Space, true, Type::CardExpiry, date::expiry),
    forms!("account_number account_no acct_number acct_no acct bank_account bank_account_number checking_account savings_account account_num kontonummer konto_nr ktonr numero_de_compte \
        numero_de_cuenta numero_conto numero_da_conta rekeningnummer numer_konta accountnumber", Space, &[Type::AccountNumber],
        &[Like(Type::AccountNumber, "99-9999-9999999-99"), Run(Type::AccountNumber, 6, 17, 6)]),
    // Health.
    forms!("mrn medical_record medical_record_number medical_records patient_id patient_number patient_no patient_identifier chart_number chart_no hospital_number hospital_no \
        patientennummer fallnummer patienten_id numero_de_dossier_medical historia_clinica numero_de_historia cartella_clinica prontuario nhc", Space,
        &[Type::MedicalRecordNumber], &[Run(Type::MedicalRecordNumber, 5, 14, 4)]),
    forms!("health_insurance health_insurance_number health_insurance_id insurance_id insurance_number insurance_policy insurance_policy_number member_id subscriber_id subscriber_number policy_number \
        policy_no health_plan health_plan_id beneficiary_id group_policy medicaid medicaid_id health_card health_card_number versichertennummer versicherungsnummer krankenversicherung \
        krankenversichertennummer numero_de_poliza tessera_sanitaria mutuelle polizza", Space,
        &[Type::HealthInsuranceId], &[Run(Type::HealthInsuranceId, 6, 16, 5)]),
    forms!("icd icd_code dx diagnosis diagnoses diagnosis_code diagnosed diagnose diagnostic diagnostico diagnosi primary_diagnosis", Space,
        &[Type::Icd10Code], &[Like(Type::Icd10Code, "A9N.Nnnn")]),
    forms!("icd icd_code icd_codes icd_cm diagnosis_code dx_code diagnoseschlussel", Space, &[Type::Icd10Code],
        &[Like(Type::Icd10Code, "A9N.Nnnn"), Like(Type::Icd10Code, "A99n"), Like(Type::Icd10Code, "A9Annn")]),
    forms!("ndc ndc_code ndc_number national_drug_code drug_code", Space, &[Type::Ndc],
        &[Like(Type::Ndc, "99999-9999-99"), Like(Type::Ndc, "9999-9999-99"), Like(Type::Ndc, "99999-999-99"), Like(Type::Ndc, "99999-9999-9"), Like(Type::Ndc, "99999999999"), Like(Type::Ndc, "9999999999")]),
    // Places.
    read!("coordinates coordinate coords gps gps_coordinates gps_location geolocation geo_location lat_long lat_lon lat_lng latlng latlong location geo position koordinaten coordonnees coordenadas coordinate_gps",
        Space, false, Type::GeoCoordinates, number::coordinates),
    read!("latitude longitude lat lon lng breitengrad langengrad latitud longitud latitudine longitudine", Is, false, Type::GeoCoordinates, number::coordinates),
    read!("address addresses home_address billing_address shipping_address mailing_address street_address residence residing_at lives_at live_at living_at resides_at ship_to deliver_to deliver_it_to mail_to adresse \
        anschrift wohnhaft postanschrift wohnort lieferadresse rechnungsadresse domicile domicilie direccion domicilio indirizzo residenza residente_in \
        endereco morada adres woonadres zamieszkaly zamieszkala adresa adress osoite cim adresi",
        Sign, false, Type::Address, address::labelled),
    read!("address_is reside_at residing_at lives_at live_at living_at resides_at wohnhaft residente_in domicilie_au address_was lives_in_the adresse_lautet adresse_ist delivered_to returned_to return_to send_to sent_to",
        Space, false, Type::Address, address::labelled),
    read!("rue avenue boulevard via viale piazza corso largo calle avenida plaza paseo carrer rua travessa praca alameda ulica aleja strada impasse", Space, false, Type::Address, address::led),
    forms!("postcode post_code postal_code zip zip_code zipcode postcodes zip_postal_code", Space, &[Type::UkPostcode, Type::PostalCode],
        &[Like(Type::UkPostcode, "Aa9n~9AA"), Like(Type::UkPostcode, "gir 0aa"), Like(Type::PostalCode, "99999-9999"), Like(Type::PostalCode, "A9A~9A9"), Like(Type::PostalCode, "99-999"),
          Like(Type::PostalCode, "999~99"), Like(Type::PostalCode, "999-9999"), Like(Type::PostalCode, "99998"), Like(Type::PostalCode, "9999~AA"), Like(Type::PostalCode, "9999")]),
    forms!("plz postleitzahl", Space, &[Type::DePlz], &[Like(Type::DePlz, "99999")]),
    forms!("code_postal codigo_postal cap_postale codice_postale cep kod_pocztowy postnummer postnr pincode pin_code postcode_nl", Space, &[Type::PostalCode],
        &[Like(Type::PostalCode, "99999-999"), Like(Type::PostalCode, "99-999"), Like(Type::PostalCode, "999~99"), Like(Type::PostalCode, "9999-999"), Like(Type::PostalCode, "999999"),
          Like(Type::PostalCode, "9999~AA"), Like(Type::PostalCode, "99998"), Like(Type::PostalCode, "9999")]),
    // What lets somebody in.
    read!("password passwd pwd passphrase pass pw passcode passwort kennwort mot_de_passe motdepasse mdp contrasena contrasenha clave senha parola wachtwoord haslo heslo losenord \
        adgangskode passord salasana jelszo sifre kata_sandi \u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c} \u{3ba}\u{3c9}\u{3b4}\u{3b9}\u{3ba}\u{3bf}\u{3c3}",
        Is, false, Type::Password, secret::password),
    read!("username user_name userid user_id login login_name login_id screen_name logon benutzername benutzer benutzerkennung nom_d_utilisateur utilisateur identifiant usuario nombre_de_usuario \
        utente nome_utente usuario_nome gebruikersnaam uzytkownik nazwa_uzytkownika anvandarnamn brukernavn kullanici_adi handle",
        Is, false, Type::Username, secret::user),
    read!("pin pin_number pin_no atm_pin card_pin debit_pin personal_identification_number geheimzahl code_pin codice_pin codigo_pin pincode_kaart pinkode \u{43f}\u{438}\u{43d}",
        Is, true, Type::Pin, secret::pin),
    // People.
    read!("mr mrs ms miss mx dr herr herrn frau hr mme mlle monsieur madame mademoiselle sr sra srta senor senora senorita dona dott dottor signor signora \
        dhr mevr pani prof professor rev reverend", Space, false, Type::Person, person::title),
    read!("patient patients patient_name patients_name full_name fullname customer_name client_name employee_name cardholder cardholder_name card_holder account_holder account_name_holder name_on_card insured insured_name \
        beneficiary beneficiary_name applicant applicant_name recipient_name contact_person contact_name guest_name passenger passenger_name student_name member_name policyholder \
        policy_holder legal_name emergency_contact next_of_kin attn attention employee manager_name supervisor borrower tenant claimant defendant plaintiff guardian spouse spouse_name witness \
        vollstandiger_name kontoinhaber ansprechpartner nom_complet nom_et_prenom titulaire nombre_completo nombre_y_apellidos titular nome_completo nome_e_cognome intestatario \
        volledige_naam imie_i_nazwisko ad_soyad nama_lengkap paciente paziente patientin \u{444}\u{438}\u{43e}",
        Sign, false, Type::Person, person::person),
    read!("first_name firstname given_name last_name lastname surname family_name middle_name maiden_name vorname nachname familienname prenom nom_de_famille apellido apellidos primer_apellido \
        cognome sobrenome apelido voornaam achternaam nazwisko imie prijmeni \u{444}\u{430}\u{43c}\u{438}\u{43b}\u{438}\u{44f}",
        Sign, false, Type::Person, person::part),
    read!("name naam nom nombre nome namn navn nama imie_nazwisko customer client employee contact user from to sender recipient signed author_name owner \u{438}\u{43c}\u{44f}", Sign, false, Type::Person, person::anything),
    read!("my_name_is my_name_s my_full_name_is i_am_called ich_heisse ich_heise mein_name_ist je_m_appelle mon_nom_est me_llamo mi_nombre_es mi_chiamo il_mio_nome_e meu_nome_e mijn_naam_is ik_heet \
        mam_na_imie jag_heter jeg_hedder \u{43c}\u{435}\u{43d}\u{44f}_\u{437}\u{43e}\u{432}\u{443}\u{442}", Space, false, Type::Person, person::own),
    // Numbers of a company's own.
    forms!("employee_id employee_number employee_no emp_id emp_no staff_id staff_number personnel_number personalnummer mitarbeiternummer matricule badge_number badge_id numero_de_empleado worker_id", Space,
        &[Type::EmployeeId], &[Run(Type::EmployeeId, 4, 14, 3)]),
    forms!("customer_id customer_number customer_no customer_account client_id_number client_number kundennummer kundennr kunden_nr numero_client numero_de_cliente codice_cliente klantnummer numer_klienta membership_number loyalty_number", Space,
        &[Type::CustomerId], &[Run(Type::CustomerId, 5, 16, 4)]),
];

#[rustfmt::skip]
pub(super) static WIDE: &[Wide] = &[
    Wide { label: "出生日期", same: "dob" }, Wide { label: "生年月日", same: "dob" }, Wide { label: "生日", same: "dob" }, Wide { label: "출생일", same: "dob" },
    Wide { label: "생년월일", same: "dob" }, Wide { label: "出生年月日", same: "dob" }, Wide { label: "年龄", same: "age" }, Wide { label: "年齢", same: "age" }, Wide { label: "나이", same: "age" },
    Wide { label: "密码", same: "password" }, Wide { label: "密碼", same: "password" }, Wide { label: "口令", same: "password" },
    Wide { label: "パスワード", same: "password" }, Wide { label: "비밀번호", same: "password" }, Wide { label: "用户名", same: "username" }, Wide { label: "ユーザー名", same: "username" },
    Wide { label: "护照", same: "passport" }, Wide { label: "護照", same: "passport" }, Wide { label: "护照号", same: "passport" }, Wide { label: "パスポート", same: "passport" },
    Wide { label: "旅券番号", same: "passport" }, Wide { label: "여권번호", same: "yeogwon" }, Wide { label: "여권 번호", same: "yeogwon" }, Wide { label: "여권", same: "yeogwon" },
    Wide { label: "운전면허", same: "unjeonmyeonheo" }, Wide { label: "면허번호", same: "unjeonmyeonheo" }, Wide { label: "운전면허번호", same: "unjeonmyeonheo" },
];

/// Whether a label names one of the two coordinates.
pub(super) fn is_axis(hash: u32) -> bool {
    ["latitude", "longitude", "lat", "lon", "lng", "breitengrad", "langengrad", "latitud", "longitud"]
        .into_iter()
        .any(|word| reader::hash(word) == hash)
}
