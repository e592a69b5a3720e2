//! Where the module is: a file beside Envoy, or something in a registry that is named by its digest.

use anyhow::bail;
use doorward_core::config::Tree;

use super::args::{RenderArguments, To};
use super::tree::{map, text};

const IN_ENVOY: &str = "/etc/doorward/doorward.wasm";

/// The module.
#[derive(Debug, PartialEq, Eq)]
pub enum Module {
    /// In Envoy's file system.
    File(String),
    /// Behind a URL, with the SHA-256 of what is there.
    Remote { url: String, sha256: String },
}

impl Module {
    /// What the arguments say. A URL without a digest is refused: whoever holds the registry would hold the gate.
    ///
    /// # Errors
    /// It is not said, or not said well.
    pub fn of(arguments: &RenderArguments) -> anyhow::Result<Self> {
        let url = match (&arguments.module, arguments.to) {
            (Some(url), _) => url.clone(),
            (None, To::Envoy) => IN_ENVOY.to_owned(),
            (None, to) => {
                bail!("an {} needs --module, such as `oci://registry.acme.com/doorward@sha256:...`", to.kind())
            }
        };
        let Some((scheme, rest)) = url.split_once("://") else {
            let file = matches!(arguments.to, To::Envoy | To::EnvoyFilter);
            if !file || !url.starts_with('/') && arguments.to == To::EnvoyFilter {
                bail!("`{url}` is no module of an {}: say `oci://...` or `https://...`", arguments.to.kind());
            }
            if arguments.sha256.is_some() {
                bail!("--sha256 is for URLs, and `{url}` is a file: what may write it can be trusted or cannot");
            }
            return Ok(Self::File(url));
        };
        match scheme {
            "oci" | "https" if arguments.to != To::Envoy => {}
            "oci" | "https" | "http" => bail!(
                "`{url}`: a standalone Envoy reads the module from a file here; fetch it when the machine is made (`make image`)"
            ),
            _ => bail!("`{url}`: a module is behind `oci://` or `https://`"),
        }
        let digest = match (rest.rsplit_once("@sha256:"), &arguments.sha256) {
            (Some((_, digest)), None) => digest,
            (None, Some(digest)) => digest,
            (Some((_, own)), Some(digest)) if own == digest => own,
            (Some(_), Some(_)) => bail!("--sha256 is another digest than the URL's"),
            (None, None) => {
                bail!("`{url}` has no digest, so the registry decides what runs: add `@sha256:...`, or --sha256")
            }
        };
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if digest.len() != 64 || !digest.bytes().all(hex) {
            bail!("`{digest}` is no SHA-256: 64 digits of lower-case hex");
        }
        Ok(Self::Remote { sha256: digest.to_owned(), url: url.clone() })
    }

    /// Envoy's `code`.
    pub fn code(&self) -> Tree {
        match self {
            Module::File(path) => map([("local", map([("filename", text(path))]))]),
            Module::Remote { url, sha256 } => {
                let uri = map([("uri", text(url)), ("timeout", text("30s")), ("cluster", text("doorward-module"))]);
                map([("remote", map([("http_uri", uri), ("sha256", text(sha256))]))])
            }
        }
    }
}
