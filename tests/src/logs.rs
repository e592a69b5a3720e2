//! Access logs as a company's proxies write them, made up: the same bytes for the same seed, in the shipped format.
//!
//! For measuring and for looking at `doorward report`: names are hostile here and there (markup, formulas, other scripts), and some lines are
//! broken, as they are in real logs.

use std::io::{self, Write};

/// What is made.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// At least so many bytes.
    pub bytes: u64,
    /// The same seed makes the same log.
    pub seed: u64,
    /// Different users; the first ones do most.
    pub users: u64,
    /// Over so many days, up to 2026-11-29.
    pub days: u64,
    /// One line in so many is broken; 0 for none.
    pub broken: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self { bytes: 4 << 20, seed: 1, users: 2000, days: 90, broken: 5000 }
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    /// Small numbers far oftener than great ones.
    fn skewed(&mut self, n: u64) -> u64 {
        let unit = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        ((unit * unit * unit) * n as f64) as u64
    }

    fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.skewed(items.len() as u64) as usize]
    }
}

const TEAMS: [&str; 9] = [
    "search",
    "payments",
    "support",
    "data-science",
    "platform",
    "legal",
    "marketing",
    "Entwicklung M%C3%BCnchen",
    "<b onmouseover=alert(1)>team</b>",
];
/// Name, provider, API, prices for a million tokens.
const MODELS: [(&str, &str, &str, f64, f64); 7] = [
    ("gpt-5-mini", "openai", "openai.chat", 0.25, 2.0),
    ("claude-haiku-4-5", "anthropic", "anthropic.messages", 1.0, 5.0),
    ("gpt-5", "openai", "openai.responses", 1.25, 10.0),
    ("gemini-3-flash", "gcp.gemini", "gemini.generate", 0.3, 2.5),
    ("llama-3-70b", "openai", "openai.chat-vllm", 0.0, 0.0),
    ("claude-opus-4-5", "anthropic", "anthropic.messages", 5.0, 25.0),
    ("text-embedding-3-large", "openai", "openai.embeddings", 0.13, 0.0),
];
/// Reason, status, statement.
const DENIALS: [(&str, u32, &str); 6] = [
    ("content.denied", 400, "no-secrets"),
    ("limit.tokens", 429, "user-tokens"),
    ("model.not_allowed", 403, ""),
    ("tool.not_allowed", 403, "no-shell"),
    ("identity.expired", 401, ""),
    ("anomaly.throttled", 429, "jump"),
];
const FINDINGS: [&str; 6] = ["EMAIL_ADDRESS", "PERSON", "PHONE_NUMBER", "IBAN_CODE", "CREDIT_CARD", "PROMPT_INJECTION"];
const TOOLS: [&str; 5] = ["read_ticket", "search_docs", "query_orders", "send_mail", "run_shell"];
const SNI: [&str; 4] = ["api.openai.com", "api.anthropic.com", "chatgpt.com", "packages.example.org"];
const END: u64 = 1_795_910_400;

/// Writes the log.
///
/// # Errors
/// Nothing can be written there.
pub fn write(plan: &Plan, out: &mut impl Write) -> io::Result<u64> {
    let mut random = Random(plan.seed);
    let (mut written, mut lines) = (0u64, 0u64);
    let mut line = String::new();
    while written < plan.bytes {
        line.clear();
        // Days are not alike: working hours, weekends, growth.
        let mut at = END - plan.days * 86_400 + random.below(plan.days * 86_400);
        let (hour, day) = (at / 3600 % 24, (at / 86_400 + 4) % 7);
        if (!(7..19).contains(&hour) && random.below(4) > 0) || ((day == 0 || day == 6) && random.below(5) > 0) {
            at = at / 86_400 * 86_400 + 8 * 3600 + random.below(9 * 3600);
        }
        match random.below(400) {
            0 => connection(&mut line, at, &mut random),
            1 => unrecorded(&mut line, at, &mut random),
            _ => exchange(&mut line, at, &mut random, plan),
        }
        if plan.broken > 0 && random.below(plan.broken) == 0 {
            line.truncate(line.len() / 2);
            while !line.is_char_boundary(line.len()) {
                line.pop();
            }
        }
        line.push('\n');
        out.write_all(line.as_bytes())?;
        written += line.len() as u64;
        lines += 1;
    }
    out.flush()?;
    Ok(lines)
}

fn time(at: u64, random: &mut Random) -> String {
    let (days, seconds) = (at / 86_400, at % 86_400);
    // Hinnant's civil_from_days.
    let z = days as i64 + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = yoe + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", random.below(1000))
}

fn connection(line: &mut String, at: u64, random: &mut Random) {
    let (time, sni, ip) = (time(at, random), random.of(&SNI), random.skewed(40));
    *line = format!(
        r#"{{"time":"{time}","sni":"{sni}","peer":null,"client":"10.3.0.{ip}:{}","upstream_cluster":"passthrough","upstream_host":"203.0.113.9:443","duration_ms":{},"bytes_in":{},"bytes_out":{},"flags":"-"}}"#,
        20_000 + random.below(30_000),
        random.below(60_000),
        random.below(20_000),
        random.below(90_000)
    );
}

fn unrecorded(line: &mut String, at: u64, random: &mut Random) {
    let time = time(at, random);
    *line = format!(
        r#"{{"time":"{time}","request_id":"{:016x}","method":"POST","status":503,"details":"wasm_fail_stream","upstream_cluster":null,"client":"10.0.0.7:5","doorward.decision":null}}"#,
        random.next()
    );
}

fn exchange(line: &mut String, at: u64, random: &mut Random, plan: &Plan) {
    let user = random.skewed(plan.users);
    let team = TEAMS[(user.wrapping_mul(2_654_435_761) >> 7) as usize % TEAMS.len()];
    let user = match user {
        17 => "=HYPERLINK(http://evil.example)".to_owned(),
        23 => "<script>alert(document.domain)</script>".to_owned(),
        n => format!("user{n}@corp.example"),
    };
    let (model, provider, api, price_in, price_out) = random.of(&MODELS);
    let denied = (random.below(30) == 0).then(|| random.of(&DENIALS));
    let observed = denied.is_some() && random.below(5) == 0;
    let refused = denied.is_some() && !observed;
    let (input, output) = if refused { (0, 0) } else { (200 + random.skewed(30_000), 20 + random.skewed(4000)) };
    let nanos = (input as f64 * price_in + output as f64 * price_out) * 1000.0;
    let cost = format!("{:.9}", nanos.round() / 1e9);
    let cost = cost.trim_end_matches('0').trim_end_matches('.');
    let quoted = |text: Option<String>| text.map_or("null".to_owned(), |text| format!("\"{text}\""));
    let findings: Vec<String> = (0..random.skewed(4))
        .map(|_| {
            format!("in:{}/{}={}", random.of(&FINDINGS), random.of(&["mask", "flag", "tokenize"]), 1 + random.skewed(5))
        })
        .collect();
    let findings = (!findings.is_empty()).then(|| findings.join(","));
    let tools =
        (random.below(4) == 0).then(|| format!("called:{}/{}=1", random.of(&TOOLS), random.of(&["allow", "refuse"])));
    let (reason, status, rule) = denied.unwrap_or(("", 200, "staff"));
    let rules = if denied.is_some() { rule } else { "staff,mask-pii" };
    let action = match (denied, observed) {
        (Some(_), true) => "observe",
        (Some(_), false) => "reply",
        (None, _) if findings.is_some() => "edit",
        _ => "pass",
    };
    let tokens = |n: u64| quoted((!refused).then(|| n.to_string()));
    let time = time(at, random);
    *line = format!(
        concat!(
            r#"{{"bytes_in":{bytes_in},"bytes_out":{bytes_out},"client":"10.0.{a}.{b}:{port}","details":"via_upstream","doorward.action":"{action}","#,
            r#""doorward.anomaly":{anomaly},"doorward.api":"{api}","doorward.auth":"jwt","doorward.caller":"{caller:016x}","#,
            r#""doorward.break_glass":null,"doorward.candidate":null,"doorward.candidate.digest":null,"doorward.candidate.findings":null,"#,
            r#""doorward.candidate.reason":null,"doorward.candidate.rules":null,"doorward.captured.in":null,"doorward.captured.out":null,"#,
            r#""doorward.chain":null,"doorward.policy.packs":null,"doorward.policy.weakened":null,"doorward.texts.in":null,"doorward.texts.out":null,"#,
            r#""doorward.content.in":"hmac-sha256:{digest:064x}","doorward.content.out":"hmac-sha256:{digest:064x}","doorward.cost":{cost},"#,
            r#""doorward.credential":"key-2026-10","doorward.decision":"{decision}","doorward.duration_us":"{us}","doorward.external":null,"#,
            r#""doorward.findings":{findings},"doorward.limit.global":null,"doorward.limit.remaining":"user-tokens={left},team-money=12.5","#,
            r#""doorward.notes":null,"doorward.observed":{observed},"doorward.owner":"platform","doorward.path":"/v1/chat/completions","#,
            r#""doorward.placeholders":null,"doorward.policy":"gateway","doorward.policy.digest":"{policy}","doorward.purpose":null,"#,
            r#""doorward.reason":{reason},"doorward.roles":"staff","doorward.route":null,"doorward.route.from":null,"doorward.route.model":null,"#,
            r#""doorward.rules":"{rules}","doorward.session":"{caller:016x}","doorward.session.caller_risk":"0.00","doorward.session.risk":"0.00","#,
            r#""doorward.session.seen":null,"doorward.stream":"true","doorward.target":"{provider}","doorward.team":"{team}","doorward.tools":{tools},"#,
            r#""doorward.usage.audio.input_tokens":null,"doorward.usage.audio.output_tokens":null,"doorward.usage.estimated":{estimated},"#,
            r#""doorward.usage.total_tokens":"{total}","doorward.user":"{user}","doorward.workload":"spiffe://corp.example/ns/{ns}/sa/app","#,
            r#""duration_ms":{ms},"flags":"-","gen_ai.operation.name":"chat","gen_ai.provider.name":"{provider}","gen_ai.request.model":"{model}","#,
            r#""gen_ai.response.model":"{model}-2026-08-01","gen_ai.tool.name":null,"gen_ai.usage.cache_creation.input_tokens":null,"#,
            r#""gen_ai.usage.cache_read.input_tokens":{cached},"gen_ai.usage.input_tokens":{input},"gen_ai.usage.output_tokens":{output},"#,
            r#""gen_ai.usage.reasoning.output_tokens":null,"mcp.method.name":null,"method":"POST","protocol":"HTTP/1.1","request_id":"{id:032x}","#,
            r#""route":"llm","status":{status},"time":"{time}","upstream_cluster":"{provider}","upstream_host":"203.0.113.7:443"}}"#,
        ),
        bytes_in = 300 + random.below(20_000),
        bytes_out = 300 + random.below(20_000),
        a = random.below(4),
        b = random.below(250),
        port = 30_000 + random.below(30_000),
        action = action,
        anomaly = quoted((random.below(700) == 0).then(|| random.of(&["tokens", "requests", "denials"]).to_owned())),
        api = api,
        caller = random.next(),
        digest = random.next(),
        cost = quoted((!refused && nanos > 0.0).then(|| format!("{cost} USD"))),
        decision = if denied.is_some() { "deny" } else { "allow" },
        us = 40 + random.below(400),
        findings = quoted(findings),
        left = random.below(2_000_000),
        observed = quoted((random.below(60) == 0).then(|| "no-cards".to_owned())),
        policy = if at < END - plan.days * 86_400 / 3 { "1f0c2a9be07d4c11" } else { "9ab3417705d2ee60" },
        reason = quoted(denied.map(|_| reason.to_owned())),
        rules = rules,
        provider = provider,
        team = team,
        tools = quoted(tools),
        estimated = quoted((random.below(90) == 0).then(|| "true".to_owned())),
        total = input + output,
        user = user,
        ns = random.of(&["chat", "agents", "batch", "ide"]),
        ms = 200 + random.skewed(20_000),
        model = model,
        cached = quoted((random.below(3) == 0 && !refused).then(|| (input / 2).to_string())),
        input = tokens(input),
        output = tokens(output),
        id = random.next(),
        status = if refused { status } else { 200 },
        time = time,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_log_of_the_shipped_format() {
        let plan = Plan { bytes: 200_000, broken: 0, ..Plan::default() };
        let made = |plan: &Plan| {
            let mut out = Vec::new();
            write(plan, &mut out).expect("memory");
            out
        };
        let log = made(&plan);
        assert_eq!(log, made(&plan));
        assert_ne!(log, made(&Plan { seed: 2, ..plan }));
        let shipped = crate::governed::access_log();
        let expected: Vec<&String> = shipped.as_object().expect("an object").keys().collect();
        let mut whole = 0;
        for line in log.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            let line: serde_json::Value = serde_json::from_slice(line).expect("JSON");
            if line.get("doorward.policy").is_some() {
                let mut keys: Vec<&String> = line.as_object().expect("an object").keys().collect();
                keys.sort();
                let mut expected = expected.clone();
                expected.sort();
                assert_eq!(keys, expected);
                whole += 1;
            }
        }
        assert!(whole > 50);
    }
}
