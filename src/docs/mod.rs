//! The project's documentation, embedded: for `/llms.txt`, and for the tools that let an assistant search and read it.
//!
//! | file | what it does |
//! |---|---|
//! | `pages.rs` | the embedded pages |
//! | `summary.rs` | the sections and titles of docs/SUMMARY.md |
//! | `section.rs` | divides a page at its headings |
//! | `search.rs` | finds the sections that answer a question |
//! | `llms.rs` | writes `llms.txt` and `llms-full.txt` |

mod llms;
mod pages;
mod search;
mod section;
mod summary;

pub use self::llms::{full, overview};
pub use self::pages::{LEFT_OUT, Page, all, find, nearest};
pub use self::search::{Hit, QUERY_CHARS_MAX, search};
pub use self::section::{Section, sections};
pub use self::summary::{Chapter, Entry, chapters};
