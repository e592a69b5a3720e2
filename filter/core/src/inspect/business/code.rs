//! Whether a line is source code: by how it starts, how it ends and what signs it has.

use super::Type;
use super::run::{Look, Rule};

pub(super) const RULE: Rule = Rule { kind: Type::SourceCode, lines: 3, signs: 7, gap: 3, score: 0.8 };

/// What statements start with, and how good a sign that is with a sign of code behind it.
#[rustfmt::skip]
const STARTS: &[&str] = &[
    "def ", "class ", "import ", "from ", "return", "if ", "if(", "elif ", "else:", "else {", "} else", "for ", "for(", "while ", "while(",
    "switch", "case ", "try", "except", "catch", "finally", "raise ", "throw ", "with ", "async ", "await ", "function ", "const ", "let ", "var ",
    "export ", "public ", "private ", "protected ", "static ", "void ", "int ", "char ", "bool ", "float ", "double ", "string ", "struct ",
    "enum ", "impl ", "fn ", "pub ", "use ", "mod ", "match ", "package ", "func ", "type ", "interface ", "namespace ", "using ", "#include", "#define",
    "template", "extends ", "@", "local ", "end", "begin", "module ", "require", "print", "echo ", "fi", "done", "self.", "this.", "console.", "std::", "lambda ",
    "yield ", "assert ", "del ", "pass", "break", "continue", "unsafe ", "mut ", "final ", "override ", "abstract ", "val ", "fun ", "defer ", "go ", "select ", "del ",
];

pub(super) fn look(line: &[u8]) -> Look {
    let text = line.trim_ascii();
    if text.is_empty() {
        return Look::Neutral;
    }
    // The fence of a block in Markdown stands outside; what stands in it is judged.
    if text.starts_with(b"```") {
        return Look::Neutral;
    }
    let last = text.last().copied().unwrap_or(0);
    let first = text.first().copied().unwrap_or(0);
    let indented = line.first().is_some_and(|b| matches!(b, b' ' | b'\t'));
    if matches!(
        text,
        b"}" | b"};" | b"})" | b"});" | b"{" | b");" | b")" | b"]" | b"];" | b"}," | b"]," | b")," | b"end"
    ) {
        // So much has data, too.
        return Look::Sign(0);
    }
    // A key of JSON.
    if first == b'"' && text.windows(2).any(|pair| pair == b"\":") {
        return Look::Neutral;
    }
    const PAIRS: &[&[u8; 2]] = &[
        b"==", b"!=", b"=>", b"->", b"::", b"&&", b"||", b"+=", b"-=", b":=", b"<-", b"()", b"){", b"[]", b"</", b"/>",
        b"++",
    ];
    let sign = |b: u8| matches!(b, b'!'..=b'/' | b':'..=b'@' | b'[' | b'|');
    let pairs = text.windows(2).filter(|pair| pair.first().is_some_and(|b| sign(*b)));
    let operators = pairs.filter(|pair| PAIRS.iter().any(|p| *pair == p.as_slice())).count();
    let call = text.windows(2).filter(|p| matches!(p, [a, b'('] if a.is_ascii_alphanumeric() || *a == b'_')).count();
    let dots = text
        .windows(3)
        .filter(|p| matches!(p, [a, b'.', b] if a.is_ascii_alphanumeric() && b.is_ascii_alphabetic()))
        .count();
    let assign = text.windows(3).any(|p| p == b" = ");
    let keyword =
        STARTS.iter().any(|start| start.as_bytes().first() == Some(&first) && text.starts_with(start.as_bytes()));
    let ends = match last {
        b';' | b'{' => 2,
        b':' if keyword => 2,
        b',' | b'(' | b'}' | b')' | b'[' => 1,
        _ => 0,
    };
    let comment = text.starts_with(b"//")
        || text.starts_with(b"/*")
        || text.starts_with(b"* ") && indented
        || first == b'#' && indented;
    let mut signs = ends + operators.min(3) + call.min(2) + dots.min(1) + 2 * usize::from(assign);
    signs += usize::from(keyword && signs > 0) + usize::from(keyword && call > 0);
    // Sentences have many words and few signs.
    let words = text
        .split(u8::is_ascii_whitespace)
        .filter(|w| w.len() > 1 && w.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b',' | b'.')))
        .count();
    if comment {
        return Look::Neutral;
    }
    let prose = words > 8 && words > 2 * signs || last == b'.' && words > 4;
    match signs {
        _ if prose => Look::Other,
        3.. => Look::Sign(3),
        2 => Look::Sign(2),
        1 if keyword || indented => Look::Sign(1),
        _ if keyword && text.len() < 60 && starts_statement(text) => Look::Sign(2),
        _ if indented && words < 6 => Look::Neutral,
        _ => Look::Other,
    }
}

/// `import os`, `from x import y`, `return x`, `use std;`, `package main`, `break`
fn starts_statement(text: &[u8]) -> bool {
    let words = text.split(u8::is_ascii_whitespace).count();
    let one_of = |starts: &[&str]| starts.iter().any(|start| text.starts_with(start.as_bytes()));
    one_of(&["import ", "from ", "package ", "return", "#include", "break", "continue", "pass", "end"])
        && words <= 4
        && text.last().is_some_and(|b| *b != b'.')
}
