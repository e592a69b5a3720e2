//! Header maps as proxy-wasm serialises them: a count, the sizes of all names and values, then the bytes
//! of each, ended by a NUL. Numbers are 32-bit little endian. Values are any bytes; a NUL inside is fine.

/// Reads serialised pairs. Nothing at all is no pairs.
///
/// A name that is not UTF-8 (Envoy lets no such header in) is read with its bad bytes replaced.
pub fn parse(bytes: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let pairs = raw(bytes)?;
    Some(pairs.into_iter().map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.to_vec())).collect())
}

/// Reads serialised pairs without copying them.
pub fn raw(bytes: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let mut rest = bytes;
    let count = number(&mut rest)?;
    let (mut sizes, mut content) = rest.split_at_checked(count.checked_mul(8)?)?;
    // The sizes were there, so the count is bounded by what the host sent.
    let mut pairs = Vec::with_capacity(count);
    while !sizes.is_empty() {
        let (name, value) = (number(&mut sizes)?, number(&mut sizes)?);
        pairs.push((text(&mut content, name)?, text(&mut content, value)?));
    }
    Some(pairs)
}

/// Serialises pairs.
pub fn serialize<'a, N, V>(pairs: &'a [(N, V)]) -> Vec<u8>
where
    N: AsRef<[u8]> + 'a,
    V: AsRef<[u8]> + 'a,
{
    let content: usize = pairs.iter().map(|(n, v)| n.as_ref().len() + v.as_ref().len() + 2).sum();
    let mut out = Vec::with_capacity(4 + pairs.len() * 8 + content);
    put(&mut out, pairs.len());
    for (name, value) in pairs {
        put(&mut out, name.as_ref().len());
        put(&mut out, value.as_ref().len());
    }
    for (name, value) in pairs {
        out.extend_from_slice(name.as_ref());
        out.push(0);
        out.extend_from_slice(value.as_ref());
        out.push(0);
    }
    out
}

fn number(bytes: &mut &[u8]) -> Option<usize> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    usize::try_from(u32::from_le_bytes(*number)).ok()
}

fn put(out: &mut Vec<u8>, number: usize) {
    // Memory of a wasm32 module ends at 4 GiB, so nothing in it is longer than this can say.
    out.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
}

fn text<'a>(bytes: &mut &'a [u8], size: usize) -> Option<&'a [u8]> {
    let (text, rest) = bytes.split_at_checked(size)?;
    let (0, rest) = rest.split_first()? else { return None };
    *bytes = rest;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value() {
        let long = vec![b'x'; 60_000];
        let pairs: Vec<(String, Vec<u8>)> = vec![
            (":path".into(), b"/v1?q=1".to_vec()),
            ("empty".into(), Vec::new()),
            ("bytes".into(), vec![0x80, 0xff, 0xc3, 0x28]),
            ("nul".into(), vec![b'a', 0, b'b']),
            ("long".into(), long),
            ("twice".into(), b"1".to_vec()),
            ("twice".into(), b"2".to_vec()),
        ];
        assert_eq!(parse(&serialize(&pairs)), Some(pairs));
    }

    #[test]
    fn layout_is_the_abis() {
        let bytes = serialize(&[("ab", "c")]);
        assert_eq!(bytes, b"\x01\0\0\0\x02\0\0\0\x01\0\0\0ab\0c\0");
        assert_eq!(parse(b""), Some(vec![]));
        assert_eq!(parse(b"\0\0\0\0"), Some(vec![]));
    }

    #[test]
    fn cut_or_lying_bytes_are_refused() {
        let whole = serialize(&[("name", "value"), ("other", "")]);
        for cut in 1..whole.len() {
            assert_eq!(parse(&whole[..cut]), None, "cut at {cut}");
        }
        assert_eq!(parse(b"\xff\xff\xff\xff"), None);
        assert_eq!(parse(b"\x01\0\0\0\xff\xff\xff\xff\x01\0\0\0ab\0c\0"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
