//! What is sent: chat completions of an exact size, made of ordinary office prose as it comes in JSON (line breaks and
//! quotes escaped, dates, amounts, times and the odd sign beyond ASCII), with nothing in it that a rule looks for. All of
//! it has to be scanned to know that; few requests hold more.

use serde_json::{Value, json};

const PARAGRAPHS: [&str; 6] = [
    "Please summarise the notes of Tuesday's meeting for people who could not attend. Keep it under 200 words, name the \
     owner of each task, and list open questions at the end.\n\nThe committee began at 9:30 with the budget. Ms Okafor \
     showed that costs rose by 4.2 % against the first quarter, mostly for hosting, and proposed to renegotiate before \
     the contract ends on 2026-12-31.",
    "Some members wanted to keep the doors open until eight; others, mindful of the budget, asked whether three evenings \
     a week would be enough. In the end they agreed to try it for a season and to look at the figures again in spring. \
     \"We can always change it,\" the chair said, and closed the item.",
    "The migration plan has three steps: first, move the read traffic (about 60 %) to the new cluster; second, run both \
     in parallel for 14 days and compare the results; third, switch the writes over on a Sunday, between 02:00 and 04:00. \
     If the error rate exceeds 0.5 %, we go back. Details are on the wiki page \"Release 4.12\" under section 7.",
    "Frau Müller added that the supplier in Köln delivers 1,250 units a month at €18.40 each, and that the last two \
     deliveries were late: one by three days, one by eleven. She will ask for a discount of 2 % and report by Friday.",
    "Here is the function in question:\n\n```python\ndef total(items, rate=0.19):\n    net = sum(i[\"price\"] * \
     i[\"count\"] for i in items)\n    return round(net * (1 + rate), 2)\n```\n\nIt rounds at the end, which is why the \
     invoice and the report differ by a cent now and then. What would you change, and why?",
    "Thank you, that helps. Now rewrite the second paragraph in a friendlier tone, without exclamation marks, and \
     translate the last sentence into French. Then give me three titles to choose from; the shorter, the better.",
];

/// A message is about this long, in bytes; the last one up to twice that.
const MESSAGE: usize = 4096;

/// A request of exactly `size` bytes (at least 300): a conversation, its members in the order in which SDKs send them.
pub fn request(size: usize) -> String {
    let mut text = String::from(r#"{"messages":[{"role":"system","content":"You are a helpful assistant. Be brief."}"#);
    let tail = r#"],"model":"gpt-4o","max_tokens":512,"temperature":0.2}"#;
    let mut paragraphs = PARAGRAPHS.iter().cycle();
    for role in ["user", "assistant"].iter().cycle() {
        text.push_str(&format!(r#",{{"role":"{role}","content":"#));
        let room = size.checked_sub(text.len() + tail.len() + "}".len()).expect("room for the frame of a request");
        let last = room <= 2 * MESSAGE;
        let mut content = String::new();
        while content.len() < if last { room } else { MESSAGE } {
            content.push_str(paragraphs.next().expect("a cycle does not end"));
            content.push_str("\n\n");
        }
        if last {
            // Spaces make up for a cut through an escape or a character.
            while quoted(&content).len() > room {
                content.pop();
            }
            content.push_str(&" ".repeat(room - quoted(&content).len()));
        }
        text.push_str(&quoted(&content));
        text.push('}');
        if last {
            break;
        }
    }
    text + tail
}

/// Prose without what a rule looks for.
pub fn prose() -> String {
    PARAGRAPHS.join("\n\n")
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The upstream's answer, about 1 KB.
pub fn answer() -> String {
    let content = "Here is the summary you asked for.\n\n1. Budget: costs rose by 4.2 %, mostly for hosting; Ms Okafor \
        renegotiates the contract before it ends.\n2. Opening hours: three evenings a week, on trial for one season; the \
        figures are looked at again in spring.\n3. Migration: reads first, both in parallel for 14 days, writes on a \
        Sunday night; the way back is open as long as both run.\n\nOpen questions: who informs the branch offices, and \
        whether the late deliveries from Köln affect the launch.";
    json!({
        "id": "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG", "object": "chat.completion", "created": 1_741_570_283,
        "model": "gpt-4o-2024-08-06", "service_tier": "default", "system_fingerprint": "fp_fc9f1d7035",
        "choices": [{"index": 0, "logprobs": null, "finish_reason": "stop", "message": {
            "role": "assistant", "content": content, "refusal": null, "annotations": [],
        }}],
        "usage": {
            "prompt_tokens": 412, "completion_tokens": 117, "total_tokens": 529,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0,
                "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
        },
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact_and_bodies_are_requests() {
        for (size, _) in super::super::plan::LOADS {
            let body = request(size);
            assert_eq!(body.len(), size);
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body["model"], "gpt-4o");
            let messages = body["messages"].as_array().unwrap();
            assert!(messages.len() >= 2 && messages.iter().all(|m| !m["content"].as_str().unwrap().is_empty()));
        }
        assert!((900..1600).contains(&answer().len()), "{}", answer().len());
    }
}
