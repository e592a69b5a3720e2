//! A request, however it was written down: for curl, in a HAR file, as raw HTTP.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use clap::Args;
use doorward_cases::format::{Answer, Request};
use doorward_core::config::{Tree, tree_from_json};
use doorward_core::identity::CREDENTIAL_HEADERS;
use serde_json::Value;

use crate::input;

/// What is sent, in one of four ways.
#[derive(Debug, Args)]
#[command(next_help_heading = "Request")]
pub struct RequestArguments {
    /// The path, or a URL whose host does not matter.
    #[arg(value_name = "URL", required_unless_present_any = ["curl", "har", "raw"])]
    pub url: Option<String>,
    /// The method. Default: POST with a body, GET without.
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    pub method: Option<String>,
    /// A header; can be repeated.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// The body, or `@FILE` (`@-`: standard input).
    #[arg(short = 'd', long = "data", visible_alias = "data-raw", value_name = "BODY")]
    pub data: Option<String>,
    /// A curl command in a file; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["url", "method", "headers", "data", "har", "raw"])]
    pub curl: Option<String>,
    /// A HAR file (HTTP Archive 1.2).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["url", "method", "headers", "data", "raw"])]
    pub har: Option<String>,
    /// Which of the HAR's entries, from 0.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "har")]
    pub entry: usize,
    /// A request as HTTP/1.1 has it, head and body; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["url", "method", "headers", "data"])]
    pub raw: Option<String>,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Asked {
    /// The request, without its credential.
    pub request: Request,
    /// The header with the credential, and the credential.
    pub credential: Option<(String, String)>,
    /// The answer that a HAR has beside it.
    pub answer: Option<Answer>,
}

impl RequestArguments {
    /// Reads the request.
    ///
    /// # Errors
    /// A file cannot be read, or holds no request.
    pub fn read(&self) -> anyhow::Result<Asked> {
        if let Some(file) = &self.curl {
            return curl(&input::text(file)?).with_context(|| format!("{file}: no curl command"));
        }
        if let Some(file) = &self.har {
            return har(&input::text(file)?, self.entry).with_context(|| format!("{file}: no HAR with that entry"));
        }
        if let Some(file) = &self.raw {
            return raw(&input::bytes(file)?).with_context(|| format!("{file}: no HTTP request"));
        }
        let headers = self.headers.iter().map(|line| header(line)).collect::<anyhow::Result<Vec<_>>>()?;
        let body = self.data.as_deref().map(data).transpose()?;
        asked(self.url.as_deref().unwrap_or_default(), self.method.clone(), headers, body)
    }
}

/// Puts a request together; a body without a content type is JSON.
fn asked(
    url: &str,
    method: Option<String>,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
) -> anyhow::Result<Asked> {
    let mut asked = Asked::default();
    asked.request.path = path(url)?;
    asked.request.method = method;
    let mut kept = BTreeMap::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        if CREDENTIAL_HEADERS.contains(&name.as_str()) && asked.credential.is_none() && !value.trim().is_empty() {
            let bare = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            asked.credential = Some((name, bare.map_or(value.as_str(), |(_, rest)| rest.trim()).to_owned()));
        } else if !(name.starts_with(':')
            || matches!(name.as_str(), "content-length" | "connection" | "transfer-encoding"))
        {
            // A header that is there twice reaches the filter as one, joined by the codec.
            let value = kept.remove(&name).map_or(value.clone(), |before: String| format!("{before}, {value}"));
            kept.insert(name, value);
        }
    }
    if let Some(body) = body.filter(|body| !body.is_empty()) {
        kept.entry("content-type".to_owned()).or_insert_with(|| "application/json".to_owned());
        asked.request.base64 = Some(STANDARD.encode(body));
    }
    asked.request.headers = kept;
    Ok(asked)
}

/// The path and query of a URL.
fn path(url: &str) -> anyhow::Result<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    if rest.starts_with('/') {
        return Ok(rest.to_owned());
    }
    match rest.find('/') {
        Some(at) => Ok(rest.get(at..).unwrap_or("/").to_owned()),
        None if url.contains("://") || rest.contains('.') || rest.contains(':') => Ok("/".to_owned()),
        None => bail!("`{url}` is neither a path nor a URL"),
    }
}

fn header(line: &str) -> anyhow::Result<(String, String)> {
    let (name, value) = line.split_once(':').ok_or_else(|| anyhow!("a header is `NAME: VALUE`, and one has no `:`"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn data(data: &str) -> anyhow::Result<Vec<u8>> {
    match data.strip_prefix('@') {
        Some(file) => input::bytes(file),
        None => Ok(data.as_bytes().to_vec()),
    }
}

/// A curl command, as shells read it. Options that say nothing of the request are passed over.
fn curl(text: &str) -> anyhow::Result<Asked> {
    let text = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let words = shlex::split(&text).context("quotes that do not end")?;
    let mut words = words.into_iter().skip_while(|word| word != "curl" && !word.ends_with("/curl")).skip(1).peekable();
    let (mut url, mut method, mut headers, mut body) = (None, None, Vec::new(), None::<Vec<u8>>);
    while let Some(word) = words.next() {
        let (option, mut attached) = match word.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option.to_owned(), Some(value.to_owned())),
            _ if word.starts_with('-') && !word.starts_with("--") && word.len() > 2 && word.is_char_boundary(2) => {
                let (option, value) = word.split_at(2);
                (option.to_owned(), Some(value.to_owned()))
            }
            _ => (word.clone(), None),
        };
        let mut value =
            || attached.take().or_else(|| words.next()).with_context(|| format!("`{option}` without a value"));
        match option.as_str() {
            "-X" | "--request" => method = Some(value()?),
            "-H" | "--header" => headers.push(header(&value()?)?),
            "--url" => url = Some(value()?),
            "--oauth2-bearer" => headers.push(("authorization".to_owned(), format!("Bearer {}", value()?))),
            "-d" | "--data" | "--data-ascii" | "--data-binary" => join(&mut body, data(&value()?)?),
            "--data-raw" => join(&mut body, value()?.into_bytes()),
            "--json" => {
                join(&mut body, data(&value()?)?);
                headers.push(("content-type".to_owned(), "application/json".to_owned()));
            }
            "-A" | "--user-agent" => headers.push(("user-agent".to_owned(), value()?)),
            "-o" | "--output" | "-m" | "--max-time" | "--connect-timeout" | "--cacert" | "--cert" | "--key" | "-w"
            | "--write-out" | "--retry" | "-x" | "--proxy" | "--resolve" | "-u" | "--user" | "-b" | "--cookie"
            | "-e" | "--referer" => drop(value()?),
            "-F" | "--form" | "-T" | "--upload-file" | "-G" | "--get" => {
                bail!("`{option}` is not read here: write the request as raw HTTP (--raw)")
            }
            option if option.starts_with('-') => {}
            _ => url = Some(word),
        }
    }
    asked(&url.context("no URL")?, method, headers, body)
}

/// curl joins several `-d` by `&`.
fn join(body: &mut Option<Vec<u8>>, more: Vec<u8>) {
    match body {
        None => *body = Some(more),
        Some(body) => {
            body.push(b'&');
            body.extend(more);
        }
    }
}

fn har(text: &str, entry: usize) -> anyhow::Result<Asked> {
    let har: Value = serde_json::from_str(text).context("not JSON")?;
    let entry = har.pointer(&format!("/log/entries/{entry}")).context("no such entry in `log.entries`")?;
    let request = entry.get("request").context("an entry without `request`")?;
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let pairs = |of: &Value| -> Vec<(String, String)> {
        let list = of.get("headers").and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|h| Some((text(h, "name")?, text(h, "value")?))).collect()
    };
    let body = request.get("postData").and_then(|data| text(data, "text")).map(String::into_bytes);
    let url = text(request, "url").context("a request without `url`")?;
    let mut asked = asked(&url, text(request, "method"), pairs(request), body)?;
    if let Some(response) = entry.get("response")
        && let Some(content) = response.get("content").and_then(|content| text(content, "text"))
    {
        let status = response.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
        let packed = response.pointer("/content/encoding").and_then(Value::as_str) == Some("base64");
        // The content is what a browser showed: without the encoding that it came in.
        let gone = ["content-length", "content-encoding", "transfer-encoding", "connection"];
        let headers = pairs(response).into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
        asked.answer = Some(Answer {
            status,
            headers: headers.filter(|(name, _)| !gone.contains(&name.as_str()) && !name.starts_with(':')).collect(),
            base64: Some(if packed { content } else { STANDARD.encode(content) }),
            ..Answer::default()
        });
    }
    Ok(asked)
}

fn raw(bytes: &[u8]) -> anyhow::Result<Asked> {
    // Files that editors wrote have lines that end in LF alone.
    let end = bytes.windows(2).position(|w| w == b"\n\n").map(|at| (at, 2));
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").map(|at| (at, 4)).or(end);
    let (head, body) = match end {
        Some((at, size)) => (bytes.get(..at).unwrap_or_default(), bytes.get(at + size..).unwrap_or_default()),
        None => (bytes.trim_ascii_end(), &[][..]),
    };
    let head = format!("{}\r\n\r\n", String::from_utf8_lossy(head).replace("\r\n", "\n").replace('\n', "\r\n"));
    let mut slots = [httparse::EMPTY_HEADER; 128];
    let mut request = httparse::Request::new(&mut slots);
    request.parse(head.as_bytes()).context("the head cannot be read")?;
    let headers = request.headers.iter().map(|h| (h.name.to_owned(), String::from_utf8_lossy(h.value).into_owned()));
    let headers: Vec<(String, String)> = headers.collect();
    if headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("transfer-encoding") && !value.is_empty()) {
        bail!("a chunked body is not read here: write it as it is, without `transfer-encoding`");
    }
    asked(request.path.unwrap_or("/"), request.method.map(str::to_owned), headers, Some(body.to_vec()))
}

/// The claims of a JSON Web Token, unverified.
pub fn claims(credential: &str) -> Option<BTreeMap<String, Tree>> {
    let mut parts = credential.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = URL_SAFE_NO_PAD.decode(payload).ok()?;
    match tree_from_json(std::str::from_utf8(&bytes).ok()?).ok()? {
        Tree::Map(entries) => Some(entries.into_iter().collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(asked: &Asked) -> String {
        let packed = asked.request.base64.as_deref().unwrap();
        String::from_utf8(STANDARD.decode(packed).unwrap()).unwrap()
    }

    #[test]
    fn four_ways_are_one_request() {
        let har = r#"{"log":{"entries":[{"request":{"method":"POST","url":"https://api.openai.com/v1/x?a=1",
            "headers":[{"name":":authority","value":"api.openai.com"},{"name":"Authorization","value":"Bearer t"},
            {"name":"X-A","value":"1"},{"name":"Content-Length","value":"7"}],"postData":{"text":"{\"a\":1}"}},
            "response":{"status":201,"headers":[{"name":"Content-Type","value":"text/plain"}],"content":{"text":"ok"}}}]}}"#;
        let of_har = super::har(har, 0).unwrap();
        let of_curl = curl("# as copied\nTOKEN=x curl -sS https://api.openai.com/v1/x?a=1 -H 'X-A: 1' \\\n  -H \"authorization: Bearer t\" --data-raw '{\"a\":1}' --max-time 5 --compressed").unwrap();
        let of_raw = raw(b"POST /v1/x?a=1 HTTP/1.1\nHost: h\nX-A: 1\nAuthorization: bearer t\n\n{\"a\":1}").unwrap();
        for asked in [&of_har, &of_curl, &of_raw] {
            assert_eq!(asked.request.path, "/v1/x?a=1");
            assert_eq!(asked.request.headers.get("x-a").map(String::as_str), Some("1"));
            assert_eq!(asked.credential, Some(("authorization".to_owned(), "t".to_owned())));
            assert_eq!((body(asked).as_str(), asked.request.method()), ("{\"a\":1}", "POST"));
        }
        let answer = of_har.answer.unwrap();
        assert_eq!((answer.status, answer.message().unwrap().body()), (Some(201), b"ok".to_vec()));
    }

    #[test]
    fn what_is_no_request_is_said() {
        assert!(curl("wget http://x/").is_err());
        assert!(curl("curl 'http://x/").is_err());
        assert!(curl("curl -F a=b http://x/").is_err());
        assert!(har("{}", 0).is_err());
        assert!(raw(b"\xff\xfe").is_err());
        assert!(raw(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n").is_err());
        assert!(path("nonsense").is_err());
        assert_eq!(path("http://x").unwrap(), "/");
    }

    #[test]
    fn claims_are_read_without_their_keys() {
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"sub":"ann","n":1}"#));
        assert_eq!(claims(&token).unwrap().get("sub"), Some(&Tree::String("ann".to_owned())));
        assert_eq!((claims("dw_abc"), claims("a.!.b")), (None, None));
    }
}
