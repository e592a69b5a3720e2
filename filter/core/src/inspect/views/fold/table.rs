//! What looks like ASCII.

/// What a row's characters are to a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::inspect) enum Sort {
    /// Not drawn.
    Gone,
    /// Combines with the character before it.
    Mark,
    /// Hardly ever stands for ASCII in honest text that holds no value.
    Plain,
    /// Stands alone in honest text (`m²`, ①), but not beside its like.
    Sparse,
    /// Stands anywhere.
    Weak,
}

use Sort::{Gone, Mark, Plain, Sparse, Weak};

/// First and last character, what the first becomes, after how many characters that starts again, and the sort.
pub(super) type Row = (u32, u32, u8, u8, Sort);

/// In order.
#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    (0xA0, 0xA0, b' ', 1, Weak), (0xAD, 0xAD, 0, 1, Gone), (0xB2, 0xB3, b'2', 2, Sparse),
    (0xB9, 0xB9, b'1', 1, Sparse),
    (0x262, 0x262, b'G', 1, Sparse), (0x26A, 0x26A, b'I', 1, Sparse), (0x274, 0x274, b'N', 1, Sparse),
    (0x280, 0x280, b'R', 1, Sparse), (0x299, 0x299, b'B', 1, Sparse), (0x29C, 0x29C, b'H', 1, Sparse),
    (0x29F, 0x29F, b'L', 1, Sparse), (0x2B0, 0x2B0, b'h', 1, Sparse), (0x2B2, 0x2B2, b'j', 1, Sparse),
    (0x2B3, 0x2B3, b'r', 1, Sparse), (0x2B7, 0x2B7, b'w', 1, Sparse), (0x2B8, 0x2B8, b'y', 1, Sparse),
    (0x2D0, 0x2D0, b':', 1, Weak), (0x2E1, 0x2E1, b'l', 1, Sparse), (0x2E2, 0x2E2, b's', 1, Sparse),
    (0x2E3, 0x2E3, b'x', 1, Sparse),
    (0x300, 0x34E, 0, 1, Mark), (0x34F, 0x34F, 0, 1, Gone), (0x350, 0x36F, 0, 1, Mark), (0x483, 0x489, 0, 1, Mark),
    (0x61C, 0x61C, 0, 1, Gone), (0x660, 0x669, b'0', 10, Plain), (0x6F0, 0x6F9, b'0', 10, Plain),
    (0x7C0, 0x7C9, b'0', 10, Plain), (0x966, 0x96F, b'0', 10, Plain), (0x9E6, 0x9EF, b'0', 10, Plain),
    (0xA66, 0xA6F, b'0', 10, Plain), (0xAE6, 0xAEF, b'0', 10, Plain), (0xB66, 0xB6F, b'0', 10, Plain),
    (0xBE6, 0xBEF, b'0', 10, Plain), (0xC66, 0xC6F, b'0', 10, Plain), (0xCE6, 0xCEF, b'0', 10, Plain),
    (0xD66, 0xD6F, b'0', 10, Plain), (0xDE6, 0xDEF, b'0', 10, Plain), (0xE50, 0xE59, b'0', 10, Plain),
    (0xED0, 0xED9, b'0', 10, Plain), (0xF20, 0xF29, b'0', 10, Plain), (0x1040, 0x1049, b'0', 10, Plain),
    (0x1090, 0x1099, b'0', 10, Plain), (0x115F, 0x1160, 0, 1, Gone), (0x1680, 0x1680, b' ', 1, Weak),
    (0x17B4, 0x17B5, 0, 1, Gone), (0x17E0, 0x17E9, b'0', 10, Plain), (0x180B, 0x180F, 0, 1, Gone),
    (0x1810, 0x1819, b'0', 10, Plain), (0x1946, 0x194F, b'0', 10, Plain), (0x19D0, 0x19D9, b'0', 10, Plain),
    (0x1A80, 0x1A89, b'0', 10, Plain), (0x1A90, 0x1A99, b'0', 10, Plain), (0x1AB0, 0x1AFF, 0, 1, Mark),
    (0x1B50, 0x1B59, b'0', 10, Plain), (0x1BB0, 0x1BB9, b'0', 10, Plain), (0x1C40, 0x1C49, b'0', 10, Plain),
    (0x1C50, 0x1C59, b'0', 10, Plain),
    (0x1D00, 0x1D00, b'A', 1, Sparse), (0x1D04, 0x1D05, b'C', 2, Sparse), (0x1D07, 0x1D07, b'E', 1, Sparse),
    (0x1D0A, 0x1D0B, b'J', 2, Sparse), (0x1D0D, 0x1D0D, b'M', 1, Sparse), (0x1D0F, 0x1D0F, b'O', 1, Sparse),
    (0x1D18, 0x1D18, b'P', 1, Sparse), (0x1D1B, 0x1D1C, b'T', 2, Sparse), (0x1D20, 0x1D21, b'V', 2, Sparse),
    (0x1D22, 0x1D22, b'Z', 1, Sparse), (0x1D43, 0x1D43, b'a', 1, Sparse), (0x1D47, 0x1D47, b'b', 1, Sparse),
    (0x1D48, 0x1D49, b'd', 2, Sparse), (0x1D4D, 0x1D4D, b'g', 1, Sparse), (0x1D4F, 0x1D4F, b'k', 1, Sparse),
    (0x1D50, 0x1D50, b'm', 1, Sparse), (0x1D52, 0x1D52, b'o', 1, Sparse), (0x1D56, 0x1D56, b'p', 1, Sparse),
    (0x1D57, 0x1D58, b't', 2, Sparse), (0x1D5B, 0x1D5B, b'v', 1, Sparse), (0x1D9C, 0x1D9C, b'c', 1, Sparse),
    (0x1DA0, 0x1DA0, b'f', 1, Sparse), (0x1DBB, 0x1DBB, b'z', 1, Sparse), (0x1DC0, 0x1DFF, 0, 1, Mark),
    (0x2000, 0x200A, b' ', 1, Weak), (0x200B, 0x200F, 0, 1, Gone), (0x2010, 0x2015, b'-', 1, Weak),
    (0x2018, 0x201B, b'\'', 1, Weak), (0x201C, 0x201F, b'"', 1, Weak), (0x2024, 0x2024, b'.', 1, Sparse),
    (0x2028, 0x2029, b'\n', 1, Weak), (0x202A, 0x202E, 0, 1, Gone), (0x202F, 0x202F, b' ', 1, Weak),
    (0x2044, 0x2044, b'/', 1, Weak), (0x205F, 0x205F, b' ', 1, Weak), (0x2060, 0x206F, 0, 1, Gone),
    (0x2070, 0x2070, b'0', 1, Sparse), (0x2071, 0x2071, b'i', 1, Sparse), (0x2074, 0x2079, b'4', 6, Sparse),
    (0x207A, 0x207A, b'+', 1, Weak), (0x207B, 0x207B, b'-', 1, Weak), (0x207F, 0x207F, b'n', 1, Sparse),
    (0x2080, 0x2089, b'0', 10, Sparse), (0x208A, 0x208A, b'+', 1, Weak), (0x208B, 0x208B, b'-', 1, Weak),
    (0x20D0, 0x20FF, 0, 1, Mark),
    (0x2102, 0x2102, b'C', 1, Sparse), (0x210A, 0x210A, b'g', 1, Sparse), (0x210B, 0x210D, b'H', 1, Sparse),
    (0x210E, 0x210F, b'h', 1, Sparse), (0x2110, 0x2111, b'I', 1, Sparse), (0x2112, 0x2112, b'L', 1, Sparse),
    (0x2113, 0x2113, b'l', 1, Sparse), (0x2115, 0x2115, b'N', 1, Sparse), (0x2118, 0x2119, b'P', 1, Sparse),
    (0x211A, 0x211A, b'Q', 1, Sparse), (0x211B, 0x211D, b'R', 1, Sparse), (0x2124, 0x2124, b'Z', 1, Sparse),
    (0x2128, 0x2128, b'Z', 1, Sparse), (0x212A, 0x212A, b'K', 1, Sparse), (0x212C, 0x212D, b'B', 2, Sparse),
    (0x212F, 0x212F, b'e', 1, Sparse), (0x2130, 0x2131, b'E', 2, Sparse), (0x2133, 0x2133, b'M', 1, Sparse),
    (0x2134, 0x2134, b'o', 1, Sparse), (0x2212, 0x2212, b'-', 1, Weak), (0x2215, 0x2215, b'/', 1, Weak),
    (0x2236, 0x2236, b':', 1, Weak), (0x2460, 0x2468, b'1', 9, Sparse), (0x2474, 0x247C, b'1', 9, Sparse),
    (0x249C, 0x24B5, b'a', 26, Sparse), (0x24B6, 0x24CF, b'A', 26, Sparse), (0x24D0, 0x24E9, b'a', 26, Sparse),
    (0x24EA, 0x24EA, b'0', 1, Sparse), (0x24F5, 0x24FD, b'1', 9, Sparse), (0x24FF, 0x24FF, b'0', 1, Sparse),
    (0x2776, 0x277E, b'1', 9, Sparse), (0x2780, 0x2788, b'1', 9, Sparse), (0x278A, 0x2792, b'1', 9, Sparse),
    (0x2800, 0x2800, b' ', 1, Weak), (0x3000, 0x3000, b' ', 1, Weak), (0x3164, 0x3164, 0, 1, Gone),
    (0xA620, 0xA629, b'0', 10, Plain), (0xA789, 0xA789, b':', 1, Weak), (0xA8D0, 0xA8D9, b'0', 10, Plain),
    (0xA900, 0xA909, b'0', 10, Plain), (0xA9D0, 0xA9D9, b'0', 10, Plain), (0xA9F0, 0xA9F9, b'0', 10, Plain),
    (0xAA50, 0xAA59, b'0', 10, Plain), (0xABF0, 0xABF9, b'0', 10, Plain), (0xFE00, 0xFE0F, 0, 1, Gone),
    (0xFE20, 0xFE2F, 0, 1, Mark), (0xFE33, 0xFE34, b'_', 1, Sparse), (0xFE4D, 0xFE4F, b'_', 1, Sparse),
    (0xFE52, 0xFE52, b'.', 1, Sparse), (0xFE55, 0xFE55, b':', 1, Weak), (0xFE58, 0xFE58, b'-', 1, Weak),
    (0xFE62, 0xFE63, b'+', 1, Sparse), (0xFE6B, 0xFE6B, b'@', 1, Plain), (0xFEFF, 0xFEFF, 0, 1, Gone),
    (0xFF01, 0xFF0A, b'!', 10, Weak), (0xFF0B, 0xFF0B, b'+', 1, Sparse),
    (0xFF0C, 0xFF0F, b',', 4, Weak), (0xFF10, 0xFF19, b'0', 10, Plain), (0xFF1A, 0xFF1F, b':', 6, Weak),
    (0xFF20, 0xFF3A, b'@', 27, Plain), (0xFF3B, 0xFF40, b'[', 6, Weak), (0xFF41, 0xFF5A, b'a', 26, Plain),
    (0xFF5B, 0xFF5E, b'{', 4, Weak), (0xFFA0, 0xFFA0, 0, 1, Gone), (0xFFF9, 0xFFFB, 0, 1, Gone),
    (0x104A0, 0x104A9, b'0', 10, Plain), (0x10D30, 0x10D39, b'0', 10, Plain), (0x10D40, 0x10D49, b'0', 10, Plain),
    (0x11066, 0x1106F, b'0', 10, Plain), (0x110F0, 0x110F9, b'0', 10, Plain), (0x11136, 0x1113F, b'0', 10, Plain),
    (0x111D0, 0x111D9, b'0', 10, Plain), (0x112F0, 0x112F9, b'0', 10, Plain), (0x11450, 0x11459, b'0', 10, Plain),
    (0x114D0, 0x114D9, b'0', 10, Plain), (0x11650, 0x11659, b'0', 10, Plain), (0x116C0, 0x116C9, b'0', 10, Plain),
    (0x116D0, 0x116E3, b'0', 10, Plain), (0x11730, 0x11739, b'0', 10, Plain), (0x118E0, 0x118E9, b'0', 10, Plain),
    (0x11950, 0x11959, b'0', 10, Plain), (0x11BF0, 0x11BF9, b'0', 10, Plain), (0x11C50, 0x11C59, b'0', 10, Plain),
    (0x11D50, 0x11D59, b'0', 10, Plain), (0x11DA0, 0x11DA9, b'0', 10, Plain), (0x11F50, 0x11F59, b'0', 10, Plain),
    (0x16130, 0x16139, b'0', 10, Plain), (0x16A60, 0x16A69, b'0', 10, Plain), (0x16AC0, 0x16AC9, b'0', 10, Plain),
    (0x16B50, 0x16B59, b'0', 10, Plain), (0x16D70, 0x16D79, b'0', 10, Plain), (0x1BCA0, 0x1BCA3, 0, 1, Gone),
    (0x1CCD6, 0x1CCEF, b'A', 26, Plain), (0x1CCF0, 0x1CCF9, b'0', 10, Plain), (0x1D173, 0x1D17A, 0, 1, Gone),
    (0x1D400, 0x1D6A3, b'A', LETTERS, Plain), (0x1D7CE, 0x1D7FF, b'0', 10, Plain), (0x1E140, 0x1E149, b'0', 10, Plain),
    (0x1E2F0, 0x1E2F9, b'0', 10, Plain), (0x1E4F0, 0x1E4F9, b'0', 10, Plain), (0x1E5F1, 0x1E5FA, b'0', 10, Plain),
    (0x1E950, 0x1E959, b'0', 10, Plain), (0x1F110, 0x1F129, b'A', 26, Sparse), (0x1F130, 0x1F149, b'A', 26, Sparse),
    (0x1F150, 0x1F169, b'A', 26, Sparse), (0x1F170, 0x1F189, b'A', 26, Sparse), (0x1FBF0, 0x1FBF9, b'0', 10, Plain),
    (0xE0000, 0xE001F, 0, 1, Gone), (0xE0020, 0xE007E, b' ', 95, Plain), (0xE007F, 0xE01EF, 0, 1, Gone),
];

/// The cycle of mathematical letters: all upper-case ones, then all lower-case ones.
pub(super) const LETTERS: u8 = 52;

/// Letters that look like Latin ones, in order, and what they look like.
#[rustfmt::skip]
pub(super) static LOOKALIKES: &[(char, u8)] = &[
    ('ı', b'i'), ('ɑ', b'a'), ('ɡ', b'g'), ('ɩ', b'i'),
    ('Α', b'A'), ('Β', b'B'), ('Ε', b'E'), ('Ζ', b'Z'), ('Η', b'H'), ('Ι', b'I'), ('Κ', b'K'), ('Μ', b'M'), ('Ν', b'N'),
    ('Ο', b'O'), ('Ρ', b'P'), ('Τ', b'T'), ('Υ', b'Y'), ('Χ', b'X'), ('α', b'a'), ('γ', b'y'), ('ε', b'e'), ('η', b'n'),
    ('ι', b'i'), ('κ', b'k'), ('ν', b'v'), ('ο', b'o'), ('ρ', b'p'), ('τ', b't'), ('υ', b'u'), ('χ', b'x'), ('ω', b'w'),
    ('ϲ', b'c'), ('ϳ', b'j'), ('Ϲ', b'C'),
    ('Ѐ', b'E'), ('Ё', b'E'), ('Ѕ', b'S'), ('І', b'I'), ('Ї', b'I'), ('Ј', b'J'), ('А', b'A'), ('В', b'B'), ('Е', b'E'),
    ('К', b'K'), ('М', b'M'), ('Н', b'H'), ('О', b'O'), ('Р', b'P'), ('С', b'C'), ('Т', b'T'), ('У', b'Y'), ('Х', b'X'),
    ('а', b'a'), ('е', b'e'), ('к', b'k'), ('о', b'o'), ('р', b'p'), ('с', b'c'), ('у', b'y'), ('х', b'x'), ('ѐ', b'e'),
    ('ё', b'e'), ('ѕ', b's'), ('і', b'i'), ('ї', b'i'), ('ј', b'j'), ('ѡ', b'w'), ('Ѵ', b'V'), ('ѵ', b'v'), ('Ү', b'Y'),
    ('ү', b'y'), ('һ', b'h'), ('Ӏ', b'I'), ('ӏ', b'l'), ('ԁ', b'd'), ('Ԍ', b'G'), ('ԍ', b'g'), ('Ԛ', b'Q'), ('ԛ', b'q'),
    ('Ԝ', b'W'), ('ԝ', b'w'),
    ('Ս', b'U'), ('Օ', b'O'), ('հ', b'h'), ('ո', b'n'), ('ս', b'u'), ('օ', b'o'),
];
