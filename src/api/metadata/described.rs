//! What types of metadata an org has.

use super::{Metadata, wrong};
use crate::error::{Effect, Result};
use crate::types::xml::Element;

/// The types of metadata of an org, and what its deploys have to keep to.
///
/// Source: Metadata API Developer Guide, `describeMetadata()`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DescribedMetadata {
    /// The types that the user may see.
    pub types: Vec<DescribedType>,
    /// The org's own namespace.
    pub organization_namespace: Option<String>,
    /// Whether a deploy may keep what was not refused: `rollbackOnError` may be `false`. Not in production.
    pub partial_save_allowed: bool,
    /// Whether a deploy of Apex has to run tests, as in production.
    pub test_required: bool,
}

/// A type of metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DescribedType {
    /// Its name, such as `CustomObject`.
    pub xml_name: String,
    /// The folder of its files in a zip, such as `objects`.
    pub directory_name: String,
    /// How the names of its files end, without the dot, such as `object`; `None` where that is not of one kind.
    pub suffix: Option<String>,
    /// Whether its files lie in folders of their own, as reports do.
    pub in_folder: bool,
    /// Whether each file has a second one with `-meta.xml` behind its name, as Apex has.
    pub meta_file: bool,
    /// Types of components that lie in its files, such as `CustomField`.
    pub child_xml_names: Vec<String>,
}

impl Metadata {
    /// The types of metadata that the org has for this user. Costs one API call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) for a JWT-based token or without the permission; any error of
    /// [`Client::send`](crate::Client::send).
    pub async fn describe_metadata(&self) -> Result<DescribedMetadata> {
        const OPERATION: &str = "metadata.describe";
        let mut call = Element::new("describeMetadata");
        call.push(Element::leaf("asOfVersion", self.client.api_version()));
        let answer = self.call(OPERATION, &call).await?;
        let result = answer
            .find("describeMetadataResponse")
            .and_then(|response| response.child("result"))
            .ok_or_else(|| wrong(OPERATION, "the answer describes nothing").with_effect(Effect::None))?;
        Ok(read(result))
    }
}

fn read(result: &Element) -> DescribedMetadata {
    let one = |object: &Element| {
        let text = |name| object.text_of(name).unwrap_or_default().to_owned();
        DescribedType {
            xml_name: text("xmlName"),
            directory_name: text("directoryName"),
            suffix: object.text_of("suffix").map(str::to_owned),
            in_folder: object.flag_of("inFolder").unwrap_or_default(),
            meta_file: object.flag_of("metaFile").unwrap_or_default(),
            // Some orgs list an empty name among them.
            child_xml_names: object
                .all("childXmlNames")
                .map(|name| name.text.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect(),
        }
    };
    DescribedMetadata {
        types: result.all("metadataObjects").map(one).collect(),
        organization_namespace: result.text_of("organizationNamespace").map(str::to_owned),
        partial_save_allowed: result.flag_of("partialSaveAllowed").unwrap_or_default(),
        test_required: result.flag_of("testRequired").unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_read_as_the_wsdl_has_it() {
        let answer = "<result><metadataObjects><childXmlNames>CustomField</childXmlNames><childXmlNames/>\
                      <directoryName>objects</directoryName><inFolder>false</inFolder><metaFile>false</metaFile>\
                      <suffix>object</suffix><xmlName>CustomObject</xmlName></metadataObjects>\
                      <metadataObjects><directoryName>lwc</directoryName><inFolder>false</inFolder><metaFile>true</metaFile>\
                      <xmlName>LightningComponentBundle</xmlName></metadataObjects>\
                      <organizationNamespace/><partialSaveAllowed>true</partialSaveAllowed>\
                      <testRequired>false</testRequired></result>";
        let described = read(&Element::parse(answer.as_bytes()).expect("well-formed"));
        assert_eq!(described.types.len(), 2);
        assert_eq!(described.types[0].child_xml_names, ["CustomField"]);
        assert_eq!((described.types[0].suffix.as_deref(), &described.types[1].suffix), (Some("object"), &None));
        assert!(described.types[1].meta_file && !described.types[0].meta_file);
        assert_eq!(described.organization_namespace, None);
        assert!(described.partial_save_allowed && !described.test_required);
    }
}
