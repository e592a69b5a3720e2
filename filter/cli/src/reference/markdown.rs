//! Shapes as Markdown.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Context as _, anyhow};
use doorward_core::config::Path;
use doorward_core::inspect::{Detectors, DetectorsDocument, Group};

use super::shapes::{Default, Enum, Field, Kind, Shapes, Struct};

const TITLE: &str = "\
# Configuration reference

Every key of a policy. This file is made from the code by `doorward reference`; do not edit it.

A policy is written as YAML or JSON, or natively in Envoy's own YAML below the `value` of a `google.protobuf.Struct`.
Unknown keys are errors. `doorward check` says what is wrong with a policy, and where. The calls that are governed, and what is done
with each, are in [APIs](#apis).

| Type | Written as |
|---|---|
| text | Text. Put it in quotes where YAML would read a boolean, a number or nothing (`\"no\"`, `\"1\"`, `\"~\"`). |
| glob | Text in which `*` is any run of characters and `?` any one; case does not matter. |
| duration | `500ms`, `30s`, `5m`, `1h`, `7d`, or a whole number of seconds. |
| claim path | A dotted path into a token's claims, `realm_access.roles`, or a list of names. |
| `{env: NAME}` | A secret, by the name of a variable in the plugin's `vm_config.environment_variables`; never the secret itself. |
| T or list | One value, or a list of them. |

A path with `[]` is in each item of a list, one with `NAME` below each name of a mapping that you choose.
";

/// The whole reference.
pub fn render(shapes: &Shapes) -> anyhow::Result<String> {
    let mut page = Page { shapes, out: TITLE.to_owned(), enums: BTreeSet::new() };
    let root = page.shape("Document")?;
    page.heading("The document");
    page.table(&root.fields, |page, field| page.row(field, &field.name))?;
    for field in &root.fields {
        if let Some(shape) = shapes.structs.get(field.kind.inner()) {
            page.section(field, shape)?;
        }
    }
    page.values()?;
    page.findings()?;
    Ok(page.out)
}

struct Page<'s> {
    shapes: &'s Shapes,
    out: String,
    /// The enumerations that were named on the way.
    enums: BTreeSet<&'s str>,
}

impl<'s> Page<'s> {
    fn shape(&self, name: &str) -> anyhow::Result<&'s Struct> {
        self.shapes.structs.get(name).ok_or_else(|| anyhow!("no `{name}` in the sources"))
    }

    fn heading(&mut self, title: &str) {
        let _ = write!(self.out, "\n## {title}\n\n");
    }

    fn section(&mut self, field: &Field, shape: &'s Struct) -> anyhow::Result<()> {
        self.heading(&format!("`{}`", field.name));
        if !shape.doc.starts_with(&field.doc) {
            let _ = write!(self.out, "{}\n\n", field.doc);
        }
        let _ = write!(self.out, "{}\n\n", shape.doc);
        self.table(&shape.fields, |page, inner| page.rows(inner, &below(&field.name, &field.kind)))
    }

    fn table(
        &mut self,
        fields: &'s [Field],
        mut row: impl FnMut(&mut Self, &'s Field) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.out.push_str("| Key | Type | Default | Meaning |\n|---|---|---|---|\n");
        fields.iter().try_for_each(|field| row(self, field))
    }

    /// A field below a path, and all below it.
    fn rows(&mut self, field: &'s Field, path: &str) -> anyhow::Result<()> {
        let path = format!("{path}.{}", field.name);
        self.row(field, &path).with_context(|| path.clone())?;
        if let Some(shape) = self.shapes.structs.get(field.kind.inner()) {
            let inner = below(&path, &field.kind);
            for field in &shape.fields {
                self.rows(field, &inner)?;
            }
        }
        Ok(())
    }

    fn row(&mut self, field: &'s Field, path: &str) -> anyhow::Result<()> {
        let kind = self.kind(&field.kind)?;
        let default = match &field.default {
            Default::Required => "required".to_owned(),
            Default::None => "–".to_owned(),
            Default::Value(value) => format!("`{value}`"),
        };
        let mut meaning = meaning(field).replace("\n\n", "<br>");
        if let Some(shape) = self.shapes.structs.get(field.kind.inner())
            && path.contains('.')
            && shape.doc != field.doc
            && shape.doc.contains("\n\n")
        {
            // What a shape says beyond its first words is said nowhere else.
            let _ = write!(meaning, "<br>{}", shape.doc.replace("\n\n", "<br>"));
        }
        if let Some(also) = &field.also {
            let _ = write!(meaning, " Also: `{also}`.");
        }
        let meaning = meaning.replace('|', "\\|");
        let _ = writeln!(self.out, "| `{path}` | {kind} | {default} | {meaning} |");
        Ok(())
    }

    fn kind(&mut self, kind: &'s Kind) -> anyhow::Result<String> {
        Ok(match kind {
            Kind::Plain(word) => (*word).to_owned(),
            Kind::List(inner) => format!("list of {}", self.kind(inner)?),
            Kind::OneOrMany(inner) => format!("{} or list", self.kind(inner)?),
            Kind::Map(inner) => format!("mapping of names to {}", self.kind(inner)?),
            Kind::Named(name) => match self.shapes.enums.get_key_value(name.as_str()) {
                None => "mapping".to_owned(),
                Some((name, shape)) => {
                    self.enums.insert(name);
                    alternatives(name, shape)
                }
            },
        })
    }

    fn values(&mut self) -> anyhow::Result<()> {
        self.heading("Values");
        for name in std::mem::take(&mut self.enums) {
            let shape = self.shapes.enums.get(name).ok_or_else(|| anyhow!("no `{name}`"))?;
            let _ = write!(self.out, "### {}\n\n{}\n\n", title(name), shape.doc);
            self.out.push_str("| Value | Meaning |\n|---|---|\n");
            for (value, meaning) in &shape.values {
                let _ = writeln!(self.out, "| `{value}` | {} |", meaning.replace('|', "\\|"));
            }
            self.out.push('\n');
        }
        self.out.truncate(self.out.trim_end().len() + 1);
        Ok(())
    }

    fn findings(&mut self) -> anyhow::Result<()> {
        let detectors = Detectors::compile(&DetectorsDocument::default(), &|_| None, &Path::root())?;
        self.heading("Types of findings");
        self.out.push_str(
            "What `detect` can name beside the groups, a policy's own detectors, `all` (every group but `business` and\n\
             `exfiltration`, and without topics and `HIDDEN_TEXT`), and what types of several groups have in common, below.\n\n| Group | Types |\n|---|---|\n",
        );
        let groups = [
            Group::Pii,
            Group::Financial,
            Group::Health,
            Group::Secrets,
            Group::Injection,
            Group::Business,
            Group::Exfiltration,
        ];
        for group in groups {
            let of = detectors.kinds().filter(|(_, kind)| kind.group == group);
            let types: Vec<String> = of.map(|(_, kind)| format!("`{}`", kind.name)).collect();
            if !types.is_empty() {
                let _ = writeln!(self.out, "| `{group}` | {} |", types.join(", "));
            }
        }
        for (name, kinds) in detectors.tags() {
            let types: Vec<String> = kinds.iter().map(|id| format!("`{}`", detectors.kind(*id).name)).collect();
            // Every secret is one.
            let _ = match name {
                "credentials" => writeln!(self.out, "| `{name}` | `secrets`, and what lets somebody in |"),
                _ if types.is_empty() => Ok(()),
                _ => writeln!(self.out, "| `{name}` | {} |", types.join(", ")),
            };
        }
        Ok(())
    }
}

/// The path of what is in a field.
fn below(path: &str, kind: &Kind) -> String {
    match kind {
        Kind::Map(_) => format!("{path}.NAME"),
        Kind::List(_) | Kind::OneOrMany(_) => format!("{path}[]"),
        Kind::Plain(_) | Kind::Named(_) => path.to_owned(),
    }
}

/// What a field means, without the default that has a column of its own.
fn meaning(field: &Field) -> &str {
    let Default::Value(value) = &field.default else { return &field.doc };
    let said = [format!(" Default {value}."), format!(" Default `{value}`."), format!(" Default: {value}.")];
    said.iter().find_map(|said| field.doc.strip_suffix(said.as_str())).unwrap_or(&field.doc)
}

fn alternatives(name: &str, shape: &Enum) -> String {
    let values: Vec<String> = shape.values.iter().map(|(value, _)| format!("`{value}`")).collect();
    match values.as_slice() {
        [one] => one.clone(),
        few if few.len() <= 4 => few.join(" \\| "),
        _ => {
            let title = title(name);
            format!("[{}](#{})", title.to_lowercase(), title.to_lowercase().replace(' ', "-"))
        }
    }
}

/// `CheckDocument` as `Check`, `AccessEffect` as `Access effect`.
fn title(name: &str) -> String {
    let name = name.strip_suffix("Document").unwrap_or(name);
    let mut out = String::new();
    for (i, c) in name.char_indices() {
        if i > 0 && c.is_ascii_uppercase() {
            out.push(' ');
        }
        out.push(if i > 0 { c.to_ascii_lowercase() } else { c });
    }
    out
}
