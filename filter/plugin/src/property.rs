//! Core's attributes as Envoy's properties.

use doorward_core::host::Attribute;

use crate::abi::calls;
use crate::metadata::{self, Expressions};

/// Reads an attribute of the current stream; nothing where it is absent or no text.
pub fn read(attribute: Attribute<'_>, expressions: &mut Expressions) -> Option<String> {
    let value = match attribute {
        Attribute::Cluster => calls::property("xds\0cluster_name"),
        Attribute::Route => calls::property("xds\0route_name"),
        Attribute::PeerUri => calls::property("connection\0uri_san_peer_certificate"),
        Attribute::IstioPeer => calls::property("filter_state\0io.istio.peer_principal"),
        Attribute::PeerCertificateDigest => calls::property("connection\0sha256_peer_certificate_digest"),
        Attribute::RequestId => calls::property("request\0id"),
        Attribute::Metadata(namespace, key) => return metadata::read(namespace, key, expressions),
    }
    .ok()?;
    String::from_utf8(value).ok().filter(|text| !text.is_empty())
}
