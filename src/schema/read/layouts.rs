//! Page layouts, which are read by SOAP.

use crate::api::metadata::Layout;
use crate::client::Client;
use crate::error::{ErrorKind, Result};
use crate::schema::DesiredSchema;
use crate::schema::org::OrgSchema;

/// Page layouts are read by SOAP, which takes no JWT-based token.
pub(super) async fn layouts(client: &Client, desired: &DesiredSchema, org: &mut OrgSchema) -> Result<()> {
    let mut names: Vec<&str> = desired.layout_sections.iter().map(|section| section.layout.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return Ok(());
    }
    let metadata = client.metadata();
    if !metadata.takes_token().await? {
        org.layouts_unreadable = Some("page layouts are read by SOAP, which takes no token of this kind".into());
        return Ok(());
    }
    for names in names.chunks(crate::api::metadata::MAX_COMPONENTS) {
        match metadata.read::<Layout>(names).await {
            Ok(layouts) => org.layouts.extend(layouts.into_iter().flatten()),
            // REST has taken the token just now, so it is one that SOAP does not take, whatever it looks like.
            Err(error) if error.kind() == ErrorKind::Auth => {
                org.layouts_unreadable = Some("page layouts are read by SOAP, which refuses this token".into());
                return Ok(());
            }
            Err(error) if error.kind() == ErrorKind::Forbidden => {
                org.layouts_unreadable = Some("the set-up user may not read page layouts".into());
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
