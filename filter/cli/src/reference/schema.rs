//! Shapes as a JSON Schema (draft 2020-12), for editors and for whoever makes policies by program.
//!
//! It says what can be written where. What it cannot say (that a role exists, that a statement can match) `doorward check` says.

use anyhow::anyhow;
use serde_json::{Map, Value, json};

use super::shapes::{Default, Enum, Field, Kind, Shapes, Struct};

/// The schema of the document whose shape is called `root`.
///
/// # Errors
/// A shape is in none of the sources.
pub fn render(shapes: &Shapes, root: &str, title: &str) -> anyhow::Result<Value> {
    let mut page = Page { shapes, definitions: Map::new() };
    let top = shapes.structs.get(root).ok_or_else(|| anyhow!("no `{root}` in the sources"))?;
    let Value::Object(top) = page.structure(top)? else { return Err(anyhow!("`{root}` is no mapping")) };
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!(title));
    schema.extend(top);
    schema.insert("$defs".to_owned(), Value::Object(page.definitions));
    Ok(Value::Object(schema))
}

struct Page<'s> {
    shapes: &'s Shapes,
    definitions: Map<String, Value>,
}

impl Page<'_> {
    fn structure(&mut self, shape: &Struct) -> anyhow::Result<Value> {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for field in &shape.fields {
            let schema = self.field(field)?;
            if let Some(also) = &field.also {
                properties.insert(also.clone(), schema.clone());
            }
            if field.default == Default::Required {
                required.push(json!(field.name));
            }
            properties.insert(field.name.clone(), schema);
        }
        let mut out = json!({"type": "object", "additionalProperties": false, "properties": properties});
        if let Value::Object(out) = &mut out {
            if !shape.doc.is_empty() {
                out.insert("description".to_owned(), json!(shape.doc));
            }
            if !required.is_empty() {
                out.insert("required".to_owned(), Value::Array(required));
            }
        }
        Ok(out)
    }

    fn field(&mut self, field: &Field) -> anyhow::Result<Value> {
        let mut schema = self.kind(&field.kind)?;
        if let Value::Object(schema) = &mut schema {
            if !field.doc.is_empty() {
                schema.insert("description".to_owned(), json!(field.doc));
            }
            if let Default::Value(value) = &field.default {
                // Numbers and booleans are themselves, and everything else is written as text.
                let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
                schema.insert("default".to_owned(), value);
            }
        }
        // What is left out may be written as nothing, too.
        Ok(match field.default {
            Default::None => {
                let description = schema.get("description").cloned();
                let mut either = json!({"anyOf": [schema, {"type": "null"}]});
                if let (Value::Object(either), Some(description)) = (&mut either, description) {
                    either.insert("description".to_owned(), description);
                }
                if field.optional { either } else { take_first(either) }
            }
            _ => schema,
        })
    }

    fn kind(&mut self, kind: &Kind) -> anyhow::Result<Value> {
        Ok(match kind {
            Kind::Plain(word) => plain(word)?,
            Kind::List(inner) => json!({"type": "array", "items": self.kind(inner)?}),
            Kind::OneOrMany(inner) => {
                let one = self.kind(inner)?;
                json!({"anyOf": [one, {"type": "array", "minItems": 1, "items": one}]})
            }
            Kind::Map(inner) => json!({"type": "object", "additionalProperties": self.kind(inner)?}),
            Kind::Named(name) => {
                let reference = json!({"$ref": format!("#/$defs/{name}")});
                if !self.definitions.contains_key(name) {
                    // Known from here on, so that a shape may hold itself.
                    self.definitions.insert(name.clone(), Value::Null);
                    let definition = match (self.shapes.enums.get(name), self.shapes.structs.get(name)) {
                        (Some(shape), _) => enumeration(shape),
                        (None, Some(shape)) => self.structure(shape)?,
                        (None, None) => return Err(anyhow!("no `{name}` in the sources")),
                    };
                    self.definitions.insert(name.clone(), definition);
                }
                reference
            }
        })
    }
}

/// The one alternative of two that is not `null`.
fn take_first(either: Value) -> Value {
    match either.get("anyOf").and_then(|all| all.get(0)) {
        Some(first) => first.clone(),
        None => either,
    }
}

fn enumeration(shape: &Enum) -> Value {
    let values = shape.values.iter().map(|(value, meaning)| json!({"const": value, "description": meaning}));
    json!({"description": shape.doc, "oneOf": values.collect::<Vec<_>>()})
}

fn plain(word: &str) -> anyhow::Result<Value> {
    Ok(match word {
        "text" => json!({"type": "string"}),
        "boolean" => json!({"type": "boolean"}),
        // Envoy's YAML reader makes texts of fractions.
        "number" => {
            json!({"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?([eE][-+]?[0-9]+)?$"}]})
        }
        "whole number" => json!({"type": "integer", "minimum": 0}),
        "duration" => {
            json!({"anyOf": [{"type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$"}, {"type": "integer", "minimum": 0}]})
        }
        "`{env: NAME}`" => json!({"type": "object", "additionalProperties": false, "required": ["env"],
            "properties": {"env": {"type": "string", "description": "A variable of the plugin's `vm_config.environment_variables`."}}}),
        "any" => json!({}),
        "claim path" => {
            json!({"anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "minItems": 1, "items": {"type": "string"}}]})
        }
        "text, number or boolean" => json!({"type": ["string", "number", "boolean"]}),
        other => return Err(anyhow!("the schema does not know `{other}`")),
    })
}
