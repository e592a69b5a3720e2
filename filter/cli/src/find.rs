//! `doorward find`: who sent a text, or got it, by the digests on the record; and what is on the record of a user.

use std::io::Write as _;

use anyhow::bail;
use doorward_core::audit::Pseudonyms;
use doorward_core::audit::text::{TextKey, written};
use serde_json::{Map, Value, json};

use crate::args::{FindArguments, Format};
use crate::verify::key;
use crate::{Outcome, input, logs};

/// What is looked for in a record.
struct Sought {
    /// Digests of the text, one for each key, and of it as a whole body.
    digests: Vec<String>,
    bodies: Vec<String>,
    /// The user, and their pseudonyms.
    users: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// Nothing to look for, no key, a file that cannot be read, or the output failed.
pub fn run(arguments: &FindArguments) -> anyhow::Result<Outcome> {
    let sought = Sought::new(arguments)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let (mut found, mut records) = (0u64, 0u64);
    for file in &arguments.files {
        logs::lines(file, &mut |number, line| {
            let Some(record) = line.and_then(logs::record) else { return Ok(()) };
            records += u64::from(record.contains_key("doorward.policy.digest"));
            let Some(how) = sought.in_record(&record) else { return Ok(()) };
            found += 1;
            match arguments.format {
                Format::Json => {
                    writeln!(out, "{}", json!({"file": file, "line": number, "found": how, "record": record}))?;
                }
                Format::Human => writeln!(out, "{file}:{number}: {how}  {}", told(&record))?,
            }
            Ok(())
        })?;
    }
    out.flush()?;
    if records == 0 {
        bail!("no line is a record of Doorward's (JSON, with `doorward.policy.digest`)");
    }
    Ok(if found > 0 { Outcome::Clean } else { Outcome::Problems })
}

impl Sought {
    fn new(arguments: &FindArguments) -> anyhow::Result<Self> {
        let file = arguments.env_file.as_deref();
        let mut sought = Self { digests: Vec::new(), bodies: Vec::new(), users: arguments.users.clone() };
        for name in &arguments.user_key_envs {
            let pseudonyms = Pseudonyms::new(key(name, file)?.as_bytes());
            sought.users.extend(arguments.users.iter().map(|user| pseudonyms.of(user)));
        }
        if let Some(text) = &arguments.text {
            if arguments.key_envs.is_empty() {
                bail!("a text is found by its keyed digest: name the variable with `audit.key` by --key-env");
            }
            let bytes = input::bytes(text)?;
            for name in &arguments.key_envs {
                let key = key(name, file)?;
                let whole: String =
                    hmac_sha256::HMAC::mac(&bytes, key.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
                sought.bodies.push(format!("hmac-sha256:{whole}"));
                let text = String::from_utf8_lossy(&bytes);
                sought.digests.extend(TextKey::new(key.as_bytes()).digest(&text).map(written));
            }
            if sought.digests.is_empty() {
                bail!("texts of less than 8 bytes have no digest");
            }
        }
        if sought.digests.is_empty() && sought.users.is_empty() {
            bail!("nothing to look for: name a text (--text) or a user (--user)");
        }
        Ok(sought)
    }

    /// How the record has what is sought.
    fn in_record(&self, record: &Map<String, Value>) -> Option<&'static str> {
        let text = |key: &str| logs::text(record, key).unwrap_or_default();
        if !self.users.is_empty() && !self.users.contains(&text("doorward.user")) {
            return None;
        }
        if self.digests.is_empty() {
            return Some("user");
        }
        let among = |key: &str| text(key).split(',').any(|digest| self.digests.iter().any(|d| d == digest));
        let body = |key: &str| self.bodies.contains(&text(key));
        match () {
            () if among("doorward.texts.in") || body("doorward.content.in") => Some("sent"),
            () if among("doorward.texts.out") || body("doorward.content.out") => Some("received"),
            () => None,
        }
    }
}

/// What a record says of who and when.
fn told(record: &Map<String, Value>) -> String {
    const KEYS: [&str; 9] = [
        "time",
        "request_id",
        "doorward.user",
        "doorward.team",
        "doorward.workload",
        "doorward.target",
        "gen_ai.request.model",
        "doorward.decision",
        "doorward.action",
    ];
    let said = KEYS.iter().filter_map(|key| Some(format!("{key}={}", logs::text(record, key)?)));
    said.collect::<Vec<_>>().join(" ")
}
