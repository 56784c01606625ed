//! Has Salesforce tell a web address when records change.

use std::fmt;

use super::names::faults;
use crate::api::metadata::{
    AnyComponent, Flow, RecordTriggerType, WorkflowOutboundMessage, WorkflowRule, WorkflowTriggerType,
};
use crate::error::{Error, ErrorKind, Result};

/// An outbound message that is sent whenever a record of an object was created or changed, and what sends it.
///
/// By default that is a flow that the save of a record starts; [`by_workflow_rule`](Self::by_workflow_rule) makes a workflow rule of
/// it, which Salesforce no longer supports since the end of 2025 but still runs. Metadata alone, no Apex.
///
/// In production, a flow arrives inactive unless Setup > Process Automation Settings > Deploy processes and flows as active is set: see
/// [`Flow::record_triggered`].
///
/// The address should hold a secret that cannot be guessed: a message proves nothing about its sender. `Debug` shows neither.
///
/// ```
/// use sforce::schema::{ChangeNotifier, DesiredSchema};
///
/// let notifier = ChangeNotifier::new("Opportunity", "https://app.acme.example/hook/3f9a", "integration@acme.example")
///     .fields(["Amount", "StageName"]);
/// let schema = DesiredSchema::new("notifier").notifier(&notifier)?;
/// assert_eq!(schema.components.len(), 2);
/// # Ok::<(), sforce::Error>(())
/// ```
///
/// Source: Metadata API Developer Guide, "Workflow" and "Flow"; outbound messages in flows from API 53.0 on.
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct ChangeNotifier {
    object: String,
    endpoint: String,
    user: String,
    name: String,
    fields: Vec<String>,
    workflow_rule: bool,
}

impl fmt::Debug for ChangeNotifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeNotifier")
            .field("object", &self.object)
            .field("name", &self.name)
            .field("fields", &self.fields)
            .field("workflow_rule", &self.workflow_rule)
            .finish_non_exhaustive()
    }
}

impl ChangeNotifier {
    /// Tells this address of changes of this object, as the user of that user name sees the record.
    pub fn new(object: impl Into<String>, endpoint: impl Into<String>, user_name: impl Into<String>) -> Self {
        let object = object.into();
        let stem = object.strip_suffix("__c").unwrap_or(&object).to_owned();
        Self {
            name: format!("Tell_of_{stem}").chars().take(40).collect(),
            object,
            endpoint: endpoint.into(),
            user: user_name.into(),
            fields: Vec::new(),
            workflow_rule: false,
        }
    }

    /// Sets the fields that the message tells; `Id` is always told.
    pub fn fields<F: Into<String>>(mut self, fields: impl IntoIterator<Item = F>) -> Self {
        self.fields = fields.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the name of message and flow; `Tell_of_` and the object by default.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Lets a workflow rule send it, where flows cannot.
    pub fn by_workflow_rule(mut self) -> Self {
        self.workflow_rule = true;
        self
    }

    /// The components: the message, and the flow or the rule.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] with all that is wrong: a name that cannot be one, an address that is none, is not `https` or has a port
    /// that Salesforce does not send to, no user.
    pub fn components(&self) -> Result<[AnyComponent; 2]> {
        let mut wrong: Vec<String> =
            faults(&self.name, 40).into_iter().map(|fault| format!("the notifier {fault}")).collect();
        let ports = |port: u16| matches!(port, 80 | 443 | 1024..=u16::MAX);
        match url::Url::parse(&self.endpoint) {
            Ok(url) if url.scheme() != "https" => wrong.push("the address is not https".into()),
            Ok(url) if !url.port_or_known_default().is_some_and(ports) => {
                wrong.push("Salesforce sends to the ports 80, 443 and 1024 and above".into());
            }
            Ok(_) => {}
            Err(_) => wrong.push("the address is none".into()),
        }
        if !self.user.contains('@') {
            wrong.push("the user name looks like an email address".into());
        }
        if !wrong.is_empty() {
            return Err(Error::new(ErrorKind::Config, "schema", wrong.join("; ")));
        }
        let full_name = format!("{}.{}", self.object, self.name);
        let message = WorkflowOutboundMessage::new(&*full_name, &*self.endpoint, &*self.user, self.fields.clone());
        let sender: AnyComponent = if self.workflow_rule {
            let rule = WorkflowRule::new(&*full_name, "true", WorkflowTriggerType::OnAllChanges);
            rule.sends(&*self.name).into()
        } else {
            let label = self.name.replace('_', " ");
            let flow = Flow::record_triggered(&*self.name, label, &*self.object, RecordTriggerType::CreateAndUpdate);
            flow.sends(full_name).into()
        };
        Ok([message.into(), sender])
    }
}

impl super::DesiredSchema {
    /// Adds a notifier: its message, and the flow or rule that sends it.
    ///
    /// # Errors
    ///
    /// As for [`ChangeNotifier::components`].
    pub fn notifier(self, notifier: &ChangeNotifier) -> Result<Self> {
        Ok(notifier.components()?.into_iter().fold(self, Self::component))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notifier() -> ChangeNotifier {
        ChangeNotifier::new("Deal__c", "https://app.acme.example/s3cret", "ada@acme.example").fields(["Name"])
    }

    #[test]
    fn smv_12_a_notifier_is_a_message_and_a_flow_or_a_rule_that_sends_it() {
        let [message, flow] = notifier().components().expect("sound");
        let message = message.get::<WorkflowOutboundMessage>().expect("reads").expect("a message");
        assert_eq!((message.full_name.as_str(), message.include_session_id), ("Deal__c.Tell_of_Deal", false));
        let flow = flow.get::<Flow>().expect("reads").expect("a flow");
        assert_eq!(
            (flow.full_name.as_str(), flow.action_calls[0].action_name.as_str()),
            ("Tell_of_Deal", "Deal__c.Tell_of_Deal")
        );
        let [_, rule] = notifier().by_workflow_rule().components().expect("sound");
        let rule = rule.get::<WorkflowRule>().expect("reads").expect("a rule");
        assert_eq!((rule.full_name.as_str(), rule.actions[0].name.as_str()), ("Deal__c.Tell_of_Deal", "Tell_of_Deal"));
    }

    #[test]
    fn smv_12_all_that_is_wrong_is_told_and_the_address_is_not() {
        let bad = ChangeNotifier::new("Deal__c", "http://app.acme.example/s3cret", "ada").name("a__b");
        let error = bad.components().expect_err("much is wrong");
        assert_eq!(error.kind(), ErrorKind::Config);
        for part in ["two underscores", "not https", "email address"] {
            assert!(error.message().contains(part), "{error}");
        }
        let closed = ChangeNotifier::new("Deal__c", "https://app.acme.example:25/s3cret", "ada@acme.example");
        assert!(closed.components().expect_err("no such port").message().contains("ports 80, 443"));
        let shown = format!("{error} {error:?} {bad:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
