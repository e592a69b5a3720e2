//! What a host answers at once. What it answers later is an effect, and comes back as an event.

use std::collections::HashMap;
use std::fmt;

/// A call to the host that did not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostError {
    /// The host has no such call, or not for these arguments: another way may do.
    Unsupported,
    /// The host refused or failed.
    Failed,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HostError::Unsupported => "the host does not support this",
            HostError::Failed => "the host failed",
        })
    }
}

impl std::error::Error for HostError {}

/// Why a value was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// Somebody else stored in between: read again.
    Conflict,
    /// The host refused or failed.
    Failed,
}

/// A value of the shared store and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The bytes.
    pub value: Vec<u8>,
    /// Changes with every store; for compare-and-swap.
    pub version: u32,
}

/// The signature algorithms that Envoy checks natively.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NativeAlgorithm {
    /// RSASSA-PKCS1-v1_5 with the given SHA-2 size in bits.
    Rsa(u16),
    /// ECDSA with the given SHA-2 size in bits; the signature is ASN.1 DER.
    Ecdsa(u16),
}

/// A signature to check natively.
#[derive(Clone, Copy, Debug)]
pub struct SignatureCheck<'a> {
    /// With which algorithm.
    pub algorithm: NativeAlgorithm,
    /// DER-encoded SubjectPublicKeyInfo (RFC 5280).
    pub public_key: &'a [u8],
    /// The signature.
    pub signature: &'a [u8],
    /// What was signed.
    pub text: &'a [u8],
}

/// A fact about the exchange or its connection that only the host knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attribute<'a> {
    /// The name of the upstream cluster the request is routed to.
    Cluster,
    /// The name of the route that matched.
    Route,
    /// The first URI SAN of the verified peer certificate.
    PeerUri,
    /// The URI SAN of the peer behind a tunnel that Istio ended before this connection.
    IstioPeer,
    /// SHA-256 of the peer certificate, lower-case hex.
    PeerCertificateDigest,
    /// Request metadata of an earlier filter: namespace and key. JSON text where it is a structure.
    Metadata(&'a str, &'a str),
    /// The host's id of the request.
    RequestId,
}

/// Which body of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The client's.
    Request,
    /// The upstream's.
    Response,
}

/// What a host answers at once.
pub trait Host {
    /// Reads a value of the shared store.
    ///
    /// # Errors
    /// The host failed; a missing value is `None`.
    fn load(&mut self, key: &str) -> Result<Option<Stored>, HostError>;

    /// Stores a value if its version is still `version`. `None` stores whatever is there.
    ///
    /// # Errors
    /// Another worker stored first, or the host failed.
    fn store(&mut self, key: &str, value: &[u8], version: Option<u32>) -> Result<(), StoreError>;

    /// Checks a signature.
    ///
    /// # Errors
    /// [`HostError::Unsupported`] where the caller should check it itself. A bad signature is `Ok(false)`.
    fn verify(&mut self, check: SignatureCheck<'_>) -> Result<bool, HostError>;

    /// Fills `out` with random bytes fit for keys.
    ///
    /// # Errors
    /// The host failed.
    fn random(&mut self, out: &mut [u8]) -> Result<(), HostError>;

    /// A fact about the current exchange.
    fn attribute(&mut self, attribute: Attribute<'_>) -> Option<String>;

    /// Whether bytes can take the place of those that [`Host::body`] answers: not at an end that comes as trailers, when what
    /// came before has gone on.
    fn writable(&mut self, side: Side) -> bool {
        let _ = side;
        true
    }

    /// The body that the host holds back for the current exchange: all of it, from the first byte.
    ///
    /// # Errors
    /// The host failed. A held body of length zero is an empty vector.
    fn body(&mut self, side: Side) -> Result<Vec<u8>, HostError>;
}

/// A host in memory, for tests and the command line.
#[derive(Debug, Default)]
pub struct MemoryHost {
    /// The shared store.
    pub shared: HashMap<String, Stored>,
    /// What [`Host::attribute`] answers, by the attribute's debug form.
    pub attributes: HashMap<String, String>,
    /// The bodies held back.
    pub bodies: HashMap<Side, Vec<u8>>,
    /// Answers of [`Host::verify`]; `None` is a host that cannot check.
    pub native: Option<fn(SignatureCheck<'_>) -> bool>,
    versions: u32,
    random: u64,
}

impl MemoryHost {
    /// Makes [`Host::attribute`] answer `value`.
    pub fn set_attribute(&mut self, attribute: Attribute<'_>, value: &str) {
        self.attributes.insert(format!("{attribute:?}"), value.to_owned());
    }
}

impl Host for MemoryHost {
    fn load(&mut self, key: &str) -> Result<Option<Stored>, HostError> {
        Ok(self.shared.get(key).cloned())
    }

    fn store(&mut self, key: &str, value: &[u8], version: Option<u32>) -> Result<(), StoreError> {
        let now = self.shared.get(key).map(|s| s.version);
        // As in Envoy, no version (or version 0) is unconditional.
        if version.is_some_and(|v| v != 0 && Some(v) != now) {
            return Err(StoreError::Conflict);
        }
        self.versions += 1;
        self.shared.insert(key.to_owned(), Stored { value: value.to_vec(), version: self.versions });
        Ok(())
    }

    fn verify(&mut self, check: SignatureCheck<'_>) -> Result<bool, HostError> {
        self.native.map(|f| f(check)).ok_or(HostError::Unsupported)
    }

    /// Repeatable, so that tests are: not for production keys.
    fn random(&mut self, out: &mut [u8]) -> Result<(), HostError> {
        for byte in out {
            self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.random >> 56) as u8;
        }
        Ok(())
    }

    fn attribute(&mut self, attribute: Attribute<'_>) -> Option<String> {
        self.attributes.get(&format!("{attribute:?}")).cloned()
    }

    fn body(&mut self, side: Side) -> Result<Vec<u8>, HostError> {
        Ok(self.bodies.get(&side).cloned().unwrap_or_default())
    }
}
