//! What came of tests as JUnit's XML, which CI systems read.

use std::fmt::Write as _;

use doorward_cases::run::Verdict;

use super::Ran;

/// One `testsuite` for each file. A file that could not be read is a suite with one error.
pub fn xml(ran: &[Ran]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for ran in ran {
        let file = escaped(&ran.file.display().to_string());
        // Writing to a string cannot fail.
        let _ = match &ran.report {
            Err(error) => writeln!(
                out,
                "  <testsuite name=\"{file}\" tests=\"1\" failures=\"0\" errors=\"1\">\n    <testcase classname=\"{file}\" name=\"(file)\">\n      <error message=\"{}\"/>\n    </testcase>\n  </testsuite>",
                escaped(error)
            ),
            Ok(report) => {
                let count = |is: fn(&Verdict) -> bool| report.cases.iter().filter(|case| is(&case.verdict)).count();
                let failures = count(|verdict| matches!(verdict, Verdict::Fail(_)));
                let errors = count(|verdict| matches!(verdict, Verdict::Error(_)));
                let tests = report.cases.len();
                let _ = writeln!(
                    out,
                    "  <testsuite name=\"{file}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">"
                );
                for case in &report.cases {
                    let head = format!(
                        "    <testcase classname=\"{file}\" name=\"{}\" time=\"{:.6}\"",
                        escaped(&case.name),
                        case.took.as_secs_f64()
                    );
                    let _ = match &case.verdict {
                        Verdict::Pass => writeln!(out, "{head}/>"),
                        Verdict::Fail(wrong) => writeln!(
                            out,
                            "{head}>\n      <failure message=\"{}\">{}</failure>\n    </testcase>",
                            escaped(wrong.first().map_or("", String::as_str)),
                            escaped(&wrong.join("\n"))
                        ),
                        Verdict::Error(error) => {
                            writeln!(out, "{head}>\n      <error message=\"{}\"/>\n    </testcase>", escaped(error))
                        }
                    };
                }
                writeln!(out, "  </testsuite>")
            }
        };
    }
    out.push_str("</testsuites>\n");
    out
}

/// Text as XML 1.0 has it: what it cannot hold at all is shown as its code.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' | '\r' => _ = write!(out, "&#{};", u32::from(char)),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => _ = write!(out, "\\u{{{:x}}}", u32::from(c)),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_name_is_markup() {
        assert_eq!(escaped("a<b>&\"c\"\n\u{1b}[2J"), "a&lt;b&gt;&amp;&quot;c&quot;&#10;\\u{1b}[2J");
    }
}
