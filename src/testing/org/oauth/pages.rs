//! Pages for a browser: log-in, consent, and what went wrong. They work without scripts, by keyboard and in both colour
//! schemes.

use std::fmt::Write as _;

use super::answer::Refusal;
use super::consent::{CONSENT, LOGIN};
use super::scope::title;
use crate::testing::org::wire::Answer;
use crate::testing::org::xml::escape;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:28rem;margin:10vh auto;padding:0 1rem}\
    select,button{font:inherit;padding:.5rem 1rem;margin:.25rem .25rem .25rem 0}\
    select{width:100%}.problem{border-left:.25rem solid #b00020;padding-left:.75rem}";

fn page(status: u16, heading: &str, content: &str) -> Answer {
    let heading = escape(heading);
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{heading} | Mock Org</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{heading}</h1>\n\
         {content}</main>\n</body>\n</html>\n"
    );
    Answer::text(status, "text/html;charset=UTF-8", body)
        .with("Cache-Control", "no-store")
        // No scripts, and no frames around the buttons. `form-action` is left out: browsers hold the redirect after a form
        // to it, and that leads to the app.
        .with(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
        )
        .with("X-Frame-Options", "DENY")
        .with("X-Content-Type-Options", "nosniff")
        // The address holds the name of the request.
        .with("Referrer-Policy", "no-referrer")
}

fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">\n", escape(value))
}

/// An authorize request whose redirect URI cannot be trusted, or that the org does not let happen (wire facts 1.2, 1.9).
pub(super) fn refusal(refusal: &Refusal) -> Answer {
    let content = format!(
        "<p role=\"alert\" class=\"problem\">We can't authorize you because of an OAuth error. For more information, \
         contact your Salesforce administrator.</p>\n<p><code>error={}</code></p>\n<p><code>error_description={}</code></p>\n",
        escape(&refusal.error),
        escape(&refusal.description)
    );
    page(refusal.status, "OAuth Error", &content)
}

/// A page that cannot go on.
pub(super) fn problem(status: u16, text: &str) -> Answer {
    let content = format!(
        "<p role=\"alert\" class=\"problem\">{}</p>\n<p>Go back to the app and start again.</p>\n",
        escape(text)
    );
    page(status, "Cannot go on", &content)
}

pub(super) fn login(
    app: &str,
    users: &[&str],
    chosen: &str,
    source: &str,
    token: &str,
    problem: Option<&str>,
) -> Answer {
    let mut content = String::new();
    if let Some(problem) = problem {
        // Writing to a text cannot fail.
        let _ = writeln!(content, "<p role=\"alert\" class=\"problem\" id=\"problem\">{}</p>", escape(problem));
    }
    let described = if problem.is_some() { " aria-describedby=\"problem\"" } else { "" };
    let _ = write!(
        content,
        "<p>to continue to {}</p>\n<form method=\"post\" action=\"{LOGIN}\">\n{}{}<p><label for=\"un\">Username</label>\
         <br>\n<select id=\"un\" name=\"un\" required{described}>\n",
        escape(app),
        hidden("source", source),
        hidden("token", token)
    );
    for user in users {
        let selected = if user.eq_ignore_ascii_case(chosen) { " selected" } else { "" };
        let user = escape(user);
        let _ = writeln!(content, "<option value=\"{user}\"{selected}>{user}</option>");
    }
    content += "</select></p>\n<p><button type=\"submit\" id=\"Login\">Log In</button></p>\n</form>\n";
    page(200, "Log In", &content)
}

pub(super) fn consent(app: &str, username: &str, scopes: &[&str], source: &str, token: &str) -> Answer {
    let mut content = format!("<p>{} is asking to:</p>\n<ul>\n", escape(app));
    for scope in scopes {
        let _ = writeln!(content, "<li>{} (<code>{}</code>)</li>", escape(title(scope)), escape(scope));
    }
    let _ = write!(
        content,
        "</ul>\n<p>You are logged in as <strong>{}</strong>. <a href=\"{LOGIN}?source={}\">Not you?</a></p>\n\
         <form method=\"post\" action=\"{CONSENT}\">\n{}{}<p><button type=\"submit\" name=\"decision\" value=\"allow\" \
         id=\"oaapprove\">Allow</button>\n<button type=\"submit\" name=\"decision\" value=\"deny\" id=\"oadeny\">Deny\
         </button></p>\n</form>\n",
        escape(username),
        escape(source),
        hidden("source", source),
        hidden("token", token)
    );
    page(200, "Allow Access?", &content)
}
