//! The two parts of a job that comes in one request (RFC 7578).

/// Bytes of a body's parts by their names; `None` where it is no multipart body.
pub(super) fn parts<'b>(content_type: &str, body: &'b [u8]) -> Option<Vec<(Part, &'b [u8])>> {
    let boundary = parameter(content_type, "boundary")?;
    let mark = format!("--{boundary}");
    let mut rest = &body[find(body, mark.as_bytes())? + mark.len()..];
    let next = format!("\r\n{mark}");
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Some(parts);
        }
        // Blanks may follow the boundary.
        let line = find(rest, b"\r\n")?;
        rest = &rest[line..];
        let head = find(rest, b"\r\n\r\n")?;
        let end = head + 4 + find(&rest[head + 4..], next.as_bytes())?;
        let part = Part::parse(std::str::from_utf8(&rest[..head]).ok()?)?;
        parts.push((part, &rest[head + 4..end]));
        rest = &rest[end + next.len()..];
    }
}

/// The head of a part.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) file: bool,
    pub(super) content_type: String,
}

impl Part {
    fn parse(head: &str) -> Option<Self> {
        let header = |wanted: &str| {
            head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim())
            })
        };
        let disposition = header("content-disposition")?;
        Some(Self {
            name: parameter(disposition, "name")?,
            file: parameter(disposition, "filename").is_some(),
            content_type: header("content-type").unwrap_or_default().to_ascii_lowercase(),
        })
    }
}

/// `name="value"` after the first part of a header.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=\"B\"";

    #[test]
    fn parts_have_names_and_their_bytes() {
        let body = "--B\r\nContent-Disposition: form-data; name=\"job\"\r\nContent-Type: application/json\r\n\r\n{}\r\n--B\r\n\
                    content-disposition: form-data; name=\"content\"; filename=\"content\"\r\n\r\na\r\nb\n\r\n--B--\r\n";
        let parts = parts(TYPE, body.as_bytes()).unwrap();
        let job = Part { name: "job".to_owned(), file: false, content_type: "application/json".to_owned() };
        let content = Part { name: "content".to_owned(), file: true, content_type: String::new() };
        assert_eq!(parts, [(job, &b"{}"[..]), (content, &b"a\r\nb\n"[..])]);
    }

    #[test]
    fn what_is_cut_or_no_multipart_body_is_none() {
        let body = "--B\r\nContent-Disposition: form-data; name=\"job\"\r\n\r\n{}\r\n--B--";
        assert!(parts(TYPE, body.as_bytes()).is_some());
        for end in 0..body.len() {
            assert!(parts(TYPE, &body.as_bytes()[..end]).is_none(), "{end}");
        }
        assert!(parts("multipart/form-data", body.as_bytes()).is_none(), "no boundary");
    }
}
