//! The types of a policy document, as their source says.

use std::collections::{HashMap, HashSet};

use anyhow::{Context as _, anyhow};
use syn::{
    Attribute, Expr, ExprLit, Fields, File, GenericArgument, ImplItem, Item, ItemEnum, ItemImpl, ItemStruct, Lit, Meta,
    PathArguments, Stmt, Type,
};

/// Every type that a policy document is made of, by its name in the source.
#[derive(Debug, Default)]
pub struct Shapes {
    pub structs: HashMap<String, Struct>,
    pub enums: HashMap<String, Enum>,
}

#[derive(Debug)]
pub struct Struct {
    pub doc: String,
    pub fields: Vec<Field>,
}

#[derive(Debug)]
pub struct Field {
    pub name: String,
    pub also: Option<String>,
    pub doc: String,
    pub kind: Kind,
    pub default: Default,
    /// Nothing may be written.
    pub optional: bool,
}

/// What a field takes.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A word of the reference's own, such as `text`.
    Plain(&'static str),
    /// A type of [`Shapes`].
    Named(String),
    List(Box<Kind>),
    OneOrMany(Box<Kind>),
    Map(Box<Kind>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Default {
    Required,
    /// Nothing, an empty list, a section with its own defaults.
    None,
    Value(String),
}

#[derive(Debug)]
pub struct Enum {
    pub doc: String,
    /// Each value and what it means.
    pub values: Vec<(String, String)>,
    default: Option<String>,
}

impl Shapes {
    /// Reads Rust files.
    ///
    /// # Errors
    /// One of them is no Rust, or holds a shape that is not understood.
    pub fn read(sources: &[&str]) -> anyhow::Result<Self> {
        let files: Vec<File> =
            sources.iter().map(|s| syn::parse_file(s)).collect::<Result<_, _>>().context("a source of core")?;
        let items = || files.iter().flat_map(|file| &file.items);
        let mut shapes = Self::default();
        for item in items() {
            if let Item::Enum(item) = item
                && reads(&item.attrs)
            {
                shapes.enums.insert(item.ident.to_string(), enumeration(item)?);
            }
        }
        let mut defaults = Defaults::default();
        for item in items() {
            match item {
                Item::Fn(item) => {
                    if let Some(Stmt::Expr(value, None)) = item.block.stmts.last() {
                        let name = item.sig.ident.to_string();
                        // Fields name it without its file.
                        if name.starts_with("default_") && defaults.functions.contains_key(&name) {
                            return Err(anyhow!("two functions `{name}`"));
                        }
                        defaults.functions.insert(name, value);
                    }
                }
                Item::Impl(item) => defaults.implementation(item),
                _ => {}
            }
        }
        for item in items() {
            if let Item::Struct(item) = item
                && reads(&item.attrs)
            {
                shapes.structs.insert(item.ident.to_string(), structure(item, &defaults, &shapes.enums)?);
            }
        }
        shapes.closed()?;
        Ok(shapes)
    }

    /// Every type that a shape names is known: none is left out of the reference.
    fn closed(&self) -> anyhow::Result<()> {
        for (name, shape) in &self.structs {
            for field in &shape.fields {
                let inner = field.kind.inner();
                if !self.structs.contains_key(inner) && !self.enums.contains_key(inner) && !PLAIN.contains(&inner) {
                    return Err(anyhow!("`{inner}` of `{name}.{}` is in none of the reference's sources", field.name));
                }
            }
        }
        Ok(())
    }
}

/// The words for types that are no shapes.
const PLAIN: &[&str] = &[
    "text",
    "boolean",
    "number",
    "whole number",
    "duration",
    "`{env: NAME}`",
    "any",
    "claim path",
    "text, number or boolean",
];

impl Kind {
    fn of(ty: &Type) -> anyhow::Result<(Self, bool)> {
        let Type::Path(path) = ty else { return Err(anyhow!("a type that is no path")) };
        let last = path.path.segments.last().ok_or_else(|| anyhow!("an empty path"))?;
        let argument = |index: usize| -> anyhow::Result<Self> {
            let PathArguments::AngleBracketed(arguments) = &last.arguments else {
                return Err(anyhow!("`{}` without arguments", last.ident));
            };
            match arguments.args.iter().nth(index) {
                Some(GenericArgument::Type(ty)) => Ok(Kind::of(ty)?.0),
                _ => Err(anyhow!("`{}` without a type", last.ident)),
            }
        };
        let plain = |word| Ok((Kind::Plain(word), false));
        match last.ident.to_string().as_str() {
            "Option" => Ok((argument(0)?, true)),
            "Vec" => Ok((Kind::List(Box::new(argument(0)?)), false)),
            "OneOrMany" => Ok((Kind::OneOrMany(Box::new(argument(0)?)), false)),
            "BTreeMap" => Ok((Kind::Map(Box::new(argument(1)?)), false)),
            "String" => plain("text"),
            "bool" => plain("boolean"),
            "f32" | "f64" | "Number" => plain("number"),
            "u16" | "u32" | "u64" | "usize" => plain("whole number"),
            "Duration" => plain("duration"),
            "SecretRef" => plain("`{env: NAME}`"),
            "Tree" => plain("any"),
            "ClaimPath" => plain("claim path"),
            "Scalar" => plain("text, number or boolean"),
            name => Ok((Kind::Named(name.to_owned()), false)),
        }
    }

    /// Without lists and mappings around it.
    pub fn inner(&self) -> &str {
        match self {
            Kind::Plain(word) => word,
            Kind::Named(name) => name,
            Kind::List(inner) | Kind::OneOrMany(inner) | Kind::Map(inner) => inner.inner(),
        }
    }
}

/// What absent fields are, as functions and `Default` implementations say.
#[derive(std::default::Default)]
struct Defaults<'a> {
    functions: HashMap<String, &'a Expr>,
    /// By type and field.
    fields: HashMap<(String, String), &'a Expr>,
}

impl<'a> Defaults<'a> {
    fn implementation(&mut self, item: &'a ItemImpl) {
        let is_default = item.trait_.as_ref().and_then(|t| t.0.segments.last()).is_some_and(|s| s.ident == "Default");
        let (true, Type::Path(of)) = (is_default, &*item.self_ty) else { return };
        let Some(of) = of.path.segments.last().map(|s| s.ident.to_string()) else { return };
        for member in &item.items {
            let ImplItem::Fn(function) = member else { continue };
            let Some(Stmt::Expr(Expr::Struct(value), None)) = function.block.stmts.last() else { continue };
            for field in &value.fields {
                if let syn::Member::Named(name) = &field.member {
                    self.fields.insert((of.clone(), name.to_string()), &field.expr);
                }
            }
        }
    }

    fn value(&self, expr: &Expr, enums: &HashMap<String, Enum>) -> anyhow::Result<Default> {
        let value = |text: String| Ok(Default::Value(text));
        match expr {
            Expr::Lit(ExprLit { lit: Lit::Bool(lit), .. }) => value(lit.value.to_string()),
            Expr::Lit(ExprLit { lit: Lit::Int(lit), .. }) => value(lit.base10_digits().to_owned()),
            Expr::Lit(ExprLit { lit: Lit::Float(lit), .. }) => value(lit.base10_digits().to_owned()),
            Expr::Lit(ExprLit { lit: Lit::Str(lit), .. }) => value(lit.value()),
            Expr::MethodCall(call) => self.value(&call.receiver, enums),
            Expr::Binary(product) if matches!(product.op, syn::BinOp::Mul(_)) => {
                let factor = |side| match self.value(side, enums)? {
                    Default::Value(text) => text.parse::<u64>().context("a factor of a default"),
                    _ => Err(anyhow!("a factor of a default that is no number")),
                };
                value(factor(&product.left)?.saturating_mul(factor(&product.right)?).to_string())
            }
            Expr::Path(path) => {
                let words: Vec<String> = path.path.segments.iter().map(|s| s.ident.to_string()).collect();
                match words.as_slice() {
                    [none] if none == "None" => Ok(Default::None),
                    [of, variant] => {
                        let shape = enums.get(of).ok_or_else(|| anyhow!("a default of an unknown type `{of}`"))?;
                        let at = shape.values.iter().find(|(name, _)| same(name, variant));
                        value(at.ok_or_else(|| anyhow!("no `{variant}` in `{of}`"))?.0.clone())
                    }
                    _ => Err(anyhow!("a default that is not understood: {words:?}")),
                }
            }
            Expr::Call(call) => {
                let Expr::Path(function) = &*call.func else { return Err(anyhow!("a default that is called")) };
                let words: Vec<String> = function.path.segments.iter().map(|s| s.ident.to_string()).collect();
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                let argument = call.args.first();
                match (words.as_slice(), argument) {
                    (["Duration", "from_secs"], Some(seconds)) => match self.value(seconds, enums)? {
                        Default::Value(seconds) => value(duration(&seconds)),
                        other => Ok(other),
                    },
                    (["Duration", "from_millis"], Some(millis)) => match self.value(millis, enums)? {
                        Default::Value(millis) => value(format!("{millis}ms")),
                        other => Ok(other),
                    },
                    ([_, "dotted"], Some(text)) => self.value(text, enums),
                    ([_, "new" | "default"], None) => Ok(Default::None),
                    ([name], None) => {
                        let body = self.functions.get(*name).ok_or_else(|| anyhow!("no function `{name}`"))?;
                        self.value(body, enums)
                    }
                    _ => Err(anyhow!("a default that is not understood: {words:?}")),
                }
            }
            _ => Err(anyhow!("a default that is not understood")),
        }
    }
}

/// `Hs256` and `HS256`, `LightGreen` and `light_green`.
fn same(value: &str, variant: &str) -> bool {
    let letters = |s: &str| s.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    letters(value) == letters(variant)
}

fn duration(seconds: &str) -> String {
    match seconds.parse::<u64>() {
        Ok(s) if s % 3600 == 0 => format!("{}h", s / 3600),
        Ok(s) if s % 60 == 0 => format!("{}m", s / 60),
        _ => format!("{seconds}s"),
    }
}

fn structure(item: &ItemStruct, defaults: &Defaults<'_>, enums: &HashMap<String, Enum>) -> anyhow::Result<Struct> {
    let of = item.ident.to_string();
    let whole = Serde::of(&item.attrs)?.default.is_some();
    let mut fields = Vec::new();
    let Fields::Named(named) = &item.fields else { return Ok(Struct { doc: doc(&item.attrs), fields }) };
    for field in &named.named {
        let ident = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        let serde = Serde::of(&field.attrs)?;
        let (kind, optional) = Kind::of(&field.ty).with_context(|| format!("{of}.{ident}"))?;
        let by_type = || match &kind {
            _ if optional => Default::None,
            Kind::Plain("boolean") => Default::Value("false".to_owned()),
            Kind::Named(name) => match enums.get(name).and_then(|shape| shape.default.clone()) {
                Some(value) => Default::Value(value),
                None => Default::None,
            },
            _ => Default::None,
        };
        let default = match (&serde.default, defaults.fields.get(&(of.clone(), ident.clone()))) {
            (Some(Some(function)), _) => {
                let body = defaults.functions.get(function).ok_or_else(|| anyhow!("no function `{function}`"))?;
                defaults.value(body, enums).with_context(|| format!("{of}.{ident}"))?
            }
            (Some(None), _) => by_type(),
            (None, Some(value)) if whole => {
                match defaults.value(value, enums).with_context(|| format!("{of}.{ident}"))? {
                    Default::None => by_type(),
                    value => value,
                }
            }
            (None, _) if whole || optional => by_type(),
            (None, _) => Default::Required,
        };
        let name = serde.rename.unwrap_or(ident);
        fields.push(Field { name, also: serde.alias, doc: doc(&field.attrs), kind, default, optional });
    }
    Ok(Struct { doc: doc(&item.attrs), fields })
}

fn enumeration(item: &ItemEnum) -> anyhow::Result<Enum> {
    let joint = match Serde::of(&item.attrs)?.rename_all.as_deref() {
        None => None,
        Some("snake_case") => Some('_'),
        Some("kebab-case") => Some('-'),
        Some(style) => anyhow::bail!("`{}` has names in `{style}`, which the reference cannot write", item.ident),
    };
    let (mut values, mut default) = (Vec::new(), None);
    for variant in &item.variants {
        let ident = variant.ident.to_string();
        let name = match (Serde::of(&variant.attrs)?.rename, joint) {
            (Some(name), _) => name,
            (None, Some(joint)) => joined(&ident, joint),
            (None, None) => ident,
        };
        if variant.attrs.iter().any(|a| a.path().is_ident("default")) {
            default = Some(name.clone());
        }
        values.push((name, doc(&variant.attrs)));
    }
    Ok(Enum { doc: doc(&item.attrs), values, default })
}

/// A name of Rust's in lower case, its words joined by `joint`.
fn joined(ident: &str, joint: char) -> String {
    let mut out = String::new();
    for c in ident.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push(joint);
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// What `#[serde(...)]` says.
#[derive(std::default::Default)]
struct Serde {
    rename: Option<String>,
    rename_all: Option<String>,
    alias: Option<String>,
    /// `default`, and perhaps the function.
    default: Option<Option<String>>,
}

impl Serde {
    fn of(attributes: &[Attribute]) -> anyhow::Result<Self> {
        let mut serde = Self::default();
        for attribute in attributes.iter().filter(|a| a.path().is_ident("serde")) {
            attribute
                .parse_nested_meta(|meta| {
                    let text = if meta.input.peek(syn::Token![=]) {
                        Some(meta.value()?.parse::<syn::LitStr>()?.value())
                    } else {
                        None
                    };
                    match meta.path.get_ident().map(ToString::to_string).as_deref() {
                        Some("rename") => serde.rename = text,
                        Some("rename_all") => serde.rename_all = text,
                        Some("alias") => serde.alias = text,
                        Some("default") => serde.default = Some(text),
                        _ => {}
                    }
                    Ok(())
                })
                .context("a serde attribute")?;
        }
        Ok(serde)
    }
}

/// Whether a type is read from a document.
fn reads(attributes: &[Attribute]) -> bool {
    let derives: HashSet<String> = attributes
        .iter()
        .filter(|a| a.path().is_ident("derive"))
        .filter_map(|a| match &a.meta {
            Meta::List(list) => {
                list.parse_args_with(syn::punctuated::Punctuated::<syn::Path, syn::Token![,]>::parse_terminated).ok()
            }
            _ => None,
        })
        .flatten()
        .filter_map(|path| path.segments.last().map(|s| s.ident.to_string()))
        .collect();
    derives.contains("Deserialize")
}

/// The doc comment; paragraphs are kept apart by an empty line.
fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter(|a| a.path().is_ident("doc")).filter_map(|a| match &a.meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    let mut out = String::new();
    for line in lines {
        let separator = match (out.is_empty(), line.is_empty()) {
            (true, _) => "",
            (false, true) => "\n\n",
            (false, false) if out.ends_with('\n') => "",
            (false, false) => " ",
        };
        out.push_str(separator);
        out.push_str(&line);
    }
    // Links of rustdoc mean nothing here.
    out.replace("[`", "`").replace("`]", "`").trim().to_owned()
}
