//! What must hold of `x-forwarded-client-cert`, whatever stands in it.

use doorward_core::identity::{Peers, Reason, workload_behind};

const HOP: &str = "spiffe://td/ns/edge/sa/gateway";

/// Panics when something does not hold. Each line is a header.
pub fn forwarded(data: &[u8]) {
    let peers = Peers::new(&["spiffe://td/ns/edge/sa/*".to_owned()]);
    let lines: Vec<&[u8]> = data.split(|b| *b == b'\n').collect();
    let behind = |lines: &[&[u8]]| workload_behind(lines.iter().copied(), &peers);
    let found = behind(&lines);
    let all = lines.join(&b","[..]);

    // What a hop says about a listed peer moves nothing, and what stands left of all decides nothing, in a header of its own or not.
    let hop = format!("By={HOP};Hash=ab;Subject=\"CN=a\";URI={HOP}");
    let room = all.len() < 30_000 && lines.len() < 8 && all.iter().filter(|b| **b == b',').count() < 24;
    let appended = behind(&[&lines[..], &[hop.as_bytes()]].concat());
    let forged = behind(&[&[&b"Hash=ab;URI=spiffe://td/ns/forged"[..]], &lines[..]].concat());
    match &found {
        Ok(Some(uri)) => {
            assert!(!peers.include(uri), "a hop counts as a workload");
            assert!(!uri.is_empty() && uri.len() <= all.len());
            if room {
                assert_eq!(appended, found, "what is appended changes who it is");
                assert_eq!(forged, found, "what stands left of it changes who it is");
                let joined = [&all[..], b",", hop.as_bytes()].concat();
                // Envoy puts headers of one name together; a quote open in one of them then reaches into the next.
                if let Ok(joined) = behind(&[&joined]) {
                    assert_eq!(Ok(joined), found);
                }
            }
        }
        Ok(None) => {
            if room {
                assert_eq!(forged, Ok(Some("spiffe://td/ns/forged".to_owned())));
            }
        }
        Err(reason) => assert_eq!(*reason, Reason::ForwardedCertificate),
    }
    // A hop's own element behind whatever came is either who it says or nothing: what came cannot put another in its place.
    let written = format!("By={HOP};Hash=ab;URI=spiffe://td/ns/seen");
    for values in [vec![[&all[..], b",", written.as_bytes()].concat()], vec![all.clone(), written.clone().into_bytes()]]
    {
        match workload_behind(values.iter().map(Vec::as_slice), &peers) {
            Ok(seen) => assert_eq!(seen.as_deref(), Some("spiffe://td/ns/seen")),
            Err(reason) => assert_eq!(reason, Reason::ForwardedCertificate),
        }
    }
}
