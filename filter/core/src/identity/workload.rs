//! SPIFFE ids (SPIFFE-ID specification, section 2): which workload a certificate proves.

/// The longest SPIFFE id, in bytes.
const MAX_ID: usize = 2048;

/// Whether `name` can be a trust domain.
pub(super) fn is_trust_domain(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
    !name.is_empty() && name.len() <= 255 && name.bytes().all(allowed)
}

/// The trust domain of a well-formed id of a workload: one with a path, in the one form the specification allows,
/// so that comparing ids as text is comparing ids.
pub(super) fn trust_domain(id: &str) -> Option<&str> {
    let (domain, path) = id.strip_prefix("spiffe://")?.split_once('/')?;
    let segment = |s: &str| {
        !s.is_empty() && s != "." && s != ".." && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
    };
    (id.len() <= MAX_ID && is_trust_domain(domain) && path.split('/').all(segment)).then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form() {
        assert_eq!(trust_domain("spiffe://cluster.local/ns/a/sa/B_c-1.2"), Some("cluster.local"));
        for bad in [
            "spiffe://cluster.local",
            "spiffe://cluster.local/",
            "spiffe://cluster.local/a/",
            "spiffe://cluster.local//a",
            "spiffe://cluster.local/a/../b",
            "spiffe://cluster.local/./b",
            "spiffe://Cluster.local/a",
            "SPIFFE://cluster.local/a",
            "spiffe://cluster.local:443/a",
            "spiffe://user@cluster.local/a",
            "spiffe://cluster.local/a?b",
            "spiffe://cluster.local/a#b",
            "spiffe://cluster.local/a%20b",
            "spiffe:///a",
            "https://cluster.local/a",
            "",
        ] {
            assert_eq!(trust_domain(bad), None, "{bad}");
        }
        assert_eq!(trust_domain(&format!("spiffe://a/{}", "b".repeat(2048))), None);
    }
}
