//! From a token's claims to a principal's user, groups and so on.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

use super::json::Json;
use super::principal::Principal;
use super::reason::Reason;
use super::{MAX_VALUE_BYTES, MAX_VALUES};

/// The way to a claim: `sub`, `realm_access.roles`, or a list of names where a name holds dots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(Vec<String>);

impl ClaimPath {
    /// From dotted text. Text with `://` in it is one name: a URL as claim name is common, a path through one is not.
    pub fn dotted(text: &str) -> Self {
        if text.contains("://") {
            return Self(vec![text.to_owned()]);
        }
        Self(text.split('.').map(str::to_owned).collect())
    }

    /// The names, outermost first.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    fn is_valid(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|name| !name.is_empty())
    }

    /// The claim this leads to.
    fn find<'j, 'a>(&self, claims: &'j Json<'a>) -> Option<&'j Json<'a>> {
        self.0.iter().try_fold(claims, |json, name| json.get(name))
    }

    fn first(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    fn last(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }
}

impl<'de> Deserialize<'de> for ClaimPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = ClaimPath;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a claim such as `sub` or `realm_access.roles`, or a list of names")
            }

            fn visit_str<E: de::Error>(self, v: &str) -> Result<ClaimPath, E> {
                Some(ClaimPath::dotted(v))
                    .filter(ClaimPath::is_valid)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(v), &self))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ClaimPath, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = seq.next_element()? {
                    names.push(name);
                }
                Some(ClaimPath(names))
                    .filter(ClaimPath::is_valid)
                    .ok_or_else(|| de::Error::invalid_value(de::Unexpected::Seq, &self))
            }
        }
        deserializer.deserialize_any(V)
    }
}

/// Which claims name whom, compiled.
#[derive(Debug)]
pub(super) struct Mapping {
    pub user: ClaimPath,
    pub groups: Option<ClaimPath>,
    pub team: Option<ClaimPath>,
    pub purpose: Option<ClaimPath>,
    pub extra: BTreeMap<String, ClaimPath>,
}

impl Mapping {
    /// Fills in what the claims say.
    ///
    /// # Errors
    /// A mapped value is unusable ([`Reason::Claims`]), or the groups are not in the token
    /// ([`Reason::GroupsOverage`]). A list is taken whole or not at all: half of a caller's groups could be the
    /// half that no rule denies.
    pub fn apply(&self, claims: &Json<'_>, principal: &mut Principal) -> Result<(), Reason> {
        principal.user = one(claims, Some(&self.user))?;
        principal.team = one(claims, self.team.as_ref())?;
        principal.purpose = one(claims, self.purpose.as_ref())?;
        if let Some(path) = &self.groups {
            principal.groups = match path.find(claims) {
                Some(value) => values(value, false)?,
                None if overage(claims, path) => return Err(Reason::GroupsOverage),
                None => Vec::new(),
            };
        }
        for (name, path) in &self.extra {
            let split = matches!(path.last(), "scope" | "scp");
            let found = match path.find(claims) {
                Some(value) => values(value, split)?,
                None if distributed(claims, path) => return Err(Reason::Claims),
                None => continue,
            };
            if !found.is_empty() {
                principal.claims.insert(name.clone(), found);
            }
        }
        Ok(())
    }
}

/// Entra's sign that a user has more groups than fit: a link to the directory instead, or (implicit flow) a mere flag.
fn overage(claims: &Json<'_>, path: &ClaimPath) -> bool {
    let flagged = match claims.get("hasgroups") {
        Some(Json::Bool(flag)) => *flag,
        Some(Json::String(flag)) => flag.eq_ignore_ascii_case("true"),
        _ => false,
    };
    (flagged && path.last() == "groups") || distributed(claims, path)
}

/// Whether the claim is held elsewhere (OpenID Connect Core, section 5.6.2).
fn distributed(claims: &Json<'_>, path: &ClaimPath) -> bool {
    claims.get("_claim_names").is_some_and(|names| names.has(path.first()))
}

fn one(claims: &Json<'_>, path: Option<&ClaimPath>) -> Result<Option<String>, Reason> {
    let Some(path) = path else { return Ok(None) };
    match path.find(claims) {
        Some(value) => scalar(value),
        None if distributed(claims, path) => Err(Reason::Claims),
        None => Ok(None),
    }
}

fn values(json: &Json<'_>, split: bool) -> Result<Vec<String>, Reason> {
    let found: Vec<String> = match json {
        Json::List(items) if items.len() > MAX_VALUES => return Err(Reason::Claims),
        Json::List(items) => items.iter().filter_map(|item| scalar(item).transpose()).collect::<Result<_, _>>()?,
        Json::String(text) if split => {
            let parts = text.split(' ').filter(|part| !part.is_empty());
            parts.map(|part| usable(part).then(|| part.to_owned()).ok_or(Reason::Claims)).collect::<Result<_, _>>()?
        }
        _ => scalar(json)?.into_iter().collect(),
    };
    if found.len() > MAX_VALUES { Err(Reason::Claims) } else { Ok(found) }
}

fn scalar(json: &Json<'_>) -> Result<Option<String>, Reason> {
    match json {
        Json::Null => Ok(None),
        Json::String(text) if text.is_empty() => Ok(None),
        Json::String(text) if usable(text) => Ok(Some(text.to_string())),
        Json::Bool(flag) => Ok(Some(flag.to_string())),
        Json::Integer(number) => Ok(Some(number.to_string())),
        // Envoy's metadata knows only doubles; a whole one is the number it was.
        Json::Float(number) if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 => {
            Ok(Some((*number as i64).to_string()))
        }
        _ => Err(Reason::Claims),
    }
}

/// Whether a value means the same to whoever reads it: in a rule, in a log, in a header, on a screen.
pub(crate) fn usable(text: &str) -> bool {
    let invisible = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    !text.is_empty() && text.len() <= MAX_VALUE_BYTES && text.trim() == text && !text.chars().any(invisible)
}

#[cfg(test)]
mod tests {
    use super::super::principal::Method;
    use super::*;

    fn path(json: &str) -> ClaimPath {
        serde_json::from_str(json).unwrap()
    }

    fn map(claims: &str) -> Result<Principal, Reason> {
        map_with("realm_access.roles", claims)
    }

    fn map_with(groups: &str, claims: &str) -> Result<Principal, Reason> {
        let mapping = Mapping {
            user: ClaimPath::dotted("sub"),
            groups: Some(ClaimPath::dotted(groups)),
            team: Some(path(r#"["https://x.example/team"]"#)),
            purpose: Some(ClaimPath::dotted("https://x.example/purpose")),
            extra: [("scope".to_owned(), ClaimPath::dotted("scope")), ("tier".to_owned(), path(r#"["a.b","c"]"#))]
                .into(),
        };
        let mut principal = Principal::new(Method::Jwt);
        mapping.apply(&Json::read(claims.as_bytes()).unwrap(), &mut principal).map(|()| principal)
    }

    #[test]
    fn follows_paths() {
        let p = map(r#"{"sub":"alice","realm_access":{"roles":["a, b","c",7]},"https://x.example/team":"red",
            "https://x.example/purpose":"chat","scope":"read  write","a.b":{"c":true},"a":{"b":{"c":"wrong"}}}"#)
        .unwrap();
        assert_eq!(p.user.as_deref(), Some("alice"));
        assert_eq!(p.groups, ["a, b", "c", "7"]);
        assert_eq!((p.team.as_deref(), p.purpose.as_deref()), (Some("red"), Some("chat")));
        assert_eq!(p.claims["scope"], ["read", "write"]);
        assert_eq!(p.claims["tier"], ["true"]);
    }

    #[test]
    fn absent_and_empty_are_none() {
        let p = map(r#"{"sub":"","realm_access":"x","scope":"","a.b":{"c":null}}"#).unwrap();
        assert_eq!((p.user, p.groups.len(), p.claims.len()), (None, 0, 0));
        assert_eq!(map(r#"{"realm_access":{"roles":"one"}}"#).unwrap().groups, ["one"]);
    }

    #[test]
    fn refuses_what_is_ambiguous() {
        let long = format!(r#"{{"sub":"{}"}}"#, "a".repeat(257));
        let many = format!(r#"{{"realm_access":{{"roles":[{}]}}}}"#, vec!["1"; 1001].join(","));
        for bad in [
            r#"{"sub":["alice"]}"#,
            r#"{"sub":{"a":1}}"#,
            r#"{"sub":"al\u0000ice"}"#,
            r#"{"sub":"al\nice"}"#,
            r#"{"sub":"alice\u202e"}"#,
            r#"{"sub":"ali\u200bce"}"#,
            r#"{"sub":" alice"}"#,
            r#"{"sub":1.5}"#,
            r#"{"realm_access":{"roles":["ok",["nested"]]}}"#,
            r#"{"realm_access":{"roles":["ok","b\u0007"]}}"#,
            r#"{"scope":"a \u0001"}"#,
            r#"{"_claim_names":{"scope":"src1"}}"#,
            &long,
            &many,
        ] {
            assert_eq!(map(bad).unwrap_err(), Reason::Claims, "{bad}");
        }
        assert_eq!(map(r#"{"sub":"a@b,c","realm_access":{"roles":[]}}"#).unwrap().user.as_deref(), Some("a@b,c"));
    }

    #[test]
    fn missing_groups_are_not_no_groups() {
        for overage in [
            r#"{"_claim_names":{"groups":"src1"},"_claim_sources":{"src1":{"endpoint":"https://graph"}}}"#,
            r#"{"hasgroups":true}"#,
            r#"{"hasgroups":"true"}"#,
        ] {
            assert_eq!(map_with("groups", overage).unwrap_err(), Reason::GroupsOverage, "{overage}");
            assert!(map_with("roles", overage).unwrap().groups.is_empty(), "{overage}");
        }
        assert_eq!(map(r#"{"_claim_names":{"realm_access":"src1"}}"#).unwrap_err(), Reason::GroupsOverage);
        assert_eq!(map_with("groups", r#"{"hasgroups":true,"groups":["a"]}"#).unwrap().groups, ["a"]);
        assert!(map_with("groups", r#"{"hasgroups":false}"#).is_ok());
    }

    #[test]
    fn paths_are_checked() {
        for bad in [r#""""#, r#""a..b""#, r#"".a""#, "[]", r#"[""]"#, "3"] {
            assert!(serde_json::from_str::<ClaimPath>(bad).is_err(), "{bad}");
        }
    }
}
