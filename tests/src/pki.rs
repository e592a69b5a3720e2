//! Certificates for TLS and mutual TLS, with SPIFFE ids where workloads have them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A certificate authority of one test.
pub struct Ca {
    /// Its certificate.
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key, both PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Certificate.
    pub certificate: String,
    /// Private key.
    pub key: String,
}

impl Identity {
    /// The certificate's SHA-256 in base64url, as `cnf.x5t#S256` of a bound token has it (RFC 8705).
    pub fn thumbprint(&self) -> String {
        let der = CertificateDer::from_pem_slice(self.certificate.as_bytes()).expect("PEM");
        URL_SAFE_NO_PAD.encode(hmac_sha256::Hash::hash(&der))
    }
}

impl Default for Ca {
    fn default() -> Self {
        Self::new()
    }
}

impl Ca {
    /// A fresh authority.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "doorward test authority");
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("an authority").pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// A server for `localhost`.
    pub fn server(&self) -> Identity {
        self.server_for("localhost")
    }

    /// A server of this host name.
    pub fn server_for(&self, host: &str) -> Identity {
        self.sign(CertificateParams::new(vec![host.to_owned()]).expect("a DNS name"))
    }

    /// A workload with a SPIFFE id, `spiffe://cluster.local/ns/pay/sa/bot`.
    pub fn workload(&self, spiffe: &str) -> Identity {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.subject_alt_names.push(SanType::URI(spiffe.try_into().expect("an ASCII URI")));
        self.sign(params)
    }

    /// A TLS client that trusts this authority and shows `identity`, if given.
    pub fn client(&self, identity: Option<&Identity>) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).expect("PEM")).expect("an authority");
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.expect("TLS versions").with_root_certificates(roots);
        Arc::new(match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let chain = vec![CertificateDer::from_pem_slice(identity.certificate.as_bytes()).expect("PEM")];
                let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("PEM");
                builder.with_client_auth_cert(chain, key).expect("a client certificate")
            }
        })
    }

    fn sign(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate").pem();
        Identity { certificate, key: key.serialize_pem() }
    }
}
