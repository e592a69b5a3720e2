//! Envoy as core's [`Host`].

use doorward_core::host::{Attribute, Host, HostError, Side, SignatureCheck, StoreError, Stored};

use crate::abi::{Buffer, Status, calls};
use crate::metadata::Expressions;
use crate::stream::Stream;
use crate::{property, protobuf};

/// The host during one callback.
#[derive(Debug)]
pub struct Envoy<'a> {
    /// Bytes of body that can be read of either side.
    request: Option<usize>,
    response: Option<usize>,
    /// Of the root context.
    expressions: &'a mut Expressions,
}

impl<'a> Envoy<'a> {
    /// For a root context.
    pub fn new(expressions: &'a mut Expressions) -> Self {
        Self { request: None, response: None, expressions }
    }

    /// With the bodies of `stream` in reach.
    pub fn of(stream: &Stream, expressions: &'a mut Expressions) -> Self {
        Self { request: stream.request.body, response: stream.response.body, expressions }
    }
}

impl Host for Envoy<'_> {
    fn load(&mut self, key: &str) -> Result<Option<Stored>, HostError> {
        match calls::shared_data(key) {
            Ok((value, version)) => Ok(Some(Stored { value, version })),
            Err(Status::NotFound) => Ok(None),
            Err(_) => Err(HostError::Failed),
        }
    }

    fn store(&mut self, key: &str, value: &[u8], version: Option<u32>) -> Result<(), StoreError> {
        match calls::set_shared_data(key, value, version.unwrap_or(0)) {
            Ok(()) => Ok(()),
            Err(Status::CasMismatch) => Err(StoreError::Conflict),
            Err(_) => Err(StoreError::Failed),
        }
    }

    fn verify(&mut self, check: SignatureCheck<'_>) -> Result<bool, HostError> {
        let arguments = protobuf::verify_arguments(&check).ok_or(HostError::Unsupported)?;
        match calls::foreign_function("verify_signature", &arguments) {
            Ok(result) => protobuf::verify_result(&result),
            // Another host, or a capability not granted: the caller can check by itself.
            Err(_) => Err(HostError::Unsupported),
        }
    }

    fn random(&mut self, out: &mut [u8]) -> Result<(), HostError> {
        calls::random(out).map_err(|_| HostError::Failed)
    }

    fn attribute(&mut self, attribute: Attribute<'_>) -> Option<String> {
        property::read(attribute, self.expressions)
    }

    fn writable(&mut self, side: Side) -> bool {
        match side {
            Side::Request => self.request.is_some(),
            Side::Response => self.response.is_some(),
        }
    }

    fn body(&mut self, side: Side) -> Result<Vec<u8>, HostError> {
        let (buffer, size) = match side {
            Side::Request => (Buffer::RequestBody, self.request),
            Side::Response => (Buffer::ResponseBody, self.response),
        };
        let size = size.unwrap_or(0);
        if size == 0 {
            return Ok(Vec::new());
        }
        let bytes = calls::buffer(buffer, size).map_err(|_| HostError::Failed)?;
        // Less than was announced is a body with something missing, which must not be judged as if it were whole.
        if bytes.len() == size { Ok(bytes) } else { Err(HostError::Failed) }
    }
}
