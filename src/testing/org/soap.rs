//! SOAP `login()` and `logout()`, for outside clients that start and end with them (recorded:
//! metadata-soap/legacy-v23-login-*.xml; partner WSDL).

use super::ids;
use super::state::State;
use super::value::{Row, Value};
use super::wire::{Answer, Request};
use super::xml::{self, escape};

/// `POST /services/Soap/u/NN` and `/c/NN`.
pub(crate) fn login(state: &mut State, request: &Request, version: &str) -> Answer {
    let body = xml::parse(&request.body).unwrap_or_default();
    if body.child("Body").is_some_and(|body| body.child("logout").is_some()) {
        return logout(state, &body, request);
    }
    let call = body.child("Body").and_then(|body| body.child("login"));
    let Some(call) = call.filter(|_| request.method == http::Method::POST) else {
        return fault("UNKNOWN_EXCEPTION", "only login() and logout() are served here");
    };
    let number: Option<f64> = version.parse().ok();
    // Wire facts 1.9: login() is gone from 65.0 on.
    if number.is_none_or(|number| !(31.0..65.0).contains(&number)) {
        return fault("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL");
    }
    let text = |name: &str| call.text_of(name).unwrap_or_default();
    let (username, password) = (text("username"), text("password"));
    let now = state.data.now();
    let Some((user, session)) = state.auth.soap_login(username, password, now) else {
        return fault("INVALID_LOGIN", "Invalid username, password, security token; or user locked out.");
    };
    let kind = request.segments.get(2).map_or("u", String::as_str);
    Answer::text(200, "text/xml;charset=UTF-8", success(state, &user, &session, kind, version))
}

/// Partner WSDL: "Logout the current user, invalidating the current session", with an empty answer.
fn logout(state: &mut State, body: &xml::Element, request: &Request) -> Answer {
    let header = body.child("Header").and_then(|header| header.child("SessionHeader"));
    let session = header.and_then(|header| header.text_of("sessionId")).unwrap_or_default().to_owned();
    let now = state.data.now();
    if state.auth.user_of_token(&session, now).is_none() {
        return fault("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader: Illegal Session");
    }
    state.auth.tokens.close(&session);
    let namespace = namespace(request.segments.get(2).map_or("u", String::as_str));
    let answer = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope \
         xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"{namespace}\"><soapenv:Body>\
         <logoutResponse/></soapenv:Body></soapenv:Envelope>"
    );
    Answer::text(200, "text/xml;charset=UTF-8", answer)
}

/// `u` is the partner API, `c` the enterprise one.
fn namespace(kind: &str) -> &'static str {
    if kind == "c" { "urn:enterprise.soap.sforce.com" } else { "urn:partner.soap.sforce.com" }
}

fn fault(code: &str, message: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope \
         xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:sf=\"urn:fault.partner.soap.sforce.com\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body><soapenv:Fault>\
         <faultcode>sf:{code}</faultcode><faultstring>{code}: {message}</faultstring><detail>\
         <sf:LoginFault xsi:type=\"sf:LoginFault\"><sf:exceptionCode>{code}</sf:exceptionCode>\
         <sf:exceptionMessage>{message}</sf:exceptionMessage></sf:LoginFault></detail></soapenv:Fault></soapenv:Body>\
         </soapenv:Envelope>"
    );
    Answer::text(500, "text/xml;charset=UTF-8", body)
}

fn success(state: &State, user: &str, session: &str, kind: &str, version: &str) -> String {
    let empty = Row::new();
    let row = state.data.store.find(user).map_or(&empty, |(row, _)| row);
    let text = |name: &str| match row.get(name) {
        Some(Value::Text(text)) => escape(text),
        _ => String::new(),
    };
    let host = &state.auth.instance_url;
    let org = &state.auth.org_id;
    let short = ids::short(org);
    let namespace = namespace(kind);
    let seconds = state.auth.session_timeout.num_seconds();
    let info = format!(
        "<userInfo><accessibilityMode>false</accessibilityMode><currencySymbol>$</currencySymbol>\
         <orgAttachmentFileSizeLimit>5242880</orgAttachmentFileSizeLimit>\
         <orgDefaultCurrencyIsoCode>USD</orgDefaultCurrencyIsoCode>\
         <orgDisallowHtmlAttachments>false</orgDisallowHtmlAttachments>\
         <orgHasPersonAccounts>false</orgHasPersonAccounts><organizationId>{org}</organizationId>\
         <organizationMultiCurrency>false</organizationMultiCurrency><organizationName>Mock Org</organizationName>\
         <profileId>{profile}</profileId><roleId xsi:nil=\"true\"/><sessionSecondsValid>{seconds}</sessionSecondsValid>\
         <userDefaultCurrencyIsoCode xsi:nil=\"true\"/><userEmail>{email}</userEmail>\
         <userFullName>{first} {last}</userFullName><userId>{user}</userId><userLanguage>en_US</userLanguage>\
         <userLocale>en_US</userLocale><userName>{name}</userName><userTimeZone>America/Los_Angeles</userTimeZone>\
         <userType>Standard</userType><userUiSkin>Theme3</userUiSkin></userInfo>",
        profile = text("ProfileId"),
        email = text("Email"),
        first = text("FirstName"),
        last = text("LastName"),
        name = text("Username"),
    );
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope \
         xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"{namespace}\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body><loginResponse><result>\
         <metadataServerUrl>{host}/services/Soap/m/{version}/{short}</metadataServerUrl>\
         <passwordExpired>false</passwordExpired><sandbox>false</sandbox>\
         <serverUrl>{host}/services/Soap/{kind}/{version}/{short}</serverUrl>\
         <sessionId>{session}</sessionId><userId>{user}</userId>{info}</result></loginResponse></soapenv:Body>\
         </soapenv:Envelope>"
    )
}
