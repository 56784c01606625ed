//! What is said of each component of a deployment.

use super::super::super::json::Json;
use super::super::super::soql::output::datetime;
use super::super::super::xml::Node;
use super::super::{Kind, stored};
use chrono::{DateTime, Utc};

/// `DeployMessage`.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "the WSDL has them so")]
pub(in crate::testing::org) struct Row {
    /// The type's name; blank for manifests.
    pub(in crate::testing::org) kind: &'static str,
    pub(in crate::testing::org) full_name: String,
    pub(in crate::testing::org) file: String,
    pub(in crate::testing::org) success: bool,
    pub(in crate::testing::org) created: bool,
    pub(in crate::testing::org) changed: bool,
    pub(in crate::testing::org) deleted: bool,
    pub(in crate::testing::org) warning: bool,
    pub(in crate::testing::org) problem: Option<String>,
    /// From 1; 0: not known.
    pub(in crate::testing::org) line: u32,
    pub(in crate::testing::org) column: u32,
    pub(in crate::testing::org) id: Option<String>,
}

impl Row {
    pub(in crate::testing::org::metadata) fn success(kind: &'static str, full_name: &str, file: &str) -> Self {
        Self { kind, full_name: full_name.to_owned(), file: file.to_owned(), success: true, ..Self::default() }
    }

    pub(in crate::testing::org::metadata) fn failure(
        kind: &'static str,
        full_name: &str,
        file: &str,
        problem: String,
    ) -> Self {
        Self { success: false, problem: Some(problem), ..Self::success(kind, full_name, file) }
    }

    /// A manifest's own row.
    pub(super) fn is_manifest(&self) -> bool {
        self.kind.is_empty()
    }

    /// As files are named: a layout's name encoded.
    // [S] forcedotcom/source-deploy-retrieve finds a component's row by the name of its file.
    fn shown_name(&self) -> String {
        Kind::find(self.kind).map_or_else(|| self.full_name.clone(), |kind| stored::encoded(kind, &self.full_name))
    }

    fn problem_type(&self) -> Option<&'static str> {
        self.problem.as_ref().map(|_| if self.warning { "Warning" } else { "Error" })
    }

    /// Members and their order as Salesforce wrote them (an answer of 2021 in a public repository; wire facts 4.3).
    pub(super) fn to_json(&self, at: DateTime<Utc>) -> Json {
        let number = |number: u32| if number == 0 { Json::Null } else { Json::number(number) };
        Json::object([
            ("componentType", Json::string(self.kind)),
            ("fileName", Json::string(&self.file)),
            ("fullName", Json::string(self.shown_name())),
            ("id", self.id.clone().into()),
            ("problem", self.problem.clone().into()),
            ("success", self.success.into()),
            ("warning", self.warning.into()),
            ("created", self.created.into()),
            ("changed", self.changed.into()),
            ("deleted", self.deleted.into()),
            ("lineNumber", number(self.line)),
            ("columnNumber", number(self.column)),
            ("requiresProductionTestRun", false.into()),
            ("createdDate", Json::string(datetime(at))),
            ("knownPackagingProblem", false.into()),
            ("forPackageManifestFile", (self.full_name == "package.xml").into()),
            ("problemType", self.problem_type().map(str::to_owned).into()),
        ])
    }

    /// In the order of the WSDL.
    pub(super) fn to_node(&self, name: &'static str, at: DateTime<Utc>) -> Node {
        let number = |number: u32| Some(number).filter(|number| *number > 0).map(|number| number.to_string());
        Node::new(name)
            .flag("changed", self.changed)
            .maybe("columnNumber", number(self.column))
            .with("componentType", self.kind)
            .flag("created", self.created)
            .with("createdDate", super::soap::date(at))
            .flag("deleted", self.deleted)
            .with("fileName", &self.file)
            .with("fullName", self.shown_name())
            .maybe("id", self.id.as_deref())
            .maybe("lineNumber", number(self.line))
            .maybe("problem", self.problem.as_deref())
            .maybe("problemType", self.problem_type())
            .flag("success", self.success)
    }
}
