//! Sections of page layouts, added to what the layouts are right before the deploy.

use super::Setup;
use crate::api::metadata::{AnyComponent, Layout, MAX_COMPONENTS};
use crate::error::Result;
use crate::schema::DesiredSection;
use crate::schema::desired::same;
use crate::schema::ledger::ItemKind;
use crate::schema::plan::{PlanItem, Step, section_name, section_path};

/// The layouts of a plan's sections as they are now, and what is to become of them.
#[derive(Debug, Default)]
pub(super) struct Sections {
    /// Layouts with the sections in them.
    pub(super) layouts: Vec<AnyComponent>,
    /// Names of sections that are in those.
    pub(super) added: Vec<String>,
    /// Sections whose layout is gone since the plan was made.
    pub(super) gone: Vec<PlanItem>,
}

impl Setup {
    /// Adds a plan's sections to the layouts as they are by now: a layout is deployed whole, so what an admin has changed since the plan
    /// was made would be lost. Costs one call for each 10 layouts.
    pub(super) async fn sections(&self, wanted: &[DesiredSection]) -> Result<Sections> {
        let mut names: Vec<&str> = wanted.iter().map(|section| section.layout.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let mut layouts: Vec<Layout> = Vec::new();
        for names in names.chunks(MAX_COMPONENTS) {
            layouts.extend(self.client.metadata().read::<Layout>(names).await?.into_iter().flatten());
        }
        Ok(add(wanted, layouts))
    }
}

fn add(wanted: &[DesiredSection], mut layouts: Vec<Layout>) -> Sections {
    let mut sections = Sections::default();
    let mut changed = vec![false; layouts.len()];
    for section in wanted {
        let name = section_name(section);
        let place = layouts.iter().position(|layout| same(&layout.full_name, &section.layout));
        match place.and_then(|place| Some((layouts.get_mut(place)?, changed.get_mut(place)?))) {
            Some((layout, changed)) => {
                if layout.add_section(section.to_component()) {
                    *changed = true;
                    sections.added.push(name);
                }
            }
            None => sections.gone.push(PlanItem {
                kind: ItemKind::LayoutSection,
                subject: name,
                step: Step::ByHand,
                why: "the layout is gone since the plan was made".into(),
                by_hand: Some(section_path(section)),
            }),
        }
    }
    let changed = layouts.into_iter().zip(changed).filter_map(|(layout, changed)| changed.then(|| layout.into()));
    sections.layouts = changed.collect();
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_goes_into_the_layout_as_it_is_now_or_is_left_to_a_person() {
        let section = |layout: &str, field: &str| DesiredSection {
            layout: layout.into(),
            label: "Usage".into(),
            fields: vec![field.into()],
        };
        let wanted = [section("A-A", "X__c"), section("B-B", "X__c"), section("C-C", "X__c"), section("A-A", "Y__c")];
        let now = |name: &str| Layout { full_name: name.into(), ..Layout::default() };
        let mut there = now("B-B");
        assert!(there.add_section(wanted[1].to_component()));
        let sections = add(&wanted, vec![now("A-A"), there]);
        assert_eq!(sections.added, ["A-A/Usage", "A-A/Usage"], "what is there by now is left as it is");
        let layouts: Vec<&str> = sections.layouts.iter().map(AnyComponent::full_name).collect();
        assert_eq!(layouts, ["A-A"], "once, with both");
        assert_eq!(sections.gone.len(), 1);
        assert!(sections.gone[0].by_hand.as_ref().is_some_and(|path| path.contains("C > Page Layouts")));
    }
}
