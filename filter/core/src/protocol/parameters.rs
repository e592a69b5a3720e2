//! Parameters that mean the same under different names.
//!
//! A cap on `max_tokens` must hold whatever the API, or a server behind a compatible one, calls it. So a policy's name stands
//! for every name of its group, wherever they stand in the body, whichever API it is: a server may take a name that its API does
//! not have.

use std::borrow::Cow;

use crate::json::{Node, fold};

/// Names of one parameter, as paths of member names. The first is the one that policies should use.
const GROUPS: &[&[&str]] = &[
    &[
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
    ],
    &[
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
    ],
    &[
        "temperature",
        "generationConfig.temperature",
        "generation_config.temperature",
        "inferenceConfig.temperature",
        "textGenerationConfig.temperature",
        "options.temperature",
        "parameters.temperature",
        "additionalModelRequestFields.temperature",
    ],
    &[
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
    ],
    &[
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
    ],
    &["reasoning_effort", "reasoning.effort"],
];

/// Every name, as a path of member names, under which a request may give the parameter that a policy calls `name`.
pub fn names(name: &str) -> &[&str] {
    GROUPS.iter().find(|group| group.contains(&name)).copied().unwrap_or_default()
}

/// The member at a path of names, as a server written in Go reads it: `TEMPERATURE` is `temperature`. A dotted name may also be a
/// member's own.
pub fn member<'d>(root: Node<'d>, path: &str) -> Option<Node<'d>> {
    match path.split_once('.') {
        None => root.get_folded(path),
        Some((first, rest)) => match root.get_folded(path) {
            Some(value) => Some(value),
            None => member(root.get_folded(first)?, rest),
        },
    }
}

/// Shows every value that a request gives for a parameter, under whichever of its names: nobody knows which of several a server takes.
pub fn given<'d>(root: Node<'d>, name: &str, see: &mut dyn FnMut(Node<'d>)) {
    let names = names(name);
    for (key, value) in root.entries() {
        let key = key.text();
        let key = if key.is_ascii() { key } else { Cow::Owned(fold(&key)) };
        for name in names {
            // Most are told apart by their lengths.
            if name.len() != key.len() && name.as_bytes().get(key.len()) != Some(&b'.') {
                continue;
            }
            let Some((own, rest)) = name.split_at_checked(key.len()) else { continue };
            if !own.eq_ignore_ascii_case(&key) {
                continue;
            }
            let value = match rest.strip_prefix('.') {
                Some(rest) => member(value, rest),
                None => rest.is_empty().then_some(value),
            };
            if let Some(value) = value {
                see(value);
            }
        }
    }
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
    fn a_group_answers_to_each_of_its_names() {
        assert!(names("max_tokens").contains(&"options.num_predict"));
        assert_eq!(names("max_completion_tokens"), names("max_tokens"));
        assert_eq!(names("logit_bias"), [""; 0]);
        for (i, group) in GROUPS.iter().enumerate() {
            for name in *group {
                assert!(GROUPS.iter().skip(i + 1).all(|g| !g.contains(name)), "{name} is in two groups");
            }
        }
    }
}
