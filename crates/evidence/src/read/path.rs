//! Names of nested fields: `fields.status.name`, or the JSON pointer (RFC 6901) where a key itself
//! holds a dot. Owns the one spelling under which a field is kept.

use std::borrow::Cow;

/// Behind the name of an array: its members.
pub(crate) const MEMBERS: &str = "[]";

/// The spelling under which a name is kept. A pointer becomes the dotted path if it can.
pub(crate) fn canonical(name: &str) -> Cow<'_, str> {
    let Some(pointer) = name.strip_prefix('/') else { return Cow::Borrowed(name) };
    let keys: Vec<String> =
        pointer.split('/').map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
    Cow::Owned(joined(keys.iter().map(String::as_str)))
}

/// The name of the field that these keys lead to.
pub(crate) fn joined<'k>(keys: impl Iterator<Item = &'k str> + Clone) -> String {
    let mut name = String::new();
    if keys.clone().all(is_plain) {
        for key in keys {
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(key);
        }
    } else {
        for key in keys {
            name.push('/');
            name.push_str(&key.replace('~', "~0").replace('/', "~1"));
        }
    }
    name
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && !key.contains('.') && !key.starts_with('/')
}

/// The name of a field of an array's members; the members themselves when there is no field.
pub(crate) fn member(array: &str, field: &str) -> String {
    if field.is_empty() {
        return format!("{array}{MEMBERS}");
    }
    match canonical(field) {
        pointer if pointer.starts_with('/') => format!("{array}{MEMBERS}{pointer}"),
        dotted => format!("{array}{MEMBERS}.{dotted}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_and_a_dotted_path_are_one_name() {
        for (written, kept) in [
            ("id", "id"),
            ("/fields/status/name", "fields.status.name"),
            ("fields.status.name", "fields.status.name"),
            ("/a.b/c", "/a.b/c"),
            ("/a~1b", "a/b"),
            ("/x~01/", "/x~01/"),
        ] {
            assert_eq!(canonical(written), kept, "{written}");
        }
        assert_eq!(joined(["a", "b"].into_iter()), "a.b");
        assert_eq!(joined(["a.x", "b/~"].into_iter()), "/a.x/b~1~0");
        assert_eq!(canonical("/a.x/b~1~0"), "/a.x/b~1~0");
        assert_eq!(member("events", "at"), "events[].at");
        assert_eq!(member("events", ""), "events[]");
        assert_eq!(member("events", "/a.b"), "events[]/a.b");
    }
}
