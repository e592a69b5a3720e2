//! Letters that a reader takes for Latin ones, beyond those of [`super::fold`]: in a name they are what somebody wrote who wanted another name
//! to be read. In texts most of them are honest, so that only names are read so.

/// A block of characters: the first of them, and what each one looks like; a dot is none.
type Block = (u32, &'static [u8]);

/// In order, and apart.
#[rustfmt::skip]
static BLOCKS: &[Block] = &[
    // Latin letters with marks, strokes and hooks, and the letters of phonetics.
    (0xC0, b"AAAAAA.CEEEEIIII.NOOOOO.OUUUUY..aaaaaa.ceeeeiiii.nooooo.ouuuuy.yAaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGg\
            HhHhIiIiIiIiIi..JjKk.LlLlLlLlLlNnNnNn...OoOoOo..RrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzsbBBb...C\
            c.DDd...EFfG...IKkl..NnOOo..Pp.....tTtTUu.VYyZz........p.....D..L..N.AaIiOoUuUuUuUuUu.AaAa..GgGgKkOo\
            Oo..j.D.Gg..NnAa..OoAaAaEeEeIiIiOoOoRrRrUuUuSsTt..HhNd..ZzAaEeOoOoOoOoYylntj..ACcLTsz..B..EeJj.qRrYy\
            .a.b.cdd...e....ggG...h.iiIlll...mnnN.......rrr.R.s.....t.uv...Yzz.......B.GHj.Lq..............."),
    // Armenian, lower case.
    (0x561, b"w.q....u..hl.h.......n...n.u.......p"),
    // Cherokee.
    (0x13A0, b"DRT..i...YAJE......W...M...H.Y..G.hZ..........4b..R.WS...VS...LC..P...Kd...O.........."),
    // Latin letters with more than one mark, and those of Vietnamese.
    (0x1E00, b"AaBbBbBbCcDdDdDdDdDdEeEeEeEeEeFfGgHhHhHhHhHhIiIiKkKkKkLlLlLlLlMmMmMmNnNnNnNnOoOoOoOoPpPpRrRrRrRrSsSs\
            SsSsSsTtTtTtTtUuUuUuUuUuVvVvWwWwWwWwWwXxXxYyZzZzZzhtwyas....AaAaAaAaAaAaAaAaAaAaAaAaEeEeEeEeEeEeEeEe\
            IiIiOoOoOoOoOoOoOoOoOoOoOoOoUuUuUuUuUuUuUuYyYyYyYy....Yy"),
    // Roman numerals of one letter.
    (0x2160, b"I...V....X..LCDMi...v....x..lcdm"),
    // Lisu.
    (0xA4D0, b"BPdDTTGKKJCCZFFMNLSRRVVHGLWXY.AAEEIOU"),
    // Cherokee, lower case, which is drawn like capitals.
    (0xAB70, b"DRT..i...YAJE......W...M...H.Y..G.hZ..........4b..R.WS...VS...LC..P...Kd...O.........."),
];

/// The Latin letter that one looks like.
pub(super) fn latin(char: char) -> Option<char> {
    let code = u32::from(char);
    let before = BLOCKS.partition_point(|(first, _)| *first <= code);
    let (first, letters) = BLOCKS.get(before.checked_sub(1)?)?;
    let letter = letters.get(usize::try_from(code.checked_sub(*first)?).ok()?)?;
    (*letter != b'.').then_some(char::from(*letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_found_in_their_blocks() {
        assert!(BLOCKS.is_sorted_by(|a, b| a.0 + u32::try_from(a.1.len()).unwrap() <= b.0));
        for (char, looks) in "\u{e9}\u{130}\u{142}\u{17f}\u{1e83}\u{2170}\u{217d}\u{13b3}\u{ab83}\u{a4ea}\u{584}\u{56c}"
            .chars()
            .zip("eIlswicWWWpl".chars())
        {
            assert_eq!(latin(char), Some(looks), "{char}");
        }
        for char in "a\u{c6}\u{2171}\u{a4f5}\u{3b1}\u{10ffff}".chars() {
            assert_eq!(latin(char), None, "{char}");
        }
    }
}
