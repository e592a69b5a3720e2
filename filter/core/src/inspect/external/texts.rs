//! What an external detector is to see of one body, and the request that shows it.

use std::collections::HashMap;

use super::{External, ExternalApi, Failure, MAX_TEXTS, direction};
use crate::host::Side;
use crate::json::escaped;
use crate::protocol::Channel;

/// The different texts of one body that one detector is to see.
#[derive(Debug)]
pub struct Texts {
    places: HashMap<String, usize>,
    /// By place: where the text stands first.
    channels: Vec<Channel>,
    /// Channels with a text.
    seen: [bool; Channel::ALL.len()],
    bytes: usize,
    max_bytes: usize,
    over: bool,
}

impl Texts {
    /// None yet, and as many as `external` may be sent.
    pub fn new(external: &External) -> Self {
        Self {
            places: HashMap::new(),
            channels: Vec::new(),
            seen: Default::default(),
            bytes: 0,
            max_bytes: external.max_bytes,
            over: false,
        }
    }

    /// Takes up a text. One that is there already is not shown twice, and one without a letter or digit not at all.
    pub fn add(&mut self, text: &str, channel: Channel) {
        let blank = || !text.chars().any(char::is_alphanumeric);
        if self.over || text.is_empty() || blank() {
            return;
        }
        if let Some(seen) = self.seen.get_mut(channel.index()) {
            *seen = true;
        }
        if self.places.contains_key(text) {
            return;
        }
        self.bytes = self.bytes.saturating_add(text.len());
        if self.bytes > self.max_bytes || self.channels.len() >= MAX_TEXTS {
            self.over = true;
            return;
        }
        self.places.insert(text.to_owned(), self.channels.len());
        self.channels.push(channel);
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        !self.over && self.channels.is_empty()
    }

    /// Whether one of the texts stands in `channel`. Of too many texts, not all are known.
    pub fn in_channel(&self, channel: Channel) -> bool {
        self.over || self.seen.get(channel.index()).copied().unwrap_or(true)
    }

    /// The texts, by place.
    pub(super) fn in_order(&self) -> Vec<&str> {
        let mut texts = vec![""; self.channels.len()];
        for (text, place) in &self.places {
            if let Some(slot) = texts.get_mut(*place) {
                *slot = text.as_str();
            }
        }
        texts
    }

    /// The body of the call.
    ///
    /// # Errors
    /// There is more than may be sent.
    pub fn request(&self, external: &External, side: Side) -> Result<Vec<u8>, Failure> {
        if self.over {
            return Err(Failure::TooLarge);
        }
        let texts = self.in_order();
        let mut out = String::with_capacity(self.bytes + self.channels.len() * 8 + 128);
        match external.api {
            ExternalApi::Presidio => {
                out.push_str("{\"text\":[");
                for (i, text) in texts.iter().enumerate() {
                    comma(&mut out, i);
                    string(&mut out, text);
                }
                out.push_str("],\"language\":");
                string(&mut out, &external.language);
                out.push_str(",\"score_threshold\":");
                out.push_str(&score(external.min_score));
                if !external.entities.is_empty() {
                    out.push_str(",\"entities\":[");
                    for (i, (name, _)) in external.entities.iter().enumerate() {
                        comma(&mut out, i);
                        string(&mut out, name);
                    }
                    out.push(']');
                }
            }
            ExternalApi::Webhook => {
                out.push_str("{\"direction\":");
                string(&mut out, direction(side));
                out.push_str(",\"texts\":[");
                for (i, (text, channel)) in texts.iter().zip(&self.channels).enumerate() {
                    comma(&mut out, i);
                    out.push_str("{\"id\":");
                    out.push_str(&i.to_string());
                    out.push_str(",\"channel\":");
                    string(&mut out, channel.as_str());
                    out.push_str(",\"text\":");
                    string(&mut out, text);
                    out.push('}');
                }
                out.push(']');
            }
        }
        out.push('}');
        Ok(out.into_bytes())
    }
}

fn comma(out: &mut String, before: usize) {
    if before > 0 {
        out.push(',');
    }
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    out.push_str(&escaped(text));
    out.push('"');
}

/// A score in thousandths: writing floating point numbers is a lot of code.
fn score(score: f32) -> String {
    let thousandths = (score * 1000.0) as u32;
    match thousandths {
        1000.. => "1".to_owned(),
        some => format!("0.{some:03}"),
    }
}
