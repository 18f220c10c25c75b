//! Which file of a crate uses which: read from its `use` lines and from the paths in its code.
//!
//! Code for tests (`#[cfg(test)]`) does not count. A file that opens a folder (`lib.rs`, `main.rs`, `mod.rs`) is its table of contents:
//! its `pub use` lines do not count, nor do paths that begin with a module of its own (`events::create`). Who uses what is named in a
//! `pub use` uses the file that has it.
#![expect(clippy::wildcard_enum_match_arm, reason = "syn's enums grow")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use syn::{
    Attribute, File, Item, ItemUse, Macro, Meta, UseTree, Visibility,
    ext::IdentExt,
    visit::{Visit, visit_item, visit_path},
};

type Names = Vec<String>;

/// A module that has a file of its own.
struct Module {
    path: Names,
    file: String,
    children: BTreeSet<String>,
    items: BTreeSet<String>,
    /// What each name of a `use` stands for, from the crate's root; nothing if it is of another crate.
    imports: BTreeMap<String, Option<Names>>,
    /// What `use …::*` opens.
    globs: Vec<Names>,
    /// All paths that count, as they are written.
    written: Vec<Names>,
}

/// The files of a crate, each with those that it uses. `root` is its `lib.rs` or `main.rs`.
pub(crate) fn uses(root: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut modules = BTreeMap::new();
    read(root, Vec::new(), &mut modules);
    let used = |module: &Module| {
        let paths = module.written.iter().filter_map(|path| module.resolved(path));
        let files = paths.filter_map(|path| file_of(&path, &modules)).filter(|file| *file != module.file);
        (module.file.clone(), files.collect())
    };
    modules.values().map(used).collect()
}

/// Reads a module and all below it.
fn read(file: &Path, path: Names, modules: &mut BTreeMap<Names, Module>) {
    let text = fs::read_to_string(file).unwrap();
    let parsed: File = syn::parse_file(&text).unwrap_or_else(|cause| panic!("{}: {cause}", file.display()));
    let name = file.file_name().unwrap().to_str().unwrap();
    let opens_folder = ["lib.rs", "main.rs", "mod.rs"].contains(&name);
    let mut module = Module {
        path,
        file: file.strip_prefix(e2e::dashboard::workspace()).unwrap().to_str().unwrap().to_owned(),
        children: BTreeSet::new(),
        items: BTreeSet::new(),
        imports: BTreeMap::new(),
        globs: Vec::new(),
        written: Vec::new(),
    };
    let kept = parsed.items.iter().filter(|item| !attributes(item).iter().any(is_for_tests));
    for item in kept.clone() {
        match item {
            Item::Mod(one) if one.content.is_none() && !one.attrs.iter().any(|attr| attr.path().is_ident("path")) => {
                module.children.insert(one.ident.unraw().to_string());
            }
            _ => module.items.extend(name_of(item)),
        }
    }
    let mut code = Code { module: &mut module, opens_folder, counted: BTreeSet::new() };
    let (lines, others): (Vec<_>, Vec<_>) = kept.partition(|item| matches!(item, Item::Use(_)));
    lines.into_iter().chain(others).for_each(|item| code.visit_item(item));
    let folder = file.parent().unwrap();
    let folder = if opens_folder { folder.to_owned() } else { folder.join(file.file_stem().unwrap()) };
    for child in &module.children {
        let (beside, below) = (folder.join(format!("{child}.rs")), folder.join(child).join("mod.rs"));
        let path = module.path.iter().chain([child]).cloned().collect();
        read(if beside.is_file() { &beside } else { &below }, path, modules);
    }
    modules.insert(module.path.clone(), module);
}

impl Module {
    /// A path from the crate's root; nothing if it leads out of the crate.
    fn resolved(&self, path: &[String]) -> Option<Names> {
        let (first, rest) = path.split_first()?;
        let mut base = match first.as_str() {
            "crate" => Vec::new(),
            "self" => self.path.clone(),
            "super" => {
                let above = rest.iter().take_while(|name| *name == "super").count();
                let base = self.path[..self.path.len() - 1 - above].to_vec();
                return Some([&base, &rest[above..]].concat());
            }
            name if self.children.contains(name) => [&self.path[..], &path[..1]].concat(),
            name => self.imports.get(name)?.clone()?,
        };
        base.extend_from_slice(rest);
        Some(base)
    }
}

/// The file that has what a path names. A path that names a module as a whole has none: what is used of it is another path.
fn file_of(path: &[String], modules: &BTreeMap<Names, Module>) -> Option<String> {
    let at = (0..=path.len()).rev().find_map(|end| modules.get(&path[..end]))?;
    let (name, behind) = path[at.path.len()..].split_first()?;
    if at.items.contains(name) {
        return Some(at.file.clone());
    }
    if let Some(meant) = at.imports.get(name) {
        return file_of(&[&meant.clone()?[..], behind].concat(), modules);
    }
    let mut opened = at.globs.iter().map(|glob| [&glob[..], std::slice::from_ref(name), behind].concat());
    opened.find_map(|path| file_of(&path, modules))
}

/// Collects the paths of a module's code.
struct Code<'m> {
    module: &'m mut Module,
    opens_folder: bool,
    /// The names that the module has from `use` lines that count.
    counted: BTreeSet<String>,
}

impl Code<'_> {
    fn add_use(&mut self, tree: &UseTree, before: &[String], counts: bool) {
        match tree {
            UseTree::Path(path) => {
                let before = [before, &[path.ident.unraw().to_string()]].concat();
                self.add_use(&path.tree, &before, counts);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_use(tree, before, counts)),
            UseTree::Name(name) => self.import(name.ident.unraw().to_string(), before, None, counts),
            UseTree::Rename(name) => {
                self.import(name.ident.unraw().to_string(), before, Some(name.rename.unraw().to_string()), counts);
            }
            UseTree::Glob(_) => self.module.globs.extend(self.module.resolved(before)),
        }
    }

    fn import(&mut self, name: String, before: &[String], renamed: Option<String>, counts: bool) {
        let mut path = before.to_vec();
        let local = renamed
            .unwrap_or_else(|| if name == "self" { before.last().cloned().unwrap_or_default() } else { name.clone() });
        path.extend((name != "self").then_some(name));
        let meant = self.module.resolved(&path);
        self.module.imports.insert(local.clone(), meant);
        if counts {
            self.module.written.push(path);
            self.counted.insert(local);
        }
    }
}

impl Code<'_> {
    /// A path in the code. Of one that begins with the name of a `use`, the `use` counts already, but for what is behind a module's name.
    fn add_path(&mut self, path: Names) {
        let starts = ["crate", "self", "super"].contains(&path[0].as_str());
        if starts || (path.len() > 1 && self.counted.contains(&path[0])) {
            self.module.written.push(path);
        }
    }
}

impl<'a> Visit<'a> for Code<'_> {
    fn visit_item(&mut self, item: &'a Item) {
        if !attributes(item).iter().any(is_for_tests) {
            visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, line: &'a ItemUse) {
        let re_export = self.opens_folder && !matches!(line.vis, Visibility::Inherited);
        self.add_use(&line.tree, &[], !re_export);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        self.add_path(path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect());
        visit_path(self, path);
    }

    /// What is handed to a macro is not parsed: it is read word by word.
    fn visit_macro(&mut self, one: &'a Macro) {
        self.visit_path(&one.path);
        let text = one.tokens.to_string().replace(" :: ", "::");
        let paths = text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
        paths.for_each(|path| self.add_path(path.split("::").map(str::to_owned).collect()));
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    matches!(&attribute.meta, Meta::List(list) if list.path.is_ident("cfg") && list.tokens.to_string() == "test")
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(one) => &one.attrs,
        Item::Enum(one) => &one.attrs,
        Item::Fn(one) => &one.attrs,
        Item::Impl(one) => &one.attrs,
        Item::Macro(one) => &one.attrs,
        Item::Mod(one) => &one.attrs,
        Item::Static(one) => &one.attrs,
        Item::Struct(one) => &one.attrs,
        Item::Trait(one) => &one.attrs,
        Item::Type(one) => &one.attrs,
        Item::Use(one) => &one.attrs,
        _ => &[],
    }
}

fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(one) => &one.ident,
        Item::Enum(one) => &one.ident,
        Item::Fn(one) => &one.sig.ident,
        Item::Macro(one) => one.ident.as_ref()?,
        Item::Mod(one) => &one.ident,
        Item::Static(one) => &one.ident,
        Item::Struct(one) => &one.ident,
        Item::Trait(one) => &one.ident,
        Item::Type(one) => &one.ident,
        _ => return None,
    };
    Some(name.unraw().to_string())
}
