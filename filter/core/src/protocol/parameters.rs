//! Parameters that mean the same under different names.
//!
//! A cap on `max_tokens` must hold whatever the API, or a server behind a compatible one, calls it. So a policy's name stands
//! for every name of its group, wherever they stand in the body, whichever API it is: a server may take a name that its API does
//! not have.

use std::borrow::Cow;

use crate::json::{Node, fold};

/// The names of one parameter.
struct Group {
    /// As paths of member names. The first is the one that policies should use.
    names: &'static [&'static str],
    /// One bit for each length of a member's own name that begins one of them: most members of a request are none of these.
    lengths: u64,
}

impl Group {
    const fn new(names: &'static [&'static str]) -> Self {
        let (mut lengths, mut left) = (0, names);
        while let [name, others @ ..] = left {
            let (mut length, mut bytes) = (0, name.as_bytes());
            while let [byte, rest @ ..] = bytes {
                if *byte == b'.' {
                    lengths |= 1 << length;
                }
                (length, bytes) = (length + 1, rest);
            }
            lengths |= 1 << length;
            left = others;
        }
        Self { names, lengths }
    }

    /// Whether some name may begin with a member of a name of this length.
    const fn may_begin(&self, length: usize) -> bool {
        length < 64 && (self.lengths >> length) & 1 == 1
    }
}

const GROUPS: &[Group] = &[
    Group::new(&[
        "max_tokens",
        "max_completion_tokens",
        "max_output_tokens",
        "max_new_tokens",
        "max_tokens_to_sample",
        "max_gen_len",
        "n_predict",
        "maxTokens",
        "maxOutputTokens",
        "generationConfig.maxOutputTokens",
        "generation_config.max_output_tokens",
        "generationConfig.max_output_tokens",
        "generation_config.maxOutputTokens",
        "inferenceConfig.maxTokens",
        "inferenceConfig.max_new_tokens",
        "textGenerationConfig.maxTokenCount",
        "options.num_predict",
        "parameters.max_new_tokens",
        "parameters.maxOutputTokens",
        "additionalModelRequestFields.max_tokens",
        "additionalModelRequestFields.max_new_tokens",
        "additionalModelRequestFields.max_gen_len",
        "additionalModelRequestFields.maxTokens",
        "additionalModelRequestFields.inferenceConfig.maxTokens",
    ]),
    Group::new(&[
        "n",
        "best_of",
        "num_generations",
        "candidateCount",
        "generationConfig.candidateCount",
        "generation_config.candidate_count",
        "generationConfig.candidate_count",
        "generation_config.candidateCount",
        "parameters.best_of",
        "additionalModelRequestFields.n",
    ]),
    Group::new(&[
        "temperature",
        "generationConfig.temperature",
        "generation_config.temperature",
        "inferenceConfig.temperature",
        "textGenerationConfig.temperature",
        "options.temperature",
        "parameters.temperature",
        "additionalModelRequestFields.temperature",
    ]),
    Group::new(&[
        "top_p",
        "p",
        "generationConfig.topP",
        "generation_config.top_p",
        "generationConfig.top_p",
        "generation_config.topP",
        "inferenceConfig.topP",
        "inferenceConfig.top_p",
        "textGenerationConfig.topP",
        "options.top_p",
        "parameters.top_p",
        "additionalModelRequestFields.top_p",
        "additionalModelRequestFields.topP",
    ]),
    Group::new(&[
        "top_k",
        "k",
        "generationConfig.topK",
        "generation_config.top_k",
        "generationConfig.top_k",
        "generation_config.topK",
        "inferenceConfig.topK",
        "inferenceConfig.top_k",
        "options.top_k",
        "parameters.top_k",
        "additionalModelRequestFields.top_k",
        "additionalModelRequestFields.topK",
        "additionalModelRequestFields.inferenceConfig.topK",
    ]),
    Group::new(&["reasoning_effort", "reasoning.effort"]),
];

/// Every name, as a path of member names, under which a request may give the parameter that a policy calls `name`.
pub fn names(name: &str) -> &'static [&'static str] {
    group(name).map(|group| group.names).unwrap_or_default()
}

fn group(name: &str) -> Option<&'static Group> {
    GROUPS.iter().find(|group| group.names.contains(&name))
}

/// Shows every value that a request gives for a parameter, under whichever of its names: nobody knows which of several a server takes.
pub fn given<'d>(root: Node<'d>, name: &str, see: &mut dyn FnMut(Node<'d>)) {
    let Some(group) = group(name) else { return at(root, &folded(name.into()), see) };
    for (key, value) in root.entries() {
        let key = folded(key.text());
        if group.may_begin(key.len()) {
            let begun = group.names.iter().filter(|name| may_begin(name, key.len()));
            begun.for_each(|name| below(&key, value, name, see));
        }
    }
}

/// Every value at a path of names, as a server written in Go reads it: `TEMPERATURE` is `temperature`. A dotted name may also be a
/// member's own, and that one beside the path's proves nothing of the other.
fn at<'d>(root: Node<'d>, path: &str, see: &mut dyn FnMut(Node<'d>)) {
    root.entries().for_each(|(key, value)| below(&folded(key.text()), value, path, see));
}

/// What of a path is in one member.
fn below<'d>(key: &str, value: Node<'d>, path: &str, see: &mut dyn FnMut(Node<'d>)) {
    let Some((own, rest)) = path.split_at_checked(key.len()) else { return };
    match rest.strip_prefix('.') {
        Some(rest) if own.eq_ignore_ascii_case(key) => at(value, rest, see),
        None if rest.is_empty() && own.eq_ignore_ascii_case(key) => see(value),
        _ => {}
    }
}

/// Whether a path may begin with a member of a name of this length: most are told apart by that.
fn may_begin(path: &str, length: usize) -> bool {
    match path.as_bytes().get(length) {
        Some(byte) => *byte == b'.',
        None => path.len() == length,
    }
}

/// As [`fold`] has it, but for ASCII, which is compared so.
fn folded(key: Cow<'_, str>) -> Cow<'_, str> {
    if key.is_ascii() { key } else { Cow::Owned(fold(&key)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_under_every_name() {
        let limits = crate::json::Limits::default();
        for name in names("max_tokens") {
            let mut nested = "7".to_owned();
            for part in name.rsplit('.') {
                nested = format!("{{\"{}\":{nested}}}", part.to_uppercase());
            }
            for text in [nested, format!("{{\"a\":1,\"{name}\":7}}")] {
                let document = crate::json::Document::parse(text.as_bytes(), &limits).unwrap();
                let mut found = Vec::new();
                given(document.root(), "max_completion_tokens", &mut |node| {
                    found.extend(node.number().map(str::to_owned))
                });
                assert_eq!(found, ["7"], "{text}");
            }
        }
        let text = "{\"max_tokens_\":1,\"MAX_TOKEN\u{17f}\":2,\"max\":{\"_tokens\":3},\"options\":{\"num_predict\":4,\"n\":5}}";
        let document = crate::json::Document::parse(text.as_bytes(), &limits).unwrap();
        let mut found = Vec::new();
        given(document.root(), "max_tokens", &mut |node| found.extend(node.number().map(str::to_owned)));
        assert_eq!(found, ["2", "4"]);
    }

    #[test]
    fn a_dotted_member_hides_no_nested_one() {
        let limits = crate::json::Limits::default();
        for (name, text) in [
            ("max_tokens", r#"{"options.num_predict":1,"options":{"num_predict":2}}"#),
            (
                "max_tokens",
                r#"{"additionalModelRequestFields":{"inferenceConfig.maxTokens":1,"inferenceConfig":{"maxTokens":2}}}"#,
            ),
            ("own.dial.É", r#"{"OWN.dial.é":1,"own":{"Dial":{"é":2}}}"#),
        ] {
            let document = crate::json::Document::parse(text.as_bytes(), &limits).unwrap();
            let mut found = Vec::new();
            given(document.root(), name, &mut |node| found.extend(node.number().map(str::to_owned)));
            assert_eq!(found, ["1", "2"], "{text}");
        }
    }

    #[test]
    fn a_group_answers_to_each_of_its_names() {
        assert!(names("max_tokens").contains(&"options.num_predict"));
        assert_eq!(names("max_completion_tokens"), names("max_tokens"));
        assert_eq!(names("logit_bias"), [""; 0]);
        for (i, group) in GROUPS.iter().enumerate() {
            for name in group.names {
                assert!(GROUPS.iter().skip(i + 1).all(|g| !g.names.contains(name)), "{name} is in two groups");
            }
        }
    }
}
