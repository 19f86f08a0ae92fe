//! Groups places that are near each other, so that a paragraph is one finding instead of a finding per line.

use crate::document::marks::Place;

/// The largest gaps across and down, in inches, between findings that belong together: across, the gap between the
/// columns of a table; down, about two lines of type.
pub(super) const FINDINGS_INCHES: (f64, f64) = (3.0, 0.25);
/// The maximum number of groups; once there are so many, a place that is near none of them joins the last one.
const GROUPS_MAX: usize = 200;

/// A group of places.
#[derive(Debug, Clone)]
pub(super) struct Group<T> {
    pub(super) place: Place,
    pub(super) members: Vec<T>,
}

/// Groups items whose places are at most a gap apart, across and down.
pub(super) fn groups<T>(items: impl IntoIterator<Item = (Place, T)>, gap: (f64, f64)) -> Vec<Group<T>> {
    let mut groups: Vec<Group<T>> = Vec::new();
    for (place, item) in items {
        let reach = place.grown(gap);
        let mut joined = Group { place, members: vec![item] };
        // The item may connect groups that were separate until now.
        let mut at = 0;
        while at < groups.len() {
            if groups[at].place.overlaps(&reach) {
                let mut group = groups.swap_remove(at);
                joined.place = joined.place.union(&group.place);
                group.members.append(&mut joined.members);
                joined.members = group.members;
            } else {
                at += 1;
            }
        }
        let is_full = groups.len() >= GROUPS_MAX;
        match groups.last_mut() {
            Some(last) if is_full => {
                last.place = last.place.union(&joined.place);
                last.members.append(&mut joined.members);
            }
            _ => groups.push(joined),
        }
    }
    groups.sort_by(|a, b| a.place.top.total_cmp(&b.place.top).then(a.place.left.total_cmp(&b.place.left)));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_places_are_one_group_and_a_place_between_two_connects_them() {
        let line = |top: f64| (Place { left: 1.0, top, right: 5.0, bottom: top + 0.1 }, top);
        let apart = groups([line(1.0), line(2.0), line(1.2)], FINDINGS_INCHES);
        assert_eq!(apart.iter().map(|group| group.members.len()).collect::<Vec<_>>(), [2, 1]);
        let connected = groups([line(1.0), line(1.6), line(1.3)], FINDINGS_INCHES);
        assert_eq!(connected.len(), 1);
        assert_eq!((connected[0].place.top, connected[0].place.bottom), (1.0, 1.6 + 0.1));
    }
}
