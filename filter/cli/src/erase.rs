//! `doorward erase`: takes fields out of access logs so that they still verify.

use std::io::Write as _;

use anyhow::bail;
use doorward_core::audit::chain::{ERASED, KEY, Link};
use serde_json::Value;

use crate::args::EraseArguments;
use crate::verify::chain_key;
use crate::{Outcome, logs, report};

/// Runs the command.
///
/// # Errors
/// No key, a condition that is none, a file that cannot be read, or the output failed.
pub fn run(arguments: &EraseArguments) -> anyhow::Result<Outcome> {
    let key = chain_key(&arguments.key_env, arguments.env_file.as_deref())?;
    let mut conditions = Vec::new();
    for condition in &arguments.conditions {
        let Some((name, value)) = condition.split_once('=') else {
            bail!("`{condition}` is no condition: write `doorward.user=alice`, as it stands in the log");
        };
        conditions.push((name, value));
    }
    if let Some(field) = arguments.fields.iter().find(|field| field.as_str() == KEY || !field.contains('.')) {
        bail!("`{field}` cannot be erased: name a field that the filter writes, such as `doorward.user`");
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let (mut erased, mut refused) = (0u64, 0u64);
    logs::lines(&arguments.file, &mut |_, line| {
        let Some(line) = line else {
            refused += 1;
            return Ok(());
        };
        let meant = logs::record(line).filter(|record| {
            conditions.iter().all(|(name, value)| logs::text(record, name).as_deref() == Some(*value))
        });
        let Some(mut record) = meant else {
            out.write_all(line)?;
            return Ok(out.write_all(b"\n")?);
        };
        let values = logs::values(&record);
        let fields: Vec<(&str, &str)> =
            values.iter().map(|(n, v)| (n.as_str(), v.as_str())).filter(|(name, _)| *name != KEY).collect();
        // What does not verify now would seem to afterwards.
        let link = logs::text(&record, KEY).and_then(|link| Link::read(&link)).filter(|link| link.fits(&key, &fields));
        let Some(link) = link else {
            refused += 1;
            out.write_all(line)?;
            return Ok(out.write_all(b"\n")?);
        };
        for (name, value) in fields {
            if arguments.fields.iter().any(|field| field == name) && !value.starts_with(ERASED) {
                record.insert(name.to_owned(), Value::String(link.erased(&key, name, value)));
                erased += 1;
            }
        }
        serde_json::to_writer(&mut out, &record)?;
        Ok(out.write_all(b"\n")?)
    })?;
    out.flush()?;
    report::note(&format!("{erased} fields erased"));
    if refused > 0 {
        report::note(&format!("{refused} lines are in no chain, or were altered, and stay as they are"));
        return Ok(Outcome::Problems);
    }
    Ok(Outcome::Clean)
}
