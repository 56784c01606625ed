//! SOAP calls on the Metadata API, each answer held against Salesforce's WSDL.

use super::http::{Answer, Client};
use super::{MockOrg, wsdl};
use crate::testing::org::xml::{self, Element};

pub(super) fn envelope(token: &str, header: &str, call: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope \
         xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Header \
         xmlns=\"http://soap.sforce.com/2006/04/metadata\"><SessionHeader><sessionId>{token}</sessionId></SessionHeader>\
         {header}</soapenv:Header><soapenv:Body xmlns=\"http://soap.sforce.com/2006/04/metadata\">{call}</soapenv:Body>\
         </soapenv:Envelope>"
    )
}

pub(super) fn send(client: &Client, version: &str, envelope: &str) -> Answer {
    let headers = [("Content-Type", "text/xml; charset=UTF-8"), ("SOAPAction", "\"\"")];
    let path = format!("/services/Soap/m/{version}");
    client.with_authorization(None).send("POST", &path, &headers, envelope).unwrap()
}

/// A caller with a token.
pub(super) struct Soap {
    pub(super) client: Client,
    pub(super) token: String,
    pub(super) version: &'static str,
}

impl Soap {
    pub(super) fn of(org: &MockOrg) -> Self {
        Self { client: Client::of(org), token: org.access_token(), version: "63.0" }
    }

    pub(super) fn as_user(org: &MockOrg, token: &str) -> Self {
        Self { token: token.to_owned(), ..Self::of(org) }
    }

    pub(super) fn send(&self, header: &str, call: &str) -> Answer {
        send(&self.client, self.version, &envelope(&self.token, header, call))
    }

    /// The response element of a call that succeeds as a whole.
    pub(super) fn call(&self, call: &str) -> Element {
        self.call_with("", call)
    }

    pub(super) fn call_with(&self, header: &str, call: &str) -> Element {
        let answer = self.send(header, call);
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("content-type"), Some("text/xml;charset=UTF-8"));
        wsdl::check(&answer.body);
        let root = xml::parse(answer.body.as_bytes()).unwrap();
        root.children[0].children[0].clone()
    }

    /// Code and text of a fault.
    pub(super) fn fault(&self, call: &str) -> (String, String) {
        fault_of(&self.send("", call))
    }

    /// `createMetadata` and its like over components, without their type.
    pub(super) fn save(&self, call: &str, kind: &str, components: &[&str]) -> Vec<Outcome> {
        self.save_with("", call, kind, components)
    }

    pub(super) fn save_with(&self, header: &str, call: &str, kind: &str, components: &[&str]) -> Vec<Outcome> {
        let metadata = components.iter().map(|body| format!("<metadata xsi:type=\"{kind}\">{body}</metadata>"));
        outcomes(&self.call_with(header, &format!("<{call}>{}</{call}>", metadata.collect::<String>())))
    }

    pub(super) fn read(&self, kind: &str, name: &str) -> Option<Element> {
        let call = format!("<readMetadata><type>{kind}</type><fullNames>{name}</fullNames></readMetadata>");
        let response = self.call(&call);
        let record = response.children[0].children[0].clone();
        (!record.nil).then_some(record)
    }

    pub(super) fn delete(&self, kind: &str, name: &str) -> Vec<Outcome> {
        let call = format!("<deleteMetadata><type>{kind}</type><fullNames>{name}</fullNames></deleteMetadata>");
        outcomes(&self.call(&call))
    }
}

pub(super) fn fault_of(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 500, "{}", answer.body);
    let root = xml::parse(answer.body.as_bytes()).unwrap();
    let fault = &root.children[0].children[0];
    assert_eq!(fault.name, "Fault");
    (fault.text_of("faultcode").unwrap().to_owned(), fault.text_of("faultstring").unwrap().to_owned())
}

/// What became of a component.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Saved,
    Created,
    Unchanged,
    Refused(String, String),
}

pub(super) fn refused(code: &str, message: &str) -> Outcome {
    Outcome::Refused(code.to_owned(), message.to_owned())
}

fn outcomes(response: &Element) -> Vec<Outcome> {
    let outcome = |result: &Element| match (result.flag("success"), result.flag("created"), result.child("errors")) {
        (Some(true), Some(true), None) => Outcome::Created,
        (Some(true), Some(false), None) => Outcome::Unchanged,
        (Some(true), None, None) => Outcome::Saved,
        (Some(false), None | Some(false), Some(error)) => {
            refused(error.text_of("statusCode").unwrap(), error.text_of("message").unwrap())
        }
        other => panic!("an outcome of its own kind: {other:?}"),
    };
    response.all("result").map(outcome).collect()
}
