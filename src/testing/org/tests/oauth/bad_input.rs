//! Parameters that are missing, doubled, huge or broken: refused, and the org goes on.

use super::*;

const PATHS: [&str; 7] = [
    "/services/oauth2/authorize",
    TOKEN,
    "/services/oauth2/introspect",
    "/services/oauth2/revoke",
    "/services/oauth2/userinfo",
    "/login",
    "/setup/secur/RemoteAccessAuthorizationPage.apexp",
];

#[test]
fn huge_parameters_are_refused() {
    let (org, client) = org();
    let huge = "a".repeat(1 << 20);
    let names = [
        "client_id",
        "client_secret",
        "redirect_uri",
        "state",
        "scope",
        "code",
        "code_verifier",
        "code_challenge",
        "token",
        "refresh_token",
        "assertion",
        "grant_type",
        "username",
        "password",
        "source",
        "un",
        "format",
        "prompt",
    ];
    let (id, secret) = (org.client_id(), org.client_secret());
    let stranger = client.with_authorization(None);
    for path in PATHS {
        for name in names {
            let mut fields = vec![(name, huge.as_str())];
            for known in [("client_id", id.as_str()), ("client_secret", &secret), ("redirect_uri", CALLBACK)] {
                if known.0 != name {
                    fields.push(known);
                }
            }
            let status = stranger.form(path, &fields).status;
            assert!(matches!(status, 200..500), "{path} {name}: {status}");
        }
    }
    let long = "a".repeat(17_000);
    assert_eq!(stranger.get(&format!("/services/oauth2/authorize?state={long}")).status, 414);
    assert_eq!(client.get(&data("/limits")).status, 200);
}

#[test]
fn doubled_parameters_are_refused() {
    let (org, client) = org();
    let app = main_app(&org);
    let code = code_for(&client, &app, &[]);
    for name in ["code", "redirect_uri", "client_id", "client_secret", "grant_type"] {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
            ("client_id", &app.client_id),
            ("client_secret", &app.client_secret),
            (name, "x"),
        ];
        let answer = client.with_authorization(None).form(TOKEN, &fields);
        assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("invalid_request")), "{name}");
    }
    assert_eq!(exchange(&client, &app, &code, &[]).0, 200, "nothing was used up");
}

#[test]
fn broken_bodies_and_headers_are_refused() {
    let (org, client) = org();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    for authorization in [None, Some("Basic !!"), Some("Basic"), Some("Basic Og=="), Some("Bearer"), Some("Bearer  ")] {
        let stranger = client.with_authorization(authorization);
        for path in PATHS {
            for body in ["", "%", "%ff=%00", "=", "&&&", "grant_type=%zz&code", "token=\u{1f600}", "{}"] {
                for headers in [&form[..], &[("Content-Type", "application/json")], &[("Cookie", "=;;sid_=;browser")]] {
                    let answer = stranger.send("POST", path, headers, body).unwrap();
                    assert!((400..500).contains(&answer.status), "{path} {body}: {}", answer.status);
                }
            }
        }
    }
    assert_eq!(client.get(&data("/limits")).status, 200);
    assert_eq!(org.codes_given(), 0);
}
