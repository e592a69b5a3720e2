//! From the bytes of the plugin's configuration to an engine.

use doorward_core::config::{Problem, Tree, tree_from_json, tree_from_struct};

use doorward_core::engine::Engine;

/// Compiles a configuration: JSON text, or the serialised `google.protobuf.Struct` that Envoy makes of native YAML.
///
/// # Errors
/// Every mistake found. Secrets come from the VM's environment variables and are in none of them.
pub fn compile(bytes: &[u8]) -> Result<Engine, Vec<Problem>> {
    let tree = read(bytes).map_err(|problem| vec![problem])?;
    Engine::compile(&tree, &|name| std::env::var(name).ok())
}

/// A serialised Struct starts with a byte that is white space in JSON (0x0A), and its second byte is a length, which can be
/// that of `{`. So looking at the start alone does not tell them apart; but no JSON text is a Struct.
pub fn read(bytes: &[u8]) -> Result<Tree, Problem> {
    let object = bytes.trim_ascii_start().starts_with(b"{");
    match tree_from_struct(bytes) {
        Err(_) if object => match std::str::from_utf8(bytes) {
            Ok(text) => tree_from_json(text),
            Err(_) => tree_from_struct(bytes),
        },
        read => read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Struct of one string field whose first entry is `size` bytes long.
    fn message(size: u8) -> Vec<u8> {
        let value = vec![b'v'; usize::from(size) - 7];
        let mut out = vec![0x0a, size, 0x0a, 1, b'k', 0x12, size - 5, 0x1a, size - 7];
        out.extend_from_slice(&value);
        out
    }

    #[test]
    fn json_and_struct_are_told_apart() {
        let json = read(b" \n\t{\"k\": 1}").unwrap();
        assert_eq!(json.get("k"), Some(&Tree::Integer(1)));
        for size in 8..=0x7f {
            let tree = read(&message(size)).unwrap_or_else(|e| panic!("size {size}: {e}"));
            assert!(matches!(tree.get("k"), Some(Tree::String(v)) if v.len() == usize::from(size) - 7));
        }
        for newlines in 0..200 {
            let text = format!("{}{{\"k\": true}}", "\n".repeat(newlines));
            assert_eq!(read(text.as_bytes()).unwrap().get("k"), Some(&Tree::Bool(true)), "{newlines} newlines");
        }
    }

    #[test]
    fn mistakes_are_those_of_the_form_that_was_meant() {
        assert!(read(b"{\"k\": ").unwrap_err().message.contains("JSON"));
        assert!(read(b"version: doorward/v1\n").unwrap_err().message.contains("neither JSON"));
    }
}
