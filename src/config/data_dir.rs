//! The user's data directory on each system. No folder is created or checked for existence.

use std::path::PathBuf;

/// The name of this program's folder in the data directory.
const NAME: &str = "fauxfax";

/// Returns the user's data directory for this program. `None` if no variable of the environment names it, or the home
/// directory, as an absolute path.
pub(super) fn of(environment: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    // The XDG specification says to ignore relative paths; they would name a different folder in each working
    // directory.
    let absolute = |name: &str| environment(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || absolute("HOME");
    let base = absolute("XDG_DATA_HOME").or_else(|| {
        if cfg!(windows) {
            absolute("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            home().map(|home| home.join("Library/Application Support"))
        } else {
            home().map(|home| home.join(".local/share"))
        }
    });
    base.map(|base| base.join(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Option<PathBuf> {
        of(&|name| variables.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    #[cfg(unix)]
    fn the_data_directory_is_under_xdg_data_home_or_otherwise_under_home() {
        assert_eq!(with(&[("XDG_DATA_HOME", "/x"), ("HOME", "/home/me")]), Some("/x/fauxfax".into()));
        let below_home = with(&[("XDG_DATA_HOME", "relative"), ("HOME", "/home/me")]).expect("a folder");
        assert!(below_home.starts_with("/home/me") && below_home.ends_with("fauxfax"), "{below_home:?}");
        assert_eq!(with(&[("HOME", "")]), None);
    }
}
