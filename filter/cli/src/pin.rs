//! `doorward pin`: the definitions of a server's tools as pins for a policy.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, bail};
use doorward_core::json::{Document, Kind, Limits, Node};
use doorward_core::policy::pin_of;

use crate::Outcome;
use crate::args::PinArguments;

/// Bytes of an answer at most.
const MAX: u64 = 16 * 1024 * 1024;

/// Reads a list of tools and prints a pin for each.
pub fn run(arguments: &PinArguments) -> anyhow::Result<Outcome> {
    let text = match arguments.list.as_str() {
        "-" => {
            let mut text = String::new();
            io::stdin().take(MAX).read_to_string(&mut text).context("cannot read standard input")?;
            text
        }
        url if url.starts_with("http://") => ask(url, arguments.bearer.as_deref())?,
        url if url.starts_with("https://") => {
            bail!("TLS is curl's: `curl -s ... {url} | doorward pin -`, with a `tools/list` request as its body")
        }
        path => std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?,
    };
    let limits = Limits::default();
    let mut out = String::from("tools:\n");
    let mut any = false;
    for message in messages(&text) {
        let document = Document::parse(message.as_bytes(), &limits).map_err(|e| anyhow::anyhow!("not JSON: {e}"))?;
        for tool in tools(document.root()) {
            let Some(name) = tool.get("name").and_then(|name| name.text()) else { bail!("a tool without a name") };
            any = true;
            let name = serde_json::to_string(&name).context("a name")?;
            out.push_str(&format!("- {{name: {name}, pin: \"{}\"}}\n", pin_of(tool)));
        }
    }
    if !any {
        bail!("no tools: what was read is no result of `tools/list`");
    }
    io::stdout().write_all(out.as_bytes())?;
    Ok(Outcome::Clean)
}

/// The JSON texts of what may be server-sent events.
fn messages(text: &str) -> Vec<String> {
    if text.trim_start().starts_with(['{', '[']) {
        return vec![text.to_owned()];
    }
    let data = text.lines().filter_map(|line| line.strip_prefix("data:")).map(|data| data.trim().to_owned());
    data.filter(|data| !data.is_empty()).collect()
}

/// The tools of a message, of its result, or of the list itself.
fn tools<'d>(root: Node<'d>) -> Vec<Node<'d>> {
    let list = root.get("result").unwrap_or(root);
    let list = list.get("tools").unwrap_or(list);
    if list.kind() == Kind::Array { list.items().collect() } else { Vec::new() }
}

/// Asks a server for its tools.
fn ask(url: &str, bearer: Option<&str>) -> anyhow::Result<String> {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = if path.is_empty() { "/" } else { path };
    let meta = "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\
        \"io.modelcontextprotocol/clientInfo\":{\"name\":\"doorward\",\"version\":\"1\"},\
        \"io.modelcontextprotocol/clientCapabilities\":{}}";
    let newest = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{{{meta}}}}}");
    let headers = "mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/list\r\n";
    if let Ok((_, text)) = post(authority, path, bearer, headers, &newest)
        && text.contains("\"tools\"")
    {
        return Ok(text);
    }
    // Servers of before shake hands first.
    let hello = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\",\
        \"capabilities\":{},\"clientInfo\":{\"name\":\"doorward\",\"version\":\"1\"}}}";
    let (head, _) = post(authority, path, bearer, "", hello)?;
    let session = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("mcp-session-id").then(|| format!("mcp-session-id: {}\r\n", value.trim()))
    });
    let headers = format!("mcp-protocol-version: 2025-11-25\r\n{}", session.unwrap_or_default());
    let ready = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}";
    post(authority, path, bearer, &headers, ready)?;
    let list = "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\"}";
    Ok(post(authority, path, bearer, &headers, list)?.1)
}

/// One POST; head and body of the answer.
fn post(
    authority: &str,
    path: &str,
    bearer: Option<&str>,
    headers: &str,
    body: &str,
) -> anyhow::Result<(String, String)> {
    let place = if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
    let mut stream = TcpStream::connect(&place).with_context(|| format!("cannot reach {place}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let bearer = bearer.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\n{headers}{bearer}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(MAX).read_to_end(&mut answer).context("the server's answer")?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    let chunked = head.to_ascii_lowercase().contains("\ntransfer-encoding: chunked");
    Ok((head.to_owned(), if chunked { joined(body) } else { body.to_owned() }))
}

/// The chunks of a body, joined (RFC 9112, section 7.1).
fn joined(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = size.split(';').next().unwrap_or_default().trim();
        let Ok(size) = usize::from_str_radix(size, 16) else { break };
        let Some((chunk, after)) = after.split_at_checked(size).filter(|_| size > 0) else { break };
        body.push_str(chunk);
        rest = after.strip_prefix("\r\n").unwrap_or(after);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_however_they_come() {
        assert_eq!(joined("3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"), "abcde");
        assert_eq!(messages("event: message\r\ndata: {\"a\":1}\r\n\r\n: c\n"), ["{\"a\":1}"]);
        for list in [r#"{"result":{"tools":[{"name":"a"}]}}"#, r#"{"tools":[{"name":"a"}]}"#, r#"[{"name":"a"}]"#] {
            let document = Document::parse(list.as_bytes(), &Limits::default()).unwrap();
            assert_eq!(tools(document.root()).len(), 1, "{list}");
        }
    }
}
